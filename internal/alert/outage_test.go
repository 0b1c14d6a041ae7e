package alert_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/window"
)

// day is a history by words, for what goes on in one.
type day struct {
	*log
	n int
}

func (d *day) attempt(data events.Payload) events.Record {
	d.t.Helper()
	d.n++
	return d.attemptAs("/tap", fmt.Sprintf("boot-a%d", d.n), data)
}

func (d *day) attemptAs(source, name string, data events.Payload) events.Record {
	d.t.Helper()
	rec, err := d.Submit(d.t.Context(), events.Draft{Source: source, Attempt: name, Data: data})
	if err != nil {
		d.t.Fatal(err)
	}
	return rec
}

func (d *day) refused() { d.fails(events.Refused) }
func (d *day) fails(why events.FailReason) {
	d.attempt(events.AttemptFailed{Reason: why, Stage: events.StageDial})
}

// reports is what a runner tells that dialled by itself.
func (d *day) reports(why events.FailReason) {
	d.n++
	d.attemptAs("/runner/robo", fmt.Sprintf("robo-%d", d.n), events.AttemptFailed{Reason: why, Stage: events.StageDial})
}
func (d *day) ready()    { d.attempt(events.AttemptSucceeded{}) }
func (d *day) loses()    { d.attempt(events.SessionDegraded{Code: 1100}) }
func (d *day) restores() { d.write(events.SessionRestored{Code: 1102}) }
func (d *day) sees(l events.Listening) {
	d.observes(l, events.OwnerUnknown)
}
func (d *day) observes(l events.Listening, owner events.Owner) {
	d.writeAs("/watch", "", events.GatewayObserved{Listening: l, Owner: owner})
}

// A bubble begins at midnight UTC of 1 January 2000, which is a Saturday.
func TestOutages(t *testing.T) {
	for _, c := range []struct {
		name   string
		window string
		do     func(d *day)
		want   []string
	}{
		{"nine minutes are nobody's business", "", func(d *day) {
			d.refused()
			time.Sleep(9 * time.Minute)
			d.sees(events.ListeningYes)
			time.Sleep(time.Hour)
		}, nil},
		{"ten are, once, and so is the end", "", func(d *day) {
			d.refused()
			for range 5 {
				time.Sleep(5 * time.Minute)
				d.refused()
			}
			d.ready()
			time.Sleep(time.Hour)
		}, []string{"outage main-1", "outage.over main-1"}},
		{"whoever closes at once is away too", "", func(d *day) {
			d.fails(events.RSTBeforeVersion)
			time.Sleep(11 * time.Minute)
		}, []string{"outage main-1"}},
		{"a runner that is refused elsewhere proves nothing while a program is relayed", "", func(d *day) {
			d.ready()
			d.reports(events.Refused)
			time.Sleep(time.Hour)
		}, nil},
		{"nor while the port is read and the Gateway listens", "", func(d *day) {
			d.observes(events.ListeningYes, events.OwnerGateway)
			for _, why := range []events.FailReason{events.Refused, events.Unreachable, events.FINBeforeVersion, events.RSTBeforeVersion} {
				d.reports(why)
				time.Sleep(time.Hour)
			}
		}, nil},
		{"nor while a forwarder listens, but it says nothing of a Gateway behind it that closes at once", "", func(d *day) {
			d.observes(events.ListeningYes, events.OwnerOther)
			d.reports(events.Refused)
			time.Sleep(time.Hour)
			d.reports(events.FINBeforeVersion)
			time.Sleep(time.Hour)
		}, []string{"outage main-3"}},
		{"what a runner reports counts if nothing is known", "", func(d *day) {
			d.reports(events.Refused)
			time.Sleep(time.Hour)
		}, []string{"outage main-1"}},
		{"and when the program that was relayed has gone", "", func(d *day) {
			d.ready()
			d.attemptAs("/tap", "boot-a1", events.SessionClosed{By: events.Client, How: events.FIN})
			d.reports(events.Refused)
			time.Sleep(time.Hour)
		}, []string{"outage main-3"}},
		{"that one runner has a session does not outweigh what another one reports", "", func(d *day) {
			d.attemptAs("/runner/desk", "desk-1", events.AttemptSucceeded{})
			d.reports(events.Refused)
			time.Sleep(time.Hour)
		}, []string{"outage main-2"}},
		{"and when nothing can be read any more", "", func(d *day) {
			d.observes(events.ListeningYes, events.OwnerGateway)
			d.observes(events.ListeningUnknown, events.OwnerUnknown)
			d.reports(events.Refused)
			time.Sleep(time.Hour)
		}, []string{"outage main-3"}},
		{"whom the tap itself cannot reach is away, whatever was read before", "", func(d *day) {
			d.observes(events.ListeningYes, events.OwnerGateway)
			d.refused()
			time.Sleep(time.Hour)
		}, []string{"outage main-2"}},
		{"a client id in use is no outage, and neither is silence", "", func(d *day) {
			d.fails(events.ClientIDInUse)
			d.fails(events.AcceptedNoBytes)
			time.Sleep(time.Hour)
		}, nil},
		{"a Gateway that has lost IB is away until it has it again", "", func(d *day) {
			d.ready()
			d.loses()
			time.Sleep(11 * time.Minute)
			d.sees(events.ListeningYes)
			d.ready() // the API answers, and says nothing of IB
			synctest.Wait()
			same(d.t, "before it is restored the log has", []string{"alert.raised outage"}, d.alerts())
			d.restores()
		}, []string{"outage main-2", "outage.over main-2"}},
		{"a second one is another", "", func(d *day) {
			for range 2 {
				d.sees(events.ListeningNo)
				time.Sleep(11 * time.Minute)
				d.sees(events.ListeningYes)
				synctest.Wait()
				time.Sleep(time.Minute)
			}
		}, []string{"outage main-1", "outage.over main-1", "outage main-7", "outage.over main-7"}},
		{"a stop is no outage: it has an alert of its own", "", func(d *day) {
			d.sees(events.ListeningNo)
			time.Sleep(5 * time.Minute)
			d.stop()
			time.Sleep(20 * time.Minute)
		}, []string{"stop main-2"}},
		{"an outage that becomes a stop is one incident, and ends once", "", func(d *day) {
			d.sees(events.ListeningNo)
			time.Sleep(11 * time.Minute)
			d.stop()
			synctest.Wait()
			d.sees(events.ListeningYes)
			d.release()
			synctest.Wait()
		}, []string{"outage main-1", "stop main-1", "over main-1"}},
		{"in the restart window it is expected", "00:00-00:40 UTC", func(d *day) {
			d.sees(events.ListeningNo)
			time.Sleep(39 * time.Minute)
			d.sees(events.ListeningYes)
			time.Sleep(time.Hour)
		}, nil},
		{"but not for longer than the window", "00:00-00:40 UTC", func(d *day) {
			d.sees(events.ListeningNo)
			time.Sleep(39 * time.Minute)
			synctest.Wait()
			same(d.t, "a minute before its end the log has", nil, d.alerts())
			time.Sleep(2 * time.Minute)
		}, []string{"outage main-1"}},
		{"an outage that began just before the end of the window has its ten minutes", "00:00-00:40 UTC", func(d *day) {
			time.Sleep(35 * time.Minute)
			d.sees(events.ListeningNo)
			time.Sleep(9 * time.Minute)
			d.sees(events.ListeningYes)
			time.Sleep(time.Hour)
		}, nil},
		{"a window of another day does not count", "sun 00:00-00:40 UTC", func(d *day) {
			d.sees(events.ListeningNo)
			time.Sleep(11 * time.Minute)
		}, []string{"outage main-1"}},
		{"a stop is told in the window too", "00:00-00:40 UTC", func(d *day) { d.stop() }, []string{"stop main-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, ch := &day{log: newLog(t)}, newChannel("phone")
				s := settings(ch)
				if c.window != "" {
					var err error
					if s.Windows, err = window.ParseAll(c.window); err != nil {
						t.Fatal(err)
					}
				}
				during(t, d.log, s, func() { c.do(d) }, ch)
				same(t, "told", c.want, ch.told)
			})
		})
	}
}

