package checkpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ibrecorder/events"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a signature is under.
type Checkpoint struct {
	// Origin names the log; see Origin.
	Origin string
	// Size is how many events it covers, from the first on. From 1.
	Size uint64
	// Root is that of the tree over their veiled lines.
	Root tlog.Hash
	// Stored commits to the stored bytes of the last one (veil.Head), 64 hexadecimal digits.
	Stored string
}

// Origin names the log of a gateway whose first veiled line hashes to first.
func Origin(gateway string, first events.Hash) string {
	return fmt.Sprintf("ibrecorder/%s/%x", gateway, first[:8])
}

// text is the body of a C2SP tlog-checkpoint: what tlog.FormatTree writes has the
// origin of Go's own database.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\nstored %s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]), c.Stored)
}

// What a text is not.
var (
	// ErrNote: it is no checkpoint of a recorder, or not a whole one.
	ErrNote = errors.New("not a checkpoint")
	// ErrSigner: another key has signed it.
	ErrSigner = errors.New("signed by another key")
	// ErrSignature: it was changed after it was signed.
	ErrSignature = errors.New("the signature does not belong to the text")
	// ErrKey: what was given is no public key.
	ErrKey = errors.New("not a public key")
)

// maxNote is the longest checkpoint in bytes: four lines, and a few signatures of others.
const maxNote = 4 << 10

// ParseKey reads a public key as `recorder log key` prints it. The error is ErrKey.
func ParseKey(text string) (note.Verifier, error) {
	v, err := note.NewVerifier(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%w: want what recorder log key prints, ibrecorder+8 digits+44 letters", ErrKey)
	}
	return v, nil
}

// Open checks the signature of a checkpoint and reads it. Signatures of others beside
// that of key are ignored. The error is ErrNote, ErrSigner or ErrSignature.
func Open(text []byte, key note.Verifier) (Checkpoint, error) {
	if len(text) > maxNote {
		return Checkpoint{}, fmt.Errorf("%w: %d bytes, at most %d", ErrNote, len(text), maxNote)
	}
	n, err := note.Open(text, note.VerifierList(key))
	if _, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return Checkpoint{}, fmt.Errorf("%w than %s", ErrSigner, KeyName(key))
	}
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return Checkpoint{}, ErrSignature
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: it is no signed note", ErrNote)
	}
	return parse(n.Text)
}

// KeyName tells keys apart in a text: the name and the hash of one.
func KeyName(key note.Verifier) string { return fmt.Sprintf("%s+%08x", key.Name(), key.KeyHash()) }

func parse(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return c, fmt.Errorf("%w: it has %d lines, want 4", ErrNote, len(lines)-1)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err == nil {
		c.Size, err = strconv.ParseUint(lines[1], 10, 63)
	}
	if err != nil || len(root) != len(c.Root) {
		return Checkpoint{}, fmt.Errorf("%w: it has no size and root", ErrNote)
	}
	c.Origin, c.Root = lines[0], tlog.Hash(root)
	c.Stored = strings.TrimPrefix(lines[3], "stored ")
	if _, err := events.ParseHash(c.Stored); err != nil || c.text() != text || c.Size == 0 {
		return Checkpoint{}, fmt.Errorf("%w: it is not in the one form that it has", ErrNote)
	}
	return c, nil
}
