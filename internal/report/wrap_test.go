package report

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestALineStaysInItsColumn(t *testing.T) {
	for _, c := range []struct {
		name, line string
		width      int
		want       string
	}{
		{"no terminal", "a b c d e f", 0, "a b c d e f"},
		{"it fits", "a b c", 5, "a b c"},
		{"plain words", "one two three", 8, "one two\nthree"},
		{"behind a name", "  scope  what this log can show", 20, "  scope  what this\n         log can\n         show"},
		{"a column too far to the right is none", "  a  b           and this is long", 24, "  a  b           and\n     this is long"},
		{"a word that does not fit", "  sha  0123456789abcdef", 14, "  sha  0123456789abcdef"},
		{"colours have no width", "\x1b[31mred\x1b[0m ink", 7, "\x1b[31mred\x1b[0m ink"},
		{"runes, not bytes", "✔ ✔ ✔ ✔", 7, "✔ ✔ ✔ ✔"},
	} {
		if got := wrapped(c.line, c.width); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWrappingLosesNoWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringMatching(`( {0,4}[a-z✔]{1,12}( {1,3})){0,12}[a-z]{0,30}`).Draw(t, "line")
		width := rapid.IntRange(0, 60).Draw(t, "width")
		got := wrapped(line, width)
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(line), " ") {
			t.Fatalf("%q in %d columns is %q", line, width, got)
		}
		for l := range strings.Lines(got) {
			if l = strings.TrimRight(l, "\n"); width > 0 && columns(l) > width && len(strings.Fields(l)) > 1 && columns(line) > width && hanging(line, width/2) == 0 {
				t.Fatalf("%q in %d columns has the line %q", line, width, l)
			}
		}
	})
}
