package alert_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/internal/alert"
)

func TestARecorderThatCannotStartIsToldOnceADay(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, s alert.Start, ch *channel)
		want []string
	}{
		{"one that starts tells nobody", func(t *testing.T, s alert.Start, _ *channel) {
			s.Runs(t.Context())
			s.Runs(t.Context())
		}, nil},
		{"however often it is tried", func(t *testing.T, s alert.Start, _ *channel) {
			for range 100 {
				s.Failed(t.Context(), "the log is damaged")
				time.Sleep(time.Minute)
			}
		}, []string{"recorder.down"}},
		{"and again after a day", func(t *testing.T, s alert.Start, ch *channel) {
			began := time.Now().UTC().Format("recorder-main-20060102T150405")
			for range 30 {
				s.Failed(t.Context(), "the log is damaged")
				time.Sleep(time.Hour)
			}
			s.Runs(t.Context())
			if ch.told[0] != "recorder.down "+began || ch.told[2] != "recorder.down.over "+began {
				t.Errorf("one incident, and told were %v", ch.told)
			}
		}, []string{"recorder.down", "recorder.down", "recorder.down.over"}},
		{"its end is told, once", func(t *testing.T, s alert.Start, _ *channel) {
			s.Failed(t.Context(), "the log is damaged")
			s.Runs(t.Context())
			s.Runs(t.Context())
			s.Failed(t.Context(), "the log is damaged")
		}, []string{"recorder.down", "recorder.down.over", "recorder.down"}},
		{"whoever was not told is told by the next try", func(t *testing.T, s alert.Start, ch *channel) {
			ch.downUntil(time.Now().Add(time.Minute))
			s.Failed(t.Context(), "the log is damaged")
			time.Sleep(time.Minute)
			s.Failed(t.Context(), "the log is damaged")
			s.Failed(t.Context(), "the log is damaged")
		}, []string{"recorder.down"}},
		{"and is not told of its end if nobody was told", func(t *testing.T, s alert.Start, ch *channel) {
			ch.downUntil(time.Now().Add(time.Minute))
			s.Failed(t.Context(), "the log is damaged")
			s.Runs(t.Context())
		}, nil},
		{"the end is told later if there is no network yet", func(t *testing.T, s alert.Start, ch *channel) {
			s.Failed(t.Context(), "the log is damaged")
			ch.downUntil(time.Now().Add(10 * time.Second))
			s.Runs(t.Context())
		}, []string{"recorder.down", "recorder.down.over"}},
		{"a file that says something else is no news", func(t *testing.T, s alert.Start, _ *channel) {
			if err := os.WriteFile(filepath.Join(s.Folder, "start"), []byte("2026-11-26T10:00:00Z 2026-11-26T10:00+01Z\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s.Runs(t.Context())
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				ch := newChannel("phone")
				c.do(t, alert.Start{Folder: dir, Gateways: []string{"main"}, Channels: []alert.Channel{ch}, Logger: slog.New(slog.DiscardHandler)}, ch)
				same(t, "told", c.want, kindsOf(ch.came))
			})
		})
	}
}

// A disk that is full takes no new file, and a folder that is not there none at all: then
// it is told with each try.
func TestAStartThatCannotBeWrittenDownIsToldAgain(t *testing.T) {
	ch := newChannel("phone")
	s := alert.Start{Folder: filepath.Join(t.TempDir(), "none"), Gateways: []string{"main"}, Channels: []alert.Channel{ch}, Logger: slog.New(slog.DiscardHandler)}
	s.Failed(t.Context(), "no space left")
	s.Failed(t.Context(), "no space left")
	same(t, "told", []string{"recorder.down", "recorder.down"}, kindsOf(ch.came))
	if _, err := os.Stat(s.Folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder: %v; nothing but a recorder makes it", err)
	}
}
