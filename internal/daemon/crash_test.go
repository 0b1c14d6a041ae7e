package daemon_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/wire"
)

// story is a Gateway that works, dies, and works again after its restart.
const story = `
connection 1:
    play healthy
connection 2..:
    silence
on restart:
connection 1..:
    play healthy
`

// patience bounds what a test waits for.
const patience = 30 * time.Second

// stage is a simulated Gateway in this process, and a recorder in a child that is
// started again whenever it was killed.
type stage struct {
	t      testing.TB
	sim    *gwsim.Gateway
	api    *httpapi.Client
	orders orders
	child  *exec.Cmd
	exited chan error
	kills  int
}

func newStage(t testing.TB, killAt, trace string) *stage {
	t.Helper()
	plan, err := gwsim.Parse(strings.NewReader(story))
	if err != nil {
		t.Fatal(err)
	}
	host := loopback()
	ln, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ibr") // short: a socket's path has 103 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, sim: gwsim.New(gwsim.Options{Script: plan, Version: 203, Listen: patiently}), api: httpapi.Dial(dir),
		orders: orders{Data: dir, Address: ln.Addr().String(), Tap: freePort(t, host), KillAt: killAt, Trace: trace}}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.sim.Serve(ctx, ln) }()
	t.Cleanup(func() {
		s.end(syscall.SIGKILL)
		cancel()
		<-served
		s.sim.Close()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

var hosts atomic.Int32

// patiently listens again on a port that was closed a moment ago. A recorder that
// is started at that moment has it too, from its fork to its exec.
func patiently(network, address string) (net.Listener, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ln, err := net.Listen(network, address)
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return ln, err
		}
	}
}

// loopback is an address of this machine that no other test uses: a port that is
// closed for a moment would be taken by somebody's connection otherwise.
func loopback() string {
	if runtime.GOOS != "linux" { // which has all of 127.0.0.0/8
		return "127.0.0.1"
	}
	n := hosts.Add(1)
	return fmt.Sprintf("127.77.%d.%d", n/250, n%250+1)
}

// freePort is an address that nobody listens on at this moment.
func freePort(t testing.TB, host string) string {
	t.Helper()
	if host != "127.0.0.1" {
		return host + ":4102" // it is ours alone
	}
	ln, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// begin starts the child, and returns when it is ready or dead.
func (s *stage) begin() {
	s.t.Helper()
	text, err := json.Marshal(s.orders)
	if err != nil {
		s.t.Fatal(err)
	}
	s.child = exec.Command(os.Args[0])
	s.child.Env = append(os.Environ(), childEnv+"="+string(text))
	var said strings.Builder
	s.child.Stderr = &said
	out, err := s.child.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.child.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	s.exited = make(chan error, 1)
	child := s.child
	go func() {
		_, _ = io.Copy(io.Discard, out)
		s.exited <- child.Wait()
	}()
	if line != "ready\n" {
		err := <-s.exited
		s.exited <- err
		if !killed(err) {
			s.t.Fatalf("the recorder did not start: %v\n%s", err, said.String())
		}
	}
}

// killed says whether a process died of its crash point.
func killed(err error) bool {
	e, ok := errors.AsType[*exec.ExitError](err)
	return ok && e.Sys().(syscall.WaitStatus).Signaled() && e.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// alive starts the child again if it was killed. Its crash point is used up then.
func (s *stage) alive() {
	s.t.Helper()
	for s.child == nil || s.dead() {
		s.begin()
	}
}

func (s *stage) dead() bool {
	select {
	case err := <-s.exited:
		if !killed(err) {
			s.t.Fatalf("the recorder ended: %v", err)
		}
		s.kills++
		s.orders.KillAt = ""
		return true
	default:
		return false
	}
}

// end stops the child.
func (s *stage) end(sig syscall.Signal) error {
	if s.child == nil {
		return nil
	}
	_ = s.child.Process.Signal(sig)
	err := <-s.exited
	s.child = nil
	return err
}

// until plays act, with a recorder that runs, until the gate is as wanted.
func (s *stage) until(what string, wanted func(httpapi.Status) bool, act func()) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		s.alive()
		st, err := s.api.Status(ctx, "main")
		if err == nil && wanted(st) {
			return
		}
		if ctx.Err() != nil {
			s.t.Fatalf("waiting until %s: %+v, %v", what, st, err)
		}
		act()
		time.Sleep(10 * time.Millisecond) // not to spin
	}
}

// attempt is a program that connects through the tap, and leaves once it is ready
// or gets no further.
func (s *stage) attempt() {
	nc, err := net.DialTimeout("tcp", s.orders.Tap, time.Second)
	if err != nil {
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		return
	}
	scan, buf, ready := wire.NewScanner(0), make([]byte, 4096), 0
	for ready < 3 {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		for range scan.Frames(buf[:n]) {
			if ready++; ready == 1 { // the version; then managedAccounts and nextValidId
				if _, err := nc.Write(wire.AppendStartAPI(nil, 203, wire.StartAPI{ClientID: 7, HasClientID: true})); err != nil {
					return
				}
			}
		}
	}
}
