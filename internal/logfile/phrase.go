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
	do     func(j *joiner, l line, m []string)
	inside bool // begin may stand anywhere in the text
}

// noted is a phrase whose fact is a remark: n is the number that the text has, if any.
func noted(source, text string) func(*joiner, line, []string) {
	return func(j *joiner, _ line, m []string) { j.note(source, text, m[1:]) }
}

// known is a phrase that is understood and says nothing that another does not.
func known(*joiner, line, []string) {}

func is(begin, rest string, do func(*joiner, line, []string)) phrase {
	return phrase{begin: begin, rest: regexp.MustCompile(`^` + rest), do: do}
}

func has(begin, rest string, do func(*joiner, line, []string)) phrase {
	p := is(begin, rest, do)
	p.inside = true
	return p
}

// phrases are all that is understood. The first that fits is taken. Where they come
// from: ib_async 2.0.1 and ib_insync (client.py, ib.py, wrapper.py, connection.py), the
// public repository stimutak/robo_trader at 2755315 and after (worker, connection
// manager, guard, runner, watchdog), IBC.
var phrases = []phrase{
	// The library, whose client says at INFO how far a handshake came.
	is("Connecting to ", `\S+:\d+ with clientId (-?\d+)\.\.\.$`, func(j *joiner, l line, m []string) {
		j.begin(l, byLibrary, number(m[1]), "")
	}),
	is("Connected", `$`, func(j *joiner, l line, _ []string) { j.accepted(l) }), // TCP alone
	is("Logged on to server version ", `(\d+)$`, func(j *joiner, l line, m []string) { j.versioned(l, m[1]) }),
	is("API connection ready", `$`, func(j *joiner, l line, _ []string) { j.ready(l, byLibrary) }),
	is("Synchronization complete", `$`, known),
	is(libraryFailed, `(.*)$`, func(j *joiner, l line, m []string) { j.failed(l, byLibrary, m[1]) }),
	is("Make sure API port on TWS/IBG is open", `$`, known), // follows a refusal
	is("Peer closed connection.", `$`, func(j *joiner, l line, _ []string) { j.lost(l, events.LostFIN) }),
	is("Peer closed connection. clientId ", `(-?\d+) already in use\?$`, func(j *joiner, l line, m []string) { j.closedByPeer(l, number(m[1])) }),
	is("[Errno ", `(?:54|104|10054)\] Connection reset by peer`, func(j *joiner, l line, _ []string) { j.reset(l) }),
	is("ConnectionResetError(", `(?:54|104|10054),`, func(j *joiner, l line, _ []string) { j.reset(l) }),
	is("Disconnecting", `$`, func(j *joiner, l line, _ []string) { j.leaves(l) }),
	is("Disconnecting from ", `\S+:\d+, .* session time `, func(j *joiner, l line, _ []string) { j.asked(l, asks) }),
	is("Disconnected.", `$`, func(j *joiner, l line, _ []string) { j.dropped(l) }),
	is("Error ", `(\d+), reqId (-?\d+): `, func(j *joiner, l line, m []string) { j.code(l, m[1], m[2]) }),
	is("Warning ", `(\d+), reqId (-?\d+): `, func(j *joiner, l line, m []string) { j.code(l, m[1], m[2]) }),
	is("ERROR ", `(-?\d+) (\d+) `, func(j *joiner, l line, m []string) { j.code(l, m[2], m[1]) }), // ibapi

	// The worker, which says its timeout.
	is("DEBUG: Connecting to ", `\S+:\d+ client_id=(\d+) timeout=([\d.]+)$`, func(j *joiner, l line, m []string) {
		j.begin(l, byWorker, number(m[1]), m[2])
	}),
	is("DEBUG: Connecting diagnostic client to ", `\S+:\d+ timeout=([\d.]+)$`, func(j *joiner, l line, m []string) {
		j.begin(l, byWorker, nil, m[1])
	}),
	is("DEBUG: Connected successfully!", `$`, func(j *joiner, l line, _ []string) { j.ready(l, byWorker) }),
	is("DEBUG: connectAsync() returned after ", `[\d.]+s$`, func(j *joiner, l line, _ []string) { j.ready(l, byWorker) }),
	is("DEBUG: API handshake complete!", ``, func(j *joiner, l line, _ []string) { j.ready(l, byWorker) }),
	is("Handshake timed out at ", ``, func(j *joiner, l line, _ []string) {
		j.failed(l, byWorker, timeout)
		j.down()
	}),
	is("Gateway API layer is unresponsive.", ``, func(j *joiner, _ line, _ []string) { j.down() }),
	is("IBKR Gateway API layer is unresponsive.", ``, func(j *joiner, _ line, _ []string) { j.down() }),
	is("Gateway API layer reported down", ``, func(j *joiner, _ line, _ []string) { j.down() }),
	is("Worker ping reports Gateway API down", ``, func(j *joiner, _ line, _ []string) { j.down() }),
	is(requiresRestart, `$`, func(j *joiner, _ line, _ []string) { j.down() }),
	is("Received signal SIG", `(?:TERM|INT|HUP) \((\d{1,3})\)`, noted("", "The worker received signal %s.")),
	has("did not respond to SIGTERM within ", `(\d{1,9}(?:\.\d{1,3})?)s, sending SIGKILL`, noted("", "The worker is killed, %s s after it was asked to end.")),

	// The connection manager.
	is("Connecting to IBKR via subprocess ", `.*timeout=([\d.]+)`, func(j *joiner, l line, m []string) { j.begin(l, byManager, nil, m[1]) }),
	is("Connected to IBKR via subprocess ", ``, func(j *joiner, l line, _ []string) { j.ready(l, byManager) }),
	is("Connection established successfully", ``, func(j *joiner, l line, _ []string) { j.ready(l, byManager) }),
	is("Connection timeout on attempt ", `\d+$`, func(j *joiner, l line, _ []string) { j.failed(l, byManager, timeout) }),
	is("Connection failed on attempt ", `\d+: (.*)$`, func(j *joiner, l line, m []string) { j.failed(l, byManager, m[1]) }),
	is("Connection attempt ", `\d+/\d+`, known),
	is("Failed to connect after ", `\d+ attempts`, known),
	is("Retrying in ", `[\d.]+ seconds`, known),
	is("Started IBKR subprocess worker", ``, known),
	is("Existing connection is dead, reconnecting", ``, known),
	is("Health check failed, attempting reconnection", ``, known),
	is("Pre-connection zombie check on port ", `\d+`, known),
	is("Cleaning up zombie connections on port ", `\d+`, known),
	is("No CLOSE_WAIT zombies found on port ", `\d+`, known),
	is("Circuit breaker OPENED after ", `(\d{1,9}) failures\. Blocking connections for (\d{1,9}(?:\.\d{1,3})?)s`, noted("", "The circuit breaker opens after %s failures, for %s s.")),
	is("Circuit breaker HALF-OPEN", ``, noted("", "The circuit breaker lets one try through.")),
	is("Circuit breaker CLOSED", ``, noted("", "The circuit breaker closes.")),
	is("Circuit breaker: Recording ", ``, known),
	is("circuit_breaker_", `(?:state_change|metrics)`, known),
	is("Found ", `(\d{1,9}) CLOSE_WAIT zombie`, noted("", "Sockets in CLOSE_WAIT: %s.")),
	is("Found ", `(\d{1,9}) zombie connections on port \d+`, noted("", "Sockets in CLOSE_WAIT: %s.")),
	is("DETECTED ", `(\d{1,9}) CLOSE_WAIT zombie`, noted("", "Sockets in CLOSE_WAIT: %s.")),
	is("Found ", `(\d{1,9}) Gateway-owned zombie`, noted("", "Sockets in CLOSE_WAIT that are the Gateway's: %s.")),
	has("Gateway zombies remain", ``, noted("", "Sockets in CLOSE_WAIT remain with the Gateway.")),
	is("Gateway zombies can only be cleared by restarting", ``, known),

	// The guard over disconnect.
	is("ib.disconnect() skipped (monkey patch)", ``, func(j *joiner, l line, _ []string) { j.asked(l, isBlocked) }),
	is("Skipping ib.disconnect() in ", `\S+`, func(j *joiner, l line, _ []string) { j.asked(l, isBlocked) }),
	is("Forced ib.disconnect() executed in ", `\S+`, func(j *joiner, l line, _ []string) { j.asked(l, isForced) }),
	is("ib.disconnect() executed via monkey patch override", ``, func(j *joiner, l line, _ []string) { j.asked(l, isForced) }),

	// The runner with a connection that persists.
	is("event=recovery_started ", `attempt=\d+`, func(j *joiner, l line, _ []string) { j.begin(l, byRecovery, nil, "") }),
	is("event=recovery_attempt_failed ", `attempt=\d+ error=(.*)$`, func(j *joiner, l line, m []string) {
		j.failed(l, byRecovery, strings.Trim(m[1], `"'`))
	}),
	is("event=recovery_succeeded ", ``, func(j *joiner, l line, _ []string) { j.ready(l, byRecovery) }),
	is("event=connection_initialized", ``, func(j *joiner, l line, _ []string) { j.ready(l, byRecovery) }),
	has("RUNNER_EXIT_EVENT", ``, noted("", "The runner exits.")),
	is("event=recovery_exhausted", ``, noted("", "The runner gives up: its tries to recover are used up.")),
	is("event=recovery_gateway_restart_done ", `attempt=\d+ success=True`, func(j *joiner, _ line, _ []string) { j.restartClaimed() }),
	is("event=recovery_gateway_restart_done ", `attempt=\d+ success=False`, noted("", "An automatic restart of the Gateway fails.")),
	is("event=recovery_gateway_restart_failed ", ``, noted("", "An automatic restart of the Gateway fails.")),
	is("event=connection_state_change ", `from=(?:\w+) to=(HEALTHY|DEGRADED|UNHEALTHY|RECOVERING)\b`, noted("", "The runner calls its connection %s.")),
	is("event=", `(?:health_triggered_recovery|gateway_recovery_lock_timeout|cycle_skipped_unhealthy|cycle_authoritative_disconnect|cycle_transport_abort)\b`, known),

	// The watchdog: to start the trader is to want to connect.
	is("STALL DETECTED: No log activity for ", `(\d{1,9})s`, noted(watchdog, "The log has been silent for %s s.")),
	is("Runner not running during trading hours", ``, noted(watchdog, "The runner does not run.")),
	is("RESTARTING trader", ``, func(j *joiner, l line, _ []string) { j.begin(l, byWatchdog, nil, "") }),
	is("Restart FAILED", `.*consecutive failures: (\d{1,9})`, func(j *joiner, l line, m []string) {
		j.failed(l, byWatchdog, "")
		j.note(watchdog, "The restart failed; in a row: %s.", m[1:])
	}),
	is("Restart complete", `$`, known),
	is("NOTIFICATION SENT", ``, noted(watchdog, "Somebody was notified.")),
	is("TERMINAL SAFETY BLOCK", ``, noted(watchdog, "The watchdog blocks further restarts.")),
	is("AUTOMATIC RESTART REQUEST DENIED", ``, noted(watchdog, "The watchdog was refused a restart.")),
	is("Watchdog started", ``, known),

	// IBC, which starts the Gateway.
	is("IBC: Starting ", `(?:Gateway|TWS)`, func(j *joiner, _ line, _ []string) { j.starts = true }),
	is("IBC: Login has completed", ``, func(j *joiner, _ line, _ []string) { j.restarted() }),
	is("IBC: Second Factor Authentication initiated", ``, noted(ibc, "The second factor is asked for.")),
	is("IBC returned exit status ", `(\d+)`, func(j *joiner, _ line, m []string) {
		j.say(ibc, "", events.GatewayNotice{Code: atoi(m[1]), Origin: events.OriginIBC, Count: 1})
	}),
	is("IBC: ", ``, known),
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
