package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"time"

	"ibrecorder/client"
	"ibrecorder/events"

	"github.com/scmhub/ibapi"
)

func main() {
	var r runner
	flag.StringVar(&r.config.URL, "recorder", "127.0.0.1:4222", "where the recorder listens, nats.listen in its configuration")
	flag.StringVar(&r.config.Name, "name", "robo-1", "the runner's name in nats.runners")
	flag.StringVar(&r.config.Seed, "seed", "robo-1.nk", "the file that recorder nats key made")
	flag.StringVar(&r.config.Gateway, "gateway", "main", "the gateway's name in the recorder's configuration")
	flag.StringVar(&r.address, "address", "127.0.0.1:4002", "where the Gateway itself listens")
	flag.Int64Var(&r.clientID, "client-id", 7, "API client id")
	flag.DurationVar(&r.timeout, "timeout", 30*time.Second, "how long the Gateway may take to be ready; a silence counts from 10 s on")
	flag.Parse()
	ibapi.SetLogLevel(7) // none: it names account ids
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := r.run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type runner struct {
	config   client.Config
	address  string
	clientID int64
	timeout  time.Duration
}

// run keeps a session until ctx ends.
func (r *runner) run(ctx context.Context) error {
	c, err := client.Connect(ctx, r.config)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		lease, err := c.Wait(ctx, client.Attempt{ClientID: &r.clientID, Timeout: r.timeout})
		var stop *client.RestartRequiredError
		if errors.As(err, &stop) {
			fmt.Println("stopped:", stop)
			if err := released(ctx, c, stop.Seq); err != nil {
				return err
			}
			fmt.Println("released")
			continue
		}
		if err != nil {
			return err
		}
		if err := r.attempt(ctx, c, lease); err != nil {
			return err
		}
	}
}

// released waits for the end of the stop that is event seq.
func released(ctx context.Context, c *client.Client, seq uint64) error {
	for rec, err := range c.Watch(ctx, seq) {
		if err != nil {
			return err
		}
		switch rec.Data.(type) {
		case events.RestartAcknowledged, events.GatewayContradicted:
			return nil
		}
	}
	return ctx.Err()
}

// attempt dials once, reports how that went, and what became of the session. The
// errors are the recorder's: it must know.
func (r *runner) attempt(ctx context.Context, c *client.Client, lease *client.Lease) error {
	p := &program{accounts: make(chan bool, 8), next: make(chan bool, 8), errors: make(chan int64, 64)}
	ib := ibapi.NewEClient(p)
	over := ib.Ctx().Done() // the library ends it with the connection
	end := r.dial(ctx, ib, p)
	if ctx.Err() != nil {
		end = events.AttemptAbandoned{Stage: events.StageStarted}
	}
	telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := lease.End(telling, end); err != nil {
		return err
	}
	if failed, is := end.(events.AttemptFailed); is {
		fmt.Println("failed:", failed.Reason)
		return nil
	}
	session := events.Draft{Attempt: lease.Attempt, Data: events.SessionEstablished{ClientID: &r.clientID}}
	if _, err := c.Publish(ctx, session); err != nil {
		return err
	}
	fmt.Println("ready")
	select {
	case <-over:
		session.Data = events.SessionLost{Reason: events.LostFIN}
	case <-ctx.Done():
		session.Data = events.SessionClosed{By: events.Client, How: events.FIN}
	}
	fmt.Println("over")
	telling, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err := c.Publish(telling, session)
	return err
}

// dial connects with the library and says how that ended.
func (r *runner) dial(ctx context.Context, ib *ibapi.EClient, p *program) events.Payload {
	host, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return events.AttemptFailed{Reason: events.Unreachable, Stage: events.StageNone, Text: err.Error()}
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return events.AttemptFailed{Reason: events.Unreachable, Stage: events.StageNone, Text: err.Error()}
	}
	began := time.Now()
	connected := make(chan error, 1)
	go func() { connected <- ib.Connect(host, number, r.clientID) }()
	timeout := time.After(r.timeout)
	// What is reported is what is known here: the library does not say whether TCP is
	// up, so a timeout before it returns is one of no certain stage.
	stage, silence := events.StageDial, events.ReportedTimeout
	fail := func(why events.FailReason, code int64) events.AttemptFailed {
		return events.AttemptFailed{Reason: why, Stage: stage, ClientID: &r.clientID, Code: code,
			WaitedMS: time.Since(began).Milliseconds(), LimitMS: r.timeout.Milliseconds(), ElapsedUS: time.Since(began).Microseconds()}
	}
	var next, accounts bool
	for !next || !accounts {
		select {
		case err := <-connected:
			switch {
			case err != nil:
				return fail(events.Refused, 0)
			case !ib.IsConnected(): // it returns nil if the Gateway closes before its version
				return fail(events.FINBeforeVersion, 0)
			}
			connected, stage, silence = nil, events.StageStarted, events.VersionNoReady
		case next = <-p.next:
		case accounts = <-p.accounts:
		case code := <-p.errors:
			switch code {
			case 326:
				return fail(events.ClientIDInUse, code)
			case 10141:
				return fail(events.DisclaimerPending, code)
			}
		case <-timeout:
			return fail(silence, 0)
		case <-ctx.Done():
			return nil
		}
	}
	return events.AttemptSucceeded{ClientID: &r.clientID, ElapsedUS: time.Since(began).Microseconds()}
}

// program takes what the library calls back.
type program struct {
	ibapi.Wrapper
	next, accounts chan bool
	errors         chan int64
}

// NextValidID is one half of ready.
func (p *program) NextValidID(int64) { tell(p.next, true) }

// ManagedAccounts is the other half.
func (p *program) ManagedAccounts([]string) { tell(p.accounts, true) }

// Error has the codes that explain why ready does not come, and many others.
func (p *program) Error(_ int64, _ int64, code int64, _ string, _ string) { tell(p.errors, code) }

// tell never blocks the library: what nobody waits for is lost.
func tell[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}