// alerts are the kinds of what was recorded of alerts, but for outcomes.
func (l *log) alerts() (out []string) {
	l.t.Helper()
	for rec, err := range l.Read(l.t.Context(), 1, 0) {
		if err != nil {
			l.t.Fatal(err)
		}
		switch d := rec.Data.(type) {
		case events.AlertRaised:
			out = append(out, fmt.Sprintf("%s %s", rec.Kind(), d.About))
		case events.AlertResolved:
			out = append(out, fmt.Sprintf("%s %s", rec.Kind(), d.About))
		}
	}
	return out
}

// An outage that a run has seen begin is not counted on through a night in which no
// recorder looked.
func TestAnOutageBeginsAnewWithARunThatHasToldNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, ch := &day{log: newLog(t)}, newChannel("phone")
		during(t, d.log, settings(ch), func() { d.sees(events.ListeningNo); time.Sleep(time.Minute) }, ch)
		time.Sleep(8 * time.Hour)
		d.reboot()
		d.write(events.RecorderStarted{Previous: events.PreviousCrashed})
		during(t, d.log, settings(ch), func() { time.Sleep(time.Minute); d.sees(events.ListeningYes) }, ch)
		same(t, "told", nil, ch.told)
	})
}

// The watch records what has changed, so a port that was closed before and after a
// restart of the recorder is in the log once.
func TestAnOutageIsToldThoughTheRecorderBeganInTheMiddleOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, ch := &day{log: newLog(t)}, newChannel("phone")
		during(t, d.log, settings(ch), func() { d.sees(events.ListeningNo); time.Sleep(5 * time.Minute) }, ch)
		d.reboot()
		began := d.write(events.RecorderStarted{Previous: events.PreviousCrashed})
		during(t, d.log, settings(ch), func() {
			time.Sleep(9 * time.Minute)
			synctest.Wait()
			ch.mu.Lock() // for what it is told later
			same(t, "told after nine minutes", nil, ch.told)
			ch.mu.Unlock()
			time.Sleep(2 * time.Minute)
			d.sees(events.ListeningYes)
			time.Sleep(time.Minute)
		}, ch)
		incident := fmt.Sprintf("main-%d", began.Seq)
		same(t, "told", []string{"outage " + incident, "outage.over " + incident}, ch.told)
	})
}

