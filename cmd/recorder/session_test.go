//go:build !race

package main

import "testing"

// TestOwnSession runs the verbs that keep a session with the IB client library,
// which has data races in a healthy connect.
func TestOwnSession(t *testing.T) {
	t.Parallel()
	scripts(t, "session")
}
