package main

import (
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

func TestWhatAReleaseRestsOn(t *testing.T) {
	stop := httpapi.Stop{Since: time.UnixMilli(50_000)}
	proxy := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, Process: "docker-proxy", PID: 812, StartedMS: 30_000}
	again := proxy
	again.StartedMS = 60_000
	near := proxy // within what the clock may be off
	near.StartedMS = 45_000
	for _, c := range []struct {
		name string
		on   events.Basis
		stop httpapi.Stop
		seen events.GatewayObserved
		want string
	}{
		{"a forwarder that listened before the stop", events.BasisWord, stop, proxy, "by your word: docker-proxy (812) listens and was not restarted; what is behind it cannot be seen from here"},
		{"one that was restarted since", events.BasisWord, stop, again, "by your word: docker-proxy (812) listens; what is behind it cannot be seen from here"},
		{"one of which that cannot be said", events.BasisWord, stop, near, "by your word: docker-proxy (812) listens; what is behind it cannot be seen from here"},
		{"one, and it is not known when the stop was", events.BasisWord, httpapi.Stop{}, proxy, "by your word: docker-proxy (812) listens; what is behind it cannot be seen from here"},
		{"nothing could be read", events.BasisWord, stop, events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}, "by your word: the Gateway's process cannot be read from here"},
		{"no reading was found", events.BasisWord, stop, events.GatewayObserved{}, "by your word: the Gateway's process cannot be read from here"},
		{"a restart that was seen", events.BasisObserved, stop, proxy, "a restart was observed"},
		{"an override", events.BasisOverride, stop, proxy, "without a restart, by override"},
	} {
		if got := basis(c.on, c.stop, c.seen); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
