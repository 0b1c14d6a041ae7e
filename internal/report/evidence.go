package report

import (
	"errors"
	"fmt"
	"strings"
)

// Evidence is what an evidence bundle proves of the stream in it.
type Evidence struct {
	// Redacted says that who, where and in which words is hidden.
	Redacted bool
	// Key names the public key of the signatures, "" if nothing is signed; Given says that
	// the user brought it, and that it is not only the one in the bundle.
	Key   string
	Given bool
	// Checkpoints is how many signatures of that key there are, and Covered the last event
	// under one, 0 for none. Judged is the last event that was judged.
	Checkpoints int
	Covered     uint64
	Judged      uint64
	// Problems are what the bundle is wrong in.
	Problems []error
	// Unchecked are members that nobody has checked.
	Unchecked []string
	// Next is the command for what is signed, if some of it is not.
	Next string
}

// ErrUnsigned: the user brought a key, and it has not signed everything.
var ErrUnsigned = errors.New("not covered by a signature")

// doubt is why the bundle does not prove what is in it, nil if it does. Without a key of
// the user's nothing is asked of the signatures but that they fit.
func (e *Evidence) doubt() error {
	switch {
	case len(e.Problems) > 0:
		return e.Problems[0]
	case e.Given && e.Covered < e.Judged:
		return fmt.Errorf("%s %w of %s", e.tail(), ErrUnsigned, e.Key)
	}
	return nil
}

// tail names the events behind the last signature.
func (e *Evidence) tail() string {
	if e.Covered+1 == e.Judged {
		return fmt.Sprintf("event #%d is", e.Judged)
	}
	return fmt.Sprintf("events #%d to #%d are", e.Covered+1, e.Judged)
}

// lines say it for people.
func (e *Evidence) lines() (out []string) {
	switch {
	case e.Covered == 0:
		out = append(out, "nothing in it is proven to be signed")
	case e.Given:
		out = append(out, fmt.Sprintf("#1 to #%d are signed by %s, the key that you gave", e.Covered, e.Key))
	default:
		out = append(out, fmt.Sprintf("#1 to #%d are signed by %s, the key inside: that proves nothing about who signed; add --key KEY", e.Covered, e.Key))
	}
	if e.Covered > 0 && e.Covered < e.Judged {
		out = append(out, e.tail()+" "+ErrUnsigned.Error())
	}
	if e.Redacted {
		out = append(out, "it is redacted: the chain is that of the lines as they are here, and the signatures are for these")
	}
	for _, err := range e.Problems {
		out = append(out, err.Error())
	}
	if len(e.Unchecked) > 0 {
		out = append(out, "not checked, for another version made it: "+strings.Join(e.Unchecked, ", "))
	}
	return out
}

// EvidenceJSON is what a bundle proves, in VerifyJSON.
type EvidenceJSON struct {
	Redacted bool `json:"redacted"` // who, where and in which words is hidden
	// Key names the public key, KeyGiven says that it is not only the one in the bundle.
	Key         string `json:"key,omitempty"`
	KeyGiven    bool   `json:"key_given"`
	Checkpoints int    `json:"checkpoints"` // signatures in it
	// Covered is the last event under a signature, 0 for none.
	Covered   uint64   `json:"covered"`
	Problems  []string `json:"problems,omitempty"`  // what is wrong with it
	Unchecked []string `json:"unchecked,omitempty"` // documents of another version, which were not compared
}

func (e *Evidence) json() *EvidenceJSON {
	out := &EvidenceJSON{Redacted: e.Redacted, Key: e.Key, KeyGiven: e.Given, Checkpoints: e.Checkpoints, Covered: e.Covered, Unchecked: e.Unchecked}
	for _, err := range e.Problems {
		out.Problems = append(out.Problems, err.Error())
	}
	return out
}
