package explore

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Bounds say what an exploration leaves out, whatever its outcome.
func Bounds() []string {
	return []string{
		"at most two programs at a time at the port, one runner with a lease and one without",
		"two waits are told apart by what they are for and whether they are over, not by how much is left",
		"the failures of a window are told apart once it is full, and one by one only up to a limit of 3",
		"the recorder dies and starts again, also between two decisions; gaps in the log, full disks and a policy that changes are not explored",
	}
}

// Sentence says in one line what an exploration came to.
func (r Result) Sentence() string {
	missing, cut := 0, ""
	for _, t := range r.Tables {
		missing += len(t.Missing())
	}
	for _, c := range r.Casts {
		if !c.Whole && cut == "" {
			cut = fmt.Sprintf("%s has more than %d states", c.Name, c.States-1)
		}
	}
	switch {
	case r.Found != nil:
		return fmt.Sprintf("UNSAFE: %s does not hold after %s: %s", r.Found.What, moves(len(r.Found.Moves)), r.Found.Text)
	case cut != "":
		return "BOUNDED: nothing bad was found, and not everything was explored: " + cut
	case missing > 0:
		return fmt.Sprintf("BOUNDED: nothing bad was found, and %d rows of the tables were left out without a reason", missing)
	}
	return "SAFE: nothing bad can be reached, ready can be reached from everywhere, and no row of the tables was left out without a reason"
}

func moves(n int) string {
	if n == 1 {
		return "1 move"
	}
	return fmt.Sprintf("%d moves", n)
}

// Write tells a result to people: a sentence, then the table or the way to what is wrong.
func Write(w io.Writer, r Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n  policy %s, %s, %s\n", r.Sentence(), r.Policy.Preset, r.Policy.Mode, r.Policy.Hash)
	if r.Found != nil {
		r.Found.write(&b)
	} else {
		r.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Result) write(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\n  CAST\tSTATES\tMOVES\tDEPTH\tEXPLORED\tABOUT\n")
	for _, c := range r.Casts {
		explored := "all"
		if !c.Whole {
			explored = "a part"
		}
		fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%s\t%s\n", c.Name, c.States, c.Edges, c.Depth, explored, c.About)
	}
	fmt.Fprintf(t, "\n  TABLE\tROWS\tEXERCISED\n")
	for _, m := range r.Tables {
		fmt.Fprintf(t, "  %s\t%d\t%d\n", m.Name, m.Rows, m.Exercised)
	}
	t.Flush()
	for _, m := range r.Tables {
		for i, u := range m.Unreached {
			if i > 0 && u.On == m.Unreached[i-1].On && u.Why == m.Unreached[i-1].Why {
				continue // it is told with the one before
			}
			in := u.In
			for _, next := range m.Unreached[i+1:] {
				if next.On != u.On || next.Why != u.Why {
					break
				}
				in += ", " + next.In
			}
			fmt.Fprintf(b, "    not exercised: %s %s on %s: %s\n", m.Name, in, u.On, cmp.Or(u.Why, "it was not reached"))
		}
	}
	fmt.Fprintf(b, "\n  bounded\n")
	for _, line := range Bounds() {
		fmt.Fprintf(b, "    %s\n", line)
	}
}

// write tells the moves, and what was decided after each.
func (c *Counterexample) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n  the shortest way there, with the cast %q\n\n", c.Cast)
	for i, m := range c.Moves {
		fmt.Fprintf(b, "  %2d  %s\n", i+1, m.Text)
		for _, d := range m.Made {
			fmt.Fprintf(b, "        → %s\n", d)
		}
	}
	fmt.Fprintf(b, "\n  ✖ %s at #%d: %s\n", c.What, c.Seq, c.Text)
}
