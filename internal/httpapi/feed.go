package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
)

// span is which events a GET asks for.
type span struct {
	from, to uint64
	follow   bool
}

func parseSpan(query string) (span, error) {
	s := span{from: 1}
	known := []string{"from", "to", "follow"}
	q, err := url.ParseQuery(query)
	if err != nil {
		return span{}, malformed.with("the query: "+err.Error(), choices(known))
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		values := q[name]
		switch {
		case !slices.Contains(known, name):
			err = fmt.Errorf("unknown parameter %q", name)
		case len(values) > 1:
			err = fmt.Errorf("parameter %s is given %d times", name, len(values))
		case name == "follow":
			if s.follow, err = strconv.ParseBool(values[0]); err != nil {
				err = fmt.Errorf("follow=%q, want 1 or 0", values[0])
			}
		default:
			n, bad := strconv.ParseUint(values[0], 10, 64)
			if bad != nil {
				err = fmt.Errorf("%s=%q, want a sequence number", name, values[0])
			}
			if name == "from" {
				s.from = n
			} else {
				s.to = n
			}
		}
		if err != nil {
			return span{}, malformed.with(err.Error(), "parameters: "+strings.Join(known, ", "))
		}
	}
	switch {
	case s.follow && s.to != 0:
		return span{}, malformed.with("follow has no end", "leave out to or follow")
	case s.to != 0 && s.from > s.to:
		return span{}, malformed.with(fmt.Sprintf("from=%d is after to=%d", s.from, s.to), "")
	}
	return s, nil
}

// stream sends stored bytes, one event a line. A reader can rely on the end: a
// stream that ends in order holds everything that was asked for, or, if it was
// followed, the recorder stopped; any other is cut off in the middle of a chunk.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, g Gateway) error {
	s, err := parseSpan(r.URL.RawQuery)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.ctx, func() { time.AfterFunc(lastEvents, cancel) })()

	rc := http.NewResponseController(w)
	begun := false
	begin := func() {
		w.Header().Set("Content-Type", "application/x-ndjson")
		begun = true
	}
	feed := g.Read(ctx, s.from, s.to)
	if s.follow {
		feed = g.Tail(ctx, s.from)
		begin()
		_ = rc.SetWriteDeadline(time.Now().Add(patience))
		if err := rc.Flush(); err != nil { // the reader knows now that it is connected
			return nil
		}
	}
	var line []byte
	last := uint64(0)
	for rec, err := range feed {
		switch {
		case err == nil:
		case r.Context().Err() != nil, s.follow && h.ctx.Err() != nil:
			return nil
		case !begun:
			return err
		default:
			h.log.Error("an event stream broke off", slog.String("gateway", g.Name()), slog.Uint64("after", last), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
		if !begun {
			begin()
		}
		// A reader that takes nothing for so long is cut off. While there is nothing
		// to write the deadline may pass: it is set anew before each write.
		_ = rc.SetWriteDeadline(time.Now().Add(patience))
		line = append(append(line[:0], rec.Raw...), '\n')
		if _, err := w.Write(line); err != nil {
			panic(http.ErrAbortHandler)
		}
		if s.follow {
			if err := rc.Flush(); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		last = rec.Seq
		if _, over := rec.Data.(events.RecorderStopped); over && s.follow && h.ctx.Err() != nil {
			return nil // there is nothing to wait for
		}
	}
	if !begun {
		begin()
	}
	return nil
}
