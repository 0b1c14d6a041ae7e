package fsm

import "testing"

// ready is an attempt a1 that worked, and silent one that met silence.
const (
	ready  = "a1 open; a1 hello; a1 request; a1 permit; a1 dial; a1 up; a1 version; a1 start 7; a1 ready; a1 ok; a1 established\n"
	silent = "a1 request; a1 permit; a1 dial; a1 up; +30s; a1 late; a1 fail accepted_no_bytes\n"
	stop   = "down silent; stop; observed gateway 100 1 stop\n"
)

type scenario struct{ name, script, want string }

func run(t *testing.T, scenarios []scenario) {
	for _, tc := range scenarios {
		t.Run(tc.name, func(t *testing.T) {
			if got := summary(play(t, tc.script)); got != tc.want {
				t.Errorf("after\n%s\n got %s\nwant %s", tc.script, got, tc.want)
			}
		})
	}
}

func TestAttempts(t *testing.T) {
	run(t, []scenario{
		{"a permit takes the slot", "a1 request; a1 permit", "ATTEMPTING UNKNOWN | a1 DIALING slot"},
		{"ready frees it", ready, "OPEN READY | a1 READY ended"},
		{"a session that closed is forgotten", ready + "a1 closed; a1 gone", "OPEN READY"},
		{"a session that the Gateway closed leaves doubt about the Gateway", ready + "a1 lost; a1 gone", "OPEN UNKNOWN"},
		{"silence frees the slot, is counted and asks for a delay", silent, "OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"a delay is a wait from its event on", silent + "delay 1s", "BACKOFF SUSPECT | silent 1 | failed 1 | delay from 30s to 31s"},
		{"ready ends the run and the delay", silent + "delay 1s; +2s; a2 request; a2 permit; a2 ok", "OPEN READY | a2 READY ended"},
		{"others wait for the slot in order", "a1 request; a2 request; a3 request; a1 permit; a2 held in_flight",
			"ATTEMPTING UNKNOWN | a1 DIALING slot | a2 held | a3 waits"},
		{"a client that gives up before its permit leaves the queue", "a1 request; a2 request; a1 abandon", "OPEN UNKNOWN | a2 waits"},
		{"and so does one whose connection is gone", "a1 request; a2 request; a1 gone", "OPEN UNKNOWN | a2 waits"},
		{"a denied client leaves the queue", "a1 request; a1 deny", "OPEN UNKNOWN"},
		{"a client that leaves after its permit keeps the slot until its attempt ends",
			"a1 request; a1 permit; a1 dial; a1 up; a1 defer", "ATTEMPTING LISTENING | a1 CLOSING slot"},
		{"a late answer shows that the Gateway lives", silent + "a2 request; a2 permit; a2 dial; a2 up; a2 defer; a2 version; a2 abandon answered; a2 gone",
			"OPEN LISTENING | failed 1 | pending delay"},
		{"silence after the client has left is silence", "a1 request; a1 permit; a1 dial; a1 up; a1 defer; +30s; a1 fail accepted_no_bytes; a1 gone",
			"OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"the connection may be gone before the end of its attempt", "a1 request; a1 permit; a1 dial; a1 gone; a1 fail refused",
			"OPEN ABSENT | failed 1 | pending delay"},
		{"ready after the client has left counts, and the session ends", "a1 request; a1 permit; a1 dial; a1 up; a1 version; a1 start 7; a1 defer; a1 ready; a1 ok; a1 gone",
			"OPEN READY"},
		{"a lease is a request of its runner, who dials by itself", "report a1 lease", "OPEN UNKNOWN | a1 waits"},
		{"its permit takes the slot", "report a1 lease; direct a1 permit", "ATTEMPTING UNKNOWN | a1 DIALING slot"},
		{"its runner's word frees it, and the session is none of ours", "report a1 lease; direct a1 permit; report a1 ok", "OPEN READY"},
		{"another runner's does not", "report a1 lease; direct a1 permit; other a1 fail refused", "ATTEMPTING ABSENT | a1 DIALING slot | failed 1 | pending delay"},
		{"the end of its time does", "report a1 lease; direct a1 permit; +60s; a1 unknown lease_expired", "OPEN UNKNOWN"},
		{"who was denied one and dials all the same tells what counts", "report a1 lease; a1 deny; report a1 fail reported_timeout limit=30s", "OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"who reports a refusal while nothing is known says that nothing listens", "report x1 fail refused", "OPEN ABSENT | failed 1 | pending delay"},
		{"while a session of ours is ready it has dialled something else", ready + "report x1 fail refused", "OPEN READY | a1 READY ended | failed 1 | pending delay"},
		{"and while it has lost IB", ready + "a1 degraded; report x1 fail refused", "OPEN DEGRADED | a1 DEGRADED ended | failed 1 | pending delay"},
		{"but not when that session is gone", ready + "a1 closed; a1 gone; report x1 fail refused", "OPEN ABSENT | failed 1 | pending delay"},
		{"and while the port was read last and listens", "observed gateway 100 1; report x1 fail refused", "OPEN LISTENING | failed 1 | pending delay"},
		{"but not when it was read since and nothing can be said", "observed gateway 100 1; observed unknown; report x1 fail refused", "OPEN ABSENT | failed 1 | pending delay"},
		{"a refusal that the tap itself met counts, whatever was read", "observed gateway 100 1; a1 request; a1 permit; a1 dial; a1 fail refused", "OPEN ABSENT | failed 1 | pending delay"},
		{"wire facts may be missing, as after a gap", "a1 request; a1 permit; gap; a1 version; a1 ok", "OPEN READY | a1 READY ended"},
	})
}

func TestWhatResetsARun(t *testing.T) {
	two := "a1 request; a1 permit; a1 fail accepted_no_bytes; a2 request; a2 permit; a2 fail dial_timeout; a3 request; a3 permit; a3 fail fin_before_version; delay 0s\n" +
		"a4 request; a4 permit;"
	kept := "silent 1 | timeouts 1 | closed 1"
	run(t, []scenario{
		{"refused: it was not running", two + "a4 fail refused", "OPEN ABSENT | failed 4 | pending delay"},
		{"326", two + "a4 fail client_id_in_use", "OPEN LISTENING | failed 3"},
		{"10141, and everybody waits", two + "a4 fail disclaimer_pending", "OPEN LISTENING | failed 4 | pending delay"},
		{"closed after the version", two + "a4 fail closed_before_ready", "OPEN LISTENING | failed 4 | pending delay"},
		{"an error that explains it", two + "a4 fail error_before_ready", "OPEN LISTENING | failed 4 | pending delay"},
		{"a bad version, which is the client's own", two + "a4 fail bad_version", "OPEN LISTENING | failed 3"},
		{"abandoned, and the Gateway answered", two + "a4 abandon answered", "OPEN LISTENING | failed 3"},
		{"ready", two + "a4 ok", "OPEN READY | a4 READY ended"},
		{"abandoned unanswered proves nothing", two + "a4 abandon", "OPEN SUSPECT | " + kept + " | failed 3"},
		{"no startAPI proves nothing", two + "a4 fail no_start_api", "OPEN SUSPECT | " + kept + " | failed 3"},
		{"an unknown end proves nothing", two + "a4 unknown", "OPEN SUSPECT | " + kept + " | failed 3"},
		{"an unreachable network proves nothing and backs off", two + "a4 fail unreachable", "OPEN SUSPECT | " + kept + " | failed 4 | pending delay"},
		{"another silence is the next in a row", two + "a4 fail version_no_ready",
			"OPEN SUSPECT | silent 2 | timeouts 1 | closed 1 | failed 4 | pending delay"},
		{"a version on the way to silence is no proof of life", two + "a4 dial; a4 up; a4 version; a4 start 7; a4 fail version_no_ready",
			"OPEN SUSPECT | silent 2 | timeouts 1 | closed 1 | failed 4 | pending delay"},
		{"a closed handshake is not known to be anything", ready + "a2 request; a2 permit; a2 fail rst_before_version",
			"OPEN UNKNOWN | a1 READY ended | closed 1 | failed 1 | pending delay"},
	})
}

func TestStops(t *testing.T) {
	run(t, []scenario{
		{"gateway.down asks for a stop", silent + "down silent", "OPEN DOWN | silent 1 | failed 1 | pending down silent | pending delay"},
		{"the stop stands, and asks for no delay", silent + "down silent; stop", "STOPPED DOWN | silent 1 | failed 1 | stop e9"},
		{"a reported gateway.down asks for a stop too", "report down", "OPEN DOWN | pending down reported"},
		{"and for none while one stands", silent + stop + "report down", "STOPPED DOWN | silent 1 | failed 1 | stop e9"},
		{"an attempt under way ends without moving the gate",
			"a1 request; a1 permit; a1 dial; a1 up; report down; stop; a1 version; a1 fail client_id_in_use", "STOPPED DOWN | stop e7"},
		{"it does not even if it becomes ready", "a1 request; a1 permit; report down; stop; a1 ok",
			"STOPPED DOWN | a1 READY ended | stop e5 | pending success (own true)"},
		{"a stop closes no session", ready + "report down; stop", "STOPPED DOWN | a1 READY ended | stop e14"},
		{"1100 and 1102 of every session stop nothing", ready + "a2 request; a2 permit; a2 ok; a1 degraded; a2 degraded; a1 degraded; a1 restored; a2 restored",
			"OPEN READY | a1 READY ended | a2 READY ended"},
		{"a loss of IB reads as such", ready + "a1 degraded", "OPEN DEGRADED | a1 DEGRADED ended"},
		{"a mute session makes the Gateway suspect", ready + "a1 mute", "OPEN SUSPECT | a1 MUTE ended"},
		{"its next answer shows that something answers", ready + "a1 mute; a1 restored", "OPEN LISTENING | a1 READY ended"},
		{"an older session says nothing of new handshakes", ready + silentAs("a2") + "a1 degraded; a1 restored",
			"OPEN SUSPECT | a1 READY ended | silent 1 | failed 1 | pending delay"},
		{"the nightly restart is no reason to stop",
			ready + "a1 degraded; a1 lost; observed no; a2 request; a2 permit; a2 dial; a2 fail refused; delay 1s; +1s; a3 request; a3 permit; a3 dial; a3 up; a3 fail fin_before_version; delay 2s",
			"BACKOFF UNKNOWN | closed 1 | failed 2 | delay from 1s to 3s"},
		{"a second stop while one stands is impossible", silent + stop + "stop", "STOPPED DOWN | silent 1 | failed 1 | stop e9 | odd 1: gate STOPPED: stop"},
		{"a permit while a stop stands is impossible, and its session is seen", silent + stop + "a2 permit; a2 dial",
			"STOPPED DOWN | a2 DIALING | silent 1 | failed 1 | stop e9 | odd 1: gate STOPPED: permit"},
		{"a release without a stop is impossible, and changes nothing", "release word", "OPEN UNKNOWN | odd 1: gate OPEN: release"},
	})
}

func silentAs(name string) string {
	return name + " request; " + name + " permit; " + name + " dial; " + name + " up; " + name + " fail accepted_no_bytes\n"
}

func TestReleases(t *testing.T) {
	stopped := silent + stop
	run(t, []scenario{
		{"a claim waits for its decision", stopped + "claim; observed gateway 200 2 claim", "STOPPED DOWN | silent 1 | failed 1 | stop e9 | claim e11"},
		{"a claim of before the stop is not about it", "claim; " + silent + stop + "observed gateway 200 2 claim", "STOPPED DOWN | silent 1 | failed 1 | stop e10"},
		{"a rejected claim is over", stopped + "claim; reject process_unchanged", "STOPPED DOWN | silent 1 | failed 1 | stop e9"},
		{"a restart may be observed without a claim", stopped + "observed gateway 200 2; restarted", "STOPPED DOWN | silent 1 | failed 1 | stop e9 | restarted"},
		{"a release begins a probation", stopped + "claim; release word", "PROBATION STARTING | trial used 0"},
		{"an attempt of it takes the slot and counts", stopped + "release word; a2 request; a2 permit probation=1", "ATTEMPTING STARTING | a2 DIALING slot | trial used 1"},
		{"first silent, then ready", stopped + "release word; a2 request; a2 permit probation=1; a2 fail accepted_no_bytes; a3 request; a3 permit probation=2; a3 ok",
			"OPEN READY | a3 READY ended"},
		{"the last one silent", stopped + "release word; a2 request; a2 permit probation=1; a2 fail accepted_no_bytes; a3 request; a3 permit probation=2; a3 fail version_no_ready",
			"PROBATION SUSPECT | silent 2 | failed 2 | trial used 2 | last bad | pending delay"},
		{"an unknown end uses one up", stopped + "release word; a2 request; a2 permit probation=1; a2 unknown", "PROBATION STARTING | trial used 1 | last bad"},
		{"a failure that is no silence does not", stopped + "release word; a2 request; a2 permit probation=1; a2 fail refused",
			"PROBATION STARTING | failed 1 | trial used 0 | pending delay"},
		{"and abandoning does not", stopped + "release word; a2 request; a2 permit probation=1; a2 abandon", "PROBATION STARTING | trial used 0"},
		{"a delay leaves the probation", stopped + "release word; delay 1s", "PROBATION STARTING | delay from 30s to 31s | trial used 0"},
		{"an attempt from before the release ends silently and proves nothing",
			"a1 request; a1 permit; a1 dial; a1 up; report down; stop; release override; a1 fail accepted_no_bytes", "PROBATION STARTING | trial used 0"},
		{"or becomes ready and ends no probation", "a1 request; a1 permit; a1 dial; a1 up; report down; stop; release override; a1 ok",
			"PROBATION READY | a1 READY ended | trial used 0"},
		{"a reported success ends no probation", stopped + "release word; report x1 ok", "PROBATION READY | trial used 0"},
		{"a stop taken over from another log has no process to compare with", "boot b2 carried; stop carried; observed gateway 100 1 stop", "STOPPED LISTENING | stop e3"},
	})
	if p := play(t, "boot b2 carried; stop carried; observed gateway 100 1 stop").Stop.Observed; p != (Process{}) {
		t.Errorf("a carried stop compares with %+v", p)
	}
	if p := play(t, stopped).Stop.Observed; p.PID != 100 || p.StartedMS != 1 {
		t.Errorf("a stop compares with %+v, want process 100 started at 1", p)
	}
}

func TestReportsAndModes(t *testing.T) {
	run(t, []scenario{
		{"a reported request is no request to us", "report x1 request", "OPEN UNKNOWN"},
		{"a reported silence counts if the reporter waited long enough", "report x1 fail reported_timeout limit=15s", "OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"and backs off, no more, if not", "report x1 fail reported_timeout limit=5s", "OPEN UNKNOWN | failed 1 | pending delay"},
		{"or if nobody knows how long that was", "report x1 fail accepted_no_bytes", "OPEN UNKNOWN | failed 1 | pending delay"},
		{"a reported dial timeout likewise", "report x1 fail dial_timeout limit=15s; report x2 fail dial_timeout limit=5s", "OPEN SUSPECT | timeouts 1 | failed 2 | pending delay"},
		{"a client that leaves while its denial is written is nothing odd", "a1 request; a1 permit; a1 fail accepted_no_bytes; down silent; stop; a2 request; a2 deny; a2 abandon", "STOPPED DOWN | silent 1 | failed 1 | stop e6"},
		{"what a runner reports of a connection that we hold counts for nothing", "a1 open 50000; a1 request; a1 permit; a1 dial; a2 open 50007; a2 request; a2 held in_flight; report x request port=50007; report x fail reported_timeout limit=10s", "ATTEMPTING UNKNOWN | a1 DIALING slot | a2 held"},
		{"nor what it reports of one whose silence we saw", "a1 open 50007; a1 request; a1 permit; a1 dial; a1 up; report x request port=50007; a1 fail accepted_no_bytes; report x fail reported_timeout limit=30s", "OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"the same attempt reported twice counts once", "report x1 fail reported_timeout limit=15s; report x1 fail reported_timeout limit=15s",
			"OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"a report on what we hold is no silence", "a1 request; a1 held backoff; report a1 fail reported_timeout limit=15s", "OPEN UNKNOWN | a1 held"},
		{"what a runner was told at our port is no sign of the Gateway", silent + stop + "report x request; report x fail error_before_ready code=70503", "STOPPED DOWN | silent 1 | failed 1 | stop e9"},
		{"but frees the turn that it was given", "direct a1 request; direct a1 permit; report a1 fail error_before_ready code=70503", "OPEN LISTENING | failed 1 | pending delay"},
		{"nor on what we denied", "a1 request; a1 deny; report a1 fail refused", "OPEN UNKNOWN"},
		{"nor on what we relay, which ends as we see it", "a1 request; a1 permit; a1 dial; a1 up; report a1 fail reported_timeout limit=15s", "ATTEMPTING LISTENING | a1 CONNECTED slot"},
		{"nor on what we saw end", silent + "report a1 fail reported_timeout limit=30s", "OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"a session that we relay ends as we see it", ready + "report a1 lost", "OPEN READY | a1 READY ended"},
		{"what its client says in between is heard", ready + "report a1 mute", "OPEN SUSPECT | a1 MUTE ended"},
		{"a runner that dials for itself ends its attempt by a report", "direct a1 request; direct a1 permit; report a1 ok", "OPEN READY | a1 READY ended"},
		{"and its silence is its own to measure", "direct a1 request; direct a1 permit; report a1 fail reported_timeout limit=15s",
			"OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"a report out of order is not impossible", "report x1 restored; report x1 mute; direct a1 request; direct a1 permit; report a1 lost; report a1 mute",
			"ATTEMPTING SUSPECT | a1 DIALING slot"},
		{"a runner that tells of its own guard asks for nothing", ready + "direct a1 force", "OPEN READY | a1 READY ended"},

		{"observe: what is permitted against a stop leaves the gate alone", silent + stop + "a2 request; a2 permit against=stopped; a2 fail accepted_no_bytes",
			"STOPPED DOWN | silent 2 | failed 2 | stop e9 | pending delay"},
		{"observe: several at once, the first has the slot", "a1 request; a1 permit; a2 request; a2 permit against=in_flight; a3 request; a3 permit against=in_flight; a2 ok; a3 fail refused",
			"ATTEMPTING ABSENT | a1 DIALING slot | a2 READY ended | failed 1 | pending delay"},
		{"observe: a free slot is taken against a wait", silent + "delay 1s; a2 request; a2 permit against=backoff; a2 ok", "OPEN READY | a2 READY ended"},
		{"observe: our own success contradicts the stop", silent + stop + "a2 request; a2 permit against=stopped; a2 ok",
			"STOPPED DOWN | a2 READY ended | stop e9 | pending success (own true)"},
		{"observe: and ends it", silent + stop + "a2 request; a2 permit against=stopped; a2 ok; contradict ends", "OPEN READY | a2 READY ended"},
		{"observe: it may end a stop taken over from another log", "boot b2 carried; stop carried; a2 permit against=stopped; a2 ok; contradict ends", "OPEN READY | a2 READY ended"},
		{"a reported success contradicts and ends nothing", silent + stop + "report x1 ok; contradict", "STOPPED DOWN | stop e9"},
		{"observe: what is dialled while settling is none of the probation's", silent + stop + "release word; a2 permit against=settling; a2 fail accepted_no_bytes",
			"PROBATION SUSPECT | silent 1 | failed 1 | trial used 0 | pending delay"},
		{"observe: but its success is a success", silent + stop + "release word; a2 permit against=settling; a2 ok", "OPEN READY | a2 READY ended"},
	})
}

func TestRuns(t *testing.T) {
	run(t, []scenario{
		{"a crash between permit and dial leaves an attempt without an end", "a1 request; a1 permit; boot b2", "ATTEMPTING UNKNOWN | a1 DIALING slot"},
		{"which is closed as unknown", "a1 request; a1 permit; boot b2; a1 unknown", "OPEN UNKNOWN"},
		{"and a report may still know its end", "direct a1 request; direct a1 permit; boot b2; a1 unknown; report a1 fail reported_timeout limit=30s",
			"OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"sessions and requests die with the run that relayed them", ready + "a2 request; disconnect; boot b2", "OPEN UNKNOWN"},
		{"counts do not", silent + "boot b2", "OPEN SUSPECT | silent 1 | failed 1 | pending delay"},
		{"a delay starts again in full", silent + "delay 20s; +15s; boot b2; +3s; gap", "BACKOFF SUSPECT | silent 1 | failed 1 | delay from 0s to 20s"},
		{"a port that was lost is had again by the next run", silent + stop + "release word; blocked; boot b2", "PROBATION STARTING | trial used 0"},
		{"or closed by the next stop", silent + stop + "release word; blocked; report down; stop", "STOPPED DOWN | stop e14"},
		{"a stop stands", silent + stop + "boot b2", "STOPPED DOWN | silent 1 | failed 1 | stop e9"},
		{"a probation goes on", silent + stop + "release word; a2 permit probation=1; boot b2; a2 unknown", "PROBATION STARTING | trial used 1 | last bad"},
		{"a claim whose listener was not read is dropped, and the next one works",
			silent + stop + "claim; boot b2; claim; observed gateway 200 2 claim", "STOPPED DOWN | silent 1 | failed 1 | stop e9 | claim e13"},
		{"a claim takes the place of one that was never answered", silent + stop + "claim; claim; observed gateway 200 2 claim",
			"STOPPED DOWN | silent 1 | failed 1 | stop e9 | claim e12"},
		{"a stop of another log asks to be taken over", "boot b2 carried", "OPEN UNKNOWN | pending carried stop"},
		{"an imported account has no permits and no time", "boot import; report x1 request; report x1 fail reported_timeout limit=30s; report x2 fail accepted_no_bytes limit=30s; report down; stop; report x3 fail refused",
			"STOPPED DOWN | failed 3 | stop e7 | pending delay"},
		{"and the run after it is a run like any", "boot import; report x1 fail reported_timeout limit=30s; boot b2; a1 request; a1 permit; a1 ok", "OPEN READY | a1 READY ended"},
		{"a disconnect is asked for by an operator", ready + "disconnect 7 force", "OPEN READY | a1 READY ended | pending disconnect (force true)"},
		{"or a runner asks for it", ready + "disconnect 7 asked", "OPEN READY | a1 READY ended | pending disconnect (force false)"},
		{"who tells of it asks for nothing", ready + "disconnect 7 told", "OPEN READY | a1 READY ended"},
		{"permitted, its sessions are leaving", ready + "disconnect; disconnected", "OPEN READY | a1 CLOSING ended"},
		{"blocked, nothing happens", "a1 request; a1 permit; a1 dial; disconnect; a1 block", "ATTEMPTING UNKNOWN | a1 DIALING slot"},
		{"forced, it hits the handshake in its way", "a1 request; a1 permit; a1 dial; disconnect 9 force; a1 force", "ATTEMPTING UNKNOWN | a1 CLOSING slot"},
		{"permitted to a runner, the sessions of others stay", ready + "disconnect 7 asked; disconnected", "OPEN READY | a1 READY ended"},
		{"and forced by one, their handshakes", "a1 request; a1 permit; a1 dial; disconnect 9 force asked; a1 force", "ATTEMPTING UNKNOWN | a1 DIALING slot"},
		{"its own it may leave", "report a1 lease; direct a1 permit; disconnect 9 force asked; a1 force", "ATTEMPTING UNKNOWN | a1 CLOSING slot"},
		{"a permit asked for twice is queued once", "a1 request; a1 request", "OPEN UNKNOWN | a1 waits | odd 1: attempt a1 was requested before"},
		{"a second end of an attempt is impossible", silent + "a1 fail accepted_no_bytes", "OPEN SUSPECT | silent 1 | failed 1 | pending delay | odd 1: attempt a1 had ended"},
		{"two attempts at once are impossible in enforce mode, and do not hide one another",
			"a1 permit; a2 permit; a1 ok; a2 ok", "OPEN READY | a1 READY ended | a2 READY ended | odd 1: gate ATTEMPTING: permit"},
		{"a denied attempt may ask again", "direct a1 request; direct a1 deny; direct a1 request; direct a1 permit; report a1 ok", "OPEN READY | a1 READY ended"},
	})
}

func TestALostPort(t *testing.T) {
	run(t, []scenario{
		{"is remembered", silent + stop + "release word; blocked", "PROBATION STARTING | trial used 0 | shut out: the port is taken"},
		{"a port may be closed because nothing listens at the Gateway", "closed", "OPEN UNKNOWN | closed"},
		{"until it is opened", "closed; reopened", "OPEN UNKNOWN"},
		{"or a stop closes it", "closed; " + silent + stop, "STOPPED DOWN | silent 1 | failed 1 | stop e10"},
		{"or another run has opened it", "closed; boot b2", "OPEN UNKNOWN"},
		{"until it is had again", silent + stop + "release word; blocked; reopened", "PROBATION STARTING | trial used 0"},
	})
}

// A count stands for so many: each has asked, and only one that is named has an event
// of its own for that.
func TestDenialsAddUp(t *testing.T) {
	s := play(t, silent+stop+"a2 request; a2 deny; denied 1; denied 600; a3 request; a3 deny")
	if got := s.Totals; got.Requested != 604 || got.Denied != 603 || got.Permitted != 1 {
		t.Errorf("%+v, want 604 requested: 603 denied and 1 permitted", got)
	}
}

func TestWhatForces(t *testing.T) {
	for env, want := range map[string]bool{"1": true, "true": true, "yes": true, "": false, "0": false, "false": false, "no": false, "TRUE": false, "on": false} {
		if got := Forced(env); got != want {
			t.Errorf("IBKR_FORCE_DISCONNECT=%q forces: %t, want %t", env, got, want)
		}
	}
}
