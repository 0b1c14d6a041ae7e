package figure

import "slices"

// Classes of a look, as the style sheets name them behind "b-".
const (
	OK   = "ok"   // works
	None = "none" // not known, and nothing is wrong
	Try  = "try"  // an attempt is under way
	Wait = "wait" // waits, or is doubtful
	Gone = "gone" // absent, or the recorder is off
	Bad  = "bad"  // stopped or down
)

// look says how the states look, the worst last.
var look = []struct{ state, class string }{
	{"OPEN", OK}, {"READY", OK}, {"session", OK}, {"running", OK},
	{"UNKNOWN", None}, {"LISTENING", None},
	{"ATTEMPTING", Try}, {"attempt", Try}, {"STARTING", Try},
	{"waiting", Wait}, {"BACKOFF", Wait}, {"PROBATION", Wait}, {"degraded", Wait}, {"DEGRADED", Wait}, {"SUSPECT", Wait},
	{"ABSENT", Gone}, {"off", Gone},
	{"mute", Bad}, {"DOWN", Bad}, {"STOPPED", Bad},
}

// Look is how a state of a gate, a gateway, a session or a recorder looks, and how bad
// it is: from 0, the worst highest. A state that nobody knows is -1 and None.
func Look(state string) (rank int, class string) {
	for i, l := range look {
		if l.state == state {
			return i, l.class
		}
	}
	return -1, None
}

// Worst is the rank from which a state is bad however short it is.
var Worst = slices.IndexFunc(look, func(l struct{ state, class string }) bool { return l.class == Bad })
