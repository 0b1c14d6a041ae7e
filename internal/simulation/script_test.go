package simulation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAScriptIsItsSeed(t *testing.T) {
	told := func(seed uint64) (lines []string) {
		for _, h := range script(seed, 7) {
			lines = append(lines, h.String())
		}
		return lines
	}
	if diff := cmp.Diff(told(1), told(1)); diff != "" {
		t.Errorf("one seed, two weeks (-first +second):\n%s", diff)
	}
	if cmp.Equal(told(1), told(2)) {
		t.Error("two seeds, and one week")
	}
	had := map[what]int{}
	for _, h := range script(1, 7) {
		had[h.what]++
	}
	for _, w := range []what{restarts, wedges, upstream, farm, cuts, duel, leaver, mute, prober, full, acks, clock, upgrade, crash, claims, disconnect, taken, reported, blind} {
		if had[w] == 0 {
			t.Errorf("in a whole week it never happens that %s", w)
		}
	}
}
