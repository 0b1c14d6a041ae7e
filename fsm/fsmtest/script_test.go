package fsmtest

import (
	"fmt"
	"strings"
	"testing"

	"ibrecorder/events"
)

func TestScriptsMeanWhatTheySay(t *testing.T) {
	for script, want := range map[string]string{
		"boot b2":                         "/recorder recorder.started b2",
		"boot b2 carried":                 "/recorder recorder.started b2 old_stopped",
		"a1 request; boot b2 stopped":     "/recorder recorder.started b2 after an orderly end",
		"gap":                             "/recorder recorder.gap",
		"policy observe silent_limit=3":   "/recorder policy.loaded observe 3",
		"observed gateway 100 1":          "/watch gateway.observed yes gateway 100 1",
		"observed other":                  "/watch gateway.observed yes other 0 0",
		"observed no":                     "/watch gateway.observed no unknown 0 0",
		"observed unknown":                "/watch gateway.observed unknown unknown 0 0",
		"stop; observed no stop":          "/watch gateway.observed no unknown 0 0 for e1",
		"claim; observed no claim":        "/watch gateway.observed no unknown 0 0 for e1",
		"down silent":                     "/recorder gateway.down",
		"stop carried":                    "/recorder restart.required",
		"claim override":                  "/operator/cli restart.claimed",
		"restarted":                       "/recorder restart.observed",
		"release word":                    "/recorder restart.acknowledged epoch 1",
		"reject not_stopped":              "/recorder restart.rejected",
		"contradict ends":                 "/recorder gateway.contradicted",
		"delay 1s":                        "/recorder retry.scheduled",
		"delay 1s client=7":               "/recorder retry.scheduled for client 7",
		"disconnect 7 force":              "/operator/cli disconnect.requested",
		"disconnected":                    "/recorder disconnect.permitted",
		"report down":                     "/runner/robo-1 gateway.down",
		"a1 open":                         "/tap client.opened a1 ca1",
		"a1 hello":                        "/tap client.hello a1 ca1",
		"a1 request":                      "/tap attempt.requested a1 ca1",
		"direct a1 request":               "/recorder attempt.requested a1",
		"report a1 request":               "/runner/robo-1 attempt.requested a1",
		"report a1 lease for=9s":          "/runner/robo-1 attempt.requested a1 lease 9000",
		"other a1 ok":                     "/runner/robo-2 attempt.succeeded a1",
		"a1 unknown lease_expired":        "/recorder attempt.unknown a1",
		"a1 permit":                       "/recorder attempt.permitted a1 ca1",
		"direct a1 permit":                "/recorder attempt.permitted a1",
		"a1 permit against=stopped":       "/recorder attempt.permitted a1 ca1 against stopped",
		"a1 permit probation=2":           "/recorder attempt.permitted a1 ca1 probation 2",
		"a1 deny":                         "/recorder attempt.denied a1 ca1",
		"a1 held backoff":                 "/recorder client.held a1 ca1",
		"a1 dial":                         "/tap dial.started a1 ca1",
		"a1 up":                           "/tap dial.connected a1 ca1",
		"a1 version":                      "/tap handshake.version a1 ca1",
		"a1 start 7":                      "/tap handshake.api_started a1 ca1",
		"a1 ready":                        "/tap handshake.ready a1 ca1",
		"a1 up; a1 late":                  "/tap handshake.timed_out a1 ca1",
		"a1 ok":                           "/tap attempt.succeeded a1 ca1",
		"a1 up; a1 fail refused":          "/tap attempt.failed a1 ca1 refused connected 0",
		"report a1 fail refused limit=2s": "/runner/robo-1 attempt.failed a1 refused none 2000",
		"a1 abandon answered":             "/tap attempt.abandoned a1 ca1",
		"a1 unknown":                      "/recorder attempt.unknown a1 ca1",
		"report a1 unknown":               "/runner/robo-1 attempt.unknown a1",
		"a1 defer":                        "/tap disconnect.deferred a1 ca1",
		"a1 block":                        "/recorder disconnect.blocked a1 ca1",
		"a1 force":                        "/recorder disconnect.forced a1 ca1",
		"direct a1 force":                 "/runner/robo-1 disconnect.forced a1",
		"a1 established":                  "/tap session.established a1 ca1",
		"a1 degraded":                     "/tap session.degraded a1 ca1",
		"a1 restored":                     "/tap session.restored a1 ca1",
		"a1 mute":                         "/tap session.mute a1 ca1",
		"a1 unwatched":                    "/tap session.unwatched a1 ca1",
		"a1 lost":                         "/tap session.lost a1 ca1",
		"a1 closed":                       "/tap session.closed a1 ca1",
		"a1 gone":                         "/tap client.closed a1 ca1",
	} {
		all, err := New(events.Params{}).Write(script)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := shown(all[len(all)-1]); got != want {
			t.Errorf("%q ends in\n %s, want\n %s", script, got, want)
		}
	}
	for script, want := range map[string]string{
		"a1 fly":                  `"a1 fly": no verb "fly"`,
		"nonsense":                "want a name and a verb",
		"boot":                    "want a name",
		"+soon":                   "invalid duration",
		"policy enforce silent=3": "unknown field",
		"observed tomorrow":       "want gateway, other",
		"a1 start seven":          "invalid syntax",
	} {
		if _, err := New(events.Params{}).Write(script); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q: %v, want %q", script, err, want)
		}
	}
}

