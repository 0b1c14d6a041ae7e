package logfile

import (
	"regexp"
	"slices"
	"strings"
)

// Summary is what became of the lines of an import. As JSON it is a documented, additive
// contract.
type Summary struct {
	// Lines is how many were read; each is understood, irrelevant or not understood.
	Lines         int `json:"lines"`
	Understood    int `json:"understood"`     // lines that became events or a part of one
	Irrelevant    int `json:"irrelevant"`     // lines about something else
	NotUnderstood int `json:"not_understood"` // lines about a connection of unknown form

	// Events and Attempts are what was made of them.
	Events   int `json:"events"`
	Attempts int `json:"attempts"`

	// Timeless is how many events have no time, because its zone is not known.
	Timeless int `json:"events_without_time"`
	// Backwards is how many lines are older than the one before.
	Backwards int `json:"lines_back_in_time"`
	// ByOrder is how often a line fitted several attempts and was taken for the oldest's.
	ByOrder int `json:"joined_by_order"`
	// TooShort is how many timeouts are shorter than what the policy counts, or of unknown length.
	TooShort int `json:"timeouts_that_prove_nothing"`
	// Cut is how many lines were longer than 64 KiB and read only so far.
	Cut int `json:"lines_cut"`
	// Unfinished is how many files end in the middle of a line; the part is read like one.
	Unfinished int `json:"files_without_last_newline"`

	// Shapes are the lines that were not understood, by their likeness, most first.
	Shapes []Shape `json:"shapes"`
	// Unlisted is how many of them are of no shape listed, because there were too many.
	Unlisted int `json:"lines_of_no_listed_shape"`
}

// Shape is lines that differ in their numbers, values and names alone. It is what is
// left when those are taken out, so that nothing secret is shown.
type Shape struct {
	Text  string  `json:"text"`  // what they have in common
	Count int     `json:"count"` // how many such lines
	At    []Place `json:"at"`    // the first few
}

// Place is a line of a file, from 1.
type Place struct {
	File string `json:"file"` // its name
	Line int    `json:"line"` // from 1
}

// Bounds of what is listed: it is for somebody to read.
const (
	maxShapes = 40
	maxPlaces = 3
	maxShape  = 120
)

func (s *Summary) strange(text string, at Place) {
	s.NotUnderstood++
	form := shape(text)
	i := slices.IndexFunc(s.Shapes, func(o Shape) bool { return o.Text == form })
	if i < 0 {
		if len(s.Shapes) == maxShapes {
			s.Unlisted++
			return
		}
		i = len(s.Shapes)
		s.Shapes = append(s.Shapes, Shape{Text: form})
	}
	o := &s.Shapes[i]
	o.Count++
	if len(o.At) < maxPlaces {
		o.At = append(o.At, at)
	}
}

// sort puts the most frequent first; those that are as frequent stay as they came.
func (s *Summary) sort() {
	slices.SortStableFunc(s.Shapes, func(a, b Shape) int { return b.Count - a.Count })
}

var (
	secretive = regexp.MustCompile(`(?i)pass|secret|token|credential|key|user|login|account|auth`)
	plain     = regexp.MustCompile(`^[(\[]*[A-Za-z'-]{1,20}[)\].,:;!?]*$`)
)

// shape is text with everything taken out that is not a plain word. Behind a word that
// announces something secret nothing is kept.
func shape(text string) string {
	var out []string
	length := 0
	for word := range strings.FieldsSeq(text) {
		if !plain.MatchString(word) {
			word = "*"
		}
		if len(out) > 0 && word == "*" && out[len(out)-1] == "*" {
			continue
		}
		out = append(out, word)
		if length += len(word) + 1; length > maxShape || secretive.MatchString(word) {
			out = append(out, "...")
			break
		}
	}
	return strings.Join(out, " ")
}
