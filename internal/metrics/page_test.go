package metrics_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/metrics"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "renew the golden files")

// source is a gateway by script.
type source struct {
	reading     metrics.Reading
	used, limit int64
	err         error
	hangs       bool
}

func (s source) Reading() metrics.Reading { return s.reading }

func (s source) Usage(ctx context.Context) (used, limit int64, err error) {
	if s.hangs {
		<-ctx.Done()
		return 0, 0, ctx.Err()
	}
	return s.used, s.limit, s.err
}

// page is what a scrape gets, without what the libraries add.
func page(t *testing.T, m *metrics.Meter) string {
	t.Helper()
	var ours strings.Builder
	for line := range strings.Lines(raw(t, m)) {
		if strings.Contains(line, "ibrecorder_") {
			ours.WriteString(regexp.MustCompile(`goversion="[^"]*"`).ReplaceAllString(line, `goversion="GO"`))
		}
	}
	return ours.String()
}

func raw(t *testing.T, m *metrics.Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("%d %v: %s", w.Code, err, body)
	}
	return string(body)
}

// record is an event of the log as far as it is counted.
func record(source string, data events.Payload) events.Record {
	return events.Record{Event: events.Event{Gateway: "live", Source: source, Data: data}}
}

// history is one of everything that is counted.
var history = []events.Record{
	record("/recorder", events.RecorderStarted{}),
	record("/tap", events.DialConnected{ElapsedUS: 800}),
	record("/tap", events.HandshakeVersion{ElapsedUS: 12_000}),
	record("/session", events.HandshakeReady{ElapsedUS: 3_100_000}),
	record("/tap", events.AttemptFailed{Reason: events.AcceptedNoBytes}),
	record("/runner/robo-1", events.AttemptFailed{Reason: events.ReportedTimeout}),
	record("/recorder", events.RuleViolated{Rule: "RS1", Bypassed: true}),
	record("/recorder", events.AlertDelivered{Channel: "pager"}),
	record("/recorder", events.AlertFailed{Channel: "pager", Try: 1}),
	record("/recorder", events.AlertFailed{Channel: "pager", Try: 12, Final: true}),
}

// full is a meter that shows everything: a gateway that is stopped, and one that was
// never used.
func full() *metrics.Meter {
	at := time.Date(2026, 11, 22, 6, 0, 42, 500_000_000, time.UTC)
	n := func(i int64) *int64 { return &i }
	s := fsm.Initial()
	s.Gateway, s.Seq, s.Gate, s.API = "live", 48131, fsm.Stopped, fsm.Down
	s.Policy.Mode = events.Enforce
	s.Totals = fsm.Totals{Requested: 40, Permitted: 30, Denied: 9, Dialled: 30, Succeeded: 20, Failed: 6, Abandoned: 3, Unknown: 1, Stops: 2, Releases: 1, Gaps: 1}
	s.Odd.Count = 4
	s.Sessions = []*fsm.Session{{Phase: fsm.SessionReady}, {Phase: fsm.Mute}, {Phase: fsm.Versioned}}
	s.Waiting = make([]fsm.Request, 2)
	m := metrics.New("1.2.3")
	m.Add(source{used: 12_400_000, limit: 1 << 30, reading: metrics.Reading{
		State: s, GateAt: at, Denied: 5, Queued: 3, FromClients: 4096, FromGateway: 1 << 20,
		Sockets: events.GatewayObserved{QueueSockets: n(1), CloseWaitSockets: n(7)},
		Channels: []metrics.Channel{
			{Name: "pager", Delivered: at}, {Name: "mail", Failing: true, Waiting: 2},
		},
	}})
	idle := fsm.Initial()
	idle.Gateway, idle.Policy.Mode = "paper", events.Observe
	m.Add(source{err: errors.New("the log does not answer"), reading: metrics.Reading{State: idle, Blocked: true}})
	c := m.Of("live")
	m.Of("paper")
	for _, rec := range history {
		c.Appended(rec, 700*time.Microsecond, nil)
	}
	ready := record("/tap", events.AttemptSucceeded{})
	ready.Time = at.Add(-time.Hour)
	c.Appended(ready, time.Millisecond, nil)
	c.Rejected(metrics.Malformed)
	return m
}

