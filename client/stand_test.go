package client_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ibrecorder/client"
	"ibrecorder/events"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"

	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Temporary files of its own: the locks of Gateways are there.
	dir, err := os.MkdirTemp("", "ibr")
	if err == nil {
		err = os.Setenv("TMPDIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// blind is a sensor that sees nothing.
type blind struct{}

func (blind) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}
}

// stand is a recorder that can be started again, with its runners.
type stand struct {
	daemon.Config
	seeds map[string]string // files, by runner
	tap   string            // of the last run
	stop  func() error      // ends the run
}

// prepare makes a folder, keys and a configuration with short waits.
func prepare(runners ...string) (*stand, error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	s := &stand{seeds: map[string]string{}, stop: func() error { return nil }}
	p := policy.Demo()
	p.SettleMS, p.ProbationSpacingMS, p.BackoffBaseMS, p.BackoffCapMS, p.LeaseMS = 100, 10, 10, 20, 2000
	loaded, err := policy.Load("demo", p, events.Enforce)
	if err != nil {
		return nil, err
	}
	s.Config = daemon.Config{
		Data: filepath.Join(dir, "data"), Policy: loaded, Version: "test", Sensor: func(string) recorder.Sensor { return blind{} },
		NATS: &daemon.NATS{Runners: map[string]string{}},
	}
	address, err := free()
	if err != nil {
		return nil, err
	}
	if s.NATS.Listen, err = free(); err != nil { // the same after a restart
		return nil, err
	}
	s.Gateways = []daemon.Gateway{{Name: "main", Address: address, Tap: "127.0.0.1:0"}}
	for _, name := range runners {
		key, err := nkeys.CreateUser()
		if err != nil {
			return nil, err
		}
		seed, err := key.Seed()
		if err != nil {
			return nil, err
		}
		s.seeds[name] = filepath.Join(dir, name+".nk")
		if err := os.WriteFile(s.seeds[name], seed, 0o600); err != nil {
			return nil, err
		}
		if s.NATS.Runners[name], err = key.PublicKey(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// free is an address of loopback that nobody listens at.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start begins a run.
func (s *stand) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	d, err := daemon.Open(ctx, s.Config)
	if err != nil {
		cancel()
		return err
	}
	s.tap = d.Gateways()[0].Tap
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	s.stop = func() error {
		cancel()
		s.stop = func() error { return nil }
		return <-ended
	}
	return nil
}

// config is how a runner connects.
func (s *stand) config(name string) client.Config {
	return client.Config{URL: s.NATS.Listen, Seed: s.seeds[name], Name: name, Gateway: "main"}
}

// begin is a running recorder with two runners, the first of which is connected.
func begin(t *testing.T) (*stand, *client.Client) {
	t.Helper()
	s, err := prepare("robo-1", "robo-2")
	must(t, err)
	must(t, s.start())
	t.Cleanup(func() { must(t, s.stop()) })
	return s, s.connect(t, "robo-1")
}

func (s *stand) connect(t *testing.T, name string) *client.Client {
	t.Helper()
	c, err := client.Connect(soon(t), s.config(name))
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// soon is a context that lasts longer than anything here may take.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
