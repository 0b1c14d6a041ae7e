package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
)

const (
	// maxListeners bounds the streams of events of one port, beyond which 503 is answered.
	maxListeners = 1024
	// maxReaders bounds how many of them read a log at a time, for which the others wait; and
	// how many others read one, beyond which 503 is answered. These may be slow, or follow it
	// for days, so no listener waits for them.
	maxReaders = 16
	// heartbeat is how often a stream on which nothing happens says that it is there.
	heartbeat = 15 * time.Second
	// pageEvents and pageBytes bound what a stream takes out of a log before it writes it.
	pageEvents = 256
	pageBytes  = 256 << 10
)

// listener is one stream of events. Its handler owns it.
type listener struct {
	gateways []Gateway
	single   bool              // an id is a sequence; otherwise gateway:sequence of each, with commas
	places   map[string]uint64 // the next sequence, by gateway
	kinds    []string          // exact, or groups such as attempt.*; none is all
	ended    map[string]bool   // whose recorder.stopped was seen

	w   http.ResponseWriter
	rc  *http.ResponseController
	err error // of the first write that failed
}

// streams answers with the events of one gateway, in the form that the client accepts.
func (h *handler) streams(w http.ResponseWriter, r *http.Request, g Gateway) error {
	w.Header().Set("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return h.listen(w, r, true, g)
	}
	if h.guard == nil { // whoever reaches the socket may read as much as they like
		return h.stream(w, r, g)
	}
	select {
	case h.readers <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "5")
		return crowded.with(fmt.Sprintf("%d others read the logs", maxReaders), "ask again in 5 s, or for text/event-stream")
	}
	defer func() { <-h.readers }()
	return h.stream(w, r, g)
}

// streamsAll answers with the events of all gateways.
func (h *handler) streamsAll(w http.ResponseWriter, r *http.Request) error {
	var all []Gateway
	for _, name := range h.names {
		all = append(all, h.gateways[name])
	}
	return h.listen(w, r, false, all...)
}

// listen streams events as server-sent events (HTML standard, 9.2) until the client
// leaves or the recorder stops. Who takes nothing for as long as patience is cut off.
// Nobody waits for a client: it has no queue, only a place.
func (h *handler) listen(w http.ResponseWriter, r *http.Request, single bool, gateways ...Gateway) error {
	if h.listeners.Add(1) > maxListeners {
		h.listeners.Add(-1)
		w.Header().Set("Retry-After", "5")
		return crowded.with(fmt.Sprintf("%d others listen", maxListeners), "ask again in 5 s")
	}
	defer h.listeners.Add(-1)
	f, err := h.live.join(r.Context())
	if err != nil {
		return err
	}
	defer h.live.leave(f)
	l := &listener{gateways: gateways, single: single, places: map[string]uint64{}, ended: map[string]bool{}, w: w, rc: http.NewResponseController(w)}
	if err := l.begin(r, f); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.ctx, func() { time.AfterFunc(lastEvents, cancel) })()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy would keep it until it is whole
	l.write([]byte("retry: 1000\n\n"))
	l.flush()
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for l.err == nil && ctx.Err() == nil {
		changed := f.changed()
		more, err := h.pass(ctx, f, l)
		switch {
		case err != nil || f.failed() != nil:
			return nil // cut off: the client comes again, to its place
		case h.ctx.Err() != nil && len(l.ended) == len(l.gateways):
			return nil // there is nothing to wait for
		case more:
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-beat.C:
			// An id without data moves a client's place past what it did not want.
			l.write([]byte(":\nid: " + l.id() + "\n\n"))
			l.flush()
		}
		beat.Reset(heartbeat)
	}
	return nil
}

// pass writes what there is for l now, and says whether it came to its end.
func (h *handler) pass(ctx context.Context, f *following, l *listener) (more bool, err error) {
	for _, g := range l.gateways {
		name := g.Name()
		frames, until := f.since(name, l.places[name])
		if until > 0 {
			more = true
			if frames, err = h.page(ctx, g, l.places[name], until); err != nil {
				return false, err
			}
		}
		for _, x := range frames {
			l.places[name] = x.seq + 1
			if x.kind == kindStopped {
				l.ended[name] = true
			} else {
				delete(l.ended, name)
			}
			if l.wants(x.kind) {
				l.write([]byte("id: " + l.id() + "\n"))
				l.write(x.text)
			}
		}
	}
	l.flush()
	return more, nil
}

var kindStopped = events.RecorderStopped{}.Kind()

