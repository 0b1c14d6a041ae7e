package alert_test

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	tell "ibrecorder/internal/channel"
	"ibrecorder/internal/notice"
	"ibrecorder/store"
)

// desk appends to a log on disk, one event at a time, as the loop does.
type desk struct {
	*store.JetLog
	mu    sync.Mutex
	start time.Time
}

func (d *desk) Submit(ctx context.Context, draft events.Draft) (events.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	head, err := d.Head(ctx)
	if err != nil {
		return events.Record{}, err
	}
	rec, err := events.NewRecord(events.NewRedactor(make([]byte, 16)).Event(draft, events.Stamp{
		Gateway: "main", Time: time.Now().UTC(), Seq: head.Seq + 1, Boot: "boot1", Mono: int64(time.Since(d.start)), Prev: head.Hash,
	}))
	if err != nil {
		return rec, err
	}
	return rec, d.Append(ctx, rec)
}

// BenchmarkFromStopToWebhook is the time from a restart.required that is on disk to its
// message at a receiver on this host, and the same for its end: three appends, each with
// its fsync, and one request over a connection of its own. It prints the median and the
// slowest of a hundred.
func BenchmarkFromStopToWebhook(b *testing.B) {
	came := make(chan time.Time, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now()
		_, _ = io.Copy(io.Discard, r.Body)
		came <- now
	}))
	defer server.Close()
	target, err := url.Parse(server.URL + "/hook")
	if err != nil {
		b.Fatal(err)
	}
	hook, err := tell.Webhook("hook", target, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(b.Context(), store.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	log, err := s.Log(b.Context(), "main")
	if err != nil {
		b.Fatal(err)
	}
	d := &desk{JetLog: log, start: time.Now()}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	logger := slog.New(slog.DiscardHandler)
	clerk := alert.NewClerk(alert.ClerkConfig{Gateway: "main", Log: log, Desk: d, Boot: "boot1", Start: d.start,
		Settings: alert.Settings{Remind: time.Hour, Outage: time.Hour, Channels: []string{"hook"}}, Logger: logger})
	running.Go(func() { _ = clerk.Run(ctx) })
	running.Go(func() {
		_ = alert.Subscriber{Log: log, Desk: d, Channel: hook, Words: notice.Words{}, Logger: logger}.Run(ctx)
	})
	var took []time.Duration
	for b.Loop() {
		for _, data := range []events.Payload{
			events.RestartRequired{Policy: strings.Repeat("0", 64), Reason: events.DownSilent, Enforced: true}, events.RestartAcknowledged{Basis: events.BasisWord, By: "kim"},
		} {
			if _, err := d.Submit(ctx, events.Draft{Source: "/recorder", Data: data}); err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			took = append(took, (<-came).Sub(began))
		}
	}
	cancel()
	running.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
