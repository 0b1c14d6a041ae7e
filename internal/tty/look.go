package tty

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// ColourUsage is what --color says of itself.
const ColourUsage = "`WHEN` to print in colour: auto, always or never"

// Colours are the values of --color, the default first.
var Colours = []string{"auto", "always", "never"}

// Is says whether w is a terminal.
func Is(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colour says whether w is to be coloured, as --color has it: when is auto, always, never
// or empty, which is auto. A word always says the same as the colour.
func Colour(w any, when string) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	return Is(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" // no-color.org
}

// Size is how many columns and rows a terminal has, 0 if w is none or does not say.
func Size(w any) (columns, rows int) {
	if f, ok := w.(*os.File); ok && Is(f) {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil {
			return columns, rows
		}
	}
	return 0, 0
}

// errorf is a message for a person, on a line of its own.
func errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
