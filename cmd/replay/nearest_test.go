package main

import "testing"

func TestNearest(t *testing.T) {
	verbs := []string{"export", "state", "timeline", "verify"}
	for word, want := range map[string]string{"verfy": "verify", "time": "timeline", "exprot": "export", "": "state"} {
		if got := nearest(word, verbs); got != want {
			t.Errorf("the nearest to %q is %s, want %s", word, got, want)
		}
	}
}
