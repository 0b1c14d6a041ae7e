package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/access"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"
)

// Name implements httpapi.Gateway.
func (p *post) Name() string { return p.cfg.Name }

// Submit implements httpapi.Gateway.
func (p *post) Submit(ctx context.Context, d events.Draft) (events.Record, error) {
	rec, err := p.loop.Submit(ctx, d)
	if err != nil {
		p.counter.Rejected(rejection(err))
	}
	return rec, problem(err)
}

// Resume implements httpapi.Gateway.
func (p *post) Resume(ctx context.Context, c httpapi.Claim) (events.Record, error) {
	rec, err := p.loop.Resume(ctx, access.Of(ctx).Operator(), events.RestartClaimed{By: c.By, Reason: c.Reason, Override: c.Override})
	return rec, problem(err)
}

// Disconnect implements httpapi.Gateway.
func (p *post) Disconnect(ctx context.Context, q httpapi.Disconnect) (events.Record, error) {
	rec, err := p.loop.Disconnect(ctx, access.Of(ctx).Operator(), events.DisconnectRequested{By: q.By, Reason: q.Reason, ClientID: q.ClientID, Force: q.Force, ForceEnv: q.ForceEnv})
	return rec, problem(err)
}

// Read implements httpapi.Gateway.
func (p *post) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return p.log.Read(ctx, from, to)
}

// Tail implements httpapi.Gateway.
func (p *post) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return p.log.Tail(ctx, from)
}

// problem says in HTTP what the loop said.
func problem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, recorder.ErrEnding):
		return fmt.Errorf("%w: %w", httpapi.ErrStopping, err)
	case errors.Is(err, recorder.ErrBusy):
		return &httpapi.Problem{Type: "urn:ibrecorder:problem:busy", Title: "the recorder does not keep up", Status: http.StatusServiceUnavailable,
			Detail: err.Error(), Hint: "ask again as it is; what is wrong: recorder doctor"}
	case errors.Is(err, recorder.ErrRoom):
		return &httpapi.Problem{Type: "urn:ibrecorder:problem:log-full", Title: "the log is nearly full", Status: http.StatusServiceUnavailable,
			Detail: err.Error(), Hint: "send it again when there is room"}
	case errors.Is(err, store.ErrFull): // of a roll: an append waits
		return &httpapi.Problem{Type: "urn:ibrecorder:problem:log-full", Title: "the log takes nothing", Status: http.StatusServiceUnavailable,
			Detail: err.Error(), Hint: "make room on the disk of the data folder first"}
	case errors.Is(err, recorder.ErrTaken):
		return &httpapi.Problem{Type: "urn:ibrecorder:problem:id-taken", Title: "the id is taken", Status: http.StatusConflict,
			Detail: err.Error(), Hint: "give each event an id of its own"}
	case errors.Is(err, recorder.ErrNoEvent):
		return &httpapi.Problem{Type: "urn:ibrecorder:problem:malformed", Title: "the request cannot be understood", Status: http.StatusBadRequest,
			Detail: err.Error(), Hint: "docs/events.md says what each field may be"}
	}
	return err
}

// Status implements httpapi.Gateway.
func (p *post) Status(ctx context.Context) (httpapi.Status, error) {
	view := p.loop.View()
	used, limit, err := p.log.Usage(ctx)
	if err != nil {
		return httpapi.Status{}, err
	}
	now, mono := time.Now(), int64(time.Since(p.d.start))
	s := Describe(view.State, view.GateAt, mono)
	for i, x := range sessions(view.State) {
		s.Sessions[i].Since = now.Add(time.Duration(x.Since - mono)).UTC()
	}
	s.Clients = clients(view.State, now, mono)
	s.Address, s.Tap = p.cfg.Address, p.tap.Addr().String()
	s.NATS, s.HTTP = p.d.NATS(), p.d.HTTP()
	s.Version, s.Held, s.Blind = p.d.cfg.Version, held(p.d.cfg.Explain), p.blind(ctx)
	s.LogBytes, s.LogLimit = uint64(used), uint64(limit)
	begun, bytes, err := p.log.Newest(ctx)
	if err != nil {
		return httpapi.Status{}, err
	}
	s.LogFullAt = fullAt(time.Now(), begun, bytes, used, limit)
	s.PID = os.Getpid()
	p.alerting(&s)
	s.Totals.Requested += view.Denied
	s.Totals.Denied += view.Denied
	if view.State.ShutOut != "" {
		s.TapError = view.State.ShutOut
		s.Why = "Released, and the tap's port cannot be had again: programs are refused, and nobody holds them."
		s.Next = fmt.Sprintf("end the program that listens on %s; the recorder takes the port again by itself", s.Tap)
	}
	if view.Blocked != nil { // the gate is as the log has it, and that is not what holds
		s.LogError = view.Blocked.Error()
		s.Why = "The log takes nothing; nobody dials until it does, and sessions go on."
	}
	return s, stopReason(ctx, p.log, &s)
}

