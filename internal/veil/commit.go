package veil

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// Salt goes before a value when it is hashed: without it a value that can be guessed
// would be known by its hash.
type Salt [sha256.Size]byte

// Salts gives each value its salt. A value is what is hidden, with a letter before it
// that says what kind of thing it is.
type Salts interface {
	Of(value string) (Salt, error)
}

// Key draws salts from a secret. One goroutine uses it at a time.
type Key struct{ mac hash.Hash }

// NewKey makes the key of one gateway's log from the secret of a data folder, 32 random
// bytes: what the logs of two gateways hide cannot be joined.
func NewKey(secret []byte, gateway string) *Key {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("ibrecorder veil 1 " + gateway))
	return &Key{hmac.New(sha256.New, mac.Sum(nil))}
}

// Of implements Salts.
func (k *Key) Of(value string) (s Salt, err error) {
	k.mac.Reset()
	k.mac.Write([]byte(value))
	k.mac.Sum(s[:0])
	return s, nil
}

// Given are salts in the order in which their values are met, each value once. They
// are what a third party gets with stored lines.
type Given struct {
	rest []Salt
	met  map[string]Salt
}

// ErrSalts: the salts are not those of the lines.
var ErrSalts = errors.New("the salts do not belong to the events")

// ParseGiven reads what Kept.Text wrote.
func ParseGiven(text string) (*Given, error) {
	g := &Given{met: map[string]Salt{}}
	for text != "" {
		line, rest, whole := strings.Cut(text, "\n")
		text = rest
		var s Salt
		if n, err := hex.Decode(s[:], []byte(line[:min(len(line), 2*len(s))])); !whole || err != nil || n != len(s) || len(line) != 2*len(s) {
			return nil, fmt.Errorf("%w: line %d is not 64 hexadecimal digits", ErrSalts, len(g.rest)+1)
		}
		g.rest = append(g.rest, s)
	}
	return g, nil
}

// Of implements Salts. The error is ErrSalts when there are too few.
func (g *Given) Of(value string) (Salt, error) {
	s, met := g.met[value]
	if !met {
		if len(g.rest) == 0 {
			return s, fmt.Errorf("%w: there are fewer than values", ErrSalts)
		}
		s, g.rest = g.rest[0], g.rest[1:]
		g.met[value] = s
	}
	return s, nil
}

// Left is how many salts no value has used.
func (g *Given) Left() int { return len(g.rest) }

// Kept keeps the salts that another source gives, for whoever is given the lines.
type Kept struct {
	from Salts
	met  map[string]Salt
	text []byte
}

// Keep watches a source of salts.
func Keep(from Salts) *Kept { return &Kept{from: from, met: map[string]Salt{}} }

// Of implements Salts.
func (k *Kept) Of(value string) (Salt, error) {
	s, met := k.met[value]
	if !met {
		var err error
		if s, err = k.from.Of(value); err != nil {
			return s, err
		}
		k.met[value] = s
		k.text = append(hex.AppendEncode(k.text, s[:]), '\n')
	}
	return s, nil
}

// Text is the salts as Given reads them: one a line, in the order of their values.
func (k *Kept) Text() []byte { return k.text }

// The letters before a value.
const (
	aText    = "t" // also of an identifier and a host: equal in one, equal in the other
	aProcess = "p"
	aHead    = "h"
)

func commit(salts Salts, kind, value string) ([sha256.Size]byte, error) {
	value = kind + value
	salt, err := salts.Of(value)
	return commitment(salt, value), err
}

func commitment(salt Salt, value string) [sha256.Size]byte {
	var b [256]byte // most values have room
	return sha256.Sum256(append(append(b[:0], salt[:]...), value...))
}

// placeholder begins what stands for a hidden text. The x keeps the letters behind it
// from being taken for an account id, which must not follow another letter.
const placeholder = "redacted:x"

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const placeholderLen = len(placeholder) + 52

// textOf returns what stands for a hidden text: 62 characters that a text and an
// identifier may have alike.
func textOf(salts Salts, value string) (string, error) {
	sum, err := commit(salts, aText, value)
	if err != nil {
		return "", err
	}
	return string(letters.AppendEncode([]byte(placeholder), sum[:])), nil
}

func isPlaceholder(s string) bool {
	if len(s) != placeholderLen || !strings.HasPrefix(s, placeholder) {
		return false
	}
	_, err := letters.DecodeString(s[len(placeholder):])
	return err == nil
}

// noProcess is the least number that stands for a process id: no system has such ids,
// and every JSON reader keeps the numbers up to twice of it exactly.
const noProcess = 1 << 52

func processOf(salts Salts, pid int64) (int64, error) {
	sum, err := commit(salts, aProcess, fmt.Sprint(pid))
	return noProcess | int64(binary.BigEndian.Uint64(sum[:8])>>12), err
}