func TestThePage(t *testing.T) {
	got := page(t, full())
	golden := filepath.Join("testdata", "page.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), renew it with -update:\n%s", golden, diff)
	}
}

func TestPromtoolHasNoObjection(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not here; Debian has it in the package prometheus, and .ci/run installs it")
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(page(t, full()))
	if said, err := check.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, said)
	}
}

func TestOnlyWhatIsInTheLogIsCounted(t *testing.T) {
	m := metrics.New("test")
	c := m.Of("live")
	c.Appended(history[4], time.Second, errors.New("the log is full"))
	if got := page(t, m); strings.Contains(got, "ibrecorder_attempt_failures_total{") || strings.Contains(got, "ibrecorder_events_total{") {
		t.Errorf("an event that is not in the log was counted:\n%s", got)
	}
	c.Appended(history[4], time.Millisecond, nil)
	for _, want := range []string{
		`ibrecorder_attempt_failures_total{gateway="live",reason="accepted_no_bytes",seen_by="tap"} 1`,
		`ibrecorder_events_total{gateway="live",kind="attempt.failed",seen_by="tap"} 1`,
		`ibrecorder_append_seconds_count{gateway="live"} 2`,
	} {
		if got := page(t, m); !strings.Contains(got, want+"\n") {
			t.Errorf("no line %s in:\n%s", want, got)
		}
	}
}

func TestNoLabelHasWhatSomebodySent(t *testing.T) {
	m := metrics.New("test")
	c := m.Of("live")
	id := int64(424242)
	for _, rec := range []events.Record{
		record("/runner/leak-name", events.AttemptFailed{Reason: events.ReportedTimeout, ClientID: &id, Text: "leak-text DU1234567"}),
		record("/leak-source/x", events.GatewayDown{Reason: events.DownReported, Text: "leak-text"}),
		record("/operator/leak-name", events.OperatorNoted{By: "leak-name", Text: "leak-text"}),
		record("/recorder", events.RuleViolated{Rule: "RS2", Text: "leak-text"}),
		record("/recorder", events.AlertFailed{Channel: "pager", Text: "leak-text"}),
	} {
		c.Appended(rec, time.Millisecond, nil)
	}
	s := fsm.Initial()
	s.Gateway = "live"
	s.Sessions = []*fsm.Session{{Attempt: "leak-attempt", Phase: fsm.SessionReady, ClientID: &id, By: "/runner/leak-name"}}
	s.Odd.Text, s.Refused.Text = "leak-text", "leak-text"
	m.Add(source{reading: metrics.Reading{State: s}})
	got := page(t, m)
	if n := strings.Count(got, `seen_by="runner"`) + strings.Count(got, `seen_by="other"`) + strings.Count(got, `seen_by="operator"`); n != 4 {
		t.Errorf("%d series of outside reporters, want 4:\n%s", n, got)
	}
	for _, bad := range []string{"leak", "424242", "DU1234567"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is on the page:\n%s", bad, got)
		}
	}
}

func TestALogThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New("test")
		for _, name := range []string{"one", "two", "three"} {
			s := fsm.Initial()
			s.Gateway = name
			m.Add(source{hangs: name != "two", used: 7, limit: 8, reading: metrics.Reading{State: s}})
		}
		began := time.Now()
		got := page(t, m)
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("the page took %s with two logs that hang", took)
		}
		for _, want := range []string{`ibrecorder_log_bytes{gateway="two"} 7`, `ibrecorder_gate_state{gateway="one",state="OPEN"} 1`, `ibrecorder_gate_state{gateway="three",state="OPEN"} 1`} {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("no line %s in:\n%s", want, got)
			}
		}
		if strings.Contains(got, `ibrecorder_log_bytes{gateway="one"}`) {
			t.Errorf("a size that nobody knows:\n%s", got)
		}
	})
}

func BenchmarkRecorded(b *testing.B) {
	c := metrics.New("test").Of("live")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Appended(history[i%len(history)], time.Millisecond, nil)
	}
}

func BenchmarkPage(b *testing.B) {
	m := full()
	b.ReportAllocs()
	for b.Loop() {
		m.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil))
	}
}