// page reads a part of a log, when it is its turn.
func (h *handler) page(ctx context.Context, g Gateway, from, to uint64) ([]frame, error) {
	select {
	case h.pages <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.pages }()
	var frames []frame
	size := 0
	for rec, err := range g.Read(ctx, from, to) {
		if err != nil {
			return nil, err
		}
		frames = append(frames, frameOf(rec))
		if size += len(rec.Raw); len(frames) == pageEvents || size >= pageBytes {
			break
		}
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("events %d to %d of %s are not there", from, to, g.Name())
	}
	return frames, nil
}

// begin reads where the client wants to begin, and what it wants.
func (l *listener) begin(r *http.Request, f *following) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return malformed.with("the query: "+err.Error(), choices(listenParameters))
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(listenParameters, name) {
			return malformed.with(fmt.Sprintf("unknown parameter %q", name), "parameters: "+strings.Join(listenParameters, ", "))
		}
	}
	if l.kinds, err = parseKinds(q["kind"]); err != nil {
		return err
	}
	for _, g := range l.gateways {
		l.places[g.Name()] = f.head(g.Name()) + 1
	}
	last := r.Header.Get("Last-Event-ID")
	switch {
	case last != "":
		err = l.resume(last)
	case len(q["from"]) > 1 || len(q["from"]) == 1 && !l.single && q.Get("from") != "1":
		return malformed.with(fmt.Sprintf("from=%q", q["from"]), "give it once; of all gateways only from=1, the beginning of each, is known")
	case len(q["from"]) == 1:
		n, bad := strconv.ParseUint(q.Get("from"), 10, 64)
		if bad != nil {
			return malformed.with(fmt.Sprintf("from=%q, want a sequence number", q.Get("from")), "")
		}
		for name := range l.places {
			l.places[name] = max(n, 1)
		}
	}
	if err != nil {
		return err
	}
	for _, g := range l.gateways {
		// Who waits for what is far away would wait beside a log that goes on.
		if head := f.head(g.Name()); l.places[g.Name()] > head+1 {
			return malformed.with(fmt.Sprintf("event %d of %s is not there: its log ends at %d", l.places[g.Name()]-1, g.Name(), head),
				"another log may have been begun; leave out from and Last-Event-ID")
		}
	}
	return nil
}

var listenParameters = []string{"from", "kind"}

// resume sets the places behind those of an id.
func (l *listener) resume(id string) error {
	wrong := malformed.with(fmt.Sprintf("Last-Event-ID %.40q", id), "send the id of the last event as it came, or none")
	if l.single {
		n, err := strconv.ParseUint(id, 10, 63)
		if err != nil {
			return wrong
		}
		l.places[l.gateways[0].Name()] = n + 1
		return nil
	}
	for _, part := range strings.Split(id, ",") {
		name, seq, _ := strings.Cut(part, ":")
		n, err := strconv.ParseUint(seq, 10, 63)
		if err != nil {
			return wrong
		}
		if _, known := l.places[name]; known { // one that is not guarded any more is none's concern
			l.places[name] = n + 1
		}
	}
	return nil
}

// id is where the client is.
func (l *listener) id() string {
	if l.single {
		return strconv.FormatUint(l.places[l.gateways[0].Name()]-1, 10)
	}
	var parts []string
	for _, g := range l.gateways {
		parts = append(parts, g.Name()+":"+strconv.FormatUint(l.places[g.Name()]-1, 10))
	}
	return strings.Join(parts, ",")
}

// parseKinds reads kind=attempt.failed,restart.*, once or more often.
func parseKinds(values []string) (kinds []string, err error) {
	for _, v := range values {
		for _, k := range strings.Split(v, ",") {
			group, all := strings.CutSuffix(k, "*")
			known := slices.ContainsFunc(events.Kinds(), func(i events.Info) bool {
				return string(i.Kind) == k || all && strings.HasSuffix(group, ".") && strings.HasPrefix(string(i.Kind), group)
			})
			if !known {
				return nil, malformed.with(fmt.Sprintf("kind %.64q is not known", k), "docs/events.md lists them; a group is written as in attempt.*")
			}
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

func (l *listener) wants(kind events.Kind) bool {
	return len(l.kinds) == 0 || slices.ContainsFunc(l.kinds, func(k string) bool {
		group, all := strings.CutSuffix(k, "*")
		return k == string(kind) || all && strings.HasPrefix(string(kind), group)
	})
}

// write and flush do nothing after the first failure.
func (l *listener) write(text []byte) {
	if l.err == nil {
		_ = l.rc.SetWriteDeadline(time.Now().Add(patience)) // a writer in a test knows none
		_, l.err = l.w.Write(text)
	}
}

func (l *listener) flush() {
	if l.err == nil {
		_ = l.rc.SetWriteDeadline(time.Now().Add(patience))
		l.err = l.rc.Flush()
	}
}
