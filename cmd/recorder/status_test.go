package main

import (
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// What the text of a status says of clients, beside what the scripts ask.
func TestStatusNamesTheClients(t *testing.T) {
	seven := int64(7)
	until := time.Date(2026, 3, 2, 1, 0, 29, 0, time.UTC)
	for _, c := range []struct {
		name   string
		status httpapi.Status
		want   string // a line
	}{
		{"one that waits alone", httpapi.Status{Clients: []httpapi.Waiter{{ID: 7, Until: until, Failures: 3}}},
			"  client 7 waits until " + (&asker{}).when(until) + ", alone: 3 failures in a row (its id in use, or it left before it was ready)"},
		{"for the first time", httpapi.Status{Clients: []httpapi.Waiter{{ID: 7, Until: until, Failures: 1}}},
			"  client 7 waits until " + (&asker{}).when(until) + ", alone: 1 failure in a row (its id in use, or it left before it was ready)"},
		{"one whose framing is lost", httpapi.Status{Sessions: []httpapi.Session{{ClientID: &seven, Phase: "READY", Unwatched: true}}},
			"  client 7 READY, unwatched: relayed on, and whether the Gateway lost IB is not known"},
		{"and one whose is not", httpapi.Status{Sessions: []httpapi.Session{{ClientID: &seven, Phase: "READY"}}}, "  client 7 READY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.status.Gateway, c.status.Mode = "main", events.Enforce
			var out strings.Builder
			if err := (statusAnswer{Running: true, Gateways: []httpapi.Status{c.status}}).table(&out, &asker{}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), "\n"+c.want+"\n") {
				t.Errorf("no line %q in\n%s", c.want, out.String())
			}
		})
	}
}
