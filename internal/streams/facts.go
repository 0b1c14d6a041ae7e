package streams

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxTimes is how often one line may be repeated. The longest storm that is
// documented has 472 rounds; more is a mistake of the writer.
const maxTimes = 1000

// ErrFacts is wrapped by every complaint about a facts.txt.
var ErrFacts = errors.New("invalid facts")

// Mark says how a fact is known.
type Mark string

const (
	// Documented: the cited source says so.
	Documented Mark = "documented"
	// Inferred: no source says so, and what is documented implies it.
	Inferred Mark = "inferred"
	// Assumed: chosen to be able to judge, and nothing that happened.
	Assumed Mark = "assumed"
	// Synthetic: made up, in a stream that is made up as a whole.
	Synthetic Mark = "synthetic"
)

// Facts is the account of one stream.
type Facts struct {
	Title    string
	Gateway  string
	Recorded bool // as a recorder would write it; otherwise imported
	Facts    []Fact
}

// Fact is one line of the account. It stands for Times rounds of its events.
type Fact struct {
	Line  int
	Mark  Mark
	When  When
	Who   string
	Times int
	What  []string // one event each; {n} is the number of the round
	Cite  string
}

// When is what is known of the time of a fact.
type When struct {
	Time    time.Time     // zero if not known
	Printed string        // as the source has it
	Offset  time.Duration // since the boot, in a recorded stream
	After   bool          // Offset is set
}

// ParseFacts reads a facts.txt: a header of "name: value" lines (title, gateway,
// stream), then lines of five columns,
//
//	mark | when | who | what | citation
//
// when is "?", a UTC time, a printed time in parentheses, both, or, in a recorded
// stream, "+" and the time since the boot. what is one event or several, separated
// by " ; ", each a kind, an attempt if it has one, and fields as name=value; "40x"
// before them repeats all of them. Lines that begin with # are remarks.
func ParseFacts(text string) (Facts, error) {
	var f Facts
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		var err error
		switch {
		case line == "" || line[0] == '#':
		case strings.Contains(line, " | "):
			err = f.fact(line, number)
		default:
			err = f.header(line)
		}
		if err != nil {
			return Facts{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if f.Title == "" || f.Gateway == "" || len(f.Facts) == 0 {
		return Facts{}, fmt.Errorf("%w: want title, gateway, stream and at least one fact", ErrFacts)
	}
	return f, nil
}

func (f *Facts) header(line string) error {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch name {
	case "title":
		f.Title = value
	case "gateway":
		f.Gateway = value
	case "stream":
		f.Recorded = value == "recorded"
		if !f.Recorded && value != "imported" {
			return fmt.Errorf("%w: stream %q, want imported or recorded", ErrFacts, value)
		}
	default:
		return fmt.Errorf("%w: header %q, want title, gateway, stream, or a fact of five columns", ErrFacts, name)
	}
	return nil
}

func (f *Facts) fact(line string, number int) error {
	cols := strings.Split(line, " | ")
	if len(cols) != 5 {
		return fmt.Errorf("%w: %d columns, want mark, when, who, what and citation", ErrFacts, len(cols))
	}
	for i := range cols {
		cols[i] = strings.TrimSpace(cols[i])
	}
	fact := Fact{Line: number, Mark: Mark(cols[0]), Who: cols[2], Cite: cols[4]}
	switch fact.Mark {
	case Documented:
		if fact.Cite == "" || fact.Cite == "-" {
			return fmt.Errorf("%w: documented, and no source cited", ErrFacts)
		}
	case Inferred, Assumed, Synthetic:
	default:
		return fmt.Errorf("%w: mark %q, want documented, inferred, assumed or synthetic", ErrFacts, fact.Mark)
	}
	if (fact.Mark == Synthetic) != f.Recorded {
		return fmt.Errorf("%w: every fact of a recorded stream is synthetic, and none of an imported one", ErrFacts)
	}
	var err error
	if fact.When, err = parseWhen(cols[1], f.Recorded); err != nil {
		return err
	}
	fact.Times, fact.What, err = parseWhat(cols[3])
	f.Facts = append(f.Facts, fact)
	return err
}

func parseWhen(s string, recorded bool) (When, error) {
	var w When
	var err error
	clock, printed, _ := strings.Cut(s, "(")
	clock = strings.TrimSpace(clock)
	switch {
	case clock == "?", clock == "" && printed != "":
	case strings.HasPrefix(clock, "+") && recorded:
		w.After = true
		w.Offset, err = time.ParseDuration(clock[1:])
	default:
		w.Time, err = time.Parse(time.RFC3339Nano, clock)
		if err == nil && w.Time.Location() != time.UTC {
			err = errors.New("not UTC")
		}
	}
	if printed != "" {
		w.Printed = strings.TrimSuffix(printed, ")")
	}
	if err != nil {
		return When{}, fmt.Errorf("%w: when %q: %w", ErrFacts, s, err)
	}
	return w, nil
}

func parseWhat(s string) (times int, what []string, err error) {
	times = 1
	if first, rest, ok := strings.Cut(s, "x "); ok {
		if n, err := strconv.Atoi(first); err == nil {
			times, s = n, rest
		}
	}
	for part := range strings.SplitSeq(s, " ; ") {
		if part = strings.TrimSpace(part); part == "" {
			return 0, nil, fmt.Errorf("%w: an event without a kind", ErrFacts)
		}
		what = append(what, part)
	}
	if times < 1 || times > maxTimes {
		return 0, nil, fmt.Errorf("%w: %d times, want 1 to %d", ErrFacts, times, maxTimes)
	}
	return times, what, nil
}
