package logfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ibrecorder/events"
)

// courses are ways in which a connect goes, as ib_async tells of them.
var courses = [][]string{
	{"Connecting to h:1 with clientId %d...", "Connected", "Logged on to server version 178", "API connection ready", "Disconnecting", "Disconnected."},
	{"Connecting to h:1 with clientId %d...", "Connected", "Disconnecting", "API connection failed: TimeoutError()", "Disconnected."},
	{"Connecting to h:1 with clientId %d...", "Connected", "Disconnected.", "Disconnecting", "API connection failed: TimeoutError()"},
	{"Connecting to h:1 with clientId %d...", "Disconnecting", "API connection failed: ConnectionRefusedError(111, 'x')", "Make sure API port on TWS/IBG is open"},
	{"Connecting to h:1 with clientId %d...", "Connected", "Logged on to server version 178", "Error 326, reqId -1: in use", "Peer closed connection. clientId %d already in use?", "Disconnecting", "API connection failed: TimeoutError()"},
	{"Connecting to h:1 with clientId %d...", "Connected", "Logged on to server version 178", "API connection ready", "Peer closed connection."},
}

// What a program did is read alike from a log of its own and from one that several
// processes share, if each line has the process.
func TestSharedLogsOfProcesses(t *testing.T) {
	o := options(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "processes")
		logs := make([][]string, n)
		for p := range logs {
			for range rapid.IntRange(1, 4).Draw(t, "connects") {
				for _, text := range rapid.SampledFrom(courses).Draw(t, "course") {
					if strings.Contains(text, "%d") {
						text = fmt.Sprintf(text, 100+p)
					}
					logs[p] = append(logs[p], fmt.Sprintf("2026-01-05 10:00:00,000 %d ib_async.client INFO %s\n", 4000+p, text))
				}
			}
		}
		var want []string
		for p := range logs {
			want = append(want, of(strings.Join(logs[p], ""), o, t)...)
		}
		var shared strings.Builder
		for left := slices.Clone(logs); len(left) > 0; {
			i := rapid.IntRange(0, len(left)-1).Draw(t, "next")
			shared.WriteString(left[i][0])
			if left[i] = left[i][1:]; len(left[i]) == 0 {
				left = slices.Delete(left, i, i+1)
			}
		}
		got := of(shared.String(), o, t)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-alone +shared)\n%s\n%s", diff, shared.String())
		}
	})
}

// of says how each attempt of a log ended, by its client id.
func of(log string, o Options, t *rapid.T) (ends []string) {
	client := map[string]int64{}
	_, err := Import([]File{{"a.log", strings.NewReader(log)}}, o, func(r events.Record) error {
		switch d := r.Data.(type) {
		case events.AttemptRequested:
			client[r.Attempt] = *d.ClientID
		case events.AttemptSucceeded, events.AttemptAbandoned, events.AttemptUnknown, events.SessionLost, events.SessionClosed:
			ends = append(ends, fmt.Sprintf("%d %s", client[r.Attempt], r.Kind()))
		case events.AttemptFailed:
			ends = append(ends, fmt.Sprintf("%d %s %s %s", client[r.Attempt], r.Kind(), d.Reason, d.Stage))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ends
}

// BenchmarkImport reads a log of which one line in twenty is about a connection.
func BenchmarkImport(b *testing.B) {
	var log strings.Builder
	for i := range 5_000 {
		for k := range 19 {
			fmt.Fprintf(&log, "2026-01-05 10:00:00,000 strategy INFO Signal %d of symbol %d is neither here nor there\n", i, k)
		}
		log.WriteString("2026-01-05 10:00:00,000 ib_async.client INFO " + strings.ReplaceAll(courses[1][i%5], "%d", "7") + "\n")
	}
	o := options(b)
	b.SetBytes(int64(log.Len()))
	b.ReportAllocs()
	for b.Loop() {
		sum, err := Import([]File{{"a.log", strings.NewReader(log.String())}}, o, func(events.Record) error { return nil })
		if err != nil || sum.Lines != 100_000 {
			b.Fatal(sum, err)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
