package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
	"ibrecorder/internal/watch"
	"ibrecorder/store"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what must come.
const patience = 20 * time.Second

// eventually asks until it is so, and fails the script with what was asked last.
func eventually(ts *testscript.TestScript, ask func() (is bool, saw string)) {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		is, saw := ask()
		if is {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within %s: %s", patience, saw)
		}
	}
}

func want(ts *testscript.TestScript, is bool, usage string) {
	if !is {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits runs a program and wants one exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 1, "exits CODE PROGRAM...")
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != code {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), got, code)
	}
}

// free puts an address that is free into a variable.
func free(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "free VARIABLE")
	ts.Setenv(args[0], freeAddress())
}

// nextPort counts up from below the ports that systems give to whoever asks for
// any, so that no connection of another script can take one.
var nextPort = struct {
	sync.Mutex
	port int
}{port: 20_000 + os.Getpid()%8_000}

func freeAddress() string {
	nextPort.Lock()
	defer nextPort.Unlock()
	for {
		nextPort.port++
		if address := fmt.Sprint("127.0.0.1:", nextPort.port); isFree(address) {
			return address
		}
	}
}

func isFree(address string) bool {
	ln, err := net.Listen("tcp", address)
	return err == nil && ln.Close() == nil
}

func api(ts *testscript.TestScript) *httpapi.Client {
	return httpapi.Dial(ts.Getenv("IBRECORDER_DATA"))
}

// up waits until a recorder answers and has seen whether its Gateways listen.
func up(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 0, "up")
	eventually(ts, func() (bool, string) {
		names, err := api(ts).Gateways(context.Background())
		for _, name := range names {
			s, bad := api(ts).Status(context.Background(), name)
			seen := (&watch.Listener{Address: s.Address}).Observe(context.Background())
			if bad != nil || seen.Listening == events.ListeningNo && s.API == string(fsm.Unknown) {
				return false, fmt.Sprintf("%+v %v %+v", s, bad, seen)
			}
		}
		return err == nil, fmt.Sprint(err)
	})
}

// listens waits until somebody listens at an address, or with ! until nobody does.
// It reads the table of sockets: a simulated Gateway counts what connects.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) == 1, "[!] listens ADDRESS")
	wish := events.ListeningYes
	if neg {
		wish = events.ListeningNo
	}
	eventually(ts, func() (bool, string) {
		seen := (&watch.Listener{Address: args[0]}).Observe(context.Background())
		return seen.Listening == wish, fmt.Sprintf("%+v", seen)
	})
}

// mute listens where a recorder would, and answers nobody.
func mute(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "mute FOLDER")
	ln, err := net.Listen("unix", filepath.Join(args[0], httpapi.SocketName))
	ts.Check(err)
	ts.Defer(func() { ts.Check(ln.Close()) })
}

// joined waits until a program is connected to an address, by the table of sockets.
func joined(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "joined ADDRESS PROGRAM")
	eventually(ts, func() (bool, string) {
		peers, err := watch.Peers(context.Background(), args[0])
		ts.Check(err)
		return slices.ContainsFunc(peers, func(p watch.Peer) bool { return p.Process == args[1] }), fmt.Sprintf("%+v", peers)
	})
}

// await waits until the log of main has so many events of a kind.
func await(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && (len(args) == 1 || len(args) == 2), "await KIND [COUNT]")
	count := 1
	if len(args) == 2 {
		var err error
		count, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var log []string
	for rec, err := range api(ts).Tail(ctx, "main", 1) {
		if err != nil {
			ts.Fatalf("%v, after\n%s", err, strings.Join(log, "\n"))
		}
		log = append(log, report.Line(rec.Event, report.Style{Zone: time.UTC}))
		if string(rec.Kind()) == args[0] {
			if count--; count == 0 {
				return
			}
		}
	}
}

// reads waits until the status of main is such, as JSON, or with ! until it is not:
// what is in the log already shows there a moment later.
func reads(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) == 1, "[!] reads REGEXP")
	re, err := regexp.Compile(args[0])
	ts.Check(err)
	eventually(ts, func() (bool, string) {
		s, err := api(ts).Status(context.Background(), "main")
		ts.Check(err)
		text, err := json.Marshal(s)
		ts.Check(err)
		return re.Match(text) != neg, string(text)
	})
}

// line waits until a file has a line.
func line(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "line FILE REGEXP")
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	eventually(ts, func() (bool, string) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		return re.Match(text), fmt.Sprintf("%s, %v", text, err)
	})
}

// post sends a file to the recorder's socket, as a program in any language would,
// and prints the status and the answer.
func post(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "post PATH FILE")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(ts.Getenv("IBRECORDER_DATA"), "recorder.sock"))
	}}}
	resp, err := client.Post("http://recorder"+args[0], "application/cloudevents+json", strings.NewReader(ts.ReadFile(args[1])))
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%d %s\n", resp.StatusCode, body)
	ts.Check(err)
}

// copyOf opens a copy of a data folder that no recorder runs on.
func copyOf(ts *testscript.TestScript, args []string) (log store.Log, done func()) {
	want(ts, len(args) == 1, "FOLDER")
	s, err := store.OpenCopy(context.Background(), ts.MkAbs(args[0]), "")
	ts.Check(err)
	log, err = s.Log(context.Background(), "main")
	ts.Check(err)
	return log, func() { ts.Check(s.Close()) }
}

// stored prints the log of main in a folder as it is stored.
func stored(ts *testscript.TestScript, _ bool, args []string) {
	log, done := copyOf(ts, args)
	defer done()
	for rec, err := range log.Read(context.Background(), 1, 0) {
		ts.Check(err)
		_, err = fmt.Fprintf(ts.Stdout(), "%s\n", rec.Raw)
		ts.Check(err)
	}
}

// judge prints whether the rule held in the log of main in a folder.
func judge(ts *testscript.TestScript, _ bool, args []string) {
	log, done := copyOf(ts, args)
	defer done()
	ts.Check(report.WriteVerify(ts.Stdout(), report.Verify(log.Read(context.Background(), 1, 0)), report.Style{Zone: time.UTC}))
}

// damage turns a byte of the first event of main around.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "damage FOLDER")
	blocks, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "jetstream", "*", "streams", "*", "msgs", "1.blk"))
	ts.Check(err)
	want(ts, len(blocks) == 1, "damage FOLDER, with one log")
	b, err := os.ReadFile(blocks[0])
	ts.Check(err)
	at := bytes.Index(b, []byte("recorder.started"))
	want(ts, at > 0, "damage FOLDER, with a log")
	b[at] ^= 1
	ts.Check(os.WriteFile(blocks[0], b, 0o600))
}

// occupy listens at an address until the script ends, and never accepts.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "occupy ADDRESS")
	ln, err := net.Listen("tcp", args[0])
	ts.Check(err)
	ts.Defer(func() { _ = ln.Close() })
}

// began is when the watch of a script was started.
var began sync.Map

// stopwatch starts, or fails if it was started longer ago than it may be.
func stopwatch(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) <= 1, "watch [AT-MOST]")
	if len(args) == 0 {
		began.Store(ts.Name(), time.Now())
		return
	}
	most, err := time.ParseDuration(args[0])
	ts.Check(err)
	start, ok := began.Load(ts.Name())
	want(ts, ok, "watch, and then: watch AT-MOST")
	if took := time.Since(start.(time.Time)); took > most {
		ts.Fatalf("it took %s, want at most %s", took, most)
	}
}
