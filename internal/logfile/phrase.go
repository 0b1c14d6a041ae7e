package logfile

import (
	"regexp"
	"strings"

	"ibrecorder/events"
)

// requiresRestart stands for a line in which the worker says so as a value.
const requiresRestart = "requires_restart: true"

// phrase is something that programs write about their connection to the Gateway, and
// what follows from it.
type phrase struct {
	begin  string         // how the text begins
	rest   *regexp.Regexp // what must follow it
	means  string         // for docs/import.md; "" if nothing follows from it
	do     func(j *joiner, l line, m []string)
	inside bool // begin may stand anywhere in the text
}

// The constructors of a phrase: one that does something, one whose fact is a remark, with
// the numbers of the line in it, and one that says nothing that another does not.

func is(begin, rest, means string, do func(*joiner, line, []string)) phrase {
	return phrase{begin: begin, rest: regexp.MustCompile(`^` + rest), means: means, do: do}
}

func notes(begin, rest, who, text string) phrase {
	return is(begin, rest, "a remark: "+text, func(j *joiner, _ line, m []string) { j.note(who, text, m[1:]) })
}

func skip(begin, rest string) phrase {
	return is(begin, rest, "", func(*joiner, line, []string) {})
}

// within is p for a text that has its beginning anywhere.
func within(p phrase) phrase {
	p.inside = true
	return p
}

