package tap_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
)

// What a Gateway did, in the words of the log, and what its client saw. "V" is
// the version.
func TestWhatTheGatewayDid(t *testing.T) {
	const short = 400 * time.Millisecond
	version := after(up, "handshake.version V")
	started := after(version, "handshake.api_started 7")
	ready := []string{"attempt.succeeded", "session.established 7 V"}
	judged := []string{"close-after-version", "wedged"} // by the two tests below
	for _, row := range []struct {
		behaviour string
		budget    time.Duration
		story     []string
		saw       []string // before the end; all that comes, because a client that leaves something unread resets
		leaves    bool     // the client does, once it is ready
	}{
		{"healthy", 0, after(after(started, "handshake.ready 1"), after(ready, "session.closed client fin", "client.closed client fin")...),
			[]string{"version V", "accounts", "next id"}, true},
		{"silent", short, after(up, "handshake.timed_out connected", "attempt.failed accepted_no_bytes connected recorder fin", "client.closed recorder fin"),
			[]string{"fin"}, false},
		{"fin-before-version", 0, after(up, "attempt.failed fin_before_version connected gateway fin", "client.closed gateway fin"), []string{"fin"}, false},
		{"rst-before-version", 0, after(up, "attempt.failed rst_before_version connected gateway rst", "client.closed gateway rst"), []string{"rst"}, false},
		{"bad-version", 0, after(up, "attempt.failed bad_version connected recorder fin", "client.closed recorder fin"), []string{"fin"}, false},
		{"garbage-version", 0, after(up, "attempt.failed bad_version connected recorder fin", "client.closed recorder fin"), []string{"fin"}, false},
		{"foreign", 0, after(up, "attempt.failed bad_version connected recorder fin", "client.closed recorder fin"), []string{"fin"}, false},
		{"half-frame", short, after(up, "handshake.timed_out connected", "attempt.failed bad_version connected recorder fin", "client.closed recorder fin"),
			[]string{"fin"}, false},
		{"no-ready", short, after(started, "handshake.timed_out started", "attempt.failed version_no_ready started recorder fin", "client.closed recorder fin"),
			[]string{"version V", "fin"}, false},
		{"client-id-in-use", 0, after(started, "gateway.notice 326", "attempt.failed client_id_in_use started gateway fin 326", "client.closed gateway fin"),
			[]string{"version V", "error -1 326", "fin"}, false},
		{"disclaimer", 0, after(started, "gateway.notice 10141", "attempt.failed disclaimer_pending started gateway fin 10141", "client.closed gateway fin"),
			[]string{"version V", "error -1 10141", "fin"}, false},
		{"slow", 0, after(after(started, "handshake.ready 1"), after(ready, "session.closed client fin", "client.closed client fin")...),
			[]string{"version V", "accounts", "next id"}, true},
		{"farms", 0, after(after(started, "gateway.notice 2104", "gateway.notice 2106", "handshake.ready 1"),
			after(ready, "gateway.notice 2158", "session.closed client fin", "client.closed client fin")...),
			[]string{"version V", "error -1 2104", "accounts", "error -1 2106", "next id", "error -1 2158"}, true},
		{"upstream-lost", 0, after(after(started, "handshake.ready 1"), after(ready, "gateway.notice 1100", "session.degraded 1100",
			"gateway.notice 1102", "session.restored 1102", "session.closed client fin", "client.closed client fin")...),
			[]string{"version V", "accounts", "next id", "error -1 1100", "error -1 1102"}, true},
		{"mute-after-ready", 0, after(after(started, "handshake.ready 1"), after(ready, "session.closed client fin", "client.closed client fin")...),
			[]string{"version V", "accounts", "next id"}, true},
		{"port-reset", 0, after(after(started, "handshake.ready 1"), after(ready, "gateway.notice 1300", "session.lost port_reset", "client.closed gateway fin")...),
			[]string{"version V", "accounts", "next id", "error -1 1300", "fin"}, false},
		{"drop-after-ready", 0, after(after(started, "handshake.ready 1"), after(ready, "session.lost rst", "client.closed gateway rst")...),
			[]string{"version V", "accounts", "next id", "rst"}, false},
		{"fin-after-ready", 0, after(after(started, "handshake.ready 1"), after(ready, "session.lost fin", "client.closed gateway fin")...),
			[]string{"version V", "accounts", "next id", "fin"}, false},
	} {
		judged = append(judged, row.behaviour)
		for _, v := range []int{176, 203, 213} {
			t.Run(fmt.Sprint(row.behaviour, "/", v), func(t *testing.T) {
				t.Parallel()
				w := start(t, setting{script: "play " + row.behaviour, version: v, params: budgets(cmp.Or(row.budget, 20*time.Second))})
				p := w.connect(t, 7)
				var saw []string
				if row.leaves {
					for range row.saw {
						saw = append(saw, p.next(t))
					}
					w.desk.count(t, "session.established", 1)
					p.leave("fin")
				} else {
					saw = p.all(t)
				}
				w.desk.count(t, "client.closed", 1)
				w.desk.tells(t, "c1", with(row.story, v)...)
				if d := diff.Diff(with(row.saw, v), untold(saw)); d != "" {
					t.Errorf("the client saw, want -, got +\n%s", d)
				}
				w.desk.legal(t)
				w.connects(t, 1)
			})
		}
	}
	for _, b := range gwsim.Behaviours() {
		if !slices.Contains(judged, b.Name) {
			t.Errorf("no row for what the simulator calls %s", b.Name)
		}
	}
}

func TestAGatewayThatClosesAfterItsVersion(t *testing.T) {
	w := start(t, setting{script: "play close-after-version"})
	w.connect(t, 7).all(t)
	w.desk.count(t, "client.closed", 1)
	f := payloads[events.AttemptFailed](w.desk)
	if len(f) != 1 || f[0].Reason != events.ClosedBeforeReady || f[0].By != events.Upstream {
		t.Errorf("%+v, want closed_before_ready by the Gateway", f)
	}
	w.desk.legal(t)
}

// A wedged Gateway: the kernel completes the connect and nobody reads the hello.
func TestAWedgedGateway(t *testing.T) {
	w := start(t, setting{script: "play wedged", params: budgets(300 * time.Millisecond)})
	first := w.connect(t, 1)
	first.sees(t, "next id")
	w.connect(t, 2).all(t)
	w.desk.count(t, "attempt.failed", 1)
	if f := payloads[events.AttemptFailed](w.desk)[0]; f.Reason != events.AcceptedNoBytes {
		t.Errorf("%s, want accepted_no_bytes", f.Reason)
	}
	w.desk.legal(t)
	first.leave(events.FIN)
	w.desk.count(t, "client.closed", 2)
}
