package diskfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ibrecorder/internal/flock"
)

// Unfinished ends the name of a file that is not whole yet. After a crash one may lie
// beside the file; the next Write to that path replaces it.
const Unfinished = ".tmp"

// ErrSeal: a sealed file is not as it was written.
var ErrSeal = errors.New("the checksum does not match")

// Write puts data at path, mode 0600, and makes it durable. The folder must be there.
// The errors are those of package os.
func Write(path string, data []byte) error {
	if err := write(path, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func write(path string, data []byte) error {
	tmp := path + Unfinished
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|flock.NoFollow, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp)) // a full disk gets its room back
	}
	return SyncDir(filepath.Dir(path))
}

// Seal writes v as one line of JSON and the SHA-256 of that line, so that one flipped
// bit cannot turn a stopped gate into an open one.
func Seal(path string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	sum := sha256.Sum256(line)
	return Write(path, fmt.Appendf(nil, "%s\n%x\n", line, sum))
}

// Unseal reads into v what Seal wrote. The error is that of os.ReadFile, or matches
// ErrSeal, or is that of encoding/json.
func Unseal(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	line, seal, _ := bytes.Cut(b, []byte("\n"))
	sum := sha256.Sum256(line)
	if string(seal) != hex.EncodeToString(sum[:])+"\n" {
		return fmt.Errorf("%s: %w", path, ErrSeal)
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
