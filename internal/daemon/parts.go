package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"
)

// Roll implements httpapi.LogKeeper. The log says who asked, where it ends.
func (p *post) Roll(ctx context.Context, r httpapi.Roll) (httpapi.Part, error) {
	text := "the log is rolled"
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	if err := p.note(ctx, r.By, text); err != nil {
		return httpapi.Part{}, err
	}
	rolled, err := p.log.Roll(ctx, r.Reason, time.Now())
	return partOf(rolled), problem(err)
}

func (p *post) note(ctx context.Context, by, text string) error {
	_, err := p.loop.Submit(ctx, events.Draft{Source: access.Of(ctx).Operator(), Data: events.OperatorNoted{By: by, Text: text}})
	return problem(err)
}

func partOf(r store.Rolled) httpapi.Part {
	return httpapi.Part{Part: r.Part, First: r.First, Last: r.Last, Bytes: r.Bytes}
}

func archivedPart(a store.Archived) httpapi.Part {
	part := partOf(a.Rolled)
	part.File, part.Hash = a.File, a.Hash.String()
	return part
}

// Archive implements httpapi.LogKeeper. It rolls first, so that everything up to now can
// go; the note that it writes behind the roll is what the log goes on with, and has the
// notary sign what goes.
func (p *post) Archive(ctx context.Context, a httpapi.Archive) (parts []httpapi.Part, err error) {
	if _, err := p.log.Roll(ctx, "archived", time.Now()); err != nil && !errors.Is(err, store.ErrNothingToRoll) {
		return nil, problem(err)
	}
	if p.notary != nil {
		p.notary.Ask()
	}
	if err := p.note(ctx, a.By, "the log up to here is archived"); err != nil {
		return nil, err
	}
	done, err := p.log.Archive(ctx, a.Folder, func(ctx context.Context, last uint64) error {
		if p.notary != nil {
			if err := p.notary.Wait(ctx, last); err != nil {
				return err
			}
		}
		return keepBase(ctx, p.d.cfg.Data, p.d.cfg.Build, p.log, last)
	})
	for _, one := range done {
		parts = append(parts, archivedPart(one))
	}
	if err != nil {
		return parts, unarchived(err, parts)
	}
	return parts, nil
}

// unarchived tells whoever asked what was done before err.
func unarchived(err error, done []httpapi.Part) error {
	p := &httpapi.Problem{Type: "urn:ibrecorder:problem:not-archived", Title: "not all of it could be archived", Status: http.StatusConflict, Detail: err.Error()}
	if errors.Is(err, store.ErrUnread) {
		p.Hint = "for a channel that will not be told any more: take it out of alerts.channels, then: recorder config reload"
	}
	if n := len(done); n > 0 {
		p.Detail += fmt.Sprintf("; what comes before it is archived, up to event %d", done[n-1].Last)
	}
	return p
}

// keepBase writes down what a start needs of the events up to last.
func keepBase(ctx context.Context, data, build string, log *store.JetLog, last uint64) error {
	base := store.BaseOf(data, log.Gateway())
	s, err := snapshot.Base(build, log.Gateway(), store.Ahead(log.Read(ctx, 0, last)), base, last)
	if err != nil {
		return err
	}
	return base.Keep(s)
}

// OpenStopped opens the log of a gateway that no recorder runs on, to care for it.
func OpenStopped(ctx context.Context, data string, most int64, gateway string, log *slog.Logger) (*store.Store, *store.JetLog, error) {
	all, err := store.Examine(ctx, data) // which makes no folder and no log out of a typing error
	if err != nil {
		return nil, nil, err
	}
	known := false
	for _, x := range all {
		known = known || x.Gateway == gateway
	}
	if !known {
		return nil, nil, fmt.Errorf("%w: %s has none of %q", store.ErrUnknownGateway, data, gateway)
	}
	s, err := store.Open(ctx, store.Config{Dir: data, MaxBytes: most, Logger: log})
	if err != nil {
		return nil, nil, err
	}
	l, err := s.Log(ctx, gateway)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, l, nil
}

// ArchiveStopped moves the rolled parts of a stopped recorder's log into files. The newest
// part with events stays: nobody runs who could go on behind it.
func ArchiveStopped(ctx context.Context, data, build string, log *store.JetLog, to string) (parts []httpapi.Part, err error) {
	done, err := log.Archive(ctx, to, func(ctx context.Context, last uint64) error {
		if signed, ever := checkpoint.Signed(data, log.Gateway()); ever && signed < last {
			return fmt.Errorf("the events up to %d are not signed yet, only up to %d; a recorder signs them when it ends: recorder run", last, signed)
		}
		return keepBase(ctx, data, build, log, last)
	})
	for _, one := range done {
		parts = append(parts, archivedPart(one))
	}
	return parts, err
}

// rollAgain is how often it is looked whether a month is over. A log that nobody writes
// for that long is none that is in a hurry.
const rollAgain = time.Hour

// roller is what a monthly roll needs of a log; *store.JetLog is one.
type roller interface {
	Newest(ctx context.Context) (begun time.Time, bytes int64, err error)
	Roll(ctx context.Context, reason string, now time.Time) (store.Rolled, error)
}

// rollMonthly rolls a log that has events of another month, in UTC, than this one, until
// ctx ends.
func rollMonthly(ctx context.Context, l roller, log *slog.Logger) {
	again := time.NewTicker(rollAgain)
	defer again.Stop()
	for {
		if err := rollIfOver(ctx, l, time.Now(), log); err != nil && ctx.Err() == nil {
			log.Error("the log was not rolled, and goes on as it is", "error", err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

func rollIfOver(ctx context.Context, l roller, now time.Time, log *slog.Logger) error {
	begun, _, err := l.Newest(ctx)
	if err != nil || begun.IsZero() {
		return err
	}
	then, now := begun.UTC(), now.UTC()
	if then.Year() > now.Year() || then.Year() == now.Year() && then.Month() >= now.Month() {
		return nil
	}
	rolled, err := l.Roll(ctx, "the month "+then.Format("2006-01")+" is over", now)
	if err == nil {
		log.Info("the log was rolled", "part", rolled.Part, "first", rolled.First, "last", rolled.Last)
	}
	return err
}

// ratedFrom is how long a part must have grown for its rate to say anything, and ratedTo
// what is too far away to be said.
const (
	ratedFrom = time.Hour
	ratedTo   = 10 * 365 * 24 * time.Hour
)

// fullAt is when a log will be full that goes on growing as its newest part has since it
// was begun; zero if nobody can tell, or not for years.
func fullAt(now, begun time.Time, bytes, used, limit int64) time.Time {
	grown := now.Sub(begun)
	if begun.IsZero() || grown < ratedFrom || bytes <= 0 || used >= limit {
		return time.Time{}
	}
	left := float64(grown) * float64(limit-used) / float64(bytes)
	if left > float64(ratedTo) {
		return time.Time{}
	}
	return now.Add(time.Duration(left)).UTC().Truncate(time.Minute)
}
