package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxSecret bounds a secret in bytes.
const maxSecret = 64 << 10

// ReadSecret reads what a key that ends in _file names: a file that only its owner may
// read, or env:NAME, a variable of env, which is as os.Environ has it. White space
// around it does not count. Errors match ErrInvalid and do not repeat what was read.
func ReadSecret(ref string, env []string) (string, error) {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		value := strings.TrimSpace(variables(env)[name])
		if value == "" {
			return "", fmt.Errorf("%w: the variable %s is not set", ErrInvalid, name)
		}
		return value, nil
	}
	f, err := os.Open(ref)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	defer f.Close()
	if err := OwnersAlone(f); err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	value := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	case value == "":
		return "", fmt.Errorf("%w: %s is empty", ErrInvalid, ref)
	case len(b) > maxSecret:
		return "", fmt.Errorf("%w: %s has more than %d bytes, this is no secret", ErrInvalid, ref, maxSecret)
	}
	return value, nil
}

// OwnersAlone refuses a file that others than its owner may read.
func OwnersAlone(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if info.Mode()&fs.ModeType == 0 && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: %s can be read by others (%o); type: chmod 600 %s", ErrInvalid, f.Name(), info.Mode().Perm(), f.Name())
	}
	return nil
}
