package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrSecret is matched when a secret cannot be read, or must not be used.
var ErrSecret = errors.New("a secret cannot be had")

// mostSecret is how long a secret is at most, in bytes.
const mostSecret = 4096

// ReadSecret reads what a key that ends in _file names: a file, or env:NAME in the
// environment (as os.Environ has it). Blanks and line ends around it are cut off. A file
// that others may read is refused. The error matches ErrSecret, says what to type, and
// never has the secret.
func ReadSecret(ref string, env []string) (string, error) {
	vars := variables(env)
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		if s := strings.TrimSpace(vars[name]); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("%w: the variable %s is not set", ErrSecret, name)
	}
	in, err := os.Open(ref)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrSecret, ref, errors.Unwrap(err))
	}
	defer in.Close()
	info, err := in.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %s: %w", ErrSecret, ref, errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%w: %s is no file", ErrSecret, ref)
	case open(info, ref, vars["CREDENTIALS_DIRECTORY"]):
		return "", fmt.Errorf("%w: others may read %s (%04o): chmod 600 %s", ErrSecret, ref, info.Mode().Perm(), ref)
	}
	b, err := io.ReadAll(io.LimitReader(in, mostSecret+1))
	s := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %s: %w", ErrSecret, ref, errors.Unwrap(err))
	case len(b) > mostSecret:
		return "", fmt.Errorf("%w: %s has more than %d bytes", ErrSecret, ref, mostSecret)
	case s == "":
		return "", fmt.Errorf("%w: %s is empty", ErrSecret, ref)
	}
	return s, nil
}

// open says whether others may read a file. A credential of systemd's has an access
// control list for the service's user, which shows as the right of a group to read.
func open(info os.FileInfo, path, credentials string) bool {
	if runtime.GOOS == "windows" {
		return false // it has no such bits
	}
	others := os.FileMode(0o077)
	if filepath.IsAbs(credentials) && filepath.Dir(path) == filepath.Clean(credentials) {
		others = 0o037
	}
	return info.Mode().Perm()&others != 0
}
