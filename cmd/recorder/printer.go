package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/report"
	"ibrecorder/internal/tty"
)

// printer writes events in one of the formats.
type printer interface {
	event(events.Record) error
	end() error
}

func newPrinter(format string, w io.Writer, style report.Style) printer {
	switch format {
	case "ndjson":
		return raw{w}
	case "json":
		return &document{w: w}
	case "csv":
		return sheet{tty.NewSheet(w, eventColumns...)}
	}
	return &lines{w: w, style: style}
}

// raw are the bytes of the log.
type raw struct{ w io.Writer }

func (p raw) event(rec events.Record) error {
	_, err := fmt.Fprintf(p.w, "%s\n", rec.Raw)
	return err
}

func (raw) end() error { return nil }

// eventsAnswer is what events -o json prints, written while the log is read.
type eventsAnswer struct {
	Schema int `json:"schema_version"`
	// Events are as they are stored (docs/events.md), in the order of the log.
	Events []events.Event `json:"events"`
}

type document struct {
	w     io.Writer
	begun bool
}

func (p *document) event(rec events.Record) error {
	before := ",\n"
	if !p.begun {
		before = fmt.Sprintf("{\"schema_version\":%d,\"events\":[\n", schema)
		p.begun = true
	}
	_, err := fmt.Fprintf(p.w, "%s%s", before, rec.Raw)
	return err
}

func (p *document) end() error {
	if !p.begun {
		return printJSON(p.w, eventsAnswer{schema, []events.Event{}})
	}
	_, err := io.WriteString(p.w, "\n]}\n")
	return err
}

// sheet is for a spreadsheet.
type sheet struct{ *tty.Sheet }

// eventColumns are the columns of events -o csv; some are added behind them, and none is
// taken away.
var eventColumns = []string{"seq", "time", "gateway", "kind", "source", "attempt", "conn", "epoch", "boot", "detail"}

func (p sheet) event(rec events.Record) error {
	return p.Row(strconv.FormatUint(rec.Seq, 10), rec.Time.UTC().Format(time.RFC3339Nano), rec.Gateway, string(rec.Kind()), rec.Source,
		rec.Attempt, rec.Conn, strconv.FormatUint(rec.Epoch, 10), rec.Boot, report.Says(rec.Data))
}

func (p sheet) end() error { return p.End() }

// lines are for people: the time of day, below a line with the day and its zone.
type lines struct {
	w     io.Writer
	style report.Style
	day   string
}

func (p *lines) event(rec events.Record) error {
	if d := rec.Time.In(p.style.Zone).Format("2006-01-02 MST"); d != p.day {
		p.day = d
		if _, err := fmt.Fprintln(p.w, d); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(p.w, report.Line(rec.Event, p.style))
	return err
}

func (*lines) end() error { return nil }
