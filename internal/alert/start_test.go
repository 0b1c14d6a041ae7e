package alert_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/internal/alert"
	tell "ibrecorder/internal/channel"
	"ibrecorder/internal/notice"
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
			began := time.Now().UTC().Format("recorder-main-20060102")
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
		{"a clock that was wrong keeps nobody from being told", func(t *testing.T, s alert.Start, _ *channel) {
			time.Sleep(1000 * time.Hour)
			s.Failed(t.Context(), "the log is damaged")
			text, err := os.ReadFile(filepath.Join(s.Folder, "told-of-starts"))
			if err == nil {
				err = os.WriteFile(filepath.Join(s.Folder, "told-of-starts"), bytes.ReplaceAll(text, []byte("2000-"), []byte("2036-")), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			s.Failed(t.Context(), "the log is damaged")
		}, []string{"recorder.down", "recorder.down"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				ch := newChannel("phone")
				start := alert.Start{Folder: dir, Gateways: []string{"main"}, Channels: []alert.Channel{ch}, Logger: slog.New(slog.DiscardHandler)}
				start.Runs(t.Context()) // makes the file
				c.do(t, start, ch)
				same(t, "told", c.want, kindsOf(ch.came))
			})
		})
	}
}

// Each channel has what it was told to itself: one that fails neither has the others told
// again nor keeps anything from them.
func TestAChannelThatFailsDoesNotChangeWhatTheOthersAreToldOfAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phone, mail, hook := newChannel("phone"), newChannel("mail"), newChannel("hook")
		s := alert.Start{Folder: t.TempDir(), Gateways: []string{"main"}, Channels: []alert.Channel{phone, alert.Some{Channel: mail, Kinds: []notice.Kind{notice.Down, notice.DownOver}}, hook}, Logger: slog.New(slog.DiscardHandler)}
		s.Runs(t.Context())
		mail.downUntil(time.Now().Add(4 * time.Hour))
		hook.fail = func(int) error { return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 404"), Final: true} }
		for range 10 {
			s.Failed(t.Context(), "the log is damaged")
			time.Sleep(time.Minute)
		}
		for range 3 { // runs, and dies at once
			s.Runs(t.Context())
			time.Sleep(time.Minute)
		}
		s.Failed(t.Context(), "the log is damaged")
		time.Sleep(5 * time.Hour)
		s.Failed(t.Context(), "the log is damaged")
		s.Runs(t.Context())
		same(t, "the phone was told", []string{"recorder.down", "recorder.down.over", "recorder.down", "recorder.down.over"}, kindsOf(phone.came))
		same(t, "the mail was told", []string{"recorder.down", "recorder.down.over"}, kindsOf(mail.came))
		for key, n := range phone.keys {
			if n != 1 {
				t.Errorf("%s came %d times", key, n)
			}
		}
	})
}

// In a folder in which no recorder ran nothing is left behind, for it may be somebody
// else's; and a file of that name is left alone. Then it is told at each try, to whoever
// deduplicates once an hour.
func TestAStartThatCannotBeWrittenDownIsToldAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		folder func(dir string) error
	}{
		{"no folder", os.Remove},
		{"an empty one", func(string) error { return nil }},
		{"a file of somebody else's", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "told-of-starts"), []byte("#!/bin/sh\nexec my-server --port 80\n"), 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.folder(dir); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(filepath.Join(dir, "told-of-starts"))
			synctest.Test(t, func(t *testing.T) {
				ch := newChannel("phone")
				s := alert.Start{Folder: dir, Gateways: []string{"main"}, Channels: []alert.Channel{ch}, Logger: slog.New(slog.DiscardHandler)}
				s.Failed(t.Context(), "no space left")
				time.Sleep(time.Minute)
				s.Failed(t.Context(), "no space left")
				same(t, "told", []string{"recorder.down", "recorder.down"}, kindsOf(ch.came))
				if len(ch.keys) != 1 {
					t.Errorf("under %v, want one key", ch.keys)
				}
			})
			after, still := os.ReadFile(filepath.Join(dir, "told-of-starts"))
			if !bytes.Equal(before, after) || (err == nil) != (still == nil) {
				t.Errorf("the file was %q, %v and is %q, %v", before, err, after, still)
			}
		})
	}
}