// phrases are all that is understood. The first that fits is taken. Where they come
// from: ib_async 2.0.1 and ib_insync (client.py, ib.py, wrapper.py, connection.py), the
// public repository stimutak/robo_trader at 2755315 and after (worker, connection
// manager, guard, runner, watchdog), IBC.
var phrases = []phrase{
	// The library, whose client says at INFO how far a handshake came.
	is("Connecting to ", `\S+:\d+ with clientId (-?\d+)\.\.\.$`, "an attempt of that client id begins", func(j *joiner, l line, m []string) {
		j.begin(l, byLibrary, number(m[1]), "")
	}),
	is("Connected", `$`, "TCP is up, and nothing more", func(j *joiner, l line, _ []string) { j.accepted(l) }),
	is("Logged on to server version ", `(\d+)$`, "the version came, and the library has sent its startAPI",
		func(j *joiner, l line, m []string) { j.versioned(l, m[1]) }),
	is("API connection ready", `$`, "the attempt succeeds, and a session begins",
		func(j *joiner, l line, _ []string) { j.ready(l, byLibrary) }),
	skip("Synchronization complete", `$`),
	is(libraryFailed, `(.*)$`, "the attempt ends, as its exception and the lines before it say",
		func(j *joiner, l line, m []string) { j.failed(l, byLibrary, m[1]) }),
	skip("Make sure API port on TWS/IBG is open", `$`), // follows a refusal
	is("Peer closed connection.", `$`, "the Gateway ends the session",
		func(j *joiner, l line, _ []string) { j.lost(l, events.LostFIN) }),
	is("Peer closed connection. clientId ", `(-?\d+) already in use\?$`, "the Gateway ends the handshake: `closed_before_ready`, or what an error before it says",
		func(j *joiner, l line, m []string) { j.closedByPeer(l, number(m[1])) }),
	is("[Errno ", `(54|104|10054)\] Connection reset by peer`, "the connection was reset",
		func(j *joiner, l line, m []string) { j.reset(l, m[1]) }),
	is("ConnectionResetError(", `(54|104|10054),`, "the connection was reset",
		func(j *joiner, l line, m []string) { j.reset(l, m[1]) }),
	is("Disconnecting", `$`, "the program ends its session, unless a failure follows at once",
		func(j *joiner, l line, _ []string) { j.leaves(l) }),
	is("Disconnecting from ", `\S+:\d+, .* session time `, "the program asks to disconnect",
		func(j *joiner, l line, _ []string) { j.asked(l, asks) }),
	is("Disconnected.", `$`, "in a handshake before the version: the Gateway has closed",
		func(j *joiner, l line, _ []string) { j.dropped(l) }),
	is("Error ", `(\d+), reqId (-?\d+): `, "of the Gateway itself (request -1): a notice, and in a handshake its explanation",
		func(j *joiner, l line, m []string) { j.code(l, m[1], m[2]) }),
	is("Warning ", `(\d+), reqId (-?\d+): `, "the same; data farms are left out",
		func(j *joiner, l line, m []string) { j.code(l, m[1], m[2]) }),
	is("ERROR ", `(-?\d+) (\d+) `, "the same, as `ibapi` prints it", func(j *joiner, l line, m []string) { j.code(l, m[2], m[1]) }),

	// The worker, which says its timeout.
	is("DEBUG: Connecting to ", `\S+:\d+ client_id=(\d+) timeout=([\d.]+)$`, "an attempt begins, with its timeout", func(j *joiner, l line, m []string) {
		j.begin(l, byWorker, number(m[1]), m[2])
	}),
	is("DEBUG: Connecting diagnostic client to ", `\S+:\d+ timeout=([\d.]+)$`, "an attempt begins, with its timeout", func(j *joiner, l line, m []string) {
		j.begin(l, byWorker, nil, m[1])
	}),
	is("DEBUG: Connected successfully!", `$`, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byWorker) }),
	is("DEBUG: connectAsync() returned after ", `[\d.]+s$`, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byWorker) }),
	is("DEBUG: API handshake complete!", ``, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byWorker) }),
	is("Handshake timed out at ", ``, "the attempt timed out, and the Gateway is reported down", func(j *joiner, l line, _ []string) {
		j.failed(l, byWorker, timeout)
		j.down()
	}),
	is("Gateway API layer is unresponsive.", ``, "the Gateway is reported down",
		func(j *joiner, _ line, _ []string) { j.down() }),
	is("IBKR Gateway API layer is unresponsive.", ``, "the Gateway is reported down",
		func(j *joiner, _ line, _ []string) { j.down() }),
	is("Gateway API layer reported down", ``, "the Gateway is reported down",
		func(j *joiner, _ line, _ []string) { j.down() }),
	is("Worker ping reports Gateway API down", ``, "the Gateway is reported down",
		func(j *joiner, _ line, _ []string) { j.down() }),
	is(requiresRestart, `$`, "the Gateway is reported down", func(j *joiner, _ line, _ []string) { j.down() }),
	notes("Received signal SIG", `(?:TERM|INT|HUP) \((\d{1,3})\)`, "", "The worker received signal %s."),
	within(notes("did not respond to SIGTERM within ", `(\d{1,9}(?:\.\d{1,3})?)s, sending SIGKILL`, "", "The worker is killed, %s s after it was asked to end.")),

	// The connection manager.
	is("Connecting to IBKR via subprocess ", `.*timeout=([\d.]+)`, "an attempt begins, with its timeout",
		func(j *joiner, l line, m []string) { j.begin(l, byManager, nil, m[1]) }),
	is("Connected to IBKR via subprocess ", ``, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byManager) }),
	is("Connection established successfully", ``, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byManager) }),
	is("Connection timeout on attempt ", `\d+$`, "the attempt timed out, if the library has not told so",
		func(j *joiner, l line, _ []string) { j.failed(l, byManager, timeout) }),
	is("Connection failed on attempt ", `\d+: (.*)$`, "the attempt ends, if the library has not told so",
		func(j *joiner, l line, m []string) { j.failed(l, byManager, m[1]) }),
	skip("Connection attempt ", `\d+/\d+`),
	skip("Failed to connect after ", `\d+ attempts`),
	skip("Retrying in ", `[\d.]+ seconds`),
	skip("Started IBKR subprocess worker", ``),
	skip("Existing connection is dead, reconnecting", ``),
	skip("Health check failed, attempting reconnection", ``),
	skip("Pre-connection zombie check on port ", `\d+`),
	skip("Cleaning up zombie connections on port ", `\d+`),
	skip("No CLOSE_WAIT zombies found on port ", `\d+`),
	notes("Circuit breaker OPENED after ", `(\d{1,9}) failures\. Blocking connections for (\d{1,9}(?:\.\d{1,3})?)s`, "", "The circuit breaker opens after %s failures, for %s s."),
	notes("Circuit breaker HALF-OPEN", ``, "", "The circuit breaker lets one try through."),
	notes("Circuit breaker CLOSED", ``, "", "The circuit breaker closes."),
	skip("Circuit breaker: Recording ", ``),
	skip("circuit_breaker_", `(?:state_change|metrics)`),
	notes("Found ", `(\d{1,9}) CLOSE_WAIT zombie`, "", "Sockets in CLOSE_WAIT: %s."),
	notes("Found ", `(\d{1,9}) zombie connections on port \d+`, "", "Sockets in CLOSE_WAIT: %s."),
	notes("DETECTED ", `(\d{1,9}) CLOSE_WAIT zombie`, "", "Sockets in CLOSE_WAIT: %s."),
	notes("Found ", `(\d{1,9}) Gateway-owned zombie`, "", "Sockets in CLOSE_WAIT that are the Gateway's: %s."),
	within(notes("Gateway zombies remain", ``, "", "Sockets in CLOSE_WAIT remain with the Gateway.")),
	skip("Gateway zombies can only be cleared by restarting", ``),

	// The guard over disconnect.
	is("ib.disconnect() skipped (monkey patch)", ``, "a disconnect is asked for and refused",
		func(j *joiner, l line, _ []string) { j.asked(l, isBlocked) }),
	is("Skipping ib.disconnect() in ", `\S+`, "a disconnect is asked for and refused",
		func(j *joiner, l line, _ []string) { j.asked(l, isBlocked) }),
	is("Forced ib.disconnect() executed in ", `\S+`, "a disconnect is forced",
		func(j *joiner, l line, _ []string) { j.asked(l, isForced) }),
	is("ib.disconnect() executed via monkey patch override", ``, "a disconnect is forced",
		func(j *joiner, l line, _ []string) { j.asked(l, isForced) }),

	// The runner with a connection that persists.
	is("event=recovery_started ", `attempt=\d+`, "an attempt begins",
		func(j *joiner, l line, _ []string) { j.begin(l, byRecovery, nil, "") }),
	is("event=recovery_attempt_failed ", `attempt=\d+ error=(.*)$`, "the attempt ends", func(j *joiner, l line, m []string) {
		j.failed(l, byRecovery, strings.Trim(m[1], `"'`))
	}),
	is("event=recovery_succeeded ", ``, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byRecovery) }),
	is("event=connection_initialized", ``, "the attempt succeeds",
		func(j *joiner, l line, _ []string) { j.ready(l, byRecovery) }),
	within(notes("RUNNER_EXIT_EVENT", ``, "", "The runner exits.")),
	notes("event=recovery_exhausted", ``, "", "The runner gives up: its tries to recover are used up."),
	is("event=recovery_gateway_restart_done ", `attempt=\d+ success=True`, "a restart of the Gateway is claimed",
		func(j *joiner, _ line, _ []string) { j.restartClaimed() }),
	notes("event=recovery_gateway_restart_done ", `attempt=\d+ success=False`, "", "An automatic restart of the Gateway fails."),
	notes("event=recovery_gateway_restart_failed ", ``, "", "An automatic restart of the Gateway fails."),
	notes("event=connection_state_change ", `from=(?:\w+) to=(HEALTHY|DEGRADED|UNHEALTHY|RECOVERING)\b`, "", "The runner calls its connection %s."),
	skip("event=", `(?:health_triggered_recovery|gateway_recovery_lock_timeout|cycle_skipped_unhealthy|cycle_authoritative_disconnect|cycle_transport_abort)\b`),

	// The watchdog: to start the trader is to want to connect.
	notes("STALL DETECTED: No log activity for ", `(\d{1,9})s`, watchdog, "The log has been silent for %s s."),
	notes("Runner not running during trading hours", ``, watchdog, "The runner does not run."),
	is("RESTARTING trader", ``, "an attempt begins: to start the trader is to want to connect",
		func(j *joiner, l line, _ []string) { j.begin(l, byWatchdog, nil, "") }),
	is("Restart FAILED", `.*consecutive failures: (\d{1,9})`, "its end is not known, and a remark", func(j *joiner, l line, m []string) {
		j.failed(l, byWatchdog, "")
		j.note(watchdog, "The restart failed; in a row: %s.", m[1:])
	}),
	skip("Restart complete", `$`),
	notes("NOTIFICATION SENT", ``, watchdog, "Somebody was notified."),
	notes("TERMINAL SAFETY BLOCK", ``, watchdog, "The watchdog blocks further restarts."),
	notes("AUTOMATIC RESTART REQUEST DENIED", ``, watchdog, "The watchdog was refused a restart."),
	skip("Watchdog started", ``),

	// IBC, which starts the Gateway.
	is("IBC: Starting ", `(?:Gateway|TWS)`, "a Gateway starts", func(j *joiner, _ line, _ []string) { j.starts = true }),
	is("IBC: Login has completed", ``, "if one has started: a restart was observed",
		func(j *joiner, _ line, _ []string) { j.restarted() }),
	notes("IBC: Second Factor Authentication initiated", ``, ibc, "The second factor is asked for."),
	is("IBC returned exit status ", `(\d+)`, "a notice with the exit code", func(j *joiner, _ line, m []string) {
		j.say(ibc, "", events.GatewayNotice{Code: atoi(m[1]), Origin: events.OriginIBC, Count: 1})
	}),
	skip("IBC: ", ``),
}

// Who tells, beside the program that wrote the log.
const (
	watchdog = "watchdog"
	ibc      = "ibc"
)

// find returns the phrase that text is, and what its pattern found.
func find(text string) (p *phrase, m []string) {
	for i := range phrases {
		p = &phrases[i]
		at := 0
		if p.inside {
			at = max(strings.Index(text, p.begin), 0)
		}
		if !strings.HasPrefix(text[at:], p.begin) {
			continue
		}
		if m = p.rest.FindStringSubmatch(text[at+len(p.begin):]); m != nil {
			return p, m
		}
	}
	return nil, nil
}

// libraryFailed begins what follows a Disconnecting that was the library's own.
const libraryFailed = "API connection failed: "
