package report

import "regexp"

// commitment is what stands for a hidden value in a redacted stream.
var commitment = regexp.MustCompile(`redacted:(x[a-z2-7]{8})[a-z2-7]{44}`)

// veiled shortens commitments in a text for people: nine characters tell the values of one
// log apart, and the whole of it is in the stream.
func veiled(s string) string { return commitment.ReplaceAllString(s, "redacted:$1") }
