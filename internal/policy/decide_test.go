package policy

import (
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Facts; the decisions between them make themselves.
const (
	ready   = "a1 request; a1 dial; a1 up; a1 version; a1 start 7; a1 ready; a1 ok\n"
	silent  = "a1 request; a1 dial; a1 up; +30s; a1 fail accepted_no_bytes\n"
	stopped = silent + "observed gateway 100 1 stop\n"
	refused = "a1 request; a1 dial; a1 fail refused\n"
)

type story struct {
	name   string
	script string // the decisions after its last line are what is wanted
	want   string
}

func tell(t *testing.T, p events.Params, mode events.Mode, stories []story) {
	for _, tc := range stories {
		t.Run(tc.name, func(t *testing.T) {
			w := begin(p, mode)
			if err := w.play(tc.script); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(w.made, "; ")
			if w.wake != 0 {
				got = strings.TrimPrefix(got+"; wake at "+time.Duration(w.wake).String(), "; ")
			}
			if got != tc.want {
				t.Errorf("after\n%s\n got %q\nwant %q", tc.script, got, tc.want)
			}
			if w.s.Odd.Count != 0 {
				t.Errorf("after\n%s\nsomething ordinary counts as impossible: %s", tc.script, w.s.Odd.Text)
			}
		})
	}
}

func TestLeases(t *testing.T) {
	tell(t, Handoff(), events.Enforce, []story{
		{"a runner that dials by itself is permitted, and has a minute", "report a1 lease", "permit a1; wake at 1m0s"},
		{"others wait for its end", "report a1 lease; +1s; a2 request", "hold a2 in_flight; wake at 1m0s"},
		{"and it is no more permitted beside another", "a1 request; report a2 lease", "deny a2 in_flight"},
		{"it does not wait in a queue", "a1 request; a2 request; report a3 lease", "deny a3 in_flight"},
		{"which is served first", "a1 request; a1 dial; a1 fail refused; a2 request; +1s; report a3 lease", "deny a3 in_flight"},
		{"what it says of its attempt frees the slot", "report a1 lease; a2 request; report a1 ok", "permit a2"},
		{"what another says of it does not", "report a1 lease; a2 request; other a1 ok", "wake at 1m0s"},
		{"nor does it say how a denied one went", "a1 request; report a2 lease; report a2 ok", ""},
		{"a failure delays everybody", "report a1 lease; report a1 fail refused", "delay 1s and up to 250ms"},
		{"also who asks for a lease", "report a1 lease; report a1 fail refused; report a2 lease", "deny a2 backoff"},
		{"silence stops", "report a1 lease; +30s; report a1 fail reported_timeout limit=30s", "down silent 1/1 by a1; stop silent"},
		{"and nobody gets one then", "report a1 lease; +30s; report a1 fail reported_timeout limit=30s; report a2 lease", "deny a2 stopped"},
		{"after a minute without a word it is unknown", "report a1 lease; a2 request; +1m", "unknown a1; permit a2"},
		{"and what it says later is a report", "report a1 lease; +1m; report a1 fail reported_timeout limit=30s", "down silent 1/1 by a1; stop silent"},
		{"and counts whatever port it dialled from, which a client of ours may have had before", "a9 open 50000; report a1 lease; report a1 request port=50000; report a1 fail reported_timeout limit=30s", "down silent 1/1 by a1; stop silent"},
		{"or said so before it asked", "a9 open 50000; report a1 request port=50000; report a1 lease; report a1 fail reported_timeout limit=30s", "down silent 1/1 by a1; stop silent"},
		{"a run that ended with one out has not ended it: its runner still dials", "report a1 lease; +50s; boot b2; policy enforce; a2 request", "hold a2 in_flight; wake at 1m0s"},
		{"and says how it went to the next one", "report a1 lease; boot b2; policy enforce; a2 request; report a1 ok", "permit a2"},
		{"or does not, in a time that began again", "report a1 lease; +50s; boot b2; policy enforce; a2 request; +1m", "unknown a1; permit a2"},
		{"an unknown one uses up an attempt of the probation", stopped + "claim override; observed gateway 100 1 claim; +30s; report a2 lease; +1m; +1m; report a3 lease; +1m", "unknown a3; down probation 2/2 by a2,a3; stop probation"},
	})
	tell(t, Handoff(), events.Observe, []story{
		{"observe mode holds nobody", "a1 request; report a2 lease", "permit a2 against in_flight; wake at 1m0s"},
	})
}

func TestAdmission(t *testing.T) {
	tell(t, Handoff(), events.Enforce, []story{
		{"the first request is permitted", "a1 request", "permit a1"},
		{"a second waits for its end", "a1 request; a2 request", "hold a2 in_flight"},
		{"and a third behind it", "a1 request; a2 request; a3 request", "hold a3 in_flight"},
		{"the oldest is next", "a1 request; a2 request; a3 request; a1 ok", "permit a2"},
		{"who has left is not", "a1 request; a2 request; a3 request; a2 gone; a1 ok", "permit a3"},
		{"a client that leaves in mid-handshake keeps its turn until the end", "a1 request; a1 dial; a1 up; a2 request; a1 defer", ""},
		{"a failure delays everybody", refused, "delay 1s and up to 250ms"},
		{"for that long", refused + "a2 request", "hold a2 backoff; wake at 1s"},
		{"and not longer", refused + "a2 request; +1s", "permit a2"},
		{"the next one doubles", refused + "+1s; a2 request; a2 fail refused", "delay 2s and up to 500ms"},
		{"326 is its client's own", "a1 request; a1 dial; a1 up; a1 version; a1 start 7; a1 fail client_id_in_use; a2 request", "permit a2"},
		{"and so is leaving", "a1 request; a1 dial; a1 up; a1 defer; a1 version; a1 abandon answered", ""},
		{"a disclaimer is everybody's", "a1 request; a1 dial; a1 up; a1 version; a1 start 7; a1 fail disclaimer_pending", "delay 1s and up to 250ms"},
		{"ready ends the delay", "direct a0 request; report a9 fail refused; a1 request; report a0 ok", "permit a1"},
		{"a crash leaves an attempt whose end nobody knows", "a1 request; a1 dial; boot b2", "unknown a1"},
		{"and a delay starts again in full", refused + "+900ms; boot b2; a2 request", "hold a2 backoff; wake at 1s"},
	})
	few := Handoff()
	few.WindowFailures, few.BackoffCapMS = 2, 1_000
	tell(t, few, events.Enforce, []story{
		{"too many failures in the window delay, and do not stop", refused + "+1s; a2 request; a2 fail refused; a3 request; +1s", "wake at 10m0s"},
		{"even with a success in between", refused + "+1s; a2 request; a2 ok; a3 request; a3 fail refused; +1s; a4 request", "hold a4 window; wake at 10m0s"},
		{"until the oldest is out of it", refused + "+1s; a2 request; a2 fail refused; a3 request; +10m", "permit a3"},
	})
	w := begin(Handoff(), events.Enforce)
	if d := Decide(w.s, 0); d != (Decision{}) {
		t.Errorf("nothing asks, and %s", w.decided(d))
	}
	w = begin(Handoff(), events.Enforce)
	w.s.Policy = events.PolicyLoaded{}
	w.must("a1 request")
	if len(w.made) != 0 {
		t.Errorf("without a policy in force: %v", w.made)
	}
}

func TestStopping(t *testing.T) {
	tell(t, Handoff(), events.Enforce, []story{
		{"one silent attempt stops", silent, "down silent 1/1 by a1; stop silent"},
		{"startAPI and no ready is silent too", "a1 request; a1 dial; a1 up; a1 version; a1 start 7; +30s; a1 fail version_no_ready", "down silent 1/1 by a1; stop silent"},
		{"the client may have left long before", "a1 request; a1 dial; a1 up; a1 defer; a1 gone; +30s; a1 fail accepted_no_bytes", "down silent 1/1 by a1; stop silent"},
		{"whoever waits is told", "a1 request; a1 dial; a1 up; a2 request; a3 request; a1 fail accepted_no_bytes",
			"down silent 1/1 by a1; stop silent; deny a2 stopped; deny a3 stopped"},
		{"whoever comes is told", silent + "a2 request", "deny a2 stopped"},
		{"a reported gateway.down stops", "report down", "stop reported"},
		{"a reported silence, if it lasted", "report x1 fail reported_timeout limit=10s", "down silent 1/1 by x1; stop silent"},
		{"and not if it did not", "report x1 fail reported_timeout limit=9s", "delay 1s and up to 250ms"},
		{"a report on what waits here does not", "a1 request; a2 request; report a2 fail reported_timeout limit=15s", ""},
		{"three dial timeouts", "a1 request; a1 fail dial_timeout; +1m; a2 request; a2 fail dial_timeout; +1m; a3 request; a3 fail dial_timeout", "down dial_timeouts 3/3 by a1,a2,a3; stop dial_timeouts"},
		{"two do not", "a1 request; a1 fail dial_timeout; +1m; a2 request; a2 fail dial_timeout", "delay 2s and up to 500ms"},
		{"nor three with a refusal between", "a1 request; a1 fail dial_timeout; +1m; a2 request; a2 fail dial_timeout; +1m; a3 request; a3 fail refused; +1m; a4 request; a4 fail dial_timeout", "delay 8s and up to 2s"},
		{"a close before the version never does by default", strings.Repeat("a1 request; a1 dial; a1 up; a1 fail fin_before_version; +1m\n", 1) + "a2 request; a2 fail rst_before_version", "delay 2s and up to 500ms"},
		{"1100, 1102 and a lost session never do", ready + "a1 degraded; a1 restored; a1 lost", ""},
		{"an acceptor that hangs, by itself", "observed gateway 100 1 wedged", "down wedged 7/5 by ; stop wedged"},
		{"whoever waits is told", "a1 request; a1 dial; a1 up; a2 request; observed gateway 100 1 wedged", "down wedged 7/5 by ; stop wedged; deny a2 stopped"},
		{"four samples prove nothing", "observed gateway 100 1 wedged 4samples", ""},
		{"nor does less than the budget", "observed gateway 100 1 wedged 29s", ""},
		{"nor a forwarder's queue", "observed other 100 1 wedged", ""},
		{"nor one of whom nobody knows", "observed 100 1 wedged", ""},
		{"it is told once", "observed gateway 100 1 wedged; observed gateway 100 1 wedged", ""},
		{"and again after a release: it must be seen again", "observed gateway 100 1 wedged; claim override; observed gateway 100 1 claim; observed gateway 100 1 wedged", "down wedged 7/5 by ; stop wedged"},
		{"a runner's word is a report, whatever it calls it", "report down wedged", "stop reported"},
		{"a stop taken over from another log", "boot b2 carried", "stop reported carried"},
		{"a stop survives a crash", silent + "boot b2; policy enforce; a2 request", "deny a2 stopped"},
		{"and another policy", silent + "policy enforce silent_limit=100; a2 request", "deny a2 stopped"},
		{"a late success opens nothing", "a1 request; a1 dial; a1 up; report down; a1 ok", "contradicted, ends false"},
		{"nor a reported one", silent + "report x1 ok", "contradicted, ends false"},
		{"a late failure delays nothing", "a1 request; a1 dial; a1 up; report down; a1 fail refused", ""},
	})
	strict := Lenient()
	strict.ClosedLimit = 2
	tell(t, strict, events.Enforce, []story{
		{"lenient: two silent attempts do not stop", silent + "+1m; a2 request; a2 fail version_no_ready", "delay 2s and up to 500ms"},
		{"lenient: the third does", silent + "+1m; a2 request; a2 fail version_no_ready; +1m; a3 request; a3 fail accepted_no_bytes", "down silent 3/3 by a1,a2,a3; stop silent"},
		{"lenient: unless one in between got an answer", silent + "+1m; a2 request; a2 fail client_id_in_use; +1m; a3 request; a3 fail accepted_no_bytes; +1m; a4 request; a4 fail accepted_no_bytes", "delay 4s and up to 1s"},
		{"lenient: an unknown end does not interrupt the row", silent + "+1m; a2 request; a2 fail accepted_no_bytes; +1m; a3 request; boot b2; +1m; a4 request; a4 fail accepted_no_bytes", "down silent 3/3 by a1,a2,a4; stop silent"},
		{"closes stop if they are told to", "a1 request; a1 fail fin_before_version; +1m; a2 request; a2 fail rst_before_version", "down closed 2/2 by a1,a2; stop closed"},
	})
}

func TestReleasing(t *testing.T) {
	tell(t, Handoff(), events.Enforce, []story{
		{"a claim opens nothing before the listener was read", stopped + "claim", ""},
		{"another process: the restart is observed", stopped + "claim; observed gateway 200 2 claim", "restarted 100 to 200; release observed by kim"},
		{"the same number and another start is another process", stopped + "claim; observed gateway 100 60001 claim", "restarted 100 to 100; release observed by kim"},
		{"a start time that a set clock has moved is no restart", stopped + "claim; observed gateway 100 1001 claim", "reject process_unchanged"},
		{"the same process: rejected", stopped + "claim; observed gateway 100 1 claim", "reject process_unchanged"},
		{"nothing listens yet: rejected", stopped + "claim; observed no claim", "reject not_listening"},
		{"a forwarder's listener proves nothing: the word counts", stopped + "claim; observed other 300 3 claim", "release word by kim"},
		{"nobody can tell: the word counts", stopped + "claim; observed unknown claim", "release word by kim"},
		{"nobody could tell when it stopped: the word counts", silent + "claim; observed gateway 100 1 claim", "release word by kim"},
		{"unless it was read before that: the same process is unchanged", "observed gateway 100 1\n" + silent + "claim; observed gateway 100 1 claim", "reject process_unchanged"},
		{"also if the recorder died before it could read it", "observed gateway 100 1\n" + silent + "boot b2; policy enforce; claim; observed gateway 100 1 claim", "reject process_unchanged"},
		{"another one counts as the word, because it may have come before the stop", "observed gateway 100 1\n" + silent + "claim; observed gateway 200 2 claim", "release word by kim"},
		{"and releases nothing by itself", "observed gateway 100 1\n" + silent + "observed gateway 200 2", ""},
		{"a stop of another log has nothing to compare with", "boot b2 carried; observed gateway 100 1 stop; claim; observed gateway 100 1 claim", "release word by kim"},
		{"a cure without a restart", stopped + "claim override; observed gateway 100 1 claim", "release override by kim"},
		{"nothing to release", "claim; observed gateway 100 1 claim", "reject not_stopped"},
		{"a restart that nobody claimed", stopped + "observed gateway 200 2", "restarted 100 to 200; release observed by recorder"},
		{"a listener that is somebody else's is none", stopped + "observed other 200 2", ""},
		{"the Gateway gone is none", stopped + "observed no", ""},
		{"a rejected claim may be repeated", stopped + "claim; observed gateway 100 1 claim; claim; observed gateway 200 2 claim", "restarted 100 to 200; release observed by kim"},
		{"a claim that a crash left behind is in nobody's way", stopped + "claim; boot b2; claim; observed gateway 200 2 claim", "restarted 100 to 200; release observed by kim"},
		{"a crash between the observation and the release", stopped + "claim; boot b2; observed gateway 200 2", "restarted 100 to 200; release observed by recorder"},
	})
}

func TestProbation(t *testing.T) {
	released := stopped + "+10s; claim; observed gateway 200 2 claim\n" // at 40s
	tell(t, Handoff(), events.Enforce, []story{
		{"it begins with a wait", released + "a2 request", "hold a2 settling; wake at 1m10s"},
		{"which starts again in full after a crash", released + "+20s; boot b2; a2 request", "hold a2 settling; wake at 30s"},
		{"then one attempt", released + "+30s; a2 request; a3 request", "hold a3 in_flight"},
		{"which is the first of two", released + "+30s; a2 request", "permit a2 as probation 1"},
		{"a silent one is no stop yet", released + "+30s; a2 request; +30s; a2 fail accepted_no_bytes", "delay 1s and up to 250ms"},
		{"the second waits a minute", released + "+30s; a2 request; +30s; a2 fail accepted_no_bytes; a3 request", "hold a3 settling; wake at 2m40s"},
		{"and is the second", released + "+30s; a2 request; a2 fail accepted_no_bytes; +60s; a3 request", "permit a3 as probation 2"},
		{"and the last", released + "+30s; a2 request; a2 fail accepted_no_bytes; +60s; a3 request; a3 fail version_no_ready", "down probation 2/2 by a2,a3; stop probation"},
		{"ready ends it", released + "+30s; a2 request; a2 fail accepted_no_bytes; +60s; a3 request; a3 ok; a4 request", "permit a4"},
		{"and the count with it", released + "+30s; a2 request; a2 ok; a2 closed; a3 request; a3 fail accepted_no_bytes", "down silent 1/1 by a3; stop silent"},
		{"a crash uses one up", released + "+30s; a2 request; boot b2; +60s; a3 request", "permit a3 as probation 2"},
		{"two crashes use it up", released + "+30s; a2 request; boot b2; +60s; a3 request; boot b3", "unknown a3; down probation 2/2 by a2,a3; stop probation"},
		{"a refusal does not: it is still starting", released + "+30s; a2 request; a2 fail refused; +60s; a3 request", "permit a3 as probation 1"},
		{"nor does it turn a silence before it into the last one", released + "+30s; a2 request; a2 fail accepted_no_bytes; +60s; a3 request; a3 fail refused; +60s; a4 request", "permit a4 as probation 2"},
		{"an attempt from before the stop is none of it, and goes first", "a1 request; a1 dial; a1 up; report down; claim override; observed unknown claim; +30s; a2 request", "hold a2 in_flight"},
		{"and its silence stops nothing", "a1 request; a1 dial; a1 up; report down; claim override; observed unknown claim; +30s; a2 request; a1 fail accepted_no_bytes", "permit a2 as probation 1"},
	})
}

func TestObserving(t *testing.T) {
	tell(t, Handoff(), events.Observe, []story{
		{"nobody is held", "a1 request; a2 request", "permit a2 against in_flight"},
		{"nor after a failure", refused + "a2 request", "permit a2 against backoff"},
		{"nor while it is stopped", silent + "a2 request", "permit a2 against stopped"},
		{"the stop says that it holds nobody", silent, "down silent 1/1 by a1; stop silent not enforced"},
		{"our own success ends it", silent + "a2 request; a2 dial; a2 up; a2 version; a2 ok", "contradicted, ends true"},
		{"even one taken over from another log", "boot b2 carried; a2 request; a2 ok", "contradicted, ends true"},
		{"a reported one does not", silent + "report x1 ok", "contradicted, ends false"},
		{"several at once are ordinary", "a1 request; a2 request; a3 request; a2 ok; a1 fail refused; a3 ok; a4 request", "permit a4"},
		{"what is dialled while settling is none of the probation's", stopped + "observed gateway 200 2; a2 request", "permit a2 against settling"},
		{"what is dialled after it is", stopped + "observed gateway 200 2; +30s; a2 request", "permit a2 as probation 1"},
		{"a Gateway that stays silent is found down again, however many dial at once",
			stopped + "observed gateway 200 2; a2 request; a3 request; +30s; a2 fail accepted_no_bytes; a4 request; +20s; a3 fail accepted_no_bytes; a5 request; +30s; a4 fail accepted_no_bytes; +90s; a6 request; a5 fail accepted_no_bytes; a6 fail accepted_no_bytes",
			"down probation 2/2 by a4,a6; stop probation not enforced"},
	})
}

func TestDisconnecting(t *testing.T) {
	tell(t, Handoff(), events.Enforce, []story{
		{"a session may be closed", ready + "disconnect 7", "disconnect 1"},
		{"nobody has that client id", ready + "disconnect 8", "disconnect 0"},
		{"a handshake is in the way", ready + "a2 request; a2 dial; a2 up; disconnect", "block a2 connected"},
		{"from its permit on", ready + "a2 request; disconnect", "block a2 none"},
		{"it may be the one that is meant", ready + "a2 request; a2 dial; a2 up; a2 version; disconnect 7", "block a2 versioned"},
		{"until its client id says that it is not", ready + "a2 request; a2 dial; a2 up; a2 version; a2 start 9; disconnect 7", "disconnect 1"},
		{"force", ready + "a2 request; a2 dial; a2 up; disconnect force", "force a2 connected"},
		{"a runner that tells of its own asks for nothing", ready + "a2 request; a2 dial; direct a2 force", ""},
	})
}

func TestAnotherProcess(t *testing.T) {
	before := fsm.Process{PID: 100, StartedMS: 1_000_000, Socket: "inode-1"}
	for _, tc := range []struct {
		name  string
		after fsm.Process
		want  bool
	}{
		{"nothing has changed", before, false},
		{"another process with a start and a socket of its own", fsm.Process{PID: 200, StartedMS: 1_001_000, Socket: "inode-2"}, true},
		{"a socket that was handed to another process", fsm.Process{PID: 200, StartedMS: 9_000_000, Socket: "inode-1"}, false},
		{"another process of the same moment", fsm.Process{PID: 200, StartedMS: 1_000_000, Socket: "inode-2"}, false},
		{"the id was given out again", fsm.Process{PID: 100, StartedMS: 9_000_000, Socket: "inode-2"}, true},
		{"a clock that was set far, and the socket is still the same", fsm.Process{PID: 100, StartedMS: 9_000_000, Socket: "inode-1"}, false},
		{"another socket of the same process", fsm.Process{PID: 100, StartedMS: 1_000_000, Socket: "inode-2"}, false},
		{"a start that differs by less than a set clock may explain", fsm.Process{PID: 100, StartedMS: 1_009_999, Socket: "inode-2"}, false},
		{"and by as much", fsm.Process{PID: 100, StartedMS: 990_000, Socket: "inode-2"}, true},
		{"a socket that nobody could read shows nothing", fsm.Process{PID: 100, StartedMS: 9_000_000}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := another(before, tc.after); got != tc.want {
				t.Errorf("another(%+v, %+v) = %t, want %t", before, tc.after, got, tc.want)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	for _, c := range []struct {
		name, script string
		mode         events.Mode
		want         int64
	}{
		{"a refused dial, and nothing listens", refused + "observed no", events.Enforce, int64(time.Second)},
		{"until the wait is over", refused + "observed no; +1s", events.Enforce, 0},
		{"nothing listens, and nobody has tried", "observed no", events.Enforce, 0},
		{"a refused dial, and nobody can tell who listens", refused + "observed unknown", events.Enforce, 0},
		{"a refused dial, and somebody listens", refused + "observed other", events.Enforce, 0},
		{"a stop closes the port by itself", refused + "+1s; a2 request; a2 dial; a2 up; +30s; a2 fail accepted_no_bytes; observed no", events.Enforce, 0},
		{"in observe mode nobody is in the way", refused + "observed no", events.Observe, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := begin(Handoff(), c.mode)
			if err := w.play(c.script); err != nil {
				t.Fatal(err)
			}
			if got := Absent(w.s, w.w.Now); got != c.want {
				t.Errorf("closed until %s, want %s", time.Duration(got), time.Duration(c.want))
			}
		})
	}
}