func shown(e events.Event) string {
	out := []string{e.Source, string(e.Kind())}
	add := func(is bool, words ...any) {
		if is {
			out = append(out, strings.TrimSpace(fmt.Sprintln(words...)))
		}
	}
	add(e.Attempt != "", e.Attempt)
	add(e.Conn != "", e.Conn)
	switch d := e.Data.(type) {
	case events.RecorderStarted:
		add(true, e.Boot)
		add(d.OldStopped, "old_stopped")
		add(d.Previous == events.PreviousStopped, "after an orderly end")
	case events.PolicyLoaded:
		add(true, d.Mode, d.SilentLimit)
	case events.GatewayObserved:
		add(true, d.Listening, d.Owner, d.PID, d.StartedMS)
		add(e.Cause != "", "for", e.Cause)
	case events.RestartAcknowledged:
		add(true, "epoch", e.Epoch)
	case events.RetryScheduled:
		if d.ClientID != nil {
			add(true, "for client", *d.ClientID)
		}
	case events.AttemptPermitted:
		add(d.Against != "", "against", d.Against)
		add(d.Probation != 0, "probation", d.Probation)
	case events.AttemptRequested:
		add(d.LeaseMS != 0, "lease", d.LeaseMS)
	case events.AttemptFailed:
		add(true, d.Reason, d.Stage, d.LimitMS)
	}
	return strings.Join(out, " ")
}

// What is written is a log: gapless, chained, each run with a time of its own.
func TestAStreamIsAChain(t *testing.T) {
	all, err := New(events.Params{}).Write("policy enforce # the default\n+2s; a1 request; +1s\na1 permit; boot b2; +1s; a1 unknown; boot import; report x1 ok")
	if err != nil {
		t.Fatal(err)
	}
	var prev events.Hash
	var times []int64
	for i, e := range all {
		raw, err := events.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if e.Prev != prev || e.Seq != uint64(i+1) {
			t.Errorf("event %d has seq %d and prev %s, want prev %s", i+1, e.Seq, e.Prev, prev)
		}
		prev = events.HashOf(raw)
		times = append(times, e.Mono/1e9)
	}
	if got, want := fmt.Sprint(times), "[0 2 3 0 1 0 0]"; got != want || all[len(all)-1].Mono != events.NoMono {
		t.Errorf("the seconds are %s, want %s, and an import has none", got, want)
	}
}
