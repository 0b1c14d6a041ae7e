package simulation

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"

	"github.com/nats-io/nats-server/v2/server/ats"
	"go.uber.org/goleak"
)

// quiet drops what is logged: a week is full of trouble.
var quiet = slog.New(slog.DiscardHandler)

// The server counts time for its caches in one goroutine of the whole process, which the
// first log starts (nats-server 2.15.2, server/ats). Started inside of a bubble it would
// belong to that and outlive it, and no bubble could end. So it is started before any.
func TestMain(m *testing.M) {
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// A day of the server's life passes in a moment, and it can be ended and started again.
// If a new version of it brings a goroutine that a bubble cannot hold, this says so.
func TestTheServerLivesInABubble(t *testing.T) {
	dir := folder(t)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var head events.Hash
		redactor := events.NewRedactor(make([]byte, 16))
		for n := range uint64(24) {
			st, err := store.Open(t.Context(), store.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			l, err := st.Log(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := events.NewRecord(redactor.Event(events.Draft{Source: "/recorder", Data: events.OperatorNoted{By: "kim", Text: "still here"}},
				events.Stamp{Gateway: name, Time: time.Now().UTC(), Seq: n + 1, Boot: fmt.Sprintf("b%da", n), Prev: head}))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Append(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			head = rec.Hash()
			time.Sleep(time.Hour)
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(began); got < day || got > day+time.Hour {
			t.Errorf("24 hours of the bubble took it %s", got)
		}
	})
}
