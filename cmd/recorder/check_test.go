package main

import (
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

func TestCheckGrades(t *testing.T) {
	good := httpapi.Status{Gateway: "live", Gate: "OPEN", API: "READY", LogBytes: 50, LogLimit: 100, Sessions: make([]httpapi.Session, 2),
		Totals: httpapi.Totals{Succeeded: 7, Failed: 2, Denied: 118}}
	since := time.Date(2026, 3, 2, 1, 0, 42, 0, time.FixedZone("EST", -5*3600))
	for _, c := range []struct {
		name   string
		change func(*httpapi.Status)
		code   int
		want   string // between the name of the plugin and the performance data
	}{
		{"a session works", func(*httpapi.Status) {}, 0, "OK - live: OPEN, API READY, 2 sessions"},
		{"nobody is connected, and it listens", func(s *httpapi.Status) { s.API, s.Sessions = "LISTENING", nil }, 0, "OK - live: OPEN, API LISTENING, 0 sessions"},
		{"nothing is known of it", func(s *httpapi.Status) { s.API = "UNKNOWN" }, 3, "UNKNOWN - live: OPEN, API UNKNOWN: nobody has connected yet"},
		{"nor can be", func(s *httpapi.Status) { s.API, s.Blind = "UNKNOWN", "it is on another host" }, 3,
			"UNKNOWN - live: OPEN, API UNKNOWN: nobody has connected yet, and nothing can be read of it: it is on another host"},
		{"it is not there", func(s *httpapi.Status) { s.API = "ABSENT" }, 1, "WARNING - live: OPEN, API ABSENT"},
		{"it has lost IB", func(s *httpapi.Status) { s.API = "DEGRADED" }, 1, "WARNING - live: OPEN, API DEGRADED"},
		{"programs wait", func(s *httpapi.Status) { s.Gate, s.Why = "BACKOFF", "2 failures" }, 1, "WARNING - live: BACKOFF, API READY: 2 failures"},
		{"it was released", func(s *httpapi.Status) { s.Gate, s.Why = "PROBATION", "one at a time" }, 1, "WARNING - live: PROBATION, API READY: one at a time"},
		{"a channel tells nobody", func(s *httpapi.Status) {
			s.Alerts = []httpapi.Channel{{Name: "command"}, {Name: "ntfy", Failing: "status 502"}}
		}, 1, "WARNING - live: the channel ntfy tells nobody: status 502"},
		{"the log fills", func(s *httpapi.Status) { s.LogBytes = 80 }, 1, "WARNING - live: the log is filled to 80 %"},
		{"the log is nearly full", func(s *httpapi.Status) { s.LogBytes = 95 }, 2, "CRITICAL - live: the log is filled to 95 %"},
		{"others fill its disk", func(s *httpapi.Status) { s.LogLevel = events.LevelWarning }, 1, "WARNING - live: the log or its disk is nearly full"},
		{"others have filled its disk", func(s *httpapi.Status) { s.LogLevel = events.LevelReserve }, 2, "CRITICAL - live: the log has only its reserve left, and nobody may dial"},
		{"others have filled it, and nobody is held", func(s *httpapi.Status) { s.LogLevel, s.Mode = events.LevelReserve, events.Observe }, 2,
			"CRITICAL - live: the log has only its reserve left"},
		{"the log takes nothing", func(s *httpapi.Status) { s.LogError = "disk | full" }, 2, "CRITICAL - live: the log takes nothing: disk / full"},
		{"the port cannot be had", func(s *httpapi.Status) { s.TapError = "address in use" }, 2, "CRITICAL - live: programs cannot connect: address in use"},
		{"the judge refused", func(s *httpapi.Status) { s.Refused = &httpapi.Refused{Rule: "RS1"} }, 2, "CRITICAL - live: the judge refused a dial: it would break RS1"},
		{"it needs a restart", func(s *httpapi.Status) {
			s.Gate, s.API, s.Stop = "STOPPED", "DOWN", &httpapi.Stop{Reason: events.DownSilent, Since: since}
		}, 2, "CRITICAL - live: STOPPED since 2026-03-02T06:00:42Z, the Gateway accepted and did not answer: it needs a manual restart"},
		{"a stop in observe mode is one too", func(s *httpapi.Status) {
			s.Mode, s.Gate, s.Stop = events.Observe, "OPEN", &httpapi.Stop{Reason: events.DownSilent}
		}, 2, "CRITICAL - live: STOPPED, the Gateway accepted and did not answer: it needs a manual restart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := good
			c.change(&s)
			code, line := thresholds{80, 95}.judge([]httpapi.Status{s})
			got, numbers, _ := strings.Cut(strings.TrimPrefix(line, "IBRECORDER "), " | ")
			if code != c.code || got != c.want || strings.ContainsAny(line, "\n") {
				t.Errorf("%d %q, want %d %q", code, got, c.code, c.want)
			}
			if !strings.HasPrefix(numbers, "live_sessions=") || !strings.HasSuffix(numbers, " live_ready=7c;;;0 live_failed=2c;;;0 live_denied=118c;;;0") {
				t.Errorf("performance data %q", numbers)
			}
		})
	}
}

// Of several gateways the worst decides, and is named first; what is known to be wrong is
// worse than what is not known.
func TestCheckOfSeveralGateways(t *testing.T) {
	of := func(name, gate, api string) httpapi.Status {
		return httpapi.Status{Gateway: name, Gate: gate, API: api, LogLimit: 100}
	}
	for _, c := range []struct {
		name string
		all  []httpapi.Status
		code int
		want string
	}{
		{"none", nil, 3, "IBRECORDER UNKNOWN - the recorder guards no gateway"},
		{"all good", []httpapi.Status{of("a", "OPEN", "READY"), of("b", "OPEN", "LISTENING")}, 0, "IBRECORDER OK - a: OPEN, API READY, 0 sessions; b: "},
		{"one unknown", []httpapi.Status{of("a", "OPEN", "READY"), of("b", "OPEN", "UNKNOWN")}, 3, "IBRECORDER UNKNOWN - b: "},
		{"one unknown, one away", []httpapi.Status{of("a", "OPEN", "UNKNOWN"), of("b", "OPEN", "ABSENT")}, 1, "IBRECORDER WARNING - b: OPEN, API ABSENT; a: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, line := (thresholds{80, 95}).judge(c.all); code != c.code || !strings.HasPrefix(line, c.want) {
				t.Errorf("%d %q, want %d %q...", code, line, c.code, c.want)
			}
		})
	}
}
