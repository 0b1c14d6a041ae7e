package notice_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/notice"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// at is a record of a log as it is read.
func at(t *testing.T, seq uint64, clock string, data events.Payload) events.Record {
	t.Helper()
	when, err := time.Parse(time.RFC3339, clock)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := events.NewRecord(events.NewRedactor(make([]byte, 16)).Event(events.Draft{Source: "/recorder", Data: data}, events.Stamp{
		Gateway: "live", Time: when, Seq: seq, Boot: "mwtrzsgbpe", Mono: int64(seq) * 1e9,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestTexts(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	usual := notice.Words{Steps: notice.DefaultSteps("live"), Remind: 30 * time.Minute, Most: 8, Zone: zone}
	own := usual
	own.Steps = []string{"docker compose restart ib-gateway", "approve the push on the phone of whoever has the shift", "recorder resume live --reason restarted"}
	utc := usual
	utc.Zone = nil
	never := usual
	never.Most = 0

	const incident = "live-48131"
	required := at(t, 48131, "2026-11-22T06:00:42Z", events.RestartRequired{Policy: strings.Repeat("0", 64), Reason: events.DownSilent, Enforced: true})
	stop := events.AlertRaised{About: events.AboutStop, Incident: incident, Of: 48131, ReadyMS: 44_000, Programs: 2}
	raised := at(t, 48132, "2026-11-22T06:00:42Z", stop)
	facts := func(alert, began events.Record) notice.Facts {
		return notice.Facts{Alert: alert, Raised: alert, Began: began}
	}
	remind := func(n int64) notice.Facts {
		return notice.Facts{Alert: at(t, 48140+uint64(n), "2026-11-22T07:00:42Z", events.AlertReminded{Incident: incident, Raised: 48132, Number: n, Most: 8, Blocked: 61, ElapsedMS: 3_600_000}), Raised: raised, Began: required}
	}
	over := func(by events.Payload) notice.Facts {
		return notice.Facts{Raised: raised, Began: required, Ended: at(t, 48168, "2026-11-22T08:04:50Z", by),
			Alert: at(t, 48169, "2026-11-22T08:04:50Z", events.AlertResolved{About: events.AboutStop, Incident: incident, Raised: 48132, Of: 48168, Blocked: 118, ElapsedMS: 7_448_000})}
	}
	outage := func(by events.Payload) notice.Facts {
		return facts(at(t, 512, "2026-11-23T14:40:02Z", events.AlertRaised{About: events.AboutOutage, Incident: "live-500", Of: 500, ReadyMS: 660_000}), at(t, 500, "2026-11-23T14:30:02Z", by))
	}
	breach := func(bypassed bool, again int64) notice.Facts {
		return facts(at(t, 48152, "2026-11-22T06:05:10Z", events.AlertRaised{About: events.AboutBreach, Incident: "live-48151", Of: 48151, Again: again}),
			at(t, 48151, "2026-11-22T06:05:10Z", events.RuleViolated{Rule: "RS1", Bypassed: bypassed, Text: "an attempt was made while the gate was stopped by #48131"}))
	}
	gone := outage(events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown})
	observe := required
	observe.Data = events.RestartRequired{Reason: events.DownWedged}
	carried := required
	carried.Data = events.RestartRequired{Reason: events.DownSilent, Enforced: true, Carried: true}

	for _, c := range []struct {
		name string
		is   notice.Notice
	}{
		{"a stop", usual.Of(facts(raised, required))},
		{"a stop, with the operator's own steps and no reminders", func() notice.Notice { w := own; w.Most = 0; return w.Of(facts(raised, required)) }()},
		{"a stop, of which nothing more is known, told in UTC", utc.Of(facts(at(t, 48132, "2026-11-22T06:00:42Z", events.AlertRaised{About: events.AboutStop, Incident: incident, Of: 48131}), required))},
		{"a stop in observe mode", usual.Of(facts(raised, observe))},
		{"a stop that was taken over from another log", usual.Of(facts(raised, carried))},
		{"the second reminder", usual.Of(remind(2))},
		{"the last reminder", usual.Of(remind(8))},
		{"the end, by an operator", usual.Of(over(events.RestartAcknowledged{Basis: events.BasisWord, By: "alice", Reason: "restarted, 2FA ok"}))},
		{"the end, by a restart that was seen", usual.Of(over(events.RestartAcknowledged{Basis: events.BasisObserved, By: "recorder"}))},
		{"the end, without a restart", usual.Of(over(events.RestartAcknowledged{Basis: events.BasisOverride, By: "alice", Reason: "clicked the approval dialog away"}))},
		{"the end in observe mode", usual.Of(over(events.GatewayContradicted{Ends: true}))},
		{"a breach by somebody else", usual.Of(breach(true, 0))},
		{"a breach by the recorder, and more like it", usual.Of(breach(false, 12))},
		{"an outage, nothing listens", usual.Of(gone)},
		{"an outage, it goes on since before the recorder", usual.Of(outage(events.RecorderStarted{Previous: events.PreviousCrashed}))},
		{"an outage, it closes at once", usual.Of(outage(events.AttemptFailed{Reason: events.FINBeforeVersion, Stage: events.StageConnected}))},
		{"an outage, it has lost IB", usual.Of(outage(events.SessionDegraded{Code: 1100}))},
		{"the end of an outage", usual.Of(notice.Facts{Raised: gone.Raised, Began: gone.Began, Ended: at(t, 530, "2026-11-23T14:55:02Z", events.AttemptSucceeded{}),
			Alert: at(t, 531, "2026-11-23T14:55:02Z", events.AlertResolved{About: events.AboutOutage, Incident: "live-500", Raised: 512, Of: 530, ElapsedMS: 900_000})})},
		{"a channel that is silent", usual.Of(facts(at(t, 48150, "2026-11-22T06:05:44Z", events.AlertRaised{About: events.AboutChannel, Incident: "live-48133", Of: 48133, Channel: "phone"}),
			at(t, 48133, "2026-11-22T06:00:43Z", events.AlertFailed{Channel: "phone", Try: 1, ExitCode: -1, Text: "api.telegram.org: its name cannot be looked up"})))},
		{"a channel that is well again", usual.Of(notice.Facts{
			Alert:  at(t, 48190, "2026-11-22T08:10:43Z", events.AlertResolved{About: events.AboutChannel, Incident: "live-48133", Raised: 48150, Of: 48189}),
			Raised: at(t, 48150, "2026-11-22T06:05:44Z", events.AlertRaised{About: events.AboutChannel, Incident: "live-48133", Of: 48133, Channel: "phone"}),
			Began:  at(t, 48133, "2026-11-22T06:00:43Z", events.AlertFailed{Channel: "phone", Try: 1, ExitCode: -1, Text: "api.telegram.org: its name cannot be looked up"}),
			Ended:  at(t, 48189, "2026-11-22T08:10:43Z", events.AlertDelivered{Channel: "phone", Tries: 140}),
		})},
		{"a channel that was taken out", usual.Of(notice.Facts{
			Alert:  at(t, 48190, "2026-11-22T08:10:43Z", events.AlertResolved{About: events.AboutChannel, Incident: "live-48133", Raised: 48150, Of: 48133}),
			Raised: at(t, 48150, "2026-11-22T06:05:44Z", events.AlertRaised{About: events.AboutChannel, Incident: "live-48133", Of: 48133, Channel: "phone"}),
			Began:  at(t, 48133, "2026-11-22T06:00:43Z", events.AlertFailed{Channel: "phone", Try: 1, ExitCode: -1, Text: "api.telegram.org: its name cannot be looked up"}),
			Ended:  at(t, 48133, "2026-11-22T06:00:43Z", events.AlertFailed{Channel: "phone", Try: 1, ExitCode: -1, Text: "api.telegram.org: its name cannot be looked up"}),
		})},
		{"a channel that will not take it", usual.Of(facts(at(t, 48150, "2026-11-22T06:05:44Z", events.AlertRaised{About: events.AboutChannel, Incident: "live-48133", Of: 48133, Channel: "team"}),
			at(t, 48133, "2026-11-22T06:00:43Z", events.AlertFailed{Channel: "team", Try: 1, Final: true, ExitCode: -1, Text: "hooks.slack.com: it answered 403 Forbidden"})))},
		{"a log that is nearly full", usual.Of(facts(at(t, 900, "2026-11-24T10:00:00Z", events.AlertRaised{About: events.AboutRoom, Incident: "live-899", Of: 899, UsedPercent: 80}),
			at(t, 899, "2026-11-24T10:00:00Z", events.RecorderRoom{Level: events.LevelWarning, UsedBytes: 860_000_000, LimitBytes: 1 << 30})))},
		{"a log that has room again", usual.Of(notice.Facts{
			Alert:  at(t, 960, "2026-11-24T11:30:00Z", events.AlertResolved{About: events.AboutRoom, Incident: "live-899", Raised: 900, Of: 959}),
			Raised: at(t, 900, "2026-11-24T10:00:00Z", events.AlertRaised{About: events.AboutRoom, Incident: "live-899", Of: 899, UsedPercent: 80}),
			Began:  at(t, 899, "2026-11-24T10:00:00Z", events.RecorderRoom{Level: events.LevelWarning, UsedBytes: 860_000_000, LimitBytes: 1 << 30}),
			Ended:  at(t, 959, "2026-11-24T11:30:00Z", events.RecorderRoom{Level: events.LevelAmple, UsedBytes: 60_000_000, LimitBytes: 1 << 30}),
		})},
		{"a log that is full but for its reserve", usual.Of(facts(at(t, 900, "2026-11-24T10:00:00Z", events.AlertRaised{About: events.AboutRoom, Incident: "live-899", Of: 899, UsedPercent: 37}),
			at(t, 899, "2026-11-24T10:00:00Z", events.RecorderRoom{Level: events.LevelReserve, UsedBytes: 18_000_000, LimitBytes: 49_000_000})))},
		{"a log that takes nothing", usual.Blocked("live", "mwtrzsgbpe", "append to live: no space left on device", required.Time, required.Time.Add(10*time.Second))},
		{"a log that goes on", usual.Unblocked("live", "mwtrzsgbpe", required.Time, required.Time.Add(20*time.Minute))},
		{"a recorder that cannot start", usual.Down([]string{"live"}, "log of live: 1.blk: a checksum is wrong at byte 113, after event 0; nothing was changed; copy the folder away, then: recorder log quarantine live --reason TEXT", required.Time, required.Time, required.Time)},
		{"a recorder of many that cannot start", usual.Down([]string{"live-eu", "live-us", "paper-eu", "paper-us", "tests"}, "start the embedded server: no space left on device", required.Time, required.Time.Add(24*time.Hour), required.Time.Add(24*time.Hour))},
		{"a recorder that runs again", usual.Up([]string{"live"}, required.Time, required.Time.Add(3*time.Hour))},
		{"a stop that is not in the log", usual.Unrecorded(required)},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := printed(c.is)
			path := filepath.Join("testdata", strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(c.name)+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v; renew with: go test ./internal/notice -update", err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := len([]rune(c.is.Title)); n > 120 {
				t.Errorf("the title has %d letters, too many for a lock screen", n)
			}
			if all := len(text); all > 1000 {
				t.Errorf("the whole has %d bytes, want at most 1000", all)
			}
			if strings.Contains(strings.ToLower(text), "check the log") {
				t.Error("it sends people to the logs")
			}
		})
	}
}

// printed is a notice as a plain channel would have it, with what a receiver sorts by.
func printed(n notice.Notice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", n.Title, strings.Join(n.Body, "\n"))
	for i, step := range n.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step)
	}
	fmt.Fprintf(&b, "--\n%s, %s, key %s, incident %s, ends %t, about event %d\n", n.Kind, n.Severity, n.Key, n.Incident, n.Ends, n.Record.Seq)
	return b.String()
}

// A stop is told under the same key whether its alert is in the log yet or not, so that
// who was told without the log is not told again.
func TestTheKeyOfAStopIsTheSameWithoutItsAlert(t *testing.T) {
	required := at(t, 5, "2026-11-22T06:00:42Z", events.RestartRequired{Reason: events.DownSilent, Enforced: true})
	raised := at(t, 6, "2026-11-22T06:00:43Z", events.AlertRaised{About: events.AboutStop, Incident: "live-5", Of: 5})
	var w notice.Words
	before, after := w.Unrecorded(required), w.Of(notice.Facts{Alert: raised, Raised: raised, Began: required})
	if before.Key != after.Key || before.Incident != after.Incident || before.Kind != after.Kind {
		t.Errorf("without the log %s of %s, with it %s of %s", before.Key, before.Incident, after.Key, after.Incident)
	}
}
