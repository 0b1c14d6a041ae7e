package metrics

import (
	"context"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"

	"github.com/prometheus/client_golang/prometheus"
)

// Source is a gateway that can be asked. Its methods are called at each page, at the same
// time as those of others.
type Source interface {
	// Reading is what is known without waiting for anybody.
	Reading() Reading
	// Usage asks the log how many bytes it takes and may take, until ctx ends.
	Usage(ctx context.Context) (used, limit int64, err error)
}

// Reading is what is known of a gateway now.
type Reading struct {
	State fsm.State
	// GateAt is when the gate came into its state; zero if nobody knows.
	GateAt time.Time
	// Blocked says that the log takes nothing.
	Blocked bool
	// Denied is how many programs a stop has turned away that State does not know of.
	Denied int64
	// Queued is how many facts wait for the log.
	Queued int
	// FromClients and FromGateway are bytes that the tap has read since it was opened.
	FromClients, FromGateway int64
	// Sockets is the last reading of the Gateway's sockets, also one that was not worth an
	// event; its counts are nil where nothing can be read.
	Sockets events.GatewayObserved
	// Channels are the ways in which somebody is told.
	Channels []Channel
}

// Channel is one of them.
type Channel struct {
	// Name is as the configuration has it.
	Name string
	// Delivered is when it last took something; zero if it never did.
	Delivered time.Time
	// Failing says that it did not take the last thing it was given.
	Failing bool
	// Waiting is how many notices it has not taken yet.
	Waiting int
}

// Add makes the page show a gateway too.
func (m *Meter) Add(s Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources = append(m.sources, s)
}

// usageWithin bounds how long a page waits for the sizes of logs that do not answer: a
// server that scrapes gives up after ten seconds by default, and everything else is there
// at once.
const usageWithin = 500 * time.Millisecond

// collector reads the sources at each page.
type collector struct{ m *Meter }

// Describe implements prometheus.Collector.
func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range described {
		out <- d.desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	c.m.mu.Lock()
	sources := c.m.sources
	c.m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), usageWithin)
	defer cancel()
	var asked sync.WaitGroup
	for _, s := range sources {
		r := s.Reading()
		r.collect(out)
		asked.Go(func() {
			used, limit, err := s.Usage(ctx)
			if err != nil { // nothing is better than an old size
				return
			}
			out <- logBytes.of(float64(used), r.State.Gateway)
			out <- logLimit.of(float64(limit), r.State.Gateway)
		})
	}
	asked.Wait()
}

// metric is one that is read and not counted.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func (m metric) of(v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, v, labels...)
}

var described []metric

func describe(kind prometheus.ValueType, name, help string, labels ...string) metric {
	m := metric{prometheus.NewDesc(prefix+name, help, append([]string{"gateway"}, labels...), nil), kind}
	described = append(described, m)
	return m
}

func gauge(name, help string, labels ...string) metric {
	return describe(prometheus.GaugeValue, name, help, labels...)
}

func counter(name, help string, labels ...string) metric {
	return describe(prometheus.CounterValue, name, help, labels...)
}

