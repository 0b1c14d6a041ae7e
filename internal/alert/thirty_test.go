package alert_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
)

// A day with thirty incidents, one every three quarters of an hour: stops that last from
// seconds to half an hour, acknowledged or not, with breaches in them, and outages, some
// too short to be told. Each channel gets what the table says for each, once.
func TestADayWithThirtyIncidents(t *testing.T) {
	const seed = 20261122
	synctest.Test(t, func(t *testing.T) {
		d, phone, mail := &day{log: newLog(t)}, newChannel("phone"), newChannel("mail")
		s := settings(phone, mail)
		s.Remind = 10 * time.Minute
		rng := rand.New(rand.NewPCG(seed, 0))
		phone.fail = func(int) error { // the network of a phone
			if rng.IntN(5) == 0 {
				return fmt.Errorf("no answer")
			}
			return nil
		}
		next := func() uint64 { // the sequence of the event that comes now
			head, err := d.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return head.Seq + 1
		}
		want := map[string][]string{}
		during(t, d.log, s, func() {
			for i := range 30 {
				incident := fmt.Sprintf("main-%d", next())
				began := time.Now()
				switch i % 6 {
				case 0: // a stop of five minutes
					d.stop()
					time.Sleep(5 * time.Minute)
					d.release()
					want[incident] = []string{"stop", "over"}
				case 1: // one of thirty-five, of which nobody takes notice
					d.stop()
					time.Sleep(35 * time.Minute)
					d.release()
					want[incident] = []string{"stop", "reminder", "reminder", "reminder", "over"}
				case 2: // one that is acknowledged after the first reminder
					d.stop()
					time.Sleep(12 * time.Minute)
					d.acknowledge()
					time.Sleep(20 * time.Minute)
					d.release()
					want[incident] = []string{"stop", "reminder", "over"}
				case 3: // one that a program goes around, again and again
					d.stop()
					time.Sleep(time.Minute)
					for n := range 20 {
						rec := d.writeAs("/runner/robo", "", events.OperatorNoted{By: "kim", Text: "a connect"})
						if n == 0 {
							want[fmt.Sprintf("main-%d", next())] = []string{"breach"}
						}
						d.writeAs("/recorder", rec.ID, events.RuleViolated{Rule: "RS1", Bypassed: true, Text: "an attempt"})
						time.Sleep(time.Second)
					}
					time.Sleep(time.Minute)
					d.release()
					want[incident] = []string{"stop", "over"}
				case 4: // an outage of twenty minutes
					d.sees(events.ListeningNo)
					time.Sleep(20 * time.Minute)
					d.sees(events.ListeningYes)
					want[incident] = []string{"outage", "outage.over"}
				case 5: // one of nine
					d.refused()
					time.Sleep(9 * time.Minute)
					d.ready()
					want[incident] = nil
				}
				time.Sleep(48*time.Minute - time.Since(began))
			}
		}, phone, mail)
		messages := 0
		for _, ch := range []*channel{phone, mail} {
			got := ch.byIncident()
			for incident, kinds := range want {
				same(t, fmt.Sprintf("%s was told of %s, seed %d", ch.name, incident, seed), kinds, got[incident])
				delete(got, incident)
				messages += len(kinds)
			}
			for incident, kinds := range got {
				t.Errorf("%s was told %v of %s, which is none; seed %d", ch.name, kinds, incident, seed)
			}
			for key, n := range ch.keys {
				if n != 1 {
					t.Errorf("%s got %s %d times, seed %d", ch.name, key, n, seed)
				}
			}
		}
		t.Logf("%d messages on 2 channels for 30 incidents", messages)
	})
}

// acknowledge is an operator's.
func (d *day) acknowledge() {
	d.t.Helper()
	var last events.Record
	for rec, err := range d.Read(d.t.Context(), 1, 0) {
		if err != nil {
			d.t.Fatal(err)
		}
		if _, ok := rec.Data.(events.AlertRaised); ok {
			last = rec
		}
	}
	d.writeAs("/operator/cli", last.ID, events.AlertAcknowledged{Incident: last.Data.(events.AlertRaised).Incident, Raised: last.Seq, By: "kim"})
}

// byIncident is what came, each key once.
func (c *channel) byIncident() map[string][]string {
	out := map[string][]string{}
	for _, one := range c.came {
		kind, incident, _ := strings.Cut(one, " ")
		out[incident] = append(out[incident], kind)
	}
	return out
}
