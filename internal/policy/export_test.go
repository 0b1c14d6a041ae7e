package policy

import (
	"strings"

	"pgregory.net/rapid"

	"ibrecorder/events"
)

// Walked plays a walk, with crashes in the middle of decisions, and returns its log: for
// those who read this package from outside.
func Walked(t *rapid.T) []events.Event {
	mode := rapid.SampledFrom([]events.Mode{events.Enforce, events.Enforce, events.Observe}).Draw(t, "mode")
	w := walking(t, params(t), mode)
	w.deaths(t, mode)
	return w.log
}

// deaths takes steps, and now and then the run dies before it has decided everything.
func (w *walker) deaths(t *rapid.T, mode events.Mode) {
	for range rapid.IntRange(1, 80).Draw(t, "steps") {
		line := w.step(t)
		if rapid.IntRange(0, 9).Draw(t, "dies") == 5 {
			w.crash = rapid.IntRange(0, 3).Draw(t, "decisions before it dies")
		}
		if err := w.play(line); err != nil {
			t.Fatal(err)
		}
		if w.crash >= 0 {
			line = "boot r" + w.name()
		}
		if strings.HasPrefix(line, "boot") { // nothing is decided before the policy is loaded
			w.crash = 0
			w.must(line)
			w.crash = -1
			w.must("policy " + string(mode))
		}
	}
}
