package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/source"
	"ibrecorder/internal/source/streamtest"
	incident "ibrecorder/internal/streams"
	"ibrecorder/store"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "renew the golden parts of testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"replay": main})
}

// streams are what the scripts read, by name.
var streams = map[string]func(gateway string) *streamtest.Stream{
	"night":     streamtest.Night,
	"forgotten": streamtest.Forgotten,
	"start":     func(gateway string) *streamtest.Stream { return streamtest.New(gateway).Start() },
	"busy":      func(gateway string) *streamtest.Stream { return streamtest.Busy(gateway, 2_000) },
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			if computing[strings.TrimPrefix(filepath.Base(e.WorkDir), "script-")] {
				e.T().Skip("it has one goroutine")
			}
			e.Setenv("TMPDIR", e.WorkDir)
			tree, err := filepath.Abs(filepath.Join("..", "..", "testdata", "streams"))
			if err != nil {
				return err
			}
			e.Setenv("STREAMS", tree)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // a race build sleeps a second at the end of each process
			for _, name := range []string{"night", "forgotten"} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name+".ndjson"), streams[name]("live").NDJSON(), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "stopped": stopped, "kept": kept, "running": running, "signed": signed, "hanging": hanging, "flip": flip, "cut": cut, "drop": drop, "mode": mode, "days": days, "contract": keeps,
		},
	})
}

func usage(ts *testscript.TestScript, neg bool, args []string, want int, text string) {
	if neg || len(args) < want {
		ts.Fatalf("usage: %s", text)
	}
}

// exits runs a command and wants one exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "exits CODE COMMAND...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// fill opens a data folder with the given logs, each GATEWAY=STREAM.
func fill(ts *testscript.TestScript, dir string, logs []string) *store.Store {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: ts.MkAbs(dir)})
	ts.Check(err)
	for _, l := range logs {
		gateway, name, _ := strings.Cut(l, "=")
		log, err := s.Log(ctx, gateway)
		ts.Check(err)
		for _, rec := range streams[name](gateway).Records() {
			ts.Check(log.Append(ctx, rec))
		}
	}
	return s
}

// stopped makes the data folder of a recorder that has ended.
func stopped(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "stopped DIR GATEWAY=STREAM...")
	ts.Check(fill(ts, args[0], args[1:]).Close())
}

// kept puts a snapshot at an event beside the log of a data folder, or one whose state
// says that nothing is stopped.
func kept(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "kept DIR GATEWAY=STREAM SEQ [forgetful]")
	gateway, name, _ := strings.Cut(args[1], "=")
	at, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, s, j := fsm.NewFolder(), fsm.Initial(), rule.New()
	var head events.Hash
	for _, rec := range streams[name](gateway).Records()[:at] {
		s, head = f.Apply(s, rec.Event), rec.Hash()
		j.Step(rec)
	}
	if len(args) > 3 {
		s.Gate, s.Stop = fsm.Open, fsm.Standing{}
	}
	ts.Check(store.SnapshotsOf(ts.MkAbs(args[0]), gateway).Keep(snapshot.Of("b1", s, j, head)))
}

// hanging makes a data folder that a process holds and nobody answers for.
func hanging(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "hanging DIR")
	s := fill(ts, args[0], nil)
	ts.Defer(func() { ts.Check(s.Close()) })
}

// running makes one whose process answers at its socket.
func running(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "running DIR GATEWAY=STREAM...")
	hanging(ts, neg, args[:1])
	var logs []*streamtest.Stream
	for _, l := range args[1:] {
		gateway, name, _ := strings.Cut(l, "=")
		logs = append(logs, streams[name](gateway))
	}
	l, err := httpapi.Listen(ts.MkAbs(args[0]))
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- streamtest.Serve(ctx, l, logs...) }()
	ts.Defer(func() {
		stop()
		ts.Check(<-done)
	})
}

// flip changes one bit in the middle of the only file that matches.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "flip PATTERN")
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%s matches %v, want one file", args[0], found)
	}
	b, err := os.ReadFile(found[0])
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(found[0], b, 0o600))
}

// cut takes bytes off the end of a file.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "cut FILE BYTES")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b[:len(b)-n], 0o600))
}

// drop takes a line out of a file.
func drop(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "drop FILE LINE")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	lines := bytes.SplitAfter(b, []byte("\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Join(slices.Delete(lines, n-1, n), nil), 0o600))
}

// days writes a long recorded stream, in whose middle a rule is broken if one is named.
func days(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "days FILE EVENTS [RULE]")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	d := incident.Days{Events: n, Seed: 3}
	if len(args) > 2 {
		d.Break = args[2]
	}
	var b bytes.Buffer
	ts.Check(d.Write(func(rec events.Record) error {
		b.Write(append(rec.Raw, '\n'))
		return nil
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// mode wants the permissions of a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "mode FILE PERMISSIONS")
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// Ctrl-C ends a read that waits for more, with nothing on standard output.
func TestInterrupted(t *testing.T) {
	for _, verb := range []string{"verify", "import"} {
		t.Run(verb, func(t *testing.T) { interrupted(t, verb) })
	}
}

func interrupted(t *testing.T, verb string) {
	cmd := exec.Command("replay", verb, "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A pipe holds 64 KiB: when more than two of them are written, somebody reads.
	if _, err := in.Write(make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitInterrupted || out.Len() > 0 || said.String() != "replay: interrupted\n" {
		t.Errorf("%v, output %q, errors %q", err, out.String(), said.String())
	}
}

// A reader that leaves early, such as head, ends a verb without a word, and the
// copy of a log does not stay behind.
func TestNobodyReadsTheOutput(t *testing.T) {
	data, temp := t.TempDir(), t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.Log(t.Context(), "live")
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range streamtest.Forgotten("live").Records() {
		if err := log.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"verify", "timeline", "state", "whatif", "export"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var said strings.Builder
		cmd := exec.Command("replay", verb, data, "--temp", temp)
		cmd.Stdout, cmd.Stderr = w, &said
		err = cmd.Run()
		w.Close()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitPipe || said.Len() > 0 {
			t.Errorf("%s: %v, errors %q", verb, err, said.String())
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v, %v", verb, left, err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	damaged := &events.DecodeError{Line: 3, Err: events.ErrSyntax}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing is wrong", nil, 0},
		{"the verdict was printed", answer{exitNo}, 1},
		{"anything about the command", errors.New("no such flag"), 2},
		{"a line that is no event", fmt.Errorf("state: %w", damaged), 3},
		{"a stream that ends early", notWhole(errors.New("unexpected EOF")), 3},
		{"a recorder that died while it answered", notWhole(fmt.Errorf("%w: EOF", source.ErrUnreachable)), 4},
		{"the user gave up", notWhole(context.Canceled), 130},
		{"a damaged store", &store.DamageError{}, 3},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit %d, want %d (%v)", c.name, got, c.want, c.err)
		}
	}
}
