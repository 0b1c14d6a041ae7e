package doctor

import (
	"errors"
	"fmt"
	"net/netip"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
	"ibrecorder/store"
)

// The words of a status that are looked at here.
const (
	gateStopped = "STOPPED"
	gateBackoff = "BACKOFF"
	apiDegraded = "DEGRADED"
	phaseMute   = "MUTE"
)

func (e *examination) running() {
	switch locked := (*store.LockError)(nil); {
	case e.nobody():
		e.add(Recorder, "", Warn, "none runs, so no program gets through its port", "recorder run")
		for _, name := range e.stoppedIn() {
			e.add(Recorder, name, Fail, "its gate is STOPPED in the log: the Gateway needs a manual restart",
				fmt.Sprintf("recorder run, restart the Gateway, log in, then: recorder resume %s --reason TEXT", name))
		}
		return
	case errors.As(e.LogsErr, &locked):
		e.add(Recorder, "", Fail, fmt.Sprintf("process %d has %s open and does not answer: a recorder starts there, or ends, or hangs", locked.PID, e.Folder.Name),
			fmt.Sprintf("look again in a moment: recorder doctor; if it hangs: kill %d", locked.PID))
		return
	case e.LiveErr != nil:
		e.add(Recorder, "", Skip, "whether one runs cannot be asked: "+e.LiveErr.Error(), "ask as the user who runs the recorder: recorder doctor")
		return
	}
	if len(e.Live) > 0 {
		s := e.Live[0]
		if s.Version != e.Version {
			e.add(Recorder, "", Warn, fmt.Sprintf("process %d runs version %s, and this is %s", s.PID, s.Version, e.Version), "stop it when its sessions may end, then: recorder run")
		} else {
			e.ok(Recorder, "", "process %d runs, version %s", s.PID, s.Version)
		}
	}
	for _, s := range e.statuses() {
		switch {
		case s.Gate == gateStopped:
			e.add(Recorder, s.Gateway, Fail, "its gate is STOPPED: "+s.Why, s.Next)
		case s.Gate == gateBackoff:
			e.add(Recorder, s.Gateway, Warn, "its gate is BACKOFF: "+s.Why, fmt.Sprintf("recorder events %s", s.Gateway))
		default:
			e.ok(Recorder, s.Gateway, "its gate is %s: %s", s.Gate, s.Why)
		}
		if s.Mode == events.Observe {
			e.add(Recorder, s.Gateway, Warn, "observe mode: nobody is held", "when you trust it, stop it, then: recorder run --mode enforce")
		}
		if s.API == apiDegraded {
			e.add(Recorder, s.Gateway, Warn, "its Gateway has lost IB's servers", fmt.Sprintf("wait, or look at the Gateway's own window; what it said: recorder events %s", s.Gateway))
		}
		mute, unwatched := 0, 0
		for _, x := range s.Sessions {
			if x.Phase == phaseMute {
				mute++
			}
			if x.Unwatched {
				unwatched++
			}
		}
		if unwatched > 0 {
			e.add(Recorder, s.Gateway, Warn, fmt.Sprintf("%s whose messages cannot be read any more: a loss of IB's servers would not be seen there", count(unwatched, "session")),
				"connect that program again when it may; see who it is: recorder status")
		}
		if mute > 0 {
			e.add(Recorder, s.Gateway, Warn, fmt.Sprintf("%s without an answer: the Gateway may be frozen", count(mute, "session")), fmt.Sprintf("recorder events %s", s.Gateway))
		}
	}
}

// ahead is how far the last event of a log may be in front of the clock. A clock that
// is being set right moves by less.
const ahead = 10 // seconds

func (e *examination) clock() {
	switch c := e.Clock; {
	case c.Unknown != "":
		e.add(Clock, "", Skip, "whether it is kept right cannot be read: "+c.Unknown, "timedatectl")
	case !c.Synced:
		e.add(Clock, "", Warn, "nothing keeps the host's clock right, as far as the kernel knows", "timedatectl set-ntp true")
	default:
		e.ok(Clock, "", "the host's clock is kept right")
	}
	for _, p := range e.Gateways {
		if by := p.Last.Sub(e.Now); !p.Last.IsZero() && by.Seconds() > ahead {
			e.add(Clock, p.Name, Warn, fmt.Sprintf("its last event is %s in the future: the clock was set back since", by.Round(1e9)), "date; the order of events does not depend on it")
		}
	}
}

