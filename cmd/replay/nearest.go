package main

import "strings"

// nearest returns the candidate that begins with word, or else the one with the
// fewest edits between the two; the first of several. There must be a candidate.
func nearest(word string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		if word != "" && strings.HasPrefix(c, word) {
			return c
		}
		if d := edits(word, c); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
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
