// Package fsmtest writes streams of events in a short notation, so that a test
// reads like the account of an incident:
//
//	policy enforce silent_limit=3
//	a1 request; a1 permit; a1 dial; a1 up
//	+30s
//	a1 fail accepted_no_bytes
//	observed gateway 100 1
//
// A line, or a part between semicolons, is one event, or the time that passes
// before the next. What begins with a name is about that attempt; its connection
// is the name with a c before it. "report" before it makes it the claim of an
// outside runner, "other" that of another one, "direct" an attempt that its runner dials itself. The verbs
// stand in attempt.go and gateway.go.
//
// It knows the vocabulary and nothing of the fold, and stamps what it is told to,
// possible or not. A word that it does not know is an error
// (TestScriptsMeanWhatTheySay).
package fsmtest
