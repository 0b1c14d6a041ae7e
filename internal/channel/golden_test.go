package channel_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/notice"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "renew testdata")

// outage is one outage as people are told of it: what each kind of notice can look like.
// The words are those of a test; internal/notice has the real ones.
func outage(t *testing.T) []notice.Notice {
	began := time.Date(2026, 11, 22, 6, 0, 42, 0, time.UTC)
	seq := uint64(48130)
	record := func(after time.Duration, data events.Payload) events.Record {
		seq++
		rec, err := events.NewRecord(events.NewRedactor(make([]byte, 16)).Event(events.Draft{Source: "/recorder", Data: data},
			events.Stamp{Gateway: "live", Time: began.Add(after), Seq: seq, Boot: "kqzmbtwhxa", Prev: events.HashOf([]byte("x"))}))
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	required := record(0, events.RestartRequired{Policy: strings.Repeat("0", 64), Reason: events.DownSilent, Enforced: true})
	all := []notice.Notice{
		{Kind: notice.Stop, Severity: notice.Critical, Title: "🔴 IB Gateway live needs a manual restart. Connects are blocked.",
			Body:   []string{"Since 01:00:42 EST (06:00 UTC), Sunday 22 November.", "Why: a handshake got no answer in 30 s; <b>not</b> & never a guess.", "Affected: client 7."},
			Steps:  []string{"docker compose restart ib-gateway", "Approve the push of IBKR Mobile within 3 minutes", "recorder resume live --reason TEXT"},
			Record: required},
		{Kind: notice.Reminder, Severity: notice.Critical, Title: "🔴 (2/8) live still needs a restart, 60 m now",
			Body: []string{"61 connects were blocked."}, Steps: []string{"recorder resume live --reason TEXT"}, Record: required},
		{Kind: notice.Breach, Severity: notice.Warning, Title: "🟠 live: somebody dialled 5 m after the stop",
			Record: record(5*time.Minute, events.RuleViolated{Rule: "RS1", Bypassed: true, Text: "a dial while the gate was stopped"})},
		{Kind: notice.Over, Severity: notice.Info, Ends: true, Title: "🟢 live is back after 2 h 04 m", Body: []string{"118 connects were blocked, none reached the Gateway."},
			Record: record(124*time.Minute, events.RestartAcknowledged{Basis: events.BasisWord, By: "kim"})},
		{Kind: notice.Outage, Severity: notice.Warning, Title: "🟠 live has not been there for 10 minutes"},
		{Kind: notice.OutageOver, Severity: notice.Info, Ends: true, Title: "🟢 live is there again"},
		{Kind: notice.Silent, Severity: notice.Warning, Channel: "phone", Title: "🟠 Nobody can be told on phone", Body: []string{"api.telegram.org: it answered 401 Unauthorized"}},
		{Kind: notice.SilentOver, Severity: notice.Info, Ends: true, Channel: "phone", Title: "🟢 Somebody can be told on phone again"},
		{Kind: notice.Room, Severity: notice.Warning, Title: "🟠 The log of live is 80 % full"},
		{Kind: notice.RoomOver, Severity: notice.Info, Ends: true, Title: "🟢 The log of live has room again"},
		{Kind: notice.Down, Severity: notice.Critical, Title: "🔴 The recorder of live cannot start", Body: []string{"Why: the log is damaged"}},
		{Kind: notice.DownOver, Severity: notice.Info, Ends: true, Title: "🟢 The recorder of live runs again"},
		{Kind: notice.Test, Severity: notice.Info, Title: "Test: the recorder can tell you"},
	}
	for i := range all {
		n := &all[i]
		n.Time, n.Since = began.Add(time.Duration(i)*10*time.Minute), began
		if n.Kind != notice.Test {
			n.Gateway, n.Incident = "live", "live-48131"
		}
		n.Key = fmt.Sprintf("kqzmbtwhxa-live-%d/%s", 48131+i, n.Kind)
	}
	return all
}

// TestAnOutageOnEveryChannel: what each receiver got, byte by byte, in
// testdata/CHANNEL/NOTICE, from receivers that refuse what their service would refuse.
func TestAnOutageOnEveryChannel(t *testing.T) {
	all := outage(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			r := receive(t, k.check, k.status, k.answer)
			ch := k.make(t, r.URL)
			for i, n := range all {
				tell(t, ch, n)
				if len(r.taken()) != i+1 {
					t.Fatalf("%d requests for %d notices", len(r.taken()), i+1)
				}
				golden(t, filepath.Join(k.name, string(n.Kind)+".http"), request(t, r.taken()[i]))
			}
		})
	}
	t.Run("smtp", func(t *testing.T) {
		o := openOffice(t, false, "PLAIN", nil)
		for i, n := range all {
			tell(t, o.channel(mailSecret), n)
			golden(t, filepath.Join("smtp", string(n.Kind)+".eml"), strings.ReplaceAll(string(o.taken()[i]), "\r\n", "\n"))
		}
	})
	t.Run("command", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out")
		for _, n := range all {
			tell(t, channel.Command{Called: "own", Line: "env | grep ^RECORDER_ | sort > " + out + "; echo >> " + out + "; cat >> " + out}, n)
			got, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("command", string(n.Kind)+".txt"), string(got))
		}
	})
}

func tell(t *testing.T, ch alert.Channel, n notice.Notice) {
	t.Helper()
	if err := ch.Tell(t.Context(), n); err != nil {
		t.Fatalf("%s: %v", n.Kind, err)
	}
}

// request is one as text. What differs each time was checked when it came.
func request(t *testing.T, g got) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", g.Method, g.URL.RequestURI())
	var names []string
	for name := range g.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := g.Header.Get(name)
		switch name {
		case "Webhook-Timestamp", "Webhook-Signature", "Content-Length":
			value = "(checked)"
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	b.WriteByte('\n')
	if g.Header.Get("Content-Type") != "application/json" {
		return b.String() + string(g.body) + "\n" // the stored bytes, which no indent may change
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, g.body, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + indented.String() + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; to write it: go test ./internal/channel -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); to renew it: go test ./internal/channel -update\n%s", path, diff)
	}
}

// The labels of a stop, its reminders and its end are one alert to Alertmanager, and one
// incident to PagerDuty.
func TestAStopAndItsEndAreOneThingToWhoeverCounts(t *testing.T) {
	ends := map[notice.Kind]notice.Kind{notice.Stop: notice.Over, notice.Reminder: notice.Over, notice.Outage: notice.OutageOver,
		notice.Silent: notice.SilentOver, notice.Room: notice.RoomOver, notice.Down: notice.DownOver}
	all := outage(t)
	find := func(k notice.Kind) notice.Notice {
		return all[slices.IndexFunc(all, func(n notice.Notice) bool { return n.Kind == k })]
	}
	identity := map[string]func(b []byte) any{
		"alertmanager": func(b []byte) any {
			var m []struct{ Labels map[string]string }
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			return m[0].Labels
		},
		"pagerduty": func(b []byte) any {
			var m struct {
				Dedup string `json:"dedup_key"`
			}
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			return m.Dedup
		},
	}
	for _, k := range kinds {
		of := identity[k.name]
		if of == nil {
			continue
		}
		for begins, over := range ends {
			r := receive(t, k.check, k.status, k.answer)
			tell(t, k.make(t, r.URL), find(begins))
			tell(t, k.make(t, r.URL), find(over))
			if diff := cmp.Diff(of(r.taken()[0].body), of(r.taken()[1].body)); diff != "" {
				t.Errorf("%s: %s and %s (-begins +ends)\n%s", k.name, begins, over, diff)
			}
		}
	}
}