// clients are the ids that wait at now, which is mono nanoseconds after the boot.
func clients(s fsm.State, now time.Time, mono int64) (out []httpapi.Waiter) {
	for _, c := range s.Clients {
		if until := c.Delay.Until(); until > mono && s.Policy.Mode == events.Enforce {
			out = append(out, httpapi.Waiter{ID: c.ID, Until: now.Add(time.Duration(until - mono)).UTC(), Failures: c.Failed})
		}
	}
	slices.SortFunc(out, func(a, b httpapi.Waiter) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// blind says why nothing can be read of the Gateway from here; "" if it can.
func (p *post) blind(ctx context.Context) string {
	if p.watched == nil {
		return ""
	}
	return p.watched.Blind(ctx)
}

// held is the setting as it is written.
func held(explain bool) string {
	if explain {
		return "explain"
	}
	return "refuse"
}

// Reader reads a log.
type Reader interface {
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
}

// stopReason fills in why the gate stopped, which the state does not keep.
func stopReason(ctx context.Context, log Reader, s *httpapi.Status) error {
	if s.Stop == nil {
		return nil
	}
	for rec, err := range log.Read(ctx, s.Stop.Seq, s.Stop.Seq) {
		if errors.Is(err, store.ErrArchived) {
			return nil // the gate knows that it stopped, and the archive why
		}
		if err != nil {
			return err
		}
		if d, ok := rec.Data.(events.RestartRequired); ok {
			s.Stop.Reason = d.Reason
		}
	}
	return nil
}

// sessions are those that have a connection or an attempt under way.
func sessions(s fsm.State) []fsm.Session {
	var out []fsm.Session
	for _, x := range s.Sessions {
		out = append(out, *x)
	}
	return out
}

// Describe is a state as an operator reads it at now, nanoseconds after the boot. What only
// a running recorder knows is left out.
func Describe(s fsm.State, gateAt time.Time, now int64) httpapi.Status {
	out := httpapi.Status{
		Gateway: s.Gateway, Mode: s.Policy.Mode, Gate: string(s.Gate), Since: gateAt, API: string(s.API), Epoch: s.Epoch, Seq: s.Seq,
		Waiting: len(s.Waiting), Policy: httpapi.Policy{Preset: s.Policy.Preset, Hash: s.Policy.Hash},
		Totals: httpapi.Totals(s.Totals), Boot: s.Boot, LogLevel: cmp.Or(s.Room.Level, events.LevelAmple),
	}
	for _, x := range sessions(s) {
		out.Sessions = append(out.Sessions, httpapi.Session{Attempt: x.Attempt, ClientID: x.ClientID, Phase: string(x.Phase), ServerVersion: x.Server, Unwatched: x.Unwatched})
	}
	out.Rested = rested(s, now)
	out.Why, out.Next = why(s, out.Rested)
	out.Why = cmp.Or(worn(s, now), out.Why)
	if policy.Full(s) && s.Gate != fsm.Stopped {
		out.Why = "The log is nearly full, and what is left is kept for more important things: nobody dials until there is room, and sessions go on."
		out.Next = fmt.Sprintf("make room on the disk of the data folder, or in the log: recorder log archive %s FOLDER", s.Gateway)
	}
	if r := s.Refused; r.Seq != 0 {
		out.Refused = &httpapi.Refused{Seq: r.Seq, Rule: r.Rule, Text: r.Text}
		if out.Next == "" {
			out.Next = "report it with the log: the policy and the judge of this recorder do not agree; recorder log export " + s.Gateway
		}
	}
	out.Closed = s.Closed != ""
	if s.Gate == fsm.Stopped {
		out.Stop = &httpapi.Stop{Seq: s.Stop.Seq, Since: gateAt}
	}
	return out
}

// released says how a stop ends.
func released(gateway string) string {
	return fmt.Sprintf("restart the Gateway, log in, then: recorder resume %s --reason TEXT", gateway)
}

// elsewhere is what to do about a Gateway at which nothing listens.
const elsewhere = "start the Gateway, or see that its address is right: recorder config show --origin"

// rested says that a gate is in BACKOFF, where the decision on the last failure has put it,
// and that nobody waits there any more.
func rested(s fsm.State, now int64) bool {
	hold, _ := policy.Hold(s, now)
	return s.Gate == fsm.Backoff && hold == ""
}

// failures are those since a program was last ready.
func failures(n int64) string {
	switch n {
	case 0: // a runner has reported since that it is ready
		return "No attempt has failed since one was ready"
	case 1:
		return "1 attempt has failed"
	}
	return fmt.Sprintf("%d attempts in a row have failed", n)
}

// why is one sentence on the gate, and what to type next.
func why(s fsm.State, rested bool) (sentence, next string) {
	switch s.Gate {
	case fsm.Stopped:
		next = released(s.Gateway)
		if s.Stop.Carried {
			return "The log before this one was set aside while the Gateway needed a restart; nobody dials until it is released.", next
		}
		return "IB Gateway needs a manual restart; nobody dials until it is released.", next
	case fsm.Probation:
		return fmt.Sprintf("Released; %d of %d attempts of the probation are used, ready opens the gate.", s.Trial.Used, s.Policy.ProbationAttempts), ""
	case fsm.Attempting:
		return "One attempt is under way; others wait for its end.", ""
	case fsm.Backoff:
		if s.Closed != "" {
			return "Nothing listens at the Gateway, so programs are refused; the next one is let through when something does, or after the wait.",
				elsewhere
		}
		if rested {
			return failures(s.Row.Failed) + "; the next one may be made.", ""
		}
		return failures(s.Row.Failed) + "; the next waits.", ""
	}
	if n := len(s.Sessions); n > 0 {
		return "Clients may connect, and some are.", ""
	}
	if s.API == fsm.Absent {
		return "Clients may connect; nothing listens at the Gateway.", elsewhere
	}
	return "Clients may connect; none is.", ""
}

// worn says that as many attempts have failed as may within the window, "" if that is not
// what holds the next one: it may wait for minutes, also for a Gateway that is there again.
func worn(s fsm.State, now int64) string {
	hold, until := policy.Hold(s, now)
	if hold != events.HoldWindow {
		return ""
	}
	p := s.Policy.Params
	return fmt.Sprintf("%d attempts have failed within %s, the most that the policy allows; the next one may go in %s.",
		p.WindowFailures, time.Duration(p.WindowMS)*time.Millisecond, time.Duration(until-now).Round(time.Second))
}

// Gateways describes every gateway.
func (d *Daemon) Gateways() []httpapi.Status {
	var all []httpapi.Status
	for _, p := range d.posts {
		view := p.loop.View()
		s := Describe(view.State, view.GateAt, int64(time.Since(d.start)))
		s.Address, s.Tap = p.cfg.Address, p.tap.Addr().String()
		all = append(all, s)
	}
	return all
}

// ReadStatus folds the log of a gateway that no recorder runs on. A log may be
// empty: a start that failed leaves one.
// base keeps what was made of events that were archived.
func ReadStatus(ctx context.Context, gateway string, log Reader, base snapshot.Keeper) (httpapi.Status, error) {
	at := snapshot.Begin(gateway)
	at.State.Gateway = gateway
	for rec, err := range log.Read(ctx, 1, 0) {
		if err == nil {
			_, _, err = at.Step(rec, base)
		}
		if err != nil {
			return httpapi.Status{}, err
		}
	}
	state := at.State
	s := Describe(state, at.GateAt, state.Mono)
	// No connection outlives a recorder, and what nobody watches must not read as healthy.
	s.Sessions, s.Waiting, s.Rested = nil, 0, false
	if s.Stop == nil {
		s.API = string(fsm.Unknown)
		s.Why = fmt.Sprintf("No recorder runs, so no program gets through its port; the gate was %s at the end.", s.Gate)
	}
	return s, stopReason(ctx, log, &s)
}
