package daemon

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/natsapi"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/window"
	"ibrecorder/store"
)

// Config is what one process records.
type Config struct {
	Data     string // folder
	LogBytes int64  // limit of one gateway's log; 0 is the store's default
	// Monthly rolls the logs when a month is over, in UTC.
	Monthly  bool
	Gateways []Gateway
	Policy   events.PolicyLoaded
	// Channels are who is told, in the order in which they are shown. Their names differ.
	Channels []alert.Channel
	// Alerts say when; nil is DefaultAlerts. Its Windows and Channels are not looked at.
	Alerts *alert.Settings
	// DeadMan is pinged while the recorder is ready, as /readyz has it; nil, and nobody is.
	DeadMan alert.Pinger
	// PingEvery is the time between two pings.
	PingEvery time.Duration
	// Zone is that of the people who are told; nil is UTC.
	Zone *time.Location
	// Explain leaves the taps' ports open while a gate is STOPPED: every program is
	// told the reason and counted. Without it they are closed.
	Explain bool
	Version string
	// Build names the code to its last change; a start goes on from a snapshot of the
	// same Build. "" and nothing is known of it: every start reads the whole log.
	Build  string
	Logger *slog.Logger
	// Rebuild passes the log of a gateway on while its state is rebuilt from it; last is its
	// head. It is for somebody who waits for a long one; nil for nobody.
	Rebuild func(gateway string, last uint64, log iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error]

	// NATS lets runners connect; nil, and nothing of NATS listens.
	NATS *NATS

	// HTTP serves the API over TCP too; nil, and it is on the socket alone.
	HTTP *HTTP

	// Reload reads the configuration again, for who asks on the socket; nil, and nobody
	// can. It may call Daemon.Reload.
	Reload func(context.Context) (httpapi.Reloaded, error)

	// Sensor reads the listener at an address; nil is watch.Listener.
	Sensor func(address string) recorder.Sensor
	// Watch is how often the listener is read without being asked; 0 is watch.Interval. A
	// Sensor of the caller's never is: who has one says what is seen and when.
	Watch time.Duration

	// Pace is handed to the taps: see tap.Config. 0 is theirs.
	Pace int

	// Step is handed to the loops: see recorder.Config.
	Step func(string)
}

// NATS is where runners connect, and who they are.
type NATS struct {
	Listen  string            // host:port on loopback
	Runners map[string]string // public user keys (nkeys) by name
}

// door is n for the store.
func (n *NATS) door() *store.Door {
	if n == nil {
		return nil
	}
	out := &store.Door{Listen: n.Listen}
	out.Own.Publish, out.Own.Subscribe = natsapi.Own()
	for name, key := range n.Runners {
		r := store.Runner{Key: key}
		r.Publish, r.Subscribe = natsapi.Runner(name)
		out.Runners = append(out.Runners, r)
	}
	return out
}

// Gateway is one gateway and who connects to it.
type Gateway struct {
	Name    string
	Address string // host:port of IB Gateway or TWS
	Tap     string // host:port for trading programs
	// Connect keeps the built-in session connected as ClientID.
	Connect  bool
	ClientID int64
	Advice
}

// Advice is what people know about a gateway and its log does not.
type Advice struct {
	// Recovery are the steps that people are told to take for a stop; nil is
	// notice.DefaultSteps.
	Recovery []string
	// Windows are when it is expected to be away.
	Windows []window.Window
}
