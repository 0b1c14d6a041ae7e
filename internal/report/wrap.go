package report

import (
	"strings"
	"unicode/utf8"
)

// wrapped breaks a line that is wider than a terminal at its words. What goes on stands
// below the column that it is in, if that begins in the left half. A word that does not fit
// is left whole, and width 0 is no bound. Colours have no width; every other rune has one.
func wrapped(line string, width int) string {
	if width <= 0 || columns(line) <= width {
		return line
	}
	hang := hanging(line, width/2)
	var out strings.Builder
	for {
		at := breakAt(line, width, hang)
		if at < 0 {
			out.WriteString(line)
			return out.String()
		}
		out.WriteString(strings.TrimRight(line[:at], " "))
		rest := strings.TrimLeft(line[at:], " ")
		if rest == "" {
			return out.String()
		}
		out.WriteByte('\n')
		line = strings.Repeat(" ", hang) + rest
	}
}

// Wrap breaks the lines of a text as a page of this package does.
func Wrap(text string, width int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		bare, ended := strings.CutSuffix(line, "\n")
		out.WriteString(wrapped(bare, width))
		if ended {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// breakAt is the space to break a line at, -1 if it fits or has none behind its indent.
func breakAt(line string, width, hang int) int {
	at, n := -1, 0
	for i, r := range glyphs(line) {
		if n >= width && at >= 0 {
			return at
		}
		if r == ' ' && n > hang {
			if n > width {
				return i
			}
			at = i
		}
		n++
	}
	if n <= width {
		return -1
	}
	return at
}

// hanging is the last column that begins behind two spaces, at most at a bound.
func hanging(line string, most int) int {
	hang, n, spaces := 0, 0, 0
	for _, r := range glyphs(line) {
		if n > most {
			break
		}
		if r == ' ' {
			spaces++
		} else {
			if spaces >= 2 {
				hang = n
			}
			spaces = 0
		}
		n++
	}
	return hang
}

func columns(line string) (n int) {
	for range glyphs(line) {
		n++
	}
	return n
}

// glyphs yields the runes of a line that a terminal shows, and where they are.
func glyphs(line string) func(yield func(int, rune) bool) {
	return func(yield func(int, rune) bool) {
		for i := 0; i < len(line); {
			if strings.HasPrefix(line[i:], "\x1b[") {
				if end := strings.IndexByte(line[i:], 'm'); end > 0 {
					i += end + 1
					continue
				}
			}
			r, size := utf8.DecodeRuneInString(line[i:])
			if !yield(i, r) {
				return
			}
			i += size
		}
	}
}
