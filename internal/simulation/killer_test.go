package simulation

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"ibrecorder/events"
)

// killer ends runs of the recorder at the steps of its loop. Its methods may be called
// from any goroutine.
type killer struct {
	mu     sync.Mutex // guards the rest
	orders int        // that many runs die at a step at which none has died yet
	wanted []string   // and at these, in any order
	deaths map[string]int
	total  int
}

// killed is what the loop panics with: nothing of it goes on, as after a signal.
type killed struct{ at string }

// vital are the steps at which some run of each week dies.
func vital() (steps []string) {
	for _, kind := range []events.Kind{
		(events.AttemptPermitted{}).Kind(), (events.GatewayDown{}).Kind(), (events.RestartRequired{}).Kind(),
		(events.RestartAcknowledged{}).Kind(), (events.RetryScheduled{}).Kind(),
	} {
		for _, phase := range []string{"append", "fold", "decide", "act"} {
			steps = append(steps, fmt.Sprint(phase, " ", kind))
		}
	}
	return steps
}

// step is told of each one, on the loop's goroutine.
func (k *killer) step(at string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.Index(k.wanted, at)
	switch {
	case i >= 0:
		k.wanted = slices.Delete(k.wanted, i, i+1)
	case k.orders > 0 && k.deaths[at] == 0 && !slices.Contains(vital(), at):
		k.orders--
	default:
		return
	}
	k.deaths[at]++
	k.total++
	panic(killed{at})
}

// order has a run die soon.
func (k *killer) order() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.orders++
}

// want has runs die at more steps.
func (k *killer) want(steps ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = append(k.wanted, steps...)
}

// phases counts deaths by the first word of the step.
func (k *killer) phases() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := map[string]int{}
	for at, deaths := range k.deaths {
		phase, _, _ := strings.Cut(at, " ")
		n[phase] += deaths
	}
	return n
}

// survives runs f, and says whether it was killed.
func survives(f func() error) (err error, dead bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(killed); !ours {
				panic(r)
			}
			dead = true
		}
	}()
	return f(), false
}
