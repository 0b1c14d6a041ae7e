package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// prefix begins every secret, so that whoever finds one knows what it is, and a
// scanner of commits finds it.
const prefix = "ibr_"

// NewSecret draws a secret of 256 bits.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// CheckSecret says whether s looks like a secret that NewSecret made. What it says
// does not repeat it.
func CheckSecret(s string) error {
	text, ok := strings.CutPrefix(s, prefix)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(b) != 32 {
		return fmt.Errorf("this is no token; one begins with %s and is made by: recorder token new NAME --scope SCOPE", prefix)
	}
	return nil
}

// Sum is the SHA-256 of a secret, which is what a recorder keeps of it. The secret has
// as many bits, so nothing is gained by a slower hash.
type Sum [sha256.Size]byte

// SumOf is the sum of a secret.
func SumOf(secret string) Sum { return sha256.Sum256([]byte(secret)) }

// String is 64 hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// ParseSum reads what String writes.
func ParseSum(text string) (Sum, error) {
	var s Sum
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(s) || text != strings.ToLower(text) {
		return s, fmt.Errorf("want the SHA-256 of a token, 64 hexadecimal digits, as recorder token new prints it")
	}
	return Sum(b), nil
}

// Token is one that is known.
type Token struct {
	Name  string
	Scope Scope
	Sum   Sum
}

// Tokens are those that are known. It is not changed after it was made.
type Tokens []Token

// Find is who has the secret. The time it takes tells nothing of how near a guess is:
// every token is compared, and by its hash.
func (ts Tokens) Find(secret string) (Caller, bool) {
	sum := SumOf(secret)
	var found Caller
	ok := false
	for _, t := range ts {
		if subtle.ConstantTimeCompare(sum[:], t.Sum[:]) == 1 {
			found, ok = Caller{Name: t.Name, Scope: t.Scope}, true
		}
	}
	return found, ok
}

// Has says whether somebody may do what needs a scope.
func (ts Tokens) Has(need Scope) bool {
	for _, t := range ts {
		if (Caller{Name: t.Name, Scope: t.Scope}).May(need) {
			return true
		}
	}
	return false
}
