package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/watch"
)

func (e *examination) listener(p Place) {
	s := p.Seen
	who := named(s.Process, s.PID)
	switch {
	case s.Listening == events.ListeningNo:
		e.absent(p)
	case s.Listening != events.ListeningYes:
		e.add(Gateway, p.Name, Skip, "nothing can be read of "+p.Address+": "+s.Text, fmt.Sprintf("look there; whether it was restarted, an operator has to say: recorder resume %s --reason TEXT", p.Name))
	case s.PID == 0:
		e.add(Gateway, p.Name, Skip, fmt.Sprintf("something listens on %s, and not whose it is can be read: %s", p.Address, s.Text), "ask as the user who runs the Gateway: recorder doctor")
	case s.Owner == events.OwnerGateway:
		since := ""
		if s.StartedMS > 0 {
			since = ", up " + age(e.Now.Sub(time.UnixMilli(s.StartedMS)))
		}
		e.ok(Gateway, p.Name, "%s listens on %s%s", who, p.Address, since)
	case s.Owner == events.OwnerOther:
		e.ok(Gateway, p.Name, "%s listens on %s and passes on; a restart of the Gateway behind it is known from an operator alone", who, p.Address)
	default:
		e.add(Gateway, p.Name, Warn, fmt.Sprintf("%s listens on %s, which is not how a Gateway is called", who, p.Address), fmt.Sprintf("if it is none, end it, or name the right port: recorder run --gateway %s=HOST:PORT", p.Name))
	}
}

func (e *examination) absent(p Place) {
	fix := "start the Gateway and log in; its usual ports are 4001 (live) and 4002 (paper), TWS has 7496 and 7497, the usual container 4003 and 4004"
	if len(p.Others) > 0 {
		var there []string
		for _, o := range p.Others {
			there = append(there, fmt.Sprintf("%s listens on %d", cmp.Or(o.Process, "something"), o.Number))
		}
		fix = fmt.Sprintf("start it, or if it is one of these (%s): recorder run --gateway %s=127.0.0.1:%d", strings.Join(there, ", "), p.Name, p.Others[0].Number)
	}
	e.add(Gateway, p.Name, Fail, "nothing listens on "+p.Address, fix)
}

// manyLeft is from how many sockets in CLOSE_WAIT on the API layer is taken for stuck:
// one or two may be a moment.
const manyLeft = 5

func (e *examination) sockets(p Place) {
	s := p.Seen
	if s.Listening != events.ListeningYes || s.UnacceptedSockets == nil {
		return
	}
	restart := "restart the Gateway by hand: exit, start, log in"
	if unaccepted := *s.UnacceptedSockets; unaccepted > 0 {
		e.add(Gateway, p.Name, Fail, fmt.Sprintf("%s on %s that nobody accepts, with %d bytes unread: its API layer is stuck", count(int(unaccepted), "connection"), p.Address, *s.UnacceptedBytes), restart)
	} else if waiting := *s.QueueSockets; waiting > 0 {
		e.add(Gateway, p.Name, Warn, fmt.Sprintf("%s in the queue of %s that nobody accepts", count(int(waiting), "connection"), p.Address), "look again in a moment: recorder doctor; if it stays so, "+restart)
	}
	if left := *s.CloseWaitSockets; left > 0 {
		level, fix := Warn, "look again in a minute: recorder doctor; if it grows, "+restart
		if left >= manyLeft {
			level, fix = Fail, restart
		}
		e.add(Gateway, p.Name, level, fmt.Sprintf("%s in CLOSE_WAIT on %s: clients have left, and the Gateway has not closed", count(int(left), "socket"), p.Address), fix)
	}
}

