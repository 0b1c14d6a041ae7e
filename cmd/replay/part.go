package main

import (
	"fmt"
	"time"

	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

func rangeFlags(c *cobra.Command, r *report.Range) {
	c.Flags().Uint64Var(&r.From, "from", 0, "`SEQ` of the first event")
	c.Flags().Uint64Var(&r.To, "to", 0, "`SEQ` of the last event")
}

func checkRange(r report.Range) error {
	if r.To != 0 && r.From > r.To {
		return fmt.Errorf("--from %d is behind --to %d", r.From, r.To)
	}
	return nil
}

func incidentFlags(c *cobra.Command, last *bool, incident *string) {
	c.Flags().BoolVar(last, "last-incident", false, "of the last incident")
	c.Flags().StringVar(incident, "incident", "", "of the incident with the event `SEQ`, for example 39")
}

// choose finds the incident that is meant, in a pass of its own: where it ends is
// known only when it is over. Without a sequence it is the last one.
func (t *terminal) choose(c *cobra.Command, src *source.Source, incident string) (report.Incident, error) {
	seq := uint64(0)
	if incident != "" {
		at, err := report.ParseMoment(incident, time.UTC)
		if err != nil || at.Seq == 0 {
			return report.Incident{}, fmt.Errorf("%s: --incident %q: want the sequence of its stop, such as 39; replay timeline names them", c.Name(), incident)
		}
		seq = at.Seq
	}
	bar := t.bar(c.Name()+": incidents", src)
	all, err := report.Incidents(bar.Watch(src.Events(c.Context(), 0, 0)))
	bar.Clear()
	if err != nil && (ofUser(err) || len(all) == 0) {
		return report.Incident{}, notWhole(err)
	}
	found, err := report.ChooseIncident(all, seq)
	if err != nil {
		return report.Incident{}, fmt.Errorf("%s: %w", c.Name(), err)
	}
	return found, nil
}

// times are --since and --until.
type times struct{ since, until string }

func (s *times) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.since, "since", "", "from this `TIME` on: a date, a time, or a span such as 24h before the last event")
	c.Flags().StringVar(&s.until, "until", "", "up to this `TIME`")
}

// check reads the times as far as that can be done before there is a stream.
func (s times) check(zone *time.Location) error {
	for flag, text := range map[string]string{"--since": s.since, "--until": s.until} {
		if text != "" {
			if _, err := tty.When(flag, text, zone, time.Time{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// within is the part of a stream that the times are about, inside r, in a pass of its own. A
// span counts back from the last time in the stream and not from now, so that a command
// says the same of the same stream on every day.
func (t *terminal) within(c *cobra.Command, src *source.Source, s times, r report.Range) (report.Range, error) {
	if s == (times{}) {
		return r, nil
	}
	bar := t.bar(c.Name()+": times", src)
	defer bar.Clear()
	var end time.Time
	_, spans := tty.Span(s.since)
	_, spansTo := tty.Span(s.until)
	if spans || spansTo {
		for rec, err := range bar.Watch(src.Events(c.Context(), 0, 0)) {
			if err != nil {
				break // whoever tells of the stream says so
			}
			if !rec.Time.IsZero() {
				end = rec.Time
			}
		}
	}
	since, until := time.Time{}, time.Time{}
	var err error
	if s.since != "" {
		if since, err = tty.When("--since", s.since, t.style.Zone, end); err != nil {
			return r, err
		}
	}
	if s.until != "" {
		if until, err = tty.When("--until", s.until, t.style.Zone, end); err != nil {
			return r, err
		}
	}
	found, err := report.Within(bar.Watch(src.Events(c.Context(), 0, 0)), since, until)
	if err != nil && ofUser(err) {
		return r, err
	}
	found.From = max(found.From, r.From)
	if r.To != 0 {
		found.To = min(found.To, r.To)
	}
	if found.From == 0 || found.From > found.To {
		return r, fmt.Errorf("%s: %w in that time; leave --since and --until away for all there is", c.Name(), errNothing)
	}
	return found, nil
}
