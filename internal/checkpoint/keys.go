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
	"strings"

	"ibrecorder/internal/diskfile"
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

// ErrKeyLost: a folder that has signed before has its keys no more.
var ErrKeyLost = errors.New("a key is missing that was there before")

// MakeKeys reads the keys of a data folder, and makes those that are missing if it has
// never had any: a new key, made in silence, would be one that nobody trusts. The error
// matches ErrKeyLost then.
func MakeKeys(data string) (*Keys, error) {
	dir := filepath.Join(data, Dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	if err := checkLost(dir); err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	_, err := readFile(dir, signingFile)
	if errors.Is(err, fs.ErrNotExist) {
		var private string
		if private, _, err = note.GenerateKey(rand.Reader, signerName); err == nil {
			err = diskfile.Write(filepath.Join(dir, signingFile), []byte(private+"\n"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keys of the checkpoints: %w", err)
	}
	if _, err = readFile(dir, veilFile); errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, secretBytes)
		_, _ = rand.Read(secret) // never fails
		err = diskfile.Write(filepath.Join(dir, veilFile), fmt.Appendf(nil, "%x\n", secret))
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
		if err := diskfile.Write(filepath.Join(dir, publicFile), []byte(k.text+"\n")); err != nil {
			return nil, fmt.Errorf("keys of the checkpoints: %w", err)
		}
	}
	return k, nil
}

// checkLost tells a folder whose keys were lost from a new one: the public key is written
// after the others.
func checkLost(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, publicFile)); err != nil {
		return nil
	}
	for _, name := range []string{signingFile, veilFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: bring %s back from a copy; or move %s away, and give the key that is made then to whoever verifies",
				ErrKeyLost, filepath.Join(dir, name), filepath.Join(dir, publicFile))
		}
	}
	return nil
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

// PublicKeyPath is where a data folder has its public key, whether it has one or not.
func PublicKeyPath(data string) string { return filepath.Join(data, Dir, publicFile) }

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
