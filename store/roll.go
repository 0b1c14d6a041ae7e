package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Rolled is a part of a log that takes nothing more.
type Rolled struct {
	Gateway string `json:"gateway"`
	// Part counts from 1.
	Part int `json:"part"`
	// First and Last are the sequences of its first and its last event.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	Bytes int64  `json:"bytes"`
	// Time is when it was rolled, in UTC.
	Time time.Time `json:"time"`
	// Reason is why.
	Reason string `json:"reason,omitempty"`
}

// Keys of a rolled part's metadata.
const (
	rolledTime   = "ibrecorder-rolled"
	rolledReason = "ibrecorder-rolled-reason"
)

// Roll seals the newest part of the log and opens the next one, in which sequence and
// chain go on. Appends wait for it. A crash in between leaves a sealed part, behind which
// the next Log opens the next one. ErrNothingToRoll if the newest part has no event, ErrFull
// if others have filled the disk so far that the next part would take nothing: the seal
// could not be undone.
func (l *JetLog) Roll(ctx context.Context, reason string, now time.Time) (Rolled, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fail := func(err error) (Rolled, error) { return Rolled{}, fmt.Errorf("roll the log of %s: %w", l.gateway, err) }
	if l.store.cfg.copied {
		return fail(ErrCopy)
	}
	ctx = context.WithoutCancel(ctx) // what is begun is ended, whoever leaves; each question has a timeout
	if free, err := l.store.cfg.free(l.store.cfg.Dir); err == nil && free < diskFloor {
		return fail(l.full(nil))
	}
	p := l.current()
	if err := l.noticeSeal(ctx, p); err != nil {
		return fail(err)
	}
	if !p.sealed() {
		switch head, err := l.headOf(ctx, p); {
		case err != nil:
			return fail(err)
		case head.Seq == 0:
			return fail(ErrNothingToRoll)
		}
		if err := l.sealPart(ctx, p, reason, now); err != nil {
			return fail(err)
		}
	}
	if err := l.finish(ctx); err != nil {
		return fail(err)
	}
	return l.rolled(p), nil
}

// sealPart makes the server take nothing more for p, and lets go of its subjects for the
// next part.
func (l *JetLog) sealPart(ctx context.Context, p *part, reason string, now time.Time) error {
	info, err := p.stream.Info(ctx)
	if err != nil {
		return l.store.unavailable(err)
	}
	cfg := info.Config
	cfg.Sealed, cfg.Subjects = true, []string{rolledSubject(l.gateway, p.n)}
	cfg.Metadata[rolledTime], cfg.Metadata[rolledReason] = now.UTC().Format(time.RFC3339Nano), reason
	l.known = false // an append of unknown outcome may still come before the seal
	l.store.cfg.step("seal")
	_, err = l.store.js.UpdateStream(ctx, cfg)
	l.store.cfg.step("sealed")
	if noticed := l.noticeSeal(ctx, p); noticed != nil || p.sealed() { // the answer alone may have been lost
		return noticed
	}
	return l.store.unavailable(err)
}

// noticeSeal asks the server whether p is sealed, unless that is known.
func (l *JetLog) noticeSeal(ctx context.Context, p *part) error {
	if p.sealed() {
		return nil
	}
	info, err := p.stream.Info(ctx)
	if err != nil {
		return l.store.unavailable(err)
	}
	if info.Config.Sealed {
		p.close(info)
	}
	return nil
}

// finish opens the part behind a sealed one. What that one still had to take, the next one
// has: it was promised while the disk had room, and it is what the log has for stops and
// operators once others have filled the disk. Append looks at the disk before each event.
func (l *JetLog) finish(ctx context.Context) error {
	parts := *l.parts.Load()
	last := parts[len(parts)-1]
	l.store.cfg.step("create")
	left := last.stream.CachedInfo().Config.MaxBytes - last.bytes
	next, err := l.create(ctx, last.n+1, last.last+1, left)
	if err != nil {
		return err
	}
	l.store.cfg.step("created")
	if err := l.gapless(next); err != nil {
		return err
	}
	l.parts.Store(new(append(slices.Clip(parts), next)))
	close(last.followed)
	l.meter = meter{}
	return nil
}

// rolled describes a sealed part.
func (l *JetLog) rolled(p *part) Rolled {
	meta := p.stream.CachedInfo().Config.Metadata
	at, _ := time.Parse(time.RFC3339Nano, meta[rolledTime]) // zero if somebody changed it: nothing depends on it
	return Rolled{Gateway: l.gateway, Part: p.n, First: p.first, Last: p.last, Bytes: p.bytes, Time: at, Reason: meta[rolledReason]}
}

// Rolled returns the parts that take nothing more and are still in this folder, oldest
// first.
func (l *JetLog) Rolled() (all []Rolled) {
	for _, p := range *l.parts.Load() {
		if p.sealed() {
			all = append(all, l.rolled(p))
		}
	}
	return all
}

// Newest returns when the newest part took its first event, as the server has it, and how
// many bytes it has taken since; zero if it has none.
func (l *JetLog) Newest(ctx context.Context) (begun time.Time, bytes int64, err error) {
	info, err := l.current().stream.Info(ctx)
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("beginning of the log of %s: %w", l.gateway, l.store.unavailable(err))
	}
	return info.State.FirstTime, int64(info.State.Bytes), nil
}

// nextPart waits until a part follows the part n.
func (l *JetLog) nextPart(ctx context.Context, n int) error {
	parts := *l.parts.Load()
	i := slices.IndexFunc(parts, func(p *part) bool { return p.n == n })
	if i < 0 {
		return nil // archived, and so others follow
	}
	select {
	case <-parts[i].followed:
		return nil
	case <-l.store.ended:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
