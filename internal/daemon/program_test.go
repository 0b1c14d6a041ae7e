//go:build !race

package daemon_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"

	"github.com/scmhub/ibapi"
)

// program is a trading program that uses scmhub/ibapi as its documentation says,
// with the recorder's port instead of the Gateway's.
type program struct {
	ibapi.Wrapper
	said chan string
}

func (p *program) NextValidID(int64)        { p.said <- "nextValidId" }
func (p *program) ManagedAccounts([]string) { p.said <- "managedAccounts" }
func (p *program) ConnectionClosed()        { p.said <- "closed" }
func (p *program) Error(_ int64, _ int64, code int64, _ string, _ string) {
	p.said <- fmt.Sprint("error ", code)
}

// TestAnUnmodifiedProgram runs the library in a child process: its healthy connect
// has data races, and its worst failure ends the process.
func TestAnUnmodifiedProgram(t *testing.T) {
	const mark = "IBRECORDER_TEST_PROGRAM"
	if os.Getenv(mark) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnUnmodifiedProgram$", "-test.v", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), mark+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestAnUnmodifiedProgram") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	ibapi.SetLogLevel(7) // none
	for _, version := range []int{176, 203, 213} {
		t.Run(fmt.Sprint("server version ", version), func(t *testing.T) {
			plan, err := gwsim.Parse(strings.NewReader("connection 1:\n  play healthy\nconnection 2..:\n  silence\n"))
			if err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			sim := gwsim.New(gwsim.Options{Script: plan, Version: version})
			ctx, cancel := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- sim.Serve(ctx, ln) }()
			defer func() { cancel(); <-served; sim.Close() }()
			cfg := config(t, folder(t))
			cfg.Gateways[0].Address = ln.Addr().String()
			r := start(t, cfg)
			tap, err := net.ResolveTCPAddr("tcp", r.tap)
			if err != nil {
				t.Fatal(err)
			}

			p := &program{said: make(chan string, 100)}
			client := ibapi.NewEClient(p)
			if err := client.Connect("127.0.0.1", tap.Port, 5); err != nil {
				t.Fatal(err)
			}
			heard := map[string]bool{}
			for !heard["nextValidId"] || !heard["managedAccounts"] {
				select {
				case what := <-p.said:
					heard[what] = true
				case <-time.After(patience):
					t.Fatalf("the program heard %v", heard)
				}
			}
			if err := client.Disconnect(); err != nil {
				t.Error(err)
			}

			// The Gateway dies. The next connect is held to its budget, and stops the gate.
			if err := ibapi.NewEClient(&program{said: make(chan string, 100)}).Connect("127.0.0.1", tap.Port, 5); err != nil {
				t.Logf("the silent connect ended with %v", err) // nil or an error: the library does not tell
			}
			stop := until(t, r.api, func(s httpapi.Status) bool { return s.Gate == "STOPPED" })
			if stop.Totals.Permitted != 2 || stop.Totals.Failed != 1 {
				t.Errorf("stopped after %d permits and %d failures, want 2 and 1", stop.Totals.Permitted, stop.Totals.Failed)
			}
			for range 3 {
				began := time.Now()
				p := &program{said: make(chan string, 100)}
				// The listener closes just after the stop is in the log. Until then a
				// client is told so in an answer of the protocol, and the library takes
				// its version for a connect: it hears an error or its end, never ready.
				if ibapi.NewEClient(p).Connect("127.0.0.1", tap.Port, 5) == nil {
					select {
					case what := <-p.said:
						if what != "error 70503" && what != "closed" {
							t.Errorf("while stopped a program heard %s", what)
						}
					case <-time.After(patience):
						t.Error("while stopped a program was neither refused nor told why")
					}
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("it was refused after %s", took)
				}
			}
			if n := sim.Summary().Connects; n != 2 {
				t.Errorf("the Gateway saw %d connects, want 2", n)
			}
		})
	}
}