// direct finds the programs that go around the tap.
func (e *examination) direct(p Place) {
	if p.Seen.Listening == events.ListeningNo {
		return
	}
	if p.PeersErr != nil {
		e.add(Gateway, p.Name, Skip, "who is connected to it directly cannot be read: "+p.PeersErr.Error(), "ask on the Gateway's host")
		return
	}
	if e.recorder() == 0 && !e.nobody() && len(p.Peers) > 0 {
		e.add(Gateway, p.Name, Skip, fmt.Sprintf("%s to it, and which of them is the recorder's cannot be read", count(len(p.Peers), "connection")), "ask as the user who runs the recorder: recorder doctor")
		return
	}
	connections := make(map[string]int)
	for _, peer := range p.Peers {
		if peer.PID != 0 && peer.PID == e.recorder() {
			continue
		}
		connections[program(peer)]++
	}
	var programs []string
	for name := range connections {
		programs = append(programs, name)
	}
	slices.Sort(programs)
	says, fix := "nobody holds or records it", "change its port to that of the tap, "+p.Tap
	if s, _ := e.live(p.Name); s.NATS != "" { // a lease does not say whose process dials
		says, fix = "nobody holds it, unless it asks over NATS before it dials", "if it does not, "+fix
	}
	for _, name := range programs {
		e.add(Gateway, p.Name, Warn, fmt.Sprintf("%s is connected to %s directly (%s): %s", name, p.Address, count(connections[name], "connection"), says), fix)
	}
	if len(programs) == 0 {
		e.ok(Gateway, p.Name, "nobody is connected to it directly")
	}
}

func program(p watch.Peer) string {
	switch {
	case !p.Here:
		return "a program at " + p.Program.Addr().String()
	case p.PID == 0:
		return "a program of another user"
	}
	return named(p.Process, int64(p.PID))
}

func (e *examination) tap(p Place) {
	s, guarded := e.live(p.Name)
	seen := p.TapSeen
	who := named(seen.Process, seen.PID)
	if seen.PID == 0 {
		who = "a program that cannot be read"
	}
	listens := seen.Listening == events.ListeningYes
	foreign := listens && seen.PID != 0 && seen.PID != int64(e.recorder())
	closed := s.Gate == gateStopped && s.Mode == events.Enforce && s.Held != "explain"
	other := fmt.Sprintf("end it, or choose another port: recorder run --tap %s=127.0.0.1:PORT", p.Name)
	switch {
	case strings.HasSuffix(p.Tap, ":0"):
		e.ok(Tap, p.Name, "any free port of 127.0.0.1, said when the recorder starts")
	case len(e.Live) == 0 && !e.nobody():
		e.add(Tap, p.Name, Skip, "whether the recorder has "+p.Tap+" cannot be read", "ask as the user who runs the recorder: recorder doctor")
	case !guarded && listens:
		e.add(Tap, p.Name, Fail, fmt.Sprintf("%s listens on %s, so no recorder can", who, p.Tap), other)
	case !guarded && seen.Listening == events.ListeningNo:
		e.ok(Tap, p.Name, "%s is free", p.Tap)
	case seen.Listening == events.ListeningUnknown:
		e.add(Tap, p.Name, Skip, "nothing can be read of "+p.Tap+": "+seen.Text, "recorder status")
	case foreign:
		e.add(Tap, p.Name, Fail, fmt.Sprintf("%s listens on %s, and not the recorder: programs that connect there are not guarded", who, p.Tap), "end it; the recorder takes the port by itself once it may open it")
	case s.TapError != "":
		e.add(Tap, p.Name, Fail, fmt.Sprintf("the recorder cannot listen on %s: %s", p.Tap, s.TapError), cmp.Or(s.Next, "recorder status"))
	case listens:
		e.ok(Tap, p.Name, "the recorder listens on %s", p.Tap)
	case closed:
		e.ok(Tap, p.Name, "%s is closed while the gate is STOPPED", p.Tap)
	case s.Closed:
		e.ok(Tap, p.Name, "%s is closed while the Gateway does not listen", p.Tap)
	default:
		e.add(Tap, p.Name, Fail, fmt.Sprintf("nothing listens on %s, although a recorder runs", p.Tap), "look again: recorder doctor; if it stays so, stop the recorder, then: recorder run")
	}
}

// named is a process as it is told to people.
func named(process string, pid int64) string {
	if process == "" {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("%s (process %d)", process, pid)
}

// age is how long something runs, in two units at most.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