func TestBreaches(t *testing.T) {
	breaks := func(d *day, rule, source string, n int) {
		for range n {
			rec := d.writeAs(source, "", events.OperatorNoted{By: "kim", Text: "what was done"})
			d.writeAs("/recorder", rec.ID, events.RuleViolated{Rule: rule, Bypassed: true, Text: "it was broken"})
			synctest.Wait()
		}
	}
	for _, c := range []struct {
		name string
		do   func(d *day)
		want []string // for each message, how many like it were not told before
	}{
		{"one message for each author and rule, and the others are counted", func(d *day) {
			d.stop()
			breaks(d, "RS1", "/runner/robo", 40)
			breaks(d, "RS1", "/runner/desk", 3)
			breaks(d, "RS4", "/runner/robo", 2)
		}, []string{"and 0 before", "and 0 before", "and 0 before"}},
		{"another stop is another occasion", func(d *day) {
			d.stop()
			breaks(d, "RS1", "/runner/robo", 4)
			d.release()
			synctest.Wait()
			d.stop()
			breaks(d, "RS1", "/runner/robo", 4)
		}, []string{"and 0 before", "and 0 before"}},
		{"what goes on for days is told once a day", func(d *day) {
			for range 5 {
				breaks(d, "RS4", "/runner/robo", 3)
				time.Sleep(12 * time.Hour)
			}
		}, []string{"and 0 before", "and 5 before", "and 5 before"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, ch := &day{log: newLog(t)}, newChannel("phone")
				s := settings(ch)
				s.Most = 0
				during(t, d.log, s, func() { c.do(d) }, ch)
				told, got := 0, []string(nil)
				for _, kind := range kindsOf(ch.told) {
					if kind == "breach" {
						told++
					}
				}
				for rec := range d.Read(t.Context(), 1, 0) {
					if r, ok := rec.Data.(events.AlertRaised); ok && r.About == events.AboutBreach {
						got = append(got, fmt.Sprintf("and %d before", r.Again))
					}
				}
				same(t, "raised", c.want, got)
				if told != len(c.want) {
					t.Errorf("told of %d breaches, want %d: %v", told, len(c.want), ch.told)
				}
			})
		})
	}
}

// Breaches are never over, and so they are told to whoever comes later; but not all that
// there ever were.
func TestANewChannelIsNotToldOfEveryBreachThatThereWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, old, late := &day{log: newLog(t)}, newChannel("mail"), newChannel("phone")
		during(t, d.log, settings(old), func() {
			for range 5 {
				rec := d.writeAs("/runner/robo", "", events.OperatorNoted{By: "kim", Text: "what was done"})
				d.writeAs("/recorder", rec.ID, events.RuleViolated{Rule: "RS1", Text: "it was broken"})
				synctest.Wait()
				time.Sleep(25 * time.Hour)
			}
			rec := d.writeAs("/runner/desk", "", events.OperatorNoted{By: "kim", Text: "what was done"})
			d.writeAs("/recorder", rec.ID, events.RuleViolated{Rule: "RS1", Text: "it was broken"})
		}, old)
		d.reboot()
		during(t, d.log, settings(old, late), func() {}, old, late)
		if len(old.told) != 6 {
			t.Errorf("the old channel was told %v, want 6 breaches", old.told)
		}
		same(t, "the new channel was told", old.told[5:], late.told)
	})
}

func TestALogThatIsNearlyFullIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		levels []events.Level
		want   []string
	}{
		{"once, until there is room", []events.Level{events.LevelWarning, events.LevelAmple, events.LevelWarning}, []string{"log.room main-1", "log.room.over main-1", "log.room main-7"}},
		{"its reserve is told too: nobody may connect any more", []events.Level{events.LevelWarning, events.LevelReserve, events.LevelWarning, events.LevelAmple},
			[]string{"log.room main-1", "log.room main-1", "log.room.over main-1"}},
		{"a disk that is full at once", []events.Level{events.LevelReserve, events.LevelWarning, events.LevelReserve}, []string{"log.room main-1", "log.room main-1"}},
		{"that there is room, of which nobody knew otherwise", []events.Level{events.LevelAmple}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, ch := newLog(t), newChannel("phone")
				for _, at := range c.levels {
					l.reboot()
					during(t, l, settings(ch), func() {
						l.write(events.RecorderRoom{Level: at, UsedBytes: 85, LimitBytes: 100})
						time.Sleep(2 * time.Minute)
					}, ch)
				}
				same(t, "told", c.want, ch.told)
			})
		})
	}
}
