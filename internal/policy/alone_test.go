package policy

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
)

// used is an attempt of client 7 that met another user of its id; left one that its
// program gave up after its startAPI, and that the Gateway answered.
const (
	used = "a1 request; a1 dial; a1 up; a1 version; a1 start 7; a1 fail client_id_in_use\n"
	left = "a1 request; a1 dial; a1 up; a1 version; a1 start 7; a1 defer; a1 ready; a1 abandon answered\n"
)

// again is an attempt of a client that comes as far as its startAPI.
func again(attempt, client, end string) string {
	return fmt.Sprintf("%[1]s request; %[1]s dial; %[1]s up; %[1]s version; %[1]s start %[2]s; %[1]s %[3]s\n", attempt, client, end)
}

func TestOneClientAlone(t *testing.T) {
	tell(t, Handoff(), events.Enforce, []story{
		{"an id in use waits", used, "client 7 waits 1s and up to 250ms"},
		{"twice as long the next time", used + "+2s\n" + again("a2", "7", "fail client_id_in_use"), "client 7 waits 2s and up to 500ms"},
		{"another id has a row of its own", used + again("a2", "8", "fail client_id_in_use"), "client 8 waits 1s and up to 250ms"},
		{"so has one that leaves after its startAPI", left, "client 7 waits 1s and up to 250ms"},
		{"of the same row", used + "+2s\n" + again("a2", "7", "abandon answered"), "client 7 waits 2s and up to 500ms"},
		{"whom an operator hung up on has not failed", again("a1", "7", "abandon"), ""},
		{"nor whoever leaves before its startAPI: nobody knows who that was", "a1 request; a1 dial; a1 up; a1 version; a1 abandon answered", ""},
		{"nor one whose version was bad", "a1 request; a1 dial; a1 up; a1 fail bad_version", ""},
		{"nobody else waits", used + "a2 request", "permit a2"},
		{"not even for the wait itself to be met again", used + "a2 request; a2 dial; a2 up; a2 version; a2 fail client_waits; a3 request", "permit a3"},
		{"which makes it no longer", used + "a2 request; a2 dial; a2 up; a2 version; a2 fail client_waits; +2s\n" + again("a3", "7", "fail client_id_in_use"),
			"client 7 waits 2s and up to 500ms"},
		{"and shows that the Gateway answers", "a0 request; a0 fail dial_timeout; +1m; a1 request; a1 fail dial_timeout; +1m; a2 request; a2 dial; a2 up; a2 version; a2 fail client_waits; a3 request; a3 fail dial_timeout",
			"delay 4s and up to 1s"},
		{"ready ends the row", used + "+2s\n" + again("a2", "7", "ok") + again("a3", "7", "fail client_id_in_use"), "client 7 waits 1s and up to 250ms"},
		{"of that id alone", used + "+2s\n" + again("a2", "8", "ok") + again("a3", "7", "fail client_id_in_use"), "client 7 waits 2s and up to 500ms"},
		{"and the end of the session that has the id", again("a0", "7", "ok") + used + "+2s; a0 lost\n" + again("a2", "7", "fail client_id_in_use"), "client 7 waits 1s and up to 250ms"},
		{"a report of it is a runner's own affair", "report x1 fail client_id_in_use", ""},
		{"a crash before the decision", "a1 request; a1 dial; a1 up; a1 version; a1 start 7; boot b2; policy enforce", ""},
		{"a release forgets it: the Gateway is another one", used + "report down; claim override; observed unknown claim; +30s\n" + again("a2", "7", "fail client_id_in_use"),
			"client 7 waits 1s and up to 250ms"},
	})
	tell(t, Handoff(), events.Observe, []story{
		{"in observe mode it is written down, and holds nobody", used, "client 7 waits 1s and up to 250ms"},
	})
}

// A wait that is not over begins again in full with the next run; one that is, does not.
func TestTheWaitOfOneClientAcrossRuns(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         string
	}{
		{"not over", used + "+900ms; gap; boot b2; +100ms", "7 failed 1, waits until 1s"},
		{"over", used + "+2s; gap; boot b2", "7 failed 1"},
		{"of a session that ended with its run", again("a0", "7", "ok") + used + "+900ms; gap; boot b2", ""},
		{"or with the run before, of another id", again("a0", "8", "ok") + used + "+900ms; gap; boot b2; +100ms", "7 failed 1, waits until 1s"},
		{"two runs later", used + "+900ms; gap; boot b2; +900ms; gap; boot b3; +5s", "7 failed 1, waits until 1s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := begin(Handoff(), events.Enforce)
			w.must(tc.script)
			got := ""
			for _, c := range w.s.Clients {
				got = fmt.Sprintf("%d failed %d", c.ID, c.Failed)
				if c.Delay.MS > 0 {
					got += fmt.Sprintf(", waits until %ds", c.Delay.Until()/1e9)
				}
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// Wherever the walks lead, what the policy says of everybody is what it would say if
// no client had ever failed by its own doing.
func TestTheWaitOfOneIsNobodyElses(t *testing.T) {
	waits := 0
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(w *walker, line string) {
			if len(w.s.Clients) > 0 {
				waits++
			}
			without := w.s
			without.Clients = nil
			why, until := Hold(w.s, w.w.Now)
			if w2, u2 := Hold(without, w.w.Now); why != w2 || until != u2 {
				t.Errorf("after %q: %s until %d, and without waits of clients %s until %d", line, why, until, w2, u2)
			}
		})
	})
	if waits == 0 {
		t.Error("no client ever waited: the walks have seen nothing")
	}
}

// However failures of many clients follow each other, each failure of one makes its next
// wait no shorter, and says nothing of the others'.
func TestMoreFailuresNeverShortenAClientsWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := begin(params(t), events.Enforce)
		failed, last := map[int64]int64{}, map[int64]int64{}
		for n := range rapid.IntRange(1, 40).Draw(t, "failures") {
			id := rapid.Int64Range(0, 5).Draw(t, "client id")
			w.must(fmt.Sprintf("a%[1]d request; a%[1]d dial; a%[1]d up; a%[1]d version; a%[1]d start %[2]d; a%[1]d fail client_id_in_use; +3h", n, id))
			failed[id]++
			d, ok := w.log[len(w.log)-1].Data.(events.RetryScheduled)
			if !ok || d.ClientID == nil || *d.ClientID != id || d.Failures != failed[id] || d.DelayMS < last[id] {
				t.Fatalf("failure %d of client %d: %+v, the wait before was %d ms", failed[id], id, w.log[len(w.log)-1].Data, last[id])
			}
			last[id] = d.DelayMS
		}
	})
}
