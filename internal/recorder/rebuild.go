package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"
)

// keepEvery is how many events lie between two snapshots: so many are folded and judged
// again in some ten milliseconds, and a snapshot takes one.
const keepEvery = 4096

// rebuild folds and judges the log, from the newest snapshot on if there is one that
// fits. It returns what the judge has found about an event, of, that a crash kept out of
// the log.
func (g *Gateway) rebuild(ctx context.Context) (of events.Record, unsaid []rule.Finding, err error) {
	from := uint64(1)
	if g.cfg.Snapshots != nil {
		switch seq, err := g.resume(ctx); {
		case errors.Is(err, snapshot.ErrUnfit): // as after every change of the version
			g.log.Info("the log is read from its first event", "because", err)
		case err != nil:
			g.log.Warn("the log is read from its first event", "error", err)
		default:
			from = seq + 1
		}
	}
	at := snapshot.Begin(g.cfg.Gateway)
	at.State, at.Judge, at.GateAt, at.Chain = g.state, g.judge, g.gateAt, g.chain
	in := store.Ahead(g.cfg.Log.Read(ctx, from, 0))
	if g.cfg.Watch != nil {
		in = g.cfg.Watch(in)
	}
	for rec, err := range in {
		var found []rule.Finding
		var before bool
		if err == nil {
			found, before, err = at.Step(rec, g.cfg.Base)
		}
		if err != nil {
			return of, nil, err
		}
		g.state, g.judge, g.gateAt, g.chain, g.last = at.State, at.Judge, at.GateAt, at.Chain, rec.Event
		if before {
			continue
		}
		switch d := rec.Data.(type) {
		case events.RuleViolated:
			// They are said in their order, and one event may break a rule twice.
			if i := slices.IndexFunc(unsaid, func(f rule.Finding) bool { return f.Rule == d.Rule && !f.Observed }); i >= 0 {
				unsaid = slices.Delete(unsaid, i, i+1)
			}
		case events.RecorderStarted, events.PolicyLoaded:
			// A run says what the one before it could not only after these two, and may
			// have died before that itself.
			if len(found) > 0 {
				unsaid, of = append(found, unsaid...), rec
			}
		default: // what it found before was recorded then, or by another set of rules
			unsaid, of = found, rec
		}
		if fsm.Reported(rec.Event) {
			g.recent.add(rec.ID, rec.Seq)
		}
	}
	return of, unsaid, nil
}

// resume takes over a snapshot and returns its sequence, 0 if there is none.
func (g *Gateway) resume(ctx context.Context) (uint64, error) {
	var s snapshot.Snapshot
	found, err := g.cfg.Snapshots.Load(&s)
	if err != nil || !found {
		return 0, err
	}
	if err := s.Fits(g.cfg.Gateway, g.cfg.Build); err != nil {
		return 0, err
	}
	// A folder that was put together from copies may have the snapshot of another log.
	rec, err := g.read1(ctx, s.Seq)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", snapshot.ErrUnfit, err)
	}
	if rec.Hash() != s.Hash {
		return 0, fmt.Errorf("%w: event %d of the log is another one", snapshot.ErrUnfit, s.Seq)
	}
	if err := g.chain.Add(rec); err != nil { // its anchor
		return 0, err
	}
	g.state, g.judge, g.gateAt, g.last, g.kept = s.State, s.Judge, s.GateAt, rec.Event, s.Seq
	for _, r := range s.Reports {
		g.recent.add(r.ID, r.Seq)
	}
	return s.Seq, nil
}

// keep takes a snapshot if enough has happened since the last one. Nothing may be due,
// and everything found must be written: whoever goes on from it does not say it again.
func (g *Gateway) keep() {
	seq, head := g.chain.Head()
	if g.cfg.Snapshots == nil || seq < g.kept+g.cfg.Every {
		return
	}
	g.kept = seq // also if it fails: a disk without room is not asked at every event
	s := snapshot.Of(g.cfg.Build, g.state, g.judge, head)
	s.GateAt, s.Reports = g.gateAt, g.recent.order
	if err := g.cfg.Snapshots.Keep(s); err != nil {
		g.log.Warn("no snapshot was kept; the next start takes longer", "seq", seq, "error", err)
	}
}
