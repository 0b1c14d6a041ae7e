package events

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What can be wrong with encoded bytes. A *DecodeError wraps one of these.
var (
	ErrSyntax       = errors.New("not a JSON object")
	ErrTooLong      = errors.New("event too long")
	ErrDuplicateKey = errors.New("duplicate key")
	ErrUnknownKind  = errors.New("unknown kind")
	ErrUnknownField = errors.New("unknown field")
	ErrMissingField = errors.New("missing field")
	ErrWrongType    = errors.New("wrong type")
	ErrNotAllowed   = errors.New("value not allowed")
	// ErrNotCanonical means that the meaning is clear and the bytes are not the
	// one form that is stored and hashed.
	ErrNotCanonical = errors.New("not in canonical form")
	// ErrUnredacted means that a text still holds something like an account id.
	ErrUnredacted = errors.New("looks like an account id")
)

// DecodeError says where and why bytes are no event.
type DecodeError struct {
	Line   int    // from 1; 0 when a single event was decoded
	Offset int    // in bytes from the start of the line
	Field  string // for example "data.reason", or ""
	Err    error
}

func (e *DecodeError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, ", e.Line)
	}
	fmt.Fprintf(&b, "byte %d", e.Offset)
	if e.Field != "" {
		fmt.Fprintf(&b, ", field %s", e.Field)
	}
	return b.String() + ": " + e.Err.Error()
}

func (e *DecodeError) Unwrap() error { return e.Err }

// fieldError names the field that Encode refused.
type fieldError struct {
	field string
	err   error
}

func (e fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e fieldError) Unwrap() error { return e.err }

// nearest names the known words closest to a mistyped one, to be put after
// "nearest are" in an error: the most useful hint is the word that was meant.
func nearest[V any](word string, known map[string]V) string {
	word = word[:min(len(word), maxToken)] // the distance takes time with the length
	type scored struct {
		word string
		dist int
	}
	var all []scored
	for k := range known {
		all = append(all, scored{k, distance(word, k)})
	}
	slices.SortFunc(all, func(a, b scored) int {
		if a.dist != b.dist {
			return a.dist - b.dist
		}
		return strings.Compare(a.word, b.word)
	})
	var names []string
	for _, s := range all[:min(3, len(all))] {
		names = append(names, s.word)
	}
	return strings.Join(names, ", ")
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
