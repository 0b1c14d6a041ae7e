package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// colours are the ANSI codes of the levels; the word says the same.
var colours = map[Level]string{OK: "32", Warn: "33", Fail: "31", Skip: "2"}

// Write writes a line for each finding, below it what to do if it is not ok, and how
// many there are of each level.
func Write(w io.Writer, all []Finding, colour bool) error {
	var b strings.Builder
	last := Group("")
	counts := make(map[Level]int)
	for _, f := range all {
		group := ""
		if f.Group != last {
			last, group = f.Group, strings.ToUpper(string(f.Group[:1]))+string(f.Group[1:])
		}
		counts[f.Level]++
		level := fmt.Sprintf("%-4s", f.Level)
		if colour {
			level = "\x1b[" + colours[f.Level] + "m" + level + "\x1b[0m"
		}
		text := f.Text
		if f.Gateway != "" {
			text = f.Gateway + ": " + text
		}
		fmt.Fprintf(&b, "%-9s %s  %s\n", group, level, hang(text))
		if f.Fix != "" {
			fmt.Fprintf(&b, "%16sfix: %s\n", "", hang(f.Fix))
		}
	}
	fmt.Fprintf(&b, "\n%d ok, %s, %s, %d skipped\n", counts[OK], count(counts[Warn], "warning"), count(counts[Fail], "failure"), counts[Skip])
	_, err := io.WriteString(w, b.String())
	return err
}

// hang puts the further lines of a text below its first. What a program is called, or
// what a file holds, does nothing to a terminal.
func hang(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 16))
}
