package checkpoint

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"ibrecorder/internal/veil"

	"golang.org/x/mod/sumdb/note"
)

// Dir is the folder of checkpoints in a data folder.
const Dir = "checkpoint"

const (
	signingFile = "signing.key"
	publicFile  = "public.key"
	veilFile    = "veil.key"
	signerName  = "ibrecorder"
	secretBytes = 32
)

// Keys are what a data folder signs and veils with.
type Keys struct {
	signer note.Signer
	public note.Verifier
	text   string // the public key
	secret []byte
}

// MakeKeys reads the keys of a data folder, and makes those that are missing.
func MakeKeys(data string) (*Keys, error) {
	dir := filepath.Join(data, Dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	_, err := readFile(dir, signingFile)
	if errors.Is(err, fs.ErrNotExist) {
		var private string
		if private, _, err = note.GenerateKey(rand.Reader, signerName); err == nil {
			err = writeWhole(filepath.Join(dir, signingFile), []byte(private+"\n"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	if _, err = readFile(dir, veilFile); errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, secretBytes)
		_, _ = rand.Read(secret) // never fails
		err = writeWhole(filepath.Join(dir, veilFile), fmt.Appendf(nil, "%x\n", secret))
	}
	if err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	k, err := readKeys(dir)
	if err != nil {
		return nil, err
	}
	// Beside the private key, so that whoever packs need not read that.
	if known, err := readFile(dir, publicFile); err != nil || known != k.text {
		if err := writeWhole(filepath.Join(dir, publicFile), []byte(k.text+"\n")); err != nil {
			return nil, fmt.Errorf("keys of the checkpoints: %w", err)
		}
	}
	return k, nil
}

func readKeys(dir string) (*Keys, error) {
	k := new(Keys)
	private, err := readFile(dir, signingFile)
	if err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	if k.signer, err = note.NewSigner(private); err == nil {
		k.text, err = publicOf(private)
	}
	if err == nil {
		k.public, err = ParseKey(k.text)
	}
	if err != nil { // the error itself may quote the key
		return nil, fmt.Errorf("keys of the checkpoints: %s holds no private key; bring it back from a copy, or move it away, and tell whoever has the public key", filepath.Join(dir, signingFile))
	}
	k.secret, err = secretIn(dir)
	return k, err
}

// publicOf returns the public key of a private one that note.NewSigner has accepted.
func publicOf(private string) (string, error) {
	parts := strings.SplitN(private, "+", 5) // PRIVATE+KEY+name+hash+key
	key, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return "", ErrKey
	}
	public := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(signerName, public)
}

// Public is the public key as text: the name, 8 hexadecimal digits and the key.
func (k *Keys) Public() string { return k.text }

// Salts are those of a gateway's log.
func (k *Keys) Salts(gateway string) *veil.Key { return veil.NewKey(k.secret, gateway) }

// PublicKey returns the public key of a data folder. It fails with fs.ErrNotExist if no
// recorder has made one yet.
func PublicKey(data string) (string, error) {
	text, err := readFile(filepath.Join(data, Dir), publicFile)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	_, err = ParseKey(text)
	return text, err
}

// Salts are those of a gateway's log in a data folder. It fails with fs.ErrNotExist if no
// recorder has made a secret yet.
func Salts(data, gateway string) (*veil.Key, error) {
	secret, err := secretIn(filepath.Join(data, Dir))
	if err != nil {
		return nil, err
	}
	return veil.NewKey(secret, gateway), nil
}

func secretIn(dir string) ([]byte, error) {
	text, err := readFile(dir, veilFile)
	if err != nil {
		return nil, fmt.Errorf("secret of the salts: %w", err)
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != secretBytes {
		return nil, fmt.Errorf("secret of the salts: %s does not hold %d bytes in hexadecimal; bring it back from a copy: without it no checkpoint so far can be checked against the log",
			filepath.Join(dir, veilFile), secretBytes)
	}
	return secret, nil
}

func readFile(dir, name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	return strings.TrimSpace(string(b)), err
}

// writeWhole puts data at path, mode 0600, so that after a crash it is there whole or not
// at all.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// newPrefix begins the name of a file that is not whole yet.
const newPrefix = ".new-"

func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // where a folder cannot be synced
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
