package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// happening is one line of a week: what the world does, and when.
type happening struct {
	at    time.Duration // since the beginning
	what  what
	lasts time.Duration // how long it lasts, 0 if that has no meaning
	with  string        // a variant of it
	n     int           // a number that it needs: a client id, a count
}

type what string

const (
	restarts   what = "the Gateway restarts"                      // and comes back after a while
	wedges     what = "the Gateway falls silent"                  // until its process is another one
	upstream   what = "IB's servers are lost"                     // 1100, and with is the code of the end
	farm       what = "a market data farm comes and goes"         // 2103, 2104
	cuts       what = "connections to the Gateway break"          // with fin or rst
	duel       what = "a second program has the same id"          // n is the id
	leaver     what = "a program leaves in its handshake"         // lasts is its patience
	mute       what = "a program never sends startAPI"            //
	prober     what = "a port scanner connects"                   //
	full       what = "the disk is full"                          //
	acks       what = "answers of the log are lost"               // n of them
	clock      what = "somebody sets the clock"                   // lasts is by how much, and may be negative
	upgrade    what = "the recorder is restarted in order"        // with is the policy of its next run
	crash      what = "the recorder is killed"                    // at the next step at which it never was
	claims     what = "an operator resumes what is not stopped"   //
	disconnect what = "an operator disconnects everybody"         // with is "force", or nothing
	taken      what = "somebody has the tap's port"               //
	reported   what = "a runner reports that the Gateway is down" //
	blind      what = "the listener belongs to a forwarder"       // while that is so, a restart cannot be observed
)

func (h happening) String() string {
	d := h.at / day
	s := fmt.Sprintf("day %d %s %s", d+1, time.Time{}.Add(h.at-d*day).Format("15:04:05"), h.what)
	if h.with != "" {
		s += ": " + h.with
	}
	if h.n != 0 {
		s += fmt.Sprintf(", %d", h.n)
	}
	if h.lasts != 0 {
		s += ", " + h.lasts.String()
	}
	return s
}

// script is what a seed makes of so many days, in order. It begins on a Saturday at
// midnight, as the clock of a bubble does.
func script(seed uint64, days int) []happening {
	r := rand.New(rand.NewPCG(seed, 0))
	end := time.Duration(days) * day
	var all []happening
	add := func(h happening) {
		h.at, h.lasts = h.at.Truncate(time.Second), h.lasts.Truncate(time.Second)
		all = append(all, h)
	}
	span := func(least, most time.Duration) time.Duration {
		return least + time.Duration(r.Int64N(int64(most-least)))
	}
	some := func(perDay int, make func(at time.Duration) happening) {
		for range perDay * days {
			h := make(span(10*time.Minute, end))
			add(h)
		}
	}
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for d := range days {
		// Nightly, as IB's own auto-restart; the one on Sunday is a login, for which somebody must come.
		add(happening{at: time.Duration(d)*day + 23*time.Hour + 45*time.Minute, what: restarts, lasts: span(time.Minute, 5*time.Minute)})
		if d%7 == 1 {
			add(happening{at: time.Duration(d)*day + 5*time.Hour, what: restarts, lasts: span(20*time.Minute, 3*time.Hour)})
		}
	}
	some(3, func(at time.Duration) happening {
		return happening{at: at, what: wedges, with: pick(silences...)}
	})
	some(1, func(at time.Duration) happening {
		return happening{at: at, what: blind, lasts: span(time.Hour, 8*time.Hour)}
	})
	some(2, func(at time.Duration) happening {
		return happening{at: at, what: upstream, with: pick("1101", "1102"), lasts: span(time.Second, 40*time.Minute)}
	})
	some(2, func(at time.Duration) happening {
		return happening{at: at, what: farm, lasts: span(time.Second, 10*time.Minute)}
	})
	some(4, func(at time.Duration) happening { return happening{at: at, what: cuts, with: pick("fin", "rst")} })
	some(3, func(at time.Duration) happening { return happening{at: at, what: duel, n: 1 + r.IntN(2)} })
	some(3, func(at time.Duration) happening {
		return happening{at: at, what: leaver, lasts: span(0, 40*time.Second), n: 7}
	})
	some(1, func(at time.Duration) happening { return happening{at: at, what: mute} })
	some(2, func(at time.Duration) happening { return happening{at: at, what: prober} })
	some(1, func(at time.Duration) happening {
		return happening{at: at, what: full, lasts: span(time.Second, 3*time.Minute)}
	})
	some(2, func(at time.Duration) happening { return happening{at: at, what: acks, n: 1 + r.IntN(5)} })
	some(2, func(at time.Duration) happening {
		return happening{at: at, what: clock, lasts: time.Duration(1-2*r.IntN(2)) * span(time.Second, 3*time.Hour)}
	})
	some(1, func(at time.Duration) happening {
		return happening{at: at, what: upgrade, with: pick("handoff", "handoff", "lenient")}
	})
	some(20, func(at time.Duration) happening { return happening{at: at, what: crash} })
	some(1, func(at time.Duration) happening { return happening{at: at, what: claims} })
	some(2, func(at time.Duration) happening { return happening{at: at, what: disconnect, with: pick("", "force")} })
	some(1, func(at time.Duration) happening {
		return happening{at: at, what: taken, lasts: span(time.Second, 20*time.Minute)}
	})
	some(1, func(at time.Duration) happening { return happening{at: at, what: reported} })
	slices.SortStableFunc(all, func(a, b happening) int { return int(a.at - b.at) })
	return all
}

// silences are the ways in which a Gateway is down and does not say so, the usual ones
// more than once. All but one are scripts of the simulator. Half an answer is no silence
// by the rule: it is tried until somebody comes.
var silences = []string{"silence", "silence", "silence", "hello\nsilence", "hello\nsilence", unanswered, unanswered, `wait hello
send "\x00\x00\x00\x1a176\x002026"
silence`}

// unanswered: no SYN is answered, so dials time out.
const unanswered = "no answer to a dial"

// healthy is the script of a connection that begins at a time: what the week has in
// store for IB's servers and the farms is told to it when it comes.
func healthy(plan []happening, from time.Duration) string {
	type line struct {
		at   time.Duration
		text string
	}
	var lines []line
	for _, h := range plan {
		switch {
		case h.at < from || h.at > from+day:
		case h.what == upstream:
			lines = append(lines, line{h.at, "error -1 1100"}, line{h.at + h.lasts, "error -1 " + h.with})
		case h.what == farm:
			lines = append(lines, line{h.at, "error -1 2103"}, line{h.at + h.lasts, "error -1 2104"})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return int(a.at - b.at) })
	var b strings.Builder
	b.WriteString("hello\nwait start-api\nready\n")
	for _, l := range lines {
		if wait := l.at - from; wait > 0 {
			fmt.Fprintf(&b, "silence %s\n", wait)
			from = l.at
		}
		b.WriteString(l.text + "\n")
	}
	b.WriteString("silence")
	return b.String()
}
