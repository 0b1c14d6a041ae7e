package dashboard

import (
	"slices"
	"testing"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
)

// The sessions that are up say nothing of whether the next program may dial.
func TestAGatewayWithoutRoomInItsLogDoesNotLookWell(t *testing.T) {
	for _, c := range []struct {
		name           string
		level          events.Level
		mode           events.Mode
		mood           mood
		word, connects string
		note           string
	}{
		{"room enough", events.LevelAmple, events.Enforce, good, "CONNECTED", "allowed, one at a time", ""},
		{"nearly full", events.LevelWarning, events.Enforce, good, "CONNECTED", "allowed, one at a time", "The log or its disk is nearly full."},
		{"only the reserve", events.LevelReserve, events.Enforce, bad, "NO ROOM: NOBODY DIALS", "refused",
			"The log has only its reserve left: make room on the disk of its data folder, or archive it."},
		{"only the reserve, and nobody is held", events.LevelReserve, events.Observe, bad, "THE LOG IS NEARLY FULL", "let through, whatever the rule says (observe mode)",
			"The log has only its reserve left: make room on the disk of its data folder, or archive it."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httpapi.Status{Gate: string(fsm.Open), Mode: c.mode, LogLevel: c.level, Sessions: []httpapi.Session{{Attempt: "a1", Phase: "READY"}}}
			m, word, _ := headline(s, liveOf(s.Sessions))
			if m != c.mood || word != c.word || connects(s) != c.connects {
				t.Errorf("%v %q, connects %q; want %v %q, %q", m, word, connects(s), c.mood, c.word, c.connects)
			}
			var got card
			got.notes(s, "")
			if c.note == "" && len(got.Notes) > 0 || c.note != "" && !slices.Equal(got.Notes, []string{c.note}) {
				t.Errorf("notes %q, want %q", got.Notes, c.note)
			}
		})
	}
}
