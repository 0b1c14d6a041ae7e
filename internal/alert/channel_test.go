package alert_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	tell "ibrecorder/internal/channel"
	"ibrecorder/internal/notice"
)

var errNoRoute = &tell.TellError{ExitCode: 3, Text: "no route", Err: errors.New("exit status 3")}

// downUntil fails until that moment.
func (c *channel) downUntil(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = func(int) error {
		if time.Now().Before(t) {
			return errNoRoute
		}
		return nil
	}
}

// The waits grow to a minute, and each second failure of twice as many is written down:
// a channel that is away for a night costs the log a dozen events.
func TestAChannelThatFailsIsTriedForADay(t *testing.T) {
	for _, c := range []struct {
		name  string
		down  time.Duration
		tries int64 // at least
		want  string
	}{
		{"for three seconds", 3 * time.Second, 4, "delivered"},
		{"for a night", 10 * time.Hour, 600, "delivered"},
		{"for good: it is given up after a day", 48 * time.Hour, 1440, "given up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, ch := newLog(t), newChannel("phone")
				s := settings(ch)
				s.Most = 0
				ch.downUntil(time.Now().Add(c.down))
				began := time.Now()
				during(t, l, s, func() {
					l.stop()
					time.Sleep(50 * time.Hour)
				}, ch)
				got, tries, failures, at := "", int64(0), 0, time.Time{}
				for rec, err := range l.Read(t.Context(), 1, 0) {
					if err != nil {
						t.Fatal(err)
					}
					switch d := rec.Data.(type) {
					case events.AlertDelivered:
						got, tries, at = "delivered", d.Tries, rec.Time
					case events.AlertFailed:
						failures++
						if d.Final {
							got, tries, at = "given up", d.Try, rec.Time
						}
						if d.ExitCode != 3 || d.Text != "exit status 3: no route" {
							t.Errorf("the log has %+v", d)
						}
					}
				}
				if got != c.want || tries < c.tries || failures > 13 {
					t.Errorf("%s at try %d, with %d failures in the log; want %s, %d tries at least, 13 failures at most", got, tries, failures, c.want, c.tries)
				}
				if late := at.Sub(began) - min(c.down, 24*time.Hour); late < 0 || late > 61*time.Second {
					t.Errorf("%s, %s after it could be", got, late)
				}
				if int64(len(ch.told)) != tries {
					t.Errorf("tried %d times, and the log says %d", len(ch.told), tries)
				}
			})
		})
	}
}

func TestWhatWillNotBeTakenLaterEitherIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		ch.fail = func(int) error { return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 404"), Final: true} }
		during(t, l, settings(ch), func() {
			l.stop()
			time.Sleep(59 * time.Minute)
			l.release()
			time.Sleep(time.Hour)
		}, ch)
		// Each message is tried once; nobody is told of the end who was not told of the stop.
		same(t, "tried", []string{"stop main-1", "reminder main-1"}, ch.told)
		if strings.Count(l.outcomes(), "final true") != 2 || strings.Contains(l.outcomes(), "delivered") {
			t.Errorf("the log:\n%s", l.outcomes())
		}
	})
}

func TestAReceiverThatAsksToBeLeftAloneIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		var tried []time.Time
		ch.fail = func(try int) error {
			tried = append(tried, time.Now())
			if try == 1 {
				return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 429"), RetryAfter: 17 * time.Minute}
			}
			return nil
		}
		during(t, l, settings(ch), func() {
			l.stop()
			time.Sleep(20 * time.Minute)
		}, ch)
		if len(tried) != 2 || tried[1].Sub(tried[0]) != 17*time.Minute {
			t.Errorf("tried at %v, want twice, 17 minutes apart", tried)
		}
	})
}

// A receiver may choke on one kind of message alone.
func TestAStopIsNotKeptWaitingBehindWhatAChannelDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("hook")
		ch.fail = func(int) error {
			if strings.HasPrefix(ch.told[len(ch.told)-1], "breach") {
				return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 500")}
			}
			return nil
		}
		s := settings(ch)
		during(t, l, s, func() {
			l.write(events.RuleViolated{Rule: "RS1", Bypassed: true, Text: "a connect around the recorder"})
			time.Sleep(10 * time.Minute) // it is tried once a minute by now
			stopped := l.stop().Seq
			time.Sleep(61 * time.Second)
			synctest.Wait()
			same(t, "came in a minute", []string{fmt.Sprintf("stop main-%d", stopped)}, ch.taken())
			time.Sleep(35 * time.Minute)
			l.release()
			time.Sleep(30 * time.Hour) // the breach is given up
			l.write(events.RuleViolated{Rule: "RS1", Bypassed: true, Text: "a connect around the recorder"})
			ch.downUntil(time.Time{}) // it is mended
			time.Sleep(time.Hour)
			same(t, "came in all", []string{"stop", "reminder", "over", "breach"}, kindsOf(ch.taken()))
		}, ch)
		for key, n := range ch.keys {
			if n != 1 {
				t.Errorf("%s came %d times", key, n)
			}
		}
	})
}

func TestAReminderThatWasOvertakenIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("phone")
		ch.downUntil(time.Now().Add(100 * time.Minute)) // through three reminders
		during(t, l, settings(ch), func() {
			l.stop()
			time.Sleep(119 * time.Minute)
		}, ch)
		told := ch.told[len(ch.told)-1]
		if len(ch.keys) != 1 || told != "stop main-1" {
			t.Errorf("after an hour and a half without a network %d messages came, the last %q; want the stop alone", len(ch.keys), told)
		}
	})
}

func TestAChannelThatFailsIsToldThroughTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, phone, mail := newLog(t), newChannel("phone"), newChannel("mail")
		s := settings(phone, mail)
		s.Most = 0
		phone.downUntil(time.Now().Add(2 * time.Hour))
		clerk := during(t, l, s, func() {
			l.stop()
			time.Sleep(4 * time.Minute)
			synctest.Wait()
			same(t, "mail was told in the first four minutes", []string{"stop"}, mail.kinds())
			time.Sleep(90 * time.Minute)
			synctest.Wait()
			same(t, "mail was told while the phone was silent", []string{"stop", "channel.silent"}, mail.kinds())
		}, phone, mail)
		if c := clerk.View().Channels[1]; c.Name != "phone" || c.Failing == "" || !c.Delivered.IsZero() {
			t.Errorf("while it is silent the status has %+v", c)
		}
		clerk = during(t, l, s, func() { time.Sleep(3 * time.Hour) }, phone, mail)
		if c := clerk.View().Channels[1]; c.Failing != "" || c.Delivered.IsZero() {
			t.Errorf("when it is well again the status has %+v", c)
		}
		same(t, "mail was told of its recovery", []string{"stop", "channel.silent", "channel.silent.over"}, mail.kinds())
		if phone.keys[fmt.Sprintf("%s-main-1/stop", "boot1")] != 1 {
			t.Errorf("the phone got %v", phone.keys)
		}
	})
}

// kindsOf leaves the incidents away.
func kindsOf(told []string) (kinds []string) {
	for _, one := range told {
		kind, _, _ := strings.Cut(one, " ")
		kinds = append(kinds, kind)
	}
	return kinds
}

// taken is what it took so far.
func (c *channel) taken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.came)
}

// kinds are of what it was told so far.
func (c *channel) kinds() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return kindsOf(c.told)
}

func TestSomeAreToldOfStopsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ch := newLog(t), newChannel("command")
		some := alert.Some{Channel: ch, Kinds: []notice.Kind{notice.Stop, notice.Over}}
		runWith(t, l, settings(ch), func() {
			l.stop()
			time.Sleep(time.Hour)
			l.release()
		}, some)
		same(t, "told", []string{"stop main-1", "over main-1"}, ch.told)
	})
}

// Killed five times within the hour in which its receiver is down: whatever the consumer
// remembers, the message comes exactly once for whoever deduplicates.
func TestAReceiverThatIsDownForAnHourAndARecorderThatIsKilledFiveTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog(t)
		names := []string{"phone", "mail", "pager"}
		var all []*channel
		for i, name := range names {
			ch := newChannel(name)
			ch.downUntil(time.Now().Add(time.Hour + time.Duration(i)*time.Minute))
			all = append(all, ch)
		}
		s := settings(all...)
		for kill := range 6 {
			if kill > 0 {
				l = l.killed()
			}
			during(t, l, s, func() {
				if kill == 0 {
					l.stop()
				}
				time.Sleep(11 * time.Minute)
			}, all...)
		}
		for _, ch := range all {
			stops := 0
			for key, n := range ch.keys {
				if strings.HasSuffix(key, "/stop") {
					stops++
				}
				if n != 1 {
					t.Errorf("%s got %s %d times", ch.name, key, n)
				}
			}
			if stops != 1 {
				t.Errorf("%s got %v, want the stop once", ch.name, ch.keys)
			}
		}
	})
}
