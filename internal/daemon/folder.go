package daemon

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
)

// keyFile holds the key of the hashes that stand for account ids. It never leaves
// the folder: the hashes of two folders cannot be joined.
const keyFile = "account.key"

const keyBytes = 32

// folderKey reads the folder's key, and makes it when there is none.
func folderKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, keyBytes)
		_, _ = rand.Read(key) // never fails
		return key, diskfile.Write(path, fmt.Appendf(nil, "%x\n", key))
	}
	if err != nil {
		return nil, fmt.Errorf("key of the account hashes: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("key of the account hashes: %s does not hold %d bytes in hexadecimal; bring back a copy of it, or move it away and take hashes that cannot be compared with the old ones", path, keyBytes)
	}
	return key, nil
}

// newBoot draws the id of a run: ten letters, 40 bits.
func newBoot() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails
	for i, c := range b {
		b[i] = events.SafeLetters[c&15]
	}
	return string(b)
}