func (e *examination) alerts() {
	const nobody = "recorder run --on-restart-required COMMAND"
	running := map[string]httpapi.Channel{}
	if len(e.Live) > 0 {
		for _, c := range e.Live[0].Alerts {
			running[c.Name] = c
		}
	}
	if len(e.Channels) == 0 && len(running) == 0 {
		e.add(Alerts, "", Warn, "nobody is told when a Gateway needs a restart", nobody+", or channels: recorder alert --help")
		return
	}
	for _, c := range e.Channels {
		live, runs := running[c.Name]
		delete(running, c.Name)
		try := "recorder alert test " + c.Name
		switch {
		case c.Problem != "":
			e.add(Alerts, "", Fail, fmt.Sprintf("nobody can be told on %s: %s", c.Name, c.Problem), "mend it, then: "+try)
		case len(e.Live) > 0 && !runs:
			e.add(Alerts, "", Warn, fmt.Sprintf("nobody is told on %s: the running recorder was started without it", c.Name), "stop it, then: recorder run")
		case live.Failing != "":
			e.add(Alerts, "", Fail, fmt.Sprintf("nobody could be told on %s: %s", c.Name, live.Failing), try)
		case c.Unknown != "":
			e.add(Alerts, "", Skip, fmt.Sprintf("%s: %s", c.Name, c.Unknown), "as the user, and with the variables, of the recorder: "+try)
		case !live.Delivered.IsZero():
			e.ok(Alerts, "", "%s: %s, told for the last time %s ago", c.Name, c.Type, report.Duration(e.Now.Sub(live.Delivered)))
		case c.Command.Word != "":
			e.ok(Alerts, "", "%s: %s is run for each notice; it was not tried", c.Name, c.Command.Word)
		case c.Type == "command":
			e.ok(Alerts, "", "%s: a line of shell is run for each notice; it was not tried", c.Name)
		default:
			e.ok(Alerts, "", "%s: %s, with its secrets; it was not tried", c.Name, c.Type)
		}
	}
	for _, c := range e.liveChannels(running) {
		e.ok(Alerts, "", "%s is told, as the recorder's flags say", c)
	}
}

// liveChannels are the names that are left of the running recorder's, in its order.
func (e *examination) liveChannels(left map[string]httpapi.Channel) (names []string) {
	if len(e.Live) == 0 {
		return nil
	}
	for _, c := range e.Live[0].Alerts {
		if _, ok := left[c.Name]; ok {
			names = append(names, c.Name)
		}
	}
	return names
}

func (e *examination) security() {
	fine, private := true, 0
	for _, p := range e.Folder.Private {
		switch {
		case p.Err != nil:
			e.add(Security, "", Skip, fmt.Sprintf("who may reach %s cannot be read: %v", p.Name, why(p.Err)), "ask as the user who runs the recorder: recorder doctor")
		case p.Mode.Perm()&0o077 != 0:
			fine = false
			e.add(Security, "", Fail, fmt.Sprintf("%s is open to others (%04o)", p.Name, p.Mode.Perm()), report.Command("chmod", "600", p.Name))
		default:
			private++
		}
	}
	if f := e.File; f.Name != "" && f.Err == nil && f.Mode.Perm()&0o022 != 0 {
		fine = false
		e.add(Security, "", Fail, fmt.Sprintf("%s can be written to by others (%04o), and has a command that the recorder runs, or may have one", f.Name, f.Mode.Perm()), report.Command("chmod", "go-w", f.Name))
	}
	for _, p := range e.Gateways {
		if at, err := netip.ParseAddrPort(p.Tap); err == nil && !at.Addr().IsLoopback() {
			fine = false
			e.add(Security, p.Name, Fail, fmt.Sprintf("its tap is at %s, where others may reach it: IB's protocol has no authentication", p.Tap), fmt.Sprintf("stop the recorder, then: recorder run --tap %s=127.0.0.1:%d", p.Name, at.Port()))
		}
	}
	switch {
	case fine && private > 0:
		e.ok(Security, "", "the taps are on loopback; %s, for the owner alone", count(private, "private file"))
	case fine:
		e.ok(Security, "", "the taps are on loopback")
	}
}
