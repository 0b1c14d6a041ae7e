package metrics

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/rule"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const prefix = "ibrecorder_"

// Meter is the metrics of one process. Its methods may be called from any goroutine.
type Meter struct {
	registry *prometheus.Registry
	handler  http.Handler

	events     *prometheus.CounterVec   // gateway, kind, seen_by
	failures   *prometheus.CounterVec   // gateway, reason, seen_by
	violations *prometheus.CounterVec   // gateway, rule, by
	deliveries *prometheus.CounterVec   // gateway, channel, result
	rejected   *prometheus.CounterVec   // gateway, reason
	succeeded  *prometheus.GaugeVec     // gateway
	phases     *prometheus.HistogramVec // gateway, phase
	appends    *prometheus.HistogramVec // gateway

	mu      sync.Mutex // guards sources
	sources []Source
}

// New makes the metrics of a recorder of this version.
func New(version string) *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),
		events: counters("events_total", "Events that this process has appended to the log, by kind and by who saw them.",
			"gateway", "kind", "seen_by"),
		failures: counters("attempt_failures_total", "Connect attempts that failed since this process began, by what the wire said and by who saw it.",
			"gateway", "reason", "seen_by"),
		violations: counters("rule_violations_total", "Breaches of the retry-stop rule since this process began, by who broke it: the recorder itself, or somebody around it (bypass).",
			"gateway", "rule", "by"),
		deliveries: counters("alert_deliveries_total", "What became of each try to tell somebody since this process began: delivered, failed, or given_up after the last try.",
			"gateway", "channel", "result"),
		rejected: counters("events_rejected_total", "Reports from outside that were not recorded since this process began.",
			"gateway", "reason"),
		succeeded: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "last_success_timestamp_seconds",
			Help: "When an attempt last became ready; absent if none did since this process began."}, []string{"gateway"}),
		phases: histograms("connect_phase_seconds", "How long a connect took: tcp until it was accepted, handshake from the hello to the version, ready from startAPI to both of nextValidId and managedAccounts.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60}, "gateway", "phase"),
		appends: histograms("append_seconds", "How long one event took to be on disk, tries that failed included.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "gateway"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "Always 1; the labels say what runs."}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build, m.events, m.failures, m.violations, m.deliveries, m.rejected, m.succeeded, m.phases, m.appends,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{m})
	// One page at a time is enough; more wait for nobody and are told to come again.
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, DisableCompression: true})
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
}

// ServeHTTP writes the page.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// Counter counts for one gateway.
type Counter struct {
	m       *Meter
	gateway string
	append  prometheus.Observer
	phase   map[string]prometheus.Observer
}

// Of returns the counter of a gateway. What an alert asks for is there from the
// beginning, at 0: Prometheus sees no increase in a series that is born with its first.
func (m *Meter) Of(gateway string) *Counter {
	c := &Counter{m: m, gateway: gateway, append: m.appends.WithLabelValues(gateway), phase: make(map[string]prometheus.Observer)}
	for _, name := range []string{"tcp", "handshake", "ready"} {
		c.phase[name] = m.phases.WithLabelValues(gateway, name)
	}
	for _, r := range rule.Catalogue() {
		if r.Kind == rule.Rule {
			for _, by := range []string{byRecorder, byBypass} {
				m.violations.WithLabelValues(gateway, r.ID, by)
			}
		}
	}
	for _, why := range rejections {
		m.rejected.WithLabelValues(gateway, string(why))
	}
	return c
}

// seconds is a time as Prometheus has it.
func seconds(at time.Time) float64 { return float64(at.UnixMicro()) / 1e6 }

const (
	byRecorder = "recorder"
	byBypass   = "bypass"
)

// Appended counts one append, which took so long and failed with err or is in the log.
func (c *Counter) Appended(rec events.Record, took time.Duration, err error) {
	c.append.Observe(took.Seconds())
	if err == nil {
		c.recorded(rec)
	}
}

func (c *Counter) recorded(rec events.Record) {
	by := seenBy(rec.Source)
	c.m.events.WithLabelValues(c.gateway, string(rec.Kind()), by).Inc()
	switch d := rec.Data.(type) {
	case events.DialConnected:
		c.took("tcp", d.ElapsedUS)
	case events.HandshakeVersion:
		c.took("handshake", d.ElapsedUS)
	case events.HandshakeReady:
		c.took("ready", d.ElapsedUS)
	case events.AttemptSucceeded:
		c.m.succeeded.WithLabelValues(c.gateway).Set(seconds(rec.Time))
	case events.AttemptFailed:
		c.m.failures.WithLabelValues(c.gateway, string(d.Reason), by).Inc()
	case events.RuleViolated:
		who := byRecorder
		if d.Bypassed {
			who = byBypass
		}
		c.m.violations.WithLabelValues(c.gateway, d.Rule, who).Inc()
	case events.AlertDelivered:
		c.m.deliveries.WithLabelValues(c.gateway, d.Channel, "delivered").Inc()
	case events.AlertFailed:
		result := "failed"
		if d.Final {
			result = "given_up"
		}
		c.m.deliveries.WithLabelValues(c.gateway, d.Channel, result).Inc()
	}
}

// took is for what the recorder measured itself: a runner's report has 0 where it does
// not know.
func (c *Counter) took(phase string, us int64) {
	if us > 0 {
		c.phase[phase].Observe(float64(us) / 1e6)
	}
}

// seenBy is a source without the name in it.
func seenBy(source string) string {
	who, _, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	switch who {
	case "tap", "session", "watch", "recorder", "operator", "runner":
		return who
	}
	return "other" // an older log, or a reporter with a name of its own
}

// Rejection is why a report was not recorded.
type Rejection string

const (
	// Malformed: it cannot be an event of this log.
	Malformed Rejection = "malformed"
	// Taken: another event has its id.
	Taken Rejection = "id_taken"
	// Busy: too much waits for the log.
	Busy Rejection = "busy"
	// Ending: the recorder stops.
	Ending Rejection = "ending"
	// Unanswered: whoever reported did not wait for the log, or the log failed.
	Unanswered Rejection = "unanswered"
)

var rejections = []Rejection{Malformed, Taken, Busy, Ending, Unanswered}

// Rejected counts a report that was not recorded.
func (c *Counter) Rejected(why Rejection) {
	c.m.rejected.WithLabelValues(c.gateway, string(why)).Inc()
}
