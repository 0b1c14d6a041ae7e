package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"ibrecorder/events"
)

// desk is a log of readings.
type desk struct {
	all  []events.GatewayObserved
	fail bool
}

func (d *desk) Last() (string, events.GatewayObserved) {
	if len(d.all) == 0 {
		return "", events.GatewayObserved{}
	}
	return fmt.Sprint(len(d.all)), d.all[len(d.all)-1]
}

func (d *desk) Observed(_ context.Context, seen events.GatewayObserved, after string) (bool, error) {
	if last, _ := d.Last(); last != after {
		return false, nil
	}
	if d.fail {
		return false, errors.New("the log is full")
	}
	d.all = append(d.all, seen)
	return true, nil
}

type sensorFunc func(context.Context) events.GatewayObserved

func (f sensorFunc) Look(ctx context.Context) (events.GatewayObserved, []Unaccepted) {
	return f(ctx), nil
}

func java(pid int64) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: pid, StartedMS: pid * 100_000, Socket: fmt.Sprint(pid)}
}

var (
	none     = events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
	denied   = events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown, Text: "permission denied"}
	slow     = events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown, Text: "it took too long"}
	another  = events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown, Socket: "1", Text: "another user's"}
	someones = events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, Process: "socat", PID: 9, StartedMS: 9, Socket: "9"}
)

func TestOnlyChangesAreRecorded(t *testing.T) {
	busy := java(1)
	busy.QueueSockets = new(int64)
	*busy.QueueSockets = 37
	moved := java(1) // by a clock that was set
	moved.StartedMS += 3_000
	reused := java(1)
	reused.StartedMS += 60_000
	for _, c := range []struct {
		name           string
		log, seen, add []events.GatewayObserved
	}{
		{"the first reading of all", nil, []events.GatewayObserved{java(1), java(1)}, nil},
		{"the first reading of all shows nobody", nil, []events.GatewayObserved{none, none, java(1), java(1)}, []events.GatewayObserved{none, java(1)}},
		{"what changed since the first", nil, []events.GatewayObserved{java(1), none, java(2)}, []events.GatewayObserved{none, java(2)}},
		{"as the log has it", []events.GatewayObserved{java(1)}, []events.GatewayObserved{java(1)}, nil},
		{"what changed while no recorder ran", []events.GatewayObserved{java(1)}, []events.GatewayObserved{java(2)}, []events.GatewayObserved{java(2)}},
		{"a restart", []events.GatewayObserved{java(1)}, []events.GatewayObserved{none, none, java(2), java(2)}, []events.GatewayObserved{none, java(2)}},
		{"counts", []events.GatewayObserved{java(1)}, []events.GatewayObserved{busy}, nil},
		{"a start time that a set clock explains", []events.GatewayObserved{java(1)}, []events.GatewayObserved{moved}, nil},
		{"the id was given out again", []events.GatewayObserved{java(1)}, []events.GatewayObserved{reused}, []events.GatewayObserved{reused}},
		{"another program", []events.GatewayObserved{java(1)}, []events.GatewayObserved{someones}, []events.GatewayObserved{someones}},
		{"a sensor that fails says so once", []events.GatewayObserved{java(1)},
			[]events.GatewayObserved{denied, denied, java(1), denied, denied}, []events.GatewayObserved{denied, java(1)}},
		{"for each reason", nil, []events.GatewayObserved{denied, slow, denied}, []events.GatewayObserved{denied, slow}},
		{"a restart while the sensor failed", []events.GatewayObserved{java(1)},
			[]events.GatewayObserved{denied, java(2)}, []events.GatewayObserved{denied, java(2)}},
		{"an owner that cannot be read is said once", nil, []events.GatewayObserved{another, another}, []events.GatewayObserved{another}},
		{"and again when the next run starts only if it is new", []events.GatewayObserved{another}, []events.GatewayObserved{another}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, n := &desk{all: slices.Clone(c.log)}, 0
			w := watcher{said: make(map[string]bool), Periodic: Periodic{Desk: d, Logger: slog.New(slog.DiscardHandler),
				Sensor: sensorFunc(func(context.Context) events.GatewayObserved { n++; return c.seen[n-1] })}}
			for range c.seen {
				w.look(t.Context())
			}
			if got := d.all[len(c.log):]; !slices.Equal(got, c.add) {
				t.Errorf("recorded %+v, want %+v", got, c.add)
			}
		})
	}
}

func TestWhatTheLogDidNotTakeIsSaidLater(t *testing.T) {
	d := &desk{all: []events.GatewayObserved{java(1)}, fail: true}
	w := watcher{said: make(map[string]bool), Periodic: Periodic{Desk: d, Logger: slog.New(slog.DiscardHandler),
		Sensor: sensorFunc(func(context.Context) events.GatewayObserved { return denied })}}
	w.look(t.Context())
	d.fail = false
	w.look(t.Context())
	if len(d.all) != 2 {
		t.Errorf("the log has %+v", d.all)
	}
}

func TestAReadingThatIsCutShortSaysNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &desk{all: []events.GatewayObserved{java(1)}}
	Periodic{Desk: d, Every: Interval, Logger: slog.New(slog.DiscardHandler), Sensor: sensorFunc(func(reading context.Context) events.GatewayObserved {
		if _, bounded := reading.Deadline(); !bounded {
			t.Error("a reading has no bound")
		}
		cancel()
		return slow
	})}.Run(ctx)
	if len(d.all) != 1 {
		t.Errorf("the end of a run was recorded as a failure: %+v", d.all)
	}
}