var (
	gateState   = gauge("gate_state", "1 for the state that the gate is in, 0 for the others.", "state")
	gateEntered = gauge("gate_state_entered_timestamp_seconds", "When the gate came into its state.")
	apiState    = gauge("gateway_state", "1 for the state that the Gateway's API layer is in, 0 for the others.", "state")
	held        = gauge("connects_held", "1 while nobody may dial: the gate is stopped and the rule is enforced, or the log takes nothing.")
	enforced    = gauge("enforced", "1 while the rule is enforced, 0 while it is only watched over.")
	attempts    = counter("connect_attempts_total", "Connect attempts since the beginning of the log, by how they ended.", "outcome")
	requested   = counter("connect_requests_total", "Connect attempts that programs have asked for since the beginning of the log.")
	permitted   = counter("permits_total", "Connect attempts that were permitted since the beginning of the log.")
	dials       = counter("dials_total", "Connections made to the Gateway's address since the beginning of the log.")
	stops       = counter("stops_total", "Stops since the beginning of the log.")
	releases    = counter("releases_total", "Releases since the beginning of the log.")
	gaps        = counter("log_gaps_total", "Places in the log where facts are missing.")
	anomalies   = counter("anomalies_total", "Events since the beginning of the log that were impossible where they happened.")
	connected   = gauge("clients_connected", "Programs that have a session with the Gateway.")
	waiting     = gauge("clients_waiting", "Programs that wait for their turn.")
	queue       = gauge("gateway_queue_sockets", "Connections that wait for the Gateway to accept them; absent where they cannot be read.")
	closeWait   = gauge("gateway_close_wait_sockets", "Sockets of the Gateway whose client has left and which it has not closed; absent where they cannot be read.")
	relayed     = counter("tap_bytes_total", "Bytes that the tap has read since this process began, of programs (to_gateway) and of the Gateway (to_client).", "direction")
	writable    = gauge("log_writable", "1 while the log takes events, 0 while it does not.")
	queued      = gauge("projection_lag_events", "Facts that wait for the log, and so are not in the state yet.")
	logLast     = gauge("log_last_sequence", "The sequence of the last event.")
	logBytes    = gauge("log_bytes", "How much the log takes; absent while it does not answer.")
	logLimit    = gauge("log_limit_bytes", "How much the log may take; absent while it does not answer.")
	failing     = gauge("alert_channel_failing", "1 if a channel did not take the last thing it was given.", "channel")
	undelivered = gauge("alert_queue_length", "Notices that a channel has not taken yet.", "channel")
	delivered   = gauge("alert_last_success_timestamp_seconds", "When a channel last took something; absent if it never did.", "channel")
)

// collect writes what is known without asking.
func (r Reading) collect(out chan<- prometheus.Metric) {
	s := r.State
	put := func(m metric, v float64, labels ...string) { out <- m.of(v, append([]string{s.Gateway}, labels...)...) }
	since := func(m metric, at time.Time, labels ...string) {
		if !at.IsZero() {
			put(m, seconds(at), labels...)
		}
	}
	for _, state := range fsm.GateTable().States {
		put(gateState, bit(s.Gate == state), string(state))
	}
	for _, state := range fsm.APITable().States {
		put(apiState, bit(s.API == state), string(state))
	}
	since(gateEntered, r.GateAt)
	enforce := s.Policy.Mode == events.Enforce
	put(held, bit(enforce && (s.Gate == fsm.Stopped || r.Blocked)))
	put(enforced, bit(enforce))

	t := s.Totals
	for _, o := range []struct {
		outcome string
		n       int64
	}{{"succeeded", t.Succeeded}, {"failed", t.Failed}, {"abandoned", t.Abandoned}, {"unknown", t.Unknown}, {"denied", t.Denied + r.Denied}} {
		put(attempts, float64(o.n), o.outcome)
	}
	put(requested, float64(t.Requested+r.Denied))
	put(permitted, float64(t.Permitted))
	put(dials, float64(t.Dialled))
	put(stops, float64(t.Stops))
	put(releases, float64(t.Releases))
	put(gaps, float64(t.Gaps))
	put(anomalies, float64(s.Odd.Count))

	n := 0
	for _, x := range s.Sessions {
		switch x.Phase {
		case fsm.SessionReady, fsm.SessionDegraded, fsm.Mute, fsm.Closing:
			n++
		}
	}
	put(connected, float64(n))
	put(waiting, float64(len(s.Waiting)))
	if n := r.Sockets.QueueSockets; n != nil {
		put(queue, float64(*n))
	}
	if n := r.Sockets.CloseWaitSockets; n != nil {
		put(closeWait, float64(*n))
	}
	put(relayed, float64(r.FromClients), "to_gateway")
	put(relayed, float64(r.FromGateway), "to_client")

	put(writable, bit(!r.Blocked))
	put(queued, float64(r.Queued))
	put(logLast, float64(s.Seq))
	for _, c := range r.Channels {
		put(failing, bit(c.Failing), c.Name)
		put(undelivered, float64(c.Waiting), c.Name)
		since(delivered, c.Delivered, c.Name)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
