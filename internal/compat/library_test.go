//go:build !race

package compat_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/scmhub/ibapi"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is one client, in a process of its own.
func child(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	var b belief
	if o.Client == session {
		var err error
		if b, err = runSession(o); err != nil {
			return err
		}
	} else {
		b = runLibrary(o.Host, o.Port)
	}
	line, err := json.Marshal(b)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n", line)
	return err
}

// program is a trading program that uses scmhub/ibapi as its documentation says.
type program struct {
	ibapi.Wrapper
	said chan string
}

func (p *program) ConnectAck()              { p.said <- "ack" }
func (p *program) NextValidID(int64)        { p.said <- "id" }
func (p *program) ManagedAccounts([]string) { p.said <- "accounts" }
func (p *program) ConnectionClosed()        { p.said <- "closed" }
func (p *program) Error(_ int64, _ int64, code int64, _ string, _ string) {
	p.said <- fmt.Sprint("error ", code)
}

// runLibrary connects once, and reports what the program was told.
func runLibrary(host string, port int) (b belief) {
	ibapi.SetLogLevel(7) // none
	p := &program{said: make(chan string, 1000)}
	c := ibapi.NewEClient(p)
	connected := make(chan error, 1)
	go func() { connected <- c.Connect(host, port, clientID) }()
	over := time.After(patience)
	b.Ended = "waits"
	heard := map[string]bool{}
	var last <-chan time.Time // after an end, a moment for what comes late
	var leave <-chan time.Time
	for {
		select {
		case err := <-connected:
			if err != nil {
				b.Heard = append(b.Heard, "Connect fails")
				b.Ended, last = "failed", time.After(moment)
				continue
			}
			b.Heard = append(b.Heard, "Connect returns nil")
		case what := <-p.said:
			switch {
			case what == "ack":
				b.Connected = true
			case what == "closed":
				b.Ended, last = "closed", time.After(moment)
			case what == "id" || what == "accounts":
				heard[what] = true
			case !heard[what]:
				heard[what] = true
				b.Heard = append(b.Heard, what)
			}
			if !b.Ready && heard["id"] && heard["accounts"] {
				b.Ready, leave = true, time.After(linger)
			}
		case <-leave:
			if b.Ended == "waits" {
				b.Ended = "left"
				_ = c.Disconnect()
				return b
			}
		case <-last:
			return b
		case <-over:
			return b
		}
	}
}

// moment is how long more may be heard after an end.
const moment = 300 * time.Millisecond
