package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// excerpt shows the line of t with a caret, and two before it. The library's own
// is made from its tokens, which leave out what they mean nothing by.
func (f *file) excerpt(t *token.Token) string {
	if f.env != "" {
		return "" // whoever sets a variable knows it
	}
	at := min(t.Position.Line, len(f.lines))
	var b strings.Builder
	for n := max(1, at-2); n <= at; n++ {
		mark := " "
		if n == at {
			mark = ">"
		}
		fmt.Fprintf(&b, "%s %3d | %s\n", mark, n, strings.TrimRight(strings.Map(visible, withoutSecrets(f.lines[n-1])), " "))
	}
	return b.String() + strings.Repeat(" ", len("> 123 | ")+max(0, t.Position.Column-1)) + "^"
}

// seed is what a secret key or a token looks like, also one that is cut short.
var seed = regexp.MustCompile(`\bS[A-Z2-7]{20,}|\bibr_[A-Za-z0-9_-]+`)

// kept is the value of a key that a secret may have been written to, in the place of the
// name of its file.
var kept = regexp.MustCompile(`(?i)((?:token|secret|passw|key|url|topic|hook)[a-z_]*["']?\s*:\s*)([^,}]+)`)

// withoutSecrets hides secrets, wherever somebody has put one.
func withoutSecrets(s string) string {
	s = seed.ReplaceAllStringFunc(s, stars)
	return kept.ReplaceAllStringFunc(s, func(pair string) string {
		parts := kept.FindStringSubmatch(pair)
		if value := strings.TrimLeft(parts[2], `"'`); strings.HasPrefix(value, "/") || strings.HasPrefix(value, "env:") {
			return pair
		}
		return parts[1] + stars(parts[2])
	})
}

// stars are as many as s has characters, so that a caret still points to its place.
func stars(s string) string { return strings.Repeat("*", utf8.RuneCountInString(s)) }

// visible replaces what would move the caret, or do something to a terminal.
func visible(r rune) rune {
	switch {
	case r == '\t' || r == '\r':
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return unicode.ReplacementChar
}
