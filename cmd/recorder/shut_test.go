package main

import (
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

func TestAStatusIsANegativeAnswerWhileNobodyMayDialForRoom(t *testing.T) {
	for level, want := range map[events.Level]bool{"": false, events.LevelAmple: false, events.LevelWarning: false, events.LevelReserve: true} {
		s := statusAnswer{Gateways: []httpapi.Status{{Gateway: "main", Gate: "OPEN", LogLevel: level}}}
		if s.shut() != want {
			t.Errorf("at level %q it is shut: %v, want %v", level, s.shut(), want)
		}
	}
}
