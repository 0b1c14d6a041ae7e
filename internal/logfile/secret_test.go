package logfile

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
)

// forms are lines with a place for anything, %, in every phrase that takes any text.
var forms = []string{
	"Connecting to %:4002 with clientId 7...", "API connection failed: %", "API connection failed: TimeoutError('%')", "API connection failed: OSError(61, '%')",
	"Error 326, reqId -1: %", "Error 1100, reqId -1: %", "Disconnecting from %:4002, 1 B sent, session time %",
	"DEBUG: Connecting to %:4002 client_id=7 timeout=30.0", "Handshake timed out at %", "Gateway API layer reported down %",
	"% did not respond to SIGTERM within 3s, sending SIGKILL", "Connecting to IBKR via subprocess host=% client_id=% timeout=1.0",
	"Connection failed on attempt 1: %", "Found 1 CLOSE_WAIT zombie %", "Skipping ib.disconnect() in % to", "Forced ib.disconnect() executed in %",
	"event=recovery_started attempt=1 reason=%", "event=recovery_attempt_failed attempt=1 error=%", "event=connection_state_change from=% to=UNHEALTHY reason=%",
	"Restart FAILED % consecutive failures: 3", "NOTIFICATION SENT %", "IBC: Starting Gateway %", "IBC: Login has completed %",
	"the gateway is %", "2025-11-10 18:10:23 % INFO Connecting to h:1 with clientId 1...", `{"message": "%", "timestamp": "%", "process": 3}`,
	`{"requires_restart": true, "detail": "%"}`, "% | gateway", "2025-11-10T10:00:00Z % %[12]: gateway",
}

// Nothing of a line gets into an event but numbers, its time and words of ours; and
// nothing into the list of what was not understood but plain words.
func TestNothingElseOfALineIsKept(t *testing.T) {
	for _, secret := range []string{"DU1234567", "hunter2", "p4ss:w0rd", "U7654321C", "fred@example.com", "tok_abc123", "ya29.x1"} {
		for _, form := range forms {
			log := strings.ReplaceAll(form, "%", secret) + "\n" + session + strings.ReplaceAll(form, "%", secret) + "\n"
			recs, sum := read(t, log, options(t))
			said, err := json.Marshal(sum)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range recs {
				said = append(said, r.Raw...)
			}
			if strings.Contains(string(said), secret) {
				t.Errorf("%q with %q gives %s", form, secret, said)
			}
		}
	}
}

var zone = func() *time.Location {
	z, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return z
}()

// Whatever stands in a file: it is counted, it makes no more events than its lines can,
// each of them can be stored, and an attempt begins and ends once at most.
func FuzzImport(f *testing.F) {
	f.Add(session, false)
	for _, form := range forms {
		f.Add(form+"\n"+session+form, true)
	}
	f.Add("2025-11-10 18:10:23,123 - ib_async.client - ERROR - API connection failed: TimeoutError()\r\n\xff\x00", true)
	f.Add("Peer closed connection. clientId 99999999999999999999 already in use?\nDisconnecting\nDisconnected.\n", false)
	o := options(f)
	f.Fuzz(func(t *testing.T, text string, zoned bool) {
		if zoned {
			o.Zone = zone
		}
		var all bytes.Buffer
		begun, ended := map[string]int{}, map[string]int{}
		n := 0
		sum, err := Import([]File{{"a.log", strings.NewReader(text)}}, o, func(r events.Record) error {
			n++
			all.Write(append(r.Raw, '\n'))
			switch r.Data.(type) {
			case events.AttemptRequested:
				begun[r.Attempt]++
			case events.AttemptSucceeded, events.AttemptFailed, events.AttemptAbandoned, events.AttemptUnknown:
				ended[r.Attempt]++
			}
			return nil
		})
		if err != nil {
			if n > 1 || !slices.ContainsFunc([]string{"\xff\xfe", "\xfe\xff", "\x1f\x8b"}, func(mark string) bool { return strings.HasPrefix(text, mark) }) {
				t.Fatal(err)
			}
			return
		}
		if sum.Lines != sum.Understood+sum.Irrelevant+sum.NotUnderstood || sum.Lines > strings.Count(text, "\n")+1 && !strings.HasPrefix(text, "\x1f\x8b") {
			t.Errorf("%d lines: %+v", strings.Count(text, "\n")+1, sum)
		}
		// The policy, three of a line (an end that it implies, and a request with its
		// answer), and the end of what the last line leaves open.
		if n != sum.Events || n > 1+4*sum.Understood {
			t.Errorf("%d events of %d lines understood", n, sum.Understood)
		}
		for attempt, times := range begun {
			if times != 1 || ended[attempt] > 1 {
				t.Errorf("attempt %s begins %d times and ends %d times", attempt, times, ended[attempt])
			}
		}
		for attempt, times := range ended {
			if times != 1 {
				t.Errorf("attempt %s ends %d times", attempt, times)
			}
		}
		read := 0
		for _, err := range events.ReadNDJSON(&all) {
			if err != nil {
				t.Fatal(err)
			}
			read++
		}
		if read != n {
			t.Errorf("%d events were written, and %d read", n, read)
		}
	})
}
