package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// wordWait bounds the wait for what the log says of an attempt that has ended, and
// decisionWait that for what is decided upon it.
const (
	wordWait     = 3 * time.Second
	decisionWait = time.Second
)

// ProbeAll makes one attempt for each gateway, one after the other, through the running
// recorder, and says what came of it. Each is asked for and recorded like any
// program's: a dead API layer is as dead for a probe. begin is called before each; the
// error is why ctx ended.
func ProbeAll(ctx context.Context, f Facts, a Attempt, begin func(gateway string) (end func())) (all []Finding, err error) {
	c := httpapi.Dial(f.Folder.Name)
	for _, p := range f.Gateways {
		if s, ok := f.live(p.Name); ok { // the passive look may have taken a while
			if s, err = c.Status(ctx, p.Name); err != nil {
				return all, err
			}
			f.Live = append(slices.DeleteFunc(slices.Clone(f.Live), func(x httpapi.Status) bool { return x.Gateway == s.Gateway }), s)
		}
		if no, refused := noProbe(f, p); refused {
			all = append(all, no)
			continue
		}
		before, _ := f.live(p.Name)
		a.Tap = p.Tap
		end := begin(p.Name)
		out, err := a.Try(ctx)
		end()
		if err != nil {
			return all, err
		}
		word, stopped := logged(ctx, c, p.Name, before.Seq+1, out.Local)
		next := ""
		if stopped {
			if next, err = nextOf(ctx, c, p.Name); err != nil {
				return all, err
			}
		}
		all = append(all, outcome(p.Name, a.ClientID, out, word, next))
	}
	return all, nil
}

// noProbe says why a gateway is not to be probed, if it is not.
func noProbe(f Facts, p Place) (Finding, bool) {
	no := func(l Level, text, fix string) (Finding, bool) {
		return Finding{Group: Probe, Gateway: p.Name, Level: l, Text: "no probe was made: " + text, Fix: fix}, true
	}
	s, guarded := f.live(p.Name)
	stuck := p.Seen.UnacceptedSockets != nil && *p.Seen.UnacceptedSockets > 0
	switch {
	case !guarded && len(f.Live) > 0:
		return no(Fail, "the running recorder does not guard it", "stop the recorder, then: recorder run")
	case !guarded:
		return no(Fail, "it goes through the port of a running recorder, and none answers", "recorder run, and then: recorder doctor --probe")
	case s.Gate == gateStopped:
		return no(Fail, "its gate is STOPPED, and nobody dials then", s.Next)
	case s.LogError != "":
		return no(Fail, "the log takes nothing, and nobody dials then", "recorder status")
	case p.Seen.Listening == events.ListeningNo:
		return no(Skip, "nothing listens there", "start the Gateway and log in")
	case stuck:
		return no(Skip, "the Gateway leaves connections unaccepted, and each further one makes it worse", "restart the Gateway by hand: exit, start, log in")
	}
	return Finding{}, false
}

// logged is the recorder's own word on the attempt that came from an address, empty if
// there was none in time, and whether it stopped the gate.
func logged(ctx context.Context, c *httpapi.Client, gateway string, from uint64, local string) (word string, stopped bool) {
	if local == "" {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, wordWait)
	defer cancel()
	conn := ""
	for rec, err := range c.Tail(ctx, gateway, from) {
		if err != nil {
			return word, false
		}
		switch d := rec.Data.(type) {
		case events.ClientOpened:
			if d.Peer == local {
				conn = rec.Conn
			}
		case events.RestartRequired:
			return word, true
		case events.RetryScheduled:
			if word != "" {
				return word, false
			}
		}
		if conn == "" || rec.Conn != conn {
			continue
		}
		switch d := rec.Data.(type) {
		case events.AttemptSucceeded:
			return "succeeded", false
		case events.AttemptAbandoned:
			return "abandoned", false
		case events.AttemptDenied:
			return "denied, " + string(d.Reason), false
		case events.AttemptFailed:
			word = string(d.Reason)
			time.AfterFunc(decisionWait, cancel) // what is decided upon it is an event behind it, if there is one
		}
	}
	return word, false
}

// nextOf is what is to be done about a gate that is stopped.
func nextOf(ctx context.Context, c *httpapi.Client, gateway string) (string, error) {
	for until := time.Now().Add(wordWait); ; {
		s, err := c.Status(ctx, gateway)
		if err != nil || s.Gate == gateStopped || time.Now().After(until) {
			return s.Next, err
		}
		select {
		case <-time.After(20 * time.Millisecond): // the status follows its event
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// outcome says what an attempt saw, the recorder's word on it, and what to do if it
// stopped the gate.
func outcome(gateway string, client int, o Outcome, word, stopped string) Finding {
	f := Finding{Group: Probe, Gateway: gateway, Level: Fail, Fix: fmt.Sprintf("recorder events %s", gateway)}
	var seen []string
	if o.Version > 0 {
		seen = append(seen, fmt.Sprintf("server version %d", o.Version))
	}
	var codes []string
	for _, c := range slices.Compact(slices.Sorted(slices.Values(o.Codes))) {
		codes = append(codes, strconv.Itoa(c))
	}
	if len(codes) > 0 {
		seen = append(seen, "codes "+strings.Join(codes, ", "))
	}
	end := ""
	switch has := func(code int) bool { return slices.Contains(o.Codes, code) }; {
	case o.End == Ready:
		f.Level, f.Fix = OK, ""
		seen = append(seen, count(o.Accounts, "account"))
		end = fmt.Sprintf("ready after %s", short(o.Elapsed))
	case has(events.CodeHeld):
		end, f.Fix = "the recorder held it", "recorder status"
	case has(326):
		f.Level = Warn
		end = fmt.Sprintf("the Gateway answers, and client id %d is in use (326)", client)
		f.Fix = fmt.Sprintf("recorder doctor --probe --client-id N, with another N than %d", client)
	case has(10141):
		end, f.Fix = "the paper trading disclaimer waits to be accepted (10141)", "accept it in the Gateway's window"
	case o.End == Refused:
		end, f.Fix = "the tap's port is closed", "recorder status"
	case o.End == Closed && o.Version == 0:
		end = fmt.Sprintf("closed after %s without a version", short(o.Elapsed))
	case o.End == Closed:
		end = fmt.Sprintf("closed after %s before it was ready", short(o.Elapsed))
	case o.End == Silent:
		end = fmt.Sprintf("nothing came for %s, and the probe left; it may still have waited for its turn", short(o.Elapsed))
		f.Fix = "recorder status"
	case o.End == Foreign:
		end = "what answers does not speak the protocol of an IB Gateway" // and is not repeated: nobody knows what is in it
	default:
		end = fmt.Sprintf("no connection to the tap: %v", o.Err)
	}
	f.Text = strings.Join(append([]string{end}, seen...), "; ")
	if word != "" && word != "succeeded" {
		f.Text += "; in the log it is " + word
	}
	if stopped != "" {
		f.Level, f.Fix = Fail, stopped
		f.Text += "; the gate is STOPPED now"
	}
	return f
}

// short is a time as it is told to people.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
