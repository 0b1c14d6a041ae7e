package dashboard

import (
	"fmt"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/source/streamtest"
)

// The scene of the pictures: a thousand events of three gateways, seven hours long, seen
// 42 minutes after the first of them was stopped.

// eve is the moment at which its streams begin to be worth drawing.
var sceneEnd = streamtest.Begin.Add(7*time.Hour + 42*time.Minute)

// until lets time pass up to a moment of the scene.
func until(s *streamtest.Stream, at time.Duration) *streamtest.Stream {
	all := s.Records()
	return s.After(at - all[len(all)-1].Time.Sub(streamtest.Begin))
}

func seen(s *streamtest.Stream, d events.GatewayObserved) *streamtest.Stream {
	return s.Add("/watch", "", d)
}

func java(pid int64) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: pid, StartedMS: 1_772_400_000_000, Socket: fmt.Sprint(40_000 + pid)}
}

// stopped is a Gateway that has accepted a connection and stayed silent.
func stopped() *streamtest.Stream {
	s := seen(streamtest.New("live").Start(), java(2211))
	for i := range 9 { // a program that comes and goes, and IB's own outages
		a := fmt.Sprintf("a%d", i)
		until(s, time.Duration(i)*42*time.Minute+5*time.Minute).Ready(a, int64(7+i%2*24)).
			Add("/tap", "", events.GatewayNotice{Code: 2104, Origin: events.OriginWire, Count: 1}).
			Add("/tap", "", events.GatewayNotice{Code: 2106, Origin: events.OriginWire, Count: 1}).
			After(12*time.Minute).Add("/tap", a, events.SessionDegraded{Code: 1100}).
			After(90*time.Second).Add("/tap", a, events.SessionRestored{Code: 1102}).
			After(20 * time.Minute).Gone(a)
	}
	until(s, 6*time.Hour+30*time.Minute).Silent("b1", 30*time.Second).Stop(1).
		Add("/recorder", "", events.AlertFailed{Channel: "phone", Try: 1, Text: "dial tcp: no route to host"})
	seen(s, java(2211)).After(4 * time.Minute)
	for i := range 20 {
		s.Deny(fmt.Sprintf("x%d", i)).After(30 * time.Second)
	}
	s.Resume("kim").After(45*time.Second).Probe("b2", 7, 1).After(2 * time.Minute).Gone("b2")
	until(s, 7*time.Hour-31*time.Second).Silent("c1", 30*time.Second).Stop(1).
		Add("/recorder", "", events.AlertFailed{Channel: "phone", Try: 1, Text: "dial tcp: no route to host"})
	seen(s, java(2211)).After(30 * time.Second)
	for i := range 118 {
		s.Deny(fmt.Sprintf("y%d", i)).After(20 * time.Second)
	}
	return s
}

// connected is a Gateway with two programs.
func connected() *streamtest.Stream {
	s := seen(streamtest.New("paper").Start(), java(2391))
	for i := range 14 {
		until(s, time.Duration(i)*24*time.Minute+time.Minute)
		a := fmt.Sprintf("p%d", i)
		s.Ready(a, 9).Add("/tap", "", events.GatewayNotice{Code: 2104, Origin: events.OriginWire, Count: 1}).After(20 * time.Minute).Gone(a)
	}
	s.After(10*time.Second).Ready("q1", 2).
		Add("/tap", "", events.GatewayNotice{Code: 2104, Origin: events.OriginWire, Count: 1}).
		Add("/tap", "", events.GatewayNotice{Code: 2106, Origin: events.OriginWire, Count: 1}).
		Add("/tap", "", events.GatewayNotice{Code: 2158, Origin: events.OriginWire, Count: 1})
	return s.After(20*time.Minute).Ready("q2", 9).Add("/tap", "", events.GatewayNotice{Code: 2104, Origin: events.OriginWire, Count: 3})
}

// refusing is a Gateway on another host at which nothing listens.
func refusing() *streamtest.Stream {
	s := streamtest.New("sim").Start()
	for i := range 38 {
		until(s, 3*time.Hour+time.Duration(i)*440*time.Second).Refused(fmt.Sprintf("r%d", i)).Retry(60*time.Second, int64(i+1))
	}
	return s
}

// scene is the gateways, and where the recorder has them.
func scene() (live, paper, sim *fake) {
	live, paper, sim = newFake("live", stopped()), newFake("paper", connected()), newFake("sim", refusing())
	live.dress = func(s *httpapi.Status) {
		s.Alerts = []httpapi.Channel{{Name: "command", Delivered: streamtest.Begin.Add(7 * time.Hour)}, {Name: "phone", Failing: "dial tcp: no route to host", Waiting: 2}}
		s.Alert = &httpapi.Alert{About: events.AboutStop, Incident: "live-233", Since: streamtest.Begin.Add(7 * time.Hour), Reminders: 1, Most: 8}
	}
	paper.dress = func(s *httpapi.Status) { s.Address, s.Tap = "127.0.0.1:4002", "127.0.0.1:4102" }
	sim.dress = func(s *httpapi.Status) {
		s.Address, s.Tap = "gateway.example:4002", "127.0.0.1:4103"
		s.Blind = "gateway.example is another host, whose processes nobody here can see"
		s.Waiting, s.Why = 1, "38 attempts in a row have failed; the next waits."
	}
	return live, paper, sim
}

func sceneConfig() Config {
	return Config{Version: "0.1.0", Authorize: authorize, Now: func() time.Time { return sceneEnd }, Folder: "/var/lib/ibrecorder"}
}

func TestTheSceneHasAThousandEvents(t *testing.T) {
	n := 0
	for _, f := range []*fake{newFake("live", stopped()), newFake("paper", connected()), newFake("sim", refusing())} {
		n += f.stream.Len()
		if all := f.stream.Records(); all[len(all)-1].Time.After(sceneEnd) {
			t.Errorf("%s ends at %s, after the scene", f.name, all[len(all)-1].Time)
		}
	}
	if n < 1000 || n > 1500 {
		t.Errorf("the scene has %d events", n)
	}
}
