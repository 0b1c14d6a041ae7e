package main

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest returns the candidate that begins with word, or else the one with the
// fewest edits between the two; the first of several. There must be a candidate.
func nearest(word string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		if word != "" && strings.HasPrefix(c, word) {
			return c
		}
		if d := levenshtein.ComputeDistance(word, c); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}
