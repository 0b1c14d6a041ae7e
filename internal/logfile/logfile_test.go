package logfile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func options(t testing.TB) Options {
	t.Helper()
	loaded, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Gateway: "main", Runner: "robo", Policy: loaded}
}

// read imports one text, and returns its events without the policy.
func read(t testing.TB, text string, o Options) ([]events.Record, Summary) {
	t.Helper()
	var recs []events.Record
	sum, err := Import([]File{{"a.log", strings.NewReader(text)}}, o, func(r events.Record) error {
		recs = append(recs, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := recs[0].Data.(events.PolicyLoaded); !ok {
		t.Fatalf("the first event is %s", recs[0].Raw)
	}
	return recs[1:], sum
}

// told is what an event says, short: its kind, attempt and fields, and who is behind it
// where that is not the program.
func told(rec events.Record) string {
	data, err := json.Marshal(rec.Data)
	if err != nil {
		panic(err)
	}
	out := string(rec.Kind())
	if rec.Attempt != "" {
		out += " " + rec.Attempt
	}
	if who := strings.TrimPrefix(rec.Source, "/runner/robo"); who != "" {
		out += " " + who
	}
	return out + " " + string(data)
}

func tell(recs []events.Record) []string {
	out := []string{}
	for _, r := range recs {
		out = append(out, told(r))
	}
	return out
}

// TestWhatLinesBecome is the specification of the phrases and of how they are joined.
func TestWhatLinesBecome(t *testing.T) {
	const (
		begin   = "10:00:00 INFO Connecting to 127.0.0.1:4002 with clientId 7...\n"
		begun   = `attempt.requested try-1 {"client_id":7}`
		tcp     = "10:00:00 INFO Connected\n"
		version = "10:00:00 INFO Logged on to server version 178\n"
		ready   = "10:00:01 INFO API connection ready\n"
		did     = `attempt.succeeded try-1 {"client_id":7,"server_version":178}`
		up      = `session.established try-1 {"client_id":7,"server_version":178}`
		timeout = "10:00:31 ERROR API connection failed: TimeoutError()\n"
		down    = `gateway.down {"reason":"reported","text":"The program says that the Gateway must be restarted."}`
	)
	note := func(who, text string) string {
		source := ""
		if who != "robo" {
			source = "/runner/" + who + " "
		}
		return `operator.noted ` + source + `{"by":"` + who + `","text":"` + text + `"}`
	}
	covered := map[*phrase]bool{}
	for _, c := range []struct {
		name string
		log  string
		want []string
	}{
		// The library.
		{"a connect becomes ready", begin + tcp + version + ready + "10:00:01 INFO Synchronization complete\n", []string{begun, did, up}},
		{"nobody accepts before the timeout", begin + "10:00:30 INFO Disconnecting\n" + timeout, []string{begun,
			`attempt.failed try-1 {"reason":"dial_timeout","stage":"dial","client_id":7}`}},
		{"TCP is up and then there is silence", begin + tcp + "10:00:30 INFO Disconnecting\n" + timeout + "10:00:31 INFO Disconnected.\n", []string{begun,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"connected","client_id":7}`}},
		{"the version comes and then there is silence", begin + tcp + version + timeout, []string{begun,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"started","client_id":7}`}},
		{"the Gateway closes before its version, and the library waits on", begin + tcp + "10:00:02 INFO Disconnected.\n10:00:31 INFO Disconnecting\n" + timeout, []string{begun,
			`attempt.failed try-1 {"reason":"fin_before_version","stage":"connected","client_id":7,"by":"gateway"}`}},
		{"it resets the connection before its version", begin + tcp + "10:00:02 ERROR [Errno 104] Connection reset by peer\n" + timeout, []string{begun,
			`gateway.notice {"code":104,"origin":"os","count":1}`,
			`attempt.failed try-1 {"reason":"rst_before_version","stage":"connected","client_id":7,"by":"gateway"}`}},
		{"it resets it after its version", begin + tcp + version + "10:00:02 ERROR ConnectionResetError(104, 'Connection reset by peer')\n" + timeout, []string{begun,
			`gateway.notice {"code":104,"origin":"os","count":1}`,
			`attempt.failed try-1 {"reason":"closed_before_ready","stage":"started","client_id":7,"by":"gateway","how":"rst"}`}},
		{"it closes after its version, which is no silence although a timeout follows", begin + tcp + version +
			"10:00:01 ERROR Peer closed connection. clientId 7 already in use?\n10:00:30 INFO Disconnecting\n" + timeout, []string{begun,
			`attempt.failed try-1 {"reason":"closed_before_ready","stage":"started","client_id":7,"by":"gateway"}`}},
		{"the client id is in use, as the Gateway says", begin + tcp + version +
			"10:00:01 ERROR Error 326, reqId -1: Unable to connect as the client id is already in use.\n" +
			"10:00:01 ERROR Peer closed connection. clientId 7 already in use?\n10:00:30 INFO Disconnecting\n" + timeout, []string{begun,
			`gateway.notice {"code":326,"origin":"wire","count":1}`,
			`attempt.failed try-1 {"reason":"client_id_in_use","stage":"started","client_id":7,"by":"gateway","code":326}`}},
		{"the disclaimer is pending", begin + tcp + version + "10:00:01 ERROR Error 10141, reqId -1: Paper trading disclaimer must first be accepted\n" + timeout, []string{begun,
			`gateway.notice {"code":10141,"origin":"wire","count":1}`,
			`attempt.failed try-1 {"reason":"disclaimer_pending","stage":"started","client_id":7,"code":10141}`}},
		{"another error explains it, as ibapi prints it", begin + tcp + "10:00:01 ERROR ERROR -1 507 Bad message length\n" + timeout, []string{begun,
			`gateway.notice {"code":507,"origin":"wire","count":1}`,
			`attempt.failed try-1 {"reason":"error_before_ready","stage":"connected","client_id":7,"code":507}`}},
		{"a data farm explains nothing", begin + tcp + version + "10:00:01 INFO Warning 2104, reqId -1: Market data farm connection is OK:usfarm\n" + timeout, []string{begun,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"started","client_id":7}`}},
		{"the Gateway is not running", begin + "10:00:00 INFO Disconnecting\n10:00:00 ERROR API connection failed: ConnectionRefusedError(111, \"Connect call failed ('127.0.0.1', 4002)\")\n10:00:00 ERROR Make sure API port on TWS/IBG is open\n", []string{begun,
			`attempt.failed try-1 {"reason":"refused","stage":"dial","client_id":7}`}},
		{"both addresses of localhost refuse", begin + "API connection failed: OSError(\"Multiple exceptions: [Errno 61] Connect call failed ('::1', 4002, 0, 0), [Errno 61] Connect call failed ('127.0.0.1', 4002)\")", []string{begun,
			`attempt.failed try-1 {"reason":"refused","stage":"dial","client_id":7}`}},
		{"there is no way to the host", begin + "API connection failed: OSError(113, \"Connect call failed\")", []string{begun,
			`attempt.failed try-1 {"reason":"unreachable","stage":"dial","client_id":7}`}},
		{"the program gives up by itself", begin + tcp + "API connection failed: CancelledError()", []string{begun,
			`attempt.abandoned try-1 {"stage":"connected","answered":false}`}},
		{"an exception that says nothing of the Gateway", begin + tcp + "API connection failed: ValueError('x')", []string{begun, `attempt.unknown try-1 {"reason":"reported"}`}},
		{"a log of errors alone has ends without beginnings", timeout, []string{`attempt.failed try-1 {"reason":"reported_timeout","stage":"dial"}`}},
		{"the log ends in between", begin + tcp, []string{begun, `attempt.unknown try-1 {"reason":"reported"}`}},
		{"the program begins anew and says nothing of the first", begin + begin + tcp + version + ready, []string{begun,
			`attempt.unknown try-1 {"reason":"reported"}`, `attempt.requested try-2 {"client_id":7}`,
			`attempt.succeeded try-2 {"client_id":7,"server_version":178}`, `session.established try-2 {"client_id":7,"server_version":178}`}},

		// Sessions.
		{"the Gateway ends a session", begin + tcp + version + ready + "ERROR:ib_async.client:Peer closed connection.\n", []string{begun, did, up, `session.lost try-1 {"reason":"fin"}`}},
		{"it resets one", begin + tcp + version + ready + "10:00:02 ERROR [Errno 54] Connection reset by peer\n", []string{begun, did, up, `gateway.notice {"code":54,"origin":"os","count":1}`, `session.lost try-1 {"reason":"rst"}`}},
		{"a reset that belongs to nothing", "10:00:02 ERROR [Errno 54] Connection reset by peer\n", []string{`gateway.notice {"code":54,"origin":"os","count":1}`}},
		{"its program ends one", begin + tcp + version + ready +
			"10:05:00 INFO Disconnecting from 127.0.0.1:4002, 168 B sent in 9 messages, 20.6 kB received in 374 messages, session time 18.8 s.\n10:05:00 INFO Disconnecting\n10:05:00 INFO Disconnected.\n", []string{begun, did, up,
			`disconnect.requested try-1 {"by":"robo","reason":"The program calls disconnect.","force":false}`,
			`session.closed try-1 {"by":"client","how":"fin"}`}},
		{"a program that connects anew has no session left", begin + tcp + version + ready + begin + tcp + version + ready + "Peer closed connection.\n", []string{begun, did, up,
			`attempt.requested try-2 {"client_id":7}`, `attempt.succeeded try-2 {"client_id":7,"server_version":178}`, `session.established try-2 {"client_id":7,"server_version":178}`,
			`session.lost try-2 {"reason":"fin"}`}},
		{"IB's servers are lost and come back", begin + tcp + version + ready + "Error 1100, reqId -1: Connectivity lost\nError 1102, reqId -1: Connectivity restored\n", []string{begun, did, up,
			`gateway.notice {"code":1100,"origin":"wire","count":1}`, `session.degraded try-1 {"code":1100}`,
			`gateway.notice {"code":1102,"origin":"wire","count":1}`, `session.restored try-1 {"code":1102}`}},
		{"the Gateway's port changes", begin + tcp + version + ready + "Error 1300, reqId -1: TWS socket port has been reset\n", []string{begun, did, up,
			`gateway.notice {"code":1300,"origin":"wire","count":1}`, `session.lost try-1 {"reason":"port_reset"}`}},

		// Several programs in one log.
		{"processes are kept apart", "2026-01-05 10:00:00,000 11 ib_async.client INFO Connecting to h:4002 with clientId 7...\n" +
			"2026-01-05 10:00:00,001 12 ib_async.client INFO Connecting to h:4002 with clientId 8...\n" +
			"2026-01-05 10:00:00,002 12 ib_async.client INFO Connected\n" +
			"2026-01-05 10:00:00,100 12 ib_async.client INFO Logged on to server version 178\n" +
			"2026-01-05 10:00:00,200 12 ib_async.client INFO API connection ready\n" +
			"2026-01-05 10:00:20,001 11 ib_async.client ERROR API connection failed: TimeoutError()\n", []string{
			`attempt.requested try-1 {"client_id":7}`, `attempt.requested try-2 {"client_id":8}`,
			`attempt.succeeded try-2 {"client_id":8,"server_version":178,"elapsed_us":199000}`, `session.established try-2 {"client_id":8,"server_version":178}`,
			`attempt.failed try-1 /inferred {"reason":"dial_timeout","stage":"dial","client_id":7,"waited_ms":20001,"limit_ms":20001}`}},
		{"without processes it goes by order, and says so", begin + "10:00:00 INFO Connecting to h:4002 with clientId 8...\n" + tcp + tcp + timeout, []string{begun,
			`attempt.requested try-2 {"client_id":8}`,
			`attempt.failed try-1 /inferred {"reason":"reported_timeout","stage":"connected","client_id":7}`,
			`attempt.unknown try-2 /inferred {"reason":"reported"}`}},
		{"the close of one is not the other's", begin + tcp + "10:00:30 INFO Disconnecting\n" + timeout + "10:00:31 INFO Connecting to h:4002 with clientId 8...\n10:00:31 INFO Connected\n10:00:31 INFO Disconnected.\n" + timeout, []string{begun,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"connected","client_id":7}`, `attempt.requested try-2 {"client_id":8}`,
			`attempt.failed try-2 {"reason":"reported_timeout","stage":"connected","client_id":8}`}},

		// The worker and the connection manager.
		{"a worker says its timeout, and the library tells of the same attempt", "DEBUG: Connecting to 127.0.0.1:4002 client_id=7 timeout=30.0\n" + begin + tcp + timeout, []string{
			`attempt.requested try-1 {"client_id":7,"timeout_ms":30000}`,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"connected","client_id":7,"limit_ms":30000}`}},
		{"a worker by itself", "DEBUG: Connecting to 127.0.0.1:4002 client_id=7 timeout=30.0\nDEBUG: Connected successfully!\n", []string{
			`attempt.requested try-1 {"client_id":7,"timeout_ms":30000}`, `attempt.succeeded try-1 {"client_id":7}`, `session.established try-1 {"client_id":7}`}},
		{"a later worker", "DEBUG: Connecting diagnostic client to 127.0.0.1:4002 timeout=10.0\nDEBUG: connectAsync() returned after 0.50s\nDEBUG: API handshake complete! serverVersion=178 after 0.00s\n", []string{
			`attempt.requested try-1 {"timeout_ms":10000}`, `attempt.succeeded try-1 {}`, `session.established try-1 {}`}},
		{"a worker finds the Gateway down, and every layer says so once more", "DEBUG: Connecting to 127.0.0.1:4002 client_id=7 timeout=30.0\n" +
			"10:00:31 ERROR Handshake timed out at 2025-11-10T18:10:23Z. Restart IB Gateway\n10:00:31 ERROR Gateway API layer reported down during subprocess connect\n" +
			"10:00:31 ERROR Gateway API layer reported down; aborting retries and requiring manual restart\n10:00:40 ERROR Gateway API layer is unresponsive. Manual restart required.\n" +
			"10:00:41 ERROR IBKR Gateway API layer is unresponsive. Manual Gateway restart required before retrying.\n10:00:42 WARNING Worker ping reports Gateway API down\n", []string{
			`attempt.requested try-1 {"client_id":7,"timeout_ms":30000}`,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"dial","client_id":7,"limit_ms":30000}`, down}},
		{"the same words twice are one timeout", "DEBUG: Connecting to 127.0.0.1:4002 client_id=7 timeout=30.0\nHandshake timed out at 2025-11-10T18:10:23Z. Restart IB Gateway\nHandshake timed out at 2025-11-10T18:10:23Z. Restart IB Gateway\n", []string{
			`attempt.requested try-1 {"client_id":7,"timeout_ms":30000}`,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"dial","client_id":7,"limit_ms":30000}`, down}},
		{"a worker says it as a value", `{"status": "error", "error": "Something", "requires_restart": true}`, []string{down}},
		{"it is told again after a success", "Gateway API layer reported down\n" + begin + tcp + version + ready + "Gateway API layer reported down\n", []string{down, begun, did, up, down}},
		{"the manager tells of what the library has told already", "10:00:00 INFO Started IBKR subprocess worker\n10:00:00 INFO Pre-connection zombie check on port 4002...\n10:00:00 INFO Connection attempt 1/2 (circuit: closed)\n" +
			"10:00:00 INFO Connecting to IBKR via subprocess host=127.0.0.1 port=4002 client_id=7**** readonly=True timeout=10.0\n" + begin + tcp +
			"10:00:10 INFO Disconnecting\n10:00:10 ERROR API connection failed: TimeoutError()\n10:00:10 WARNING Connection timeout on attempt 1\n10:00:10 INFO Retrying in 5.3 seconds...\n10:00:15 INFO Cleaning up zombie connections on port 4002 before retry...\n10:00:15 ERROR Failed to connect after 2 attempts. Last error: x\n", []string{
			`attempt.requested try-1 {"timeout_ms":10000}`,
			`attempt.failed try-1 {"reason":"reported_timeout","stage":"connected","client_id":7,"limit_ms":10000}`}},
		{"the manager by itself", "Connecting to IBKR via subprocess host=127.0.0.1 port=4002 client_id=7**** readonly=True timeout=10.0\nConnection timeout on attempt 1\n", []string{
			`attempt.requested try-1 {"timeout_ms":10000}`, `attempt.failed try-1 {"reason":"reported_timeout","stage":"dial","limit_ms":10000}`}},
		{"what the manager says of one is not another's", "Connecting to IBKR via subprocess host=127.0.0.1 port=4002 client_id=7**** readonly=True timeout=10.0\n" + begin + tcp + version + ready +
			"10:00:01 INFO Connecting to h:4002 with clientId 8...\nConnection established successfully\nConnection timeout on attempt 2\n", []string{
			`attempt.requested try-1 {"timeout_ms":10000}`, did, up, `attempt.requested try-2 {"client_id":8}`, `attempt.unknown try-2 {"reason":"reported"}`}},
		{"an empty list of accounts is life", "Connecting to IBKR via subprocess host=127.0.0.1 port=4002 client_id=7**** readonly=True timeout=10.0\nConnection failed on attempt 1: No managed accounts\n", []string{
			`attempt.requested try-1 {"timeout_ms":10000}`, `attempt.failed try-1 {"reason":"no_accounts","stage":"ready","limit_ms":10000}`}},
		{"the manager succeeds", "Connecting to IBKR via subprocess host=127.0.0.1 port=4002 client_id=7**** readonly=True timeout=10.0\nConnected to IBKR via subprocess host=127.0.0.1 accounts=1\n✅ Connection established successfully\n", []string{
			`attempt.requested try-1 {"timeout_ms":10000}`, `attempt.succeeded try-1 {}`, `session.established try-1 {}`}},
		{"a circuit breaker", "Circuit breaker: Recording failure (state=closed)\nCircuit breaker OPENED after 5 failures. Blocking connections for 300.0s\ncircuit_breaker_state_change\nCircuit breaker HALF-OPEN - Testing connection recovery\nCircuit breaker CLOSED - Normal operation resumed\n", []string{
			note("robo", "The circuit breaker opens after 5 failures, for 300.0 s."), note("robo", "The circuit breaker lets one try through."), note("robo", "The circuit breaker closes.")}},
		{"sockets that stay behind", "✅ No CLOSE_WAIT zombies found on port 4002\nFound 3 CLOSE_WAIT zombie connection(s):\nFound 4 zombie connections on port 7497\n❌ DETECTED 2 CLOSE_WAIT zombie connection(s) on port 4002.\nFound 1 Gateway-owned zombie(s) - these block API handshakes\nGateway zombies can only be cleared by restarting Gateway or waiting for timeout\nZombie cleanup incomplete: Killed 0 Python zombies, but 1 Gateway zombies remain (restart Gateway to clear)\n", []string{
			note("robo", "Sockets in CLOSE_WAIT: 3."), note("robo", "Sockets in CLOSE_WAIT: 4."), note("robo", "Sockets in CLOSE_WAIT: 2."),
			note("robo", "Sockets in CLOSE_WAIT that are the Gateway's: 1."), note("robo", "Sockets in CLOSE_WAIT remain with the Gateway.")}},
		{"a worker is killed", "Received signal SIGTERM (15), initiating graceful shutdown...\nWorker did not respond to SIGTERM within 3s, sending SIGKILL\n", []string{
			note("robo", "The worker received signal 15."), note("robo", "The worker is killed, 3 s after it was asked to end.")}},
		{"checks that say nothing of their own", "Existing connection is dead, reconnecting...\nHealth check failed, attempting reconnection...\n", []string{}},

		// The guard.
		{"a disconnect is not carried out during a handshake", begin + tcp + "ib.disconnect() skipped (monkey patch). Set IBKR_FORCE_DISCONNECT=1 to force.\n", []string{begun,
			`disconnect.requested try-1 {"by":"robo","reason":"The program calls disconnect.","force":false}`, `disconnect.blocked try-1 {"stage":"connected"}`,
			`attempt.unknown try-1 {"reason":"reported"}`}},
		{"nor in a session", begin + tcp + version + ready + "Skipping ib.disconnect() in worker:exit to avoid crashing the Gateway API layer. Set IBKR_FORCE_DISCONNECT=1 to override.\n", []string{begun, did, up,
			`disconnect.requested try-1 {"by":"robo","reason":"The program calls disconnect.","force":false}`, `disconnect.blocked try-1 {"stage":"ready"}`}},
		{"it is forced, and the library has told of it before", begin + tcp + version + ready +
			"10:05:00 INFO Disconnecting from 127.0.0.1:4002, 168 B sent in 9 messages, session time 18.8 s.\n10:05:00 INFO Disconnecting\n10:05:00 INFO Disconnected.\n10:05:00 INFO Forced ib.disconnect() executed in test\n", []string{begun, did, up,
			`disconnect.requested try-1 {"by":"robo","reason":"The program calls disconnect.","force":false}`,
			`session.closed try-1 {"by":"client","how":"fin"}`, `disconnect.forced try-1 {"stage":"ready"}`}},
		{"it is forced", "Forced ib.disconnect() executed in test\nib.disconnect() executed via monkey patch override\n", []string{
			`disconnect.requested {"by":"robo","reason":"The program calls disconnect.","force":true}`, `disconnect.forced {"stage":"none"}`,
			`disconnect.requested {"by":"robo","reason":"The program calls disconnect.","force":true}`, `disconnect.forced {"stage":"none"}`}},

		// The runner that keeps its connection.
		{"a recovery that fails and one that succeeds", "event=connection_state_change from=HEALTHY to=UNHEALTHY reason='3 consecutive ping failures'\nevent=health_triggered_recovery\nevent=recovery_started attempt=1 backoff_seconds=15 reason='x'\nevent=recovery_attempt_failed attempt=1 error=TimeoutError()\n" +
			"event=recovery_started attempt=2 backoff_seconds=30 reason='x'\nevent=recovery_gateway_restart_done attempt=2 success=True\nevent=recovery_succeeded attempt=2\nevent=connection_initialized\n", []string{
			note("robo", "The runner calls its connection UNHEALTHY."), `attempt.requested try-1 {}`, `attempt.failed try-1 {"reason":"reported_timeout","stage":"dial"}`,
			`attempt.requested try-2 {}`, `restart.claimed {"by":"robo","reason":"An automatic restart of the Gateway, said to have succeeded.","override":false}`,
			`attempt.succeeded try-2 {}`, `session.established try-2 {}`}},
		{"it ends", "IBKR Gateway API layer is unresponsive. Automatic restart failed. Please restart Gateway manually\nRUNNER_EXIT_EVENT reason=connection_recovery_exhausted\n", []string{
			down, note("robo", "The runner exits.")}},
		{"it gives up", "event=recovery_gateway_restart_done attempt=3 success=False\nevent=recovery_gateway_restart_failed attempt=4 error='x'\nevent=recovery_exhausted attempts=5\n", []string{
			note("robo", "An automatic restart of the Gateway fails."), note("robo", "An automatic restart of the Gateway fails."), note("robo", "The runner gives up: its tries to recover are used up.")}},

		// The watchdog.
		{"the watchdog starts everything anew, and nobody says what became of it", "[2026-05-12 13:01:00] Watchdog started (PID: 1, stale threshold: 5 minutes)\n[2026-05-12 13:01:00] STALL DETECTED: No log activity for 301s (~6 min, threshold: 5)\n[2026-05-12 13:01:00] RESTARTING trader due to stall...\n[2026-05-12 13:03:00] Restart FAILED - runner not alive, consecutive failures: 3\n[2026-05-12 13:03:01] NOTIFICATION SENT to operator\n" +
			"[2026-05-12 13:04:00] Runner not running during trading hours - starting...\n[2026-05-12 13:04:00] RESTARTING trader due to stall...\n[2026-05-12 13:04:30] Restart complete\n[2026-05-12 13:05:00] TERMINAL SAFETY BLOCK\n[2026-05-12 13:06:00] AUTOMATIC RESTART REQUEST DENIED\n", []string{
			note("watchdog", "The log has been silent for 301 s."), `attempt.requested try-1 /runner/watchdog {}`, `attempt.unknown try-1 /runner/watchdog {"reason":"reported"}`,
			note("watchdog", "The restart failed; in a row: 3."), note("watchdog", "Somebody was notified."),
			note("watchdog", "The runner does not run."), `attempt.requested try-2 /runner/watchdog {}`,
			note("watchdog", "The watchdog blocks further restarts."), note("watchdog", "The watchdog was refused a restart."),
			`attempt.unknown try-2 /runner/watchdog {"reason":"reported"}`}},

		// IBC.
		{"IBC starts a Gateway, and it logs in", "2025-11-10 18:20:00:123 IBC: Starting Gateway\n2025-11-10 18:20:09:000 IBC: Second Factor Authentication initiated\n2025-11-10 18:20:30:000 IBC: Login has completed\n2025-11-10 18:20:31:000 IBC: Configuration tasks completed\n", []string{
			note("ibc", "The second factor is asked for."), `restart.observed /runner/ibc {}`}},
		{"one that is killed before it logs in was not restarted", "2025-11-10 18:20:00:123 IBC: Starting Gateway\nIBC returned exit status 143\n", []string{`gateway.notice /runner/ibc {"code":143,"origin":"ibc","count":1}`}},
		{"a log-in by itself is no restart", "2025-11-10 18:20:30:000 IBC: Login has completed\n", []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, sum := read(t, c.log, options(t))
			if diff := cmp.Diff(c.want, tell(recs)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, s := range sum.Shapes {
				t.Errorf("not understood: %s", s.Text)
			}
			for text := range strings.Lines(c.log) {
				p, _ := find(readLine(text[:len(text)-strings.Count(text, "\n")], nil).text)
				covered[p] = true
			}
		})
	}
	for i := range phrases {
		if p := &phrases[i]; !covered[p] {
			t.Errorf("no row has the phrase %q %s", p.begin, p.rest)
		}
	}
}
