package channel_test

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/notice"
)

func TestTheCommandGetsTheEventAsItIsStored(t *testing.T) {
	n := stop(t)
	out := filepath.Join(t.TempDir(), "out")
	err := channel.Command{Line: "cat > " + out + "; echo $RECORDER_GATEWAY $RECORDER_KIND >> " + out}.Tell(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := string(n.Record.Raw) + "\nmain restart.required\n"
	if string(got) != want {
		t.Errorf("it got\n%s\nwant\n%s\n%s", got, want, hex.Dump(got))
	}
}

func TestWhatACommandSaysIsTheReason(t *testing.T) {
	for _, c := range []struct {
		name, line string
		code       int64
		text       string
	}{
		{"its exit status and its last words", "echo no network >&2; exit 7", 7, "no network"},
		{"it does not exist", "no-such-command-anywhere", 127, ""},
		{"it talks much in no language", "head -c 100000 /dev/urandom >&2; echo; echo the end >&2; exit 1", 1, "the end"},
		{"it talks much", "head -c 100000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1", 1, "the end"},
		{"it does not read its input", "exit 0", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := channel.Command{Line: c.line}.Tell(t.Context(), stop(t))
			if c.code == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*channel.TellError](err)
			if !ok || e.ExitCode != c.code {
				t.Fatalf("%#v", err)
			}
			if stored := events.NewRedactor(make([]byte, 16)).Text(e.Error()); !strings.HasSuffix(stored, c.text) {
				t.Errorf("the log has %q, want it to end with %q", stored, c.text)
			}
		})
	}
}

func TestACommandThatHangsIsEnded(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	began := time.Now()
	err := channel.Command{Line: "sleep 600 & echo $! > " + pidFile + "; wait", Timeout: 200 * time.Millisecond}.Tell(t.Context(), stop(t))
	if err == nil || !strings.Contains(err.Error(), "longer than 200ms") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	for stat := filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat"); ; time.Sleep(time.Millisecond) {
		state, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(state), ") Z ") {
			return // the kernel takes a moment to clear away what was killed
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("what the command started still runs: %s", state)
		}
	}
}

// begun runs a command whose line first opens the pipe, and returns when it runs.
func begun(t *testing.T, line string) (end context.CancelFunc, told <-chan error) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	run, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	n := stop(t)
	go func() { ended <- channel.Command{Line: "echo > " + pipe + "; " + line}.Tell(run, n) }()
	if _, err := os.ReadFile(pipe); err != nil {
		t.Fatal(err)
	}
	return end, ended
}

func TestACommandThatIsNearlyDoneIsNotCutShortByTheEndOfTheRun(t *testing.T) {
	end, told := begun(t, "sleep 0.05")
	end()
	if err := <-told; err != nil {
		t.Errorf("%v, want that it was told", err)
	}
}

func TestTheEndOfTheRunEndsACommand(t *testing.T) {
	began := time.Now()
	end, told := begun(t, "sleep 600")
	end()
	if err := <-told; err == nil {
		t.Error("a command that was killed has told somebody")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// stop is a notice of a stop, with its event.
func stop(t *testing.T) notice.Notice {
	t.Helper()
	rec, err := events.NewRecord(events.NewRedactor(make([]byte, 16)).Event(events.Draft{
		Source: "/recorder", Data: events.RestartRequired{Policy: strings.Repeat("0", 64), Reason: events.DownSilent, Enforced: true},
	}, events.Stamp{Gateway: "main", Time: time.Date(2026, 11, 22, 6, 0, 42, 0, time.UTC), Seq: 1, Boot: "boot"}))
	if err != nil {
		t.Fatal(err)
	}
	return notice.Notice{
		Kind: notice.Stop, Severity: notice.Critical, Gateway: "main", Key: "main-1-stop", Incident: "main-1", Title: "IB Gateway main needs a manual restart",
		Time: rec.Time, Since: rec.Time, Record: rec,
	}
}
