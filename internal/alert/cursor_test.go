package alert_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	tell "ibrecorder/internal/channel"
)

// What a channel was told is in the log alone. So it must come out the same whether one run
// has told all of it, or another goes on in the middle, by a reload or a restart, and reads
// back from wherever the next alert begins.
func TestItDoesNotMatterWhichRunTells(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  func(d *day, phone, mail *channel)
		second func(d *day, phone, mail *channel)
		want   string // what came to the phone
	}{
		{"an outage becomes a stop while another alert ends", func(d *day, _, mail *channel) {
			mail.downUntil(time.Now().Add(90 * time.Minute))
			d.writeAs("/recorder", "", events.RuleViolated{Rule: "RS1", Bypassed: true, Text: "a connect around the recorder"})
			time.Sleep(10 * time.Minute)
			d.sees(events.ListeningNo)
			time.Sleep(20 * time.Minute)
		}, func(d *day, _, _ *channel) {
			time.Sleep(10 * time.Minute)
			d.stop()
			time.Sleep(5 * time.Hour)
		}, "breach channel.silent outage stop reminder channel.silent.over reminder reminder reminder reminder reminder reminder reminder"},
		{"an outage was told, and becomes a stop that ends before it can be", func(d *day, _, _ *channel) {
			d.sees(events.ListeningNo)
			time.Sleep(20 * time.Minute)
		}, func(d *day, phone, _ *channel) {
			phone.downUntil(time.Now().Add(10 * time.Minute))
			d.stop()
			time.Sleep(5 * time.Minute)
			d.sees(events.ListeningYes)
			d.release()
			time.Sleep(time.Hour)
		}, "outage over"},
		{"a log comes to its reserve while a stop is reminded of", func(d *day, _, _ *channel) {
			d.stop()
			time.Sleep(time.Minute)
			d.write(events.RecorderRoom{Level: events.LevelWarning, UsedBytes: 85, LimitBytes: 100})
			time.Sleep(9 * time.Minute)
		}, func(d *day, phone, _ *channel) {
			time.Sleep(15 * time.Minute)
			phone.downUntil(time.Now().Add(12 * time.Minute))
			d.write(events.RecorderRoom{Level: events.LevelReserve, UsedBytes: 96, LimitBytes: 100})
			time.Sleep(30 * time.Minute)
			d.write(events.RecorderRoom{Level: events.LevelAmple, UsedBytes: 6, LimitBytes: 100})
			time.Sleep(time.Minute)
		}, "stop log.room log.room reminder log.room.over"},
		{"an outage that somebody has acknowledged becomes a stop", func(d *day, _, _ *channel) {
			d.sees(events.ListeningNo)
			time.Sleep(20 * time.Minute)
			d.writeAs("/operator/cli", "", events.AlertAcknowledged{Incident: "main-1", Raised: 2, By: "kim"})
		}, func(d *day, _, _ *channel) {
			d.stop()
			time.Sleep(31 * time.Minute)
		}, "outage stop reminder"},
	} {
		for name, runs := range map[string]int{"one run": 1, "two runs": 2} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, phone, mail := &day{log: newLog(t)}, newChannel("phone"), newChannel("mail")
					s := settings(phone, mail)
					if runs == 1 {
						during(t, d.log, s, func() { c.first(d, phone, mail); synctest.Wait(); c.second(d, phone, mail) }, phone, mail)
					} else {
						during(t, d.log, s, func() { c.first(d, phone, mail) }, phone, mail)
						during(t, d.log, s, func() { c.second(d, phone, mail) }, phone, mail)
					}
					same(t, "came to the phone", strings.Fields(c.want), kindsOf(phone.came))
				})
			})
		}
	}
}

func TestAnOutageThatIsBeingToldWhenItBecomesAStopIsToldToBeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, phone := &day{log: newLog(t)}, newChannel("phone")
		phone.fail = func(int) error { time.Sleep(9 * time.Second); return nil } // it takes its time
		during(t, d.log, settings(phone), func() {
			d.sees(events.ListeningNo)
			time.Sleep(10*time.Minute + 2*time.Second) // it is being told
			d.stop()
			time.Sleep(3 * time.Second)
			d.sees(events.ListeningYes)
			d.release()
			time.Sleep(2 * time.Hour)
		}, phone)
		same(t, "came", []string{"outage main-1", "over main-1"}, phone.came)
	})
}

func TestAStopDoesNotWaitBehindTheEndOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, phone := newLog(t), newChannel("phone")
		phone.fail = func(int) error {
			if strings.HasPrefix(phone.told[len(phone.told)-1], "over") {
				return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 500")}
			}
			return nil
		}
		during(t, l, settings(phone), func() {
			l.stop()
			time.Sleep(time.Minute)
			l.release()
			time.Sleep(10 * time.Minute)
			l.stop()
			time.Sleep(61 * time.Second)
		}, phone)
		same(t, "came", []string{"stop", "stop"}, kindsOf(phone.came))
	})
}

// A receiver that names a time means itself, whatever it was told.
func TestWhatOvertakesWaitsAsLongAsTheReceiverWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, phone := newLog(t), newChannel("phone")
		tried := 0
		phone.fail = func(int) error {
			if !strings.HasPrefix(phone.told[len(phone.told)-1], "stop") {
				return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 500")}
			}
			tried++
			return &tell.TellError{ExitCode: -1, Err: errors.New("it answered 429"), RetryAfter: time.Hour}
		}
		s := settings(phone)
		s.Most = 0
		during(t, l, s, func() {
			l.write(events.RuleViolated{Rule: "RS1", Bypassed: true, Text: "a connect around the recorder"})
			time.Sleep(time.Minute)
			l.stop()
			time.Sleep(59 * time.Minute)
		}, phone)
		if tried != 1 {
			t.Errorf("the stop was tried %d times in the hour that the receiver wants", tried)
		}
	})
}

// An end that was never told of, because it is old, is no news to a channel that begins anew.
func TestOldEndsAreNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, phone := newLog(t), newChannel("phone")
		full := l.write(events.RecorderRoom{Level: events.LevelWarning, UsedBytes: 85, LimitBytes: 100})
		raised := l.writeAs("/recorder", full.ID, events.AlertRaised{About: events.AboutRoom, Incident: "main-1", Of: full.Seq, UsedPercent: 80})
		l.writeAs("/recorder", raised.ID, events.AlertDelivered{Channel: "phone", Tries: 1})
		ample := l.write(events.RecorderRoom{Level: events.LevelAmple, UsedBytes: 5, LimitBytes: 100})
		l.writeAs("/recorder", ample.ID, events.AlertResolved{About: events.AboutRoom, Incident: "main-1", Raised: raised.Seq, Of: ample.Seq})
		time.Sleep(30 * time.Hour)
		during(t, l, settings(phone), func() { time.Sleep(time.Minute) }, phone)
		same(t, "told", nil, phone.told)
	})
}

// Nobody is left with a channel that is silent for ever.
func TestASilentChannelThatIsTakenOutIsToldToBeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, phone, mail := newLog(t), newChannel("phone"), newChannel("mail")
		mail.downUntil(time.Now().Add(1000 * time.Hour))
		during(t, l, settings(phone, mail), func() {
			l.stop()
			time.Sleep(10 * time.Minute)
			l.release()
			time.Sleep(time.Minute)
		}, phone, mail)
		during(t, l, settings(phone), func() { time.Sleep(time.Minute) }, phone)
		same(t, "told", []string{"stop", "channel.silent", "over", "channel.silent.over"}, kindsOf(phone.told))
	})
}
