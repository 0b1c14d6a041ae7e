package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
)

// handler is the API over HTTP, whatever it is served on.
type handler struct {
	ctx       context.Context // ends when the recorder stops
	gateways  map[string]Gateway
	names     []string // sorted
	log       *slog.Logger
	redactor  *events.Redactor // for what an answer repeats of its request
	mux       *http.ServeMux
	guard     *guard        // nil on the socket, where the owner asks
	quota     *access.Quota // of what each source sends; nil on the socket
	routes    []string      // each method and path, for the test of openapi.yaml
	live      live
	readers   chan struct{} // has one for each who reads or follows a log over the port, line by line
	pages     chan struct{} // has one for each listener that catches up: it holds none while its peer takes its time
	listeners atomic.Int64  // streams of events
	busy      sync.RWMutex  // read-locked by every request; not a WaitGroup, because one may begin while wait waits
}

func newHandler(ctx context.Context, gateways []Gateway, log *slog.Logger) *handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &handler{ctx: ctx, gateways: map[string]Gateway{}, log: log, redactor: events.NewRedactor([]byte(rand.Text())), mux: http.NewServeMux()}
	for _, g := range gateways {
		h.gateways[g.Name()] = g
		h.names = append(h.names, g.Name())
	}
	slices.Sort(h.names)
	h.live.gateways, h.readers, h.pages = gateways, make(chan struct{}, maxReaders), make(chan struct{}, maxReaders)

	const one = "/v1/gateways/{name}"
	h.route("/v1/events", methods{"GET": {access.Read, h.streamsAll}, "POST": {access.Ingest, h.submitAny}})
	h.route("/v1/openapi.yaml", methods{"GET": {access.Nothing, h.document}})
	h.route("/v1/gateways", methods{"GET": {access.Read, h.list}})
	h.route(one, methods{"GET": {access.Read, h.about(h.status)}})
	h.route(one+"/events", methods{"GET": {access.Read, h.about(h.streams)}, "POST": {access.Ingest, h.about(h.submit)}})
	h.route(one+"/permit", methods{"GET": {access.Read, h.about(h.mayDial)}, "POST": {access.Ingest, h.about(h.permit)}})
	h.route(one+"/permit/{attempt}", methods{"DELETE": {access.Ingest, h.about(h.giveBack)}})
	h.route(one+"/ack", methods{"POST": {access.Operate, h.about(h.ack)}})
	h.route(one+"/resume", methods{"POST": {access.Operate, h.about(h.resume)}})
	h.route(one+"/disconnect", methods{"POST": {access.Operate, h.about(h.disconnect)}})
	h.route(one+"/notes", methods{"POST": {access.Operate, h.about(h.note)}})
	h.route(one+"/log/roll", methods{"POST": {access.Operate, h.about(h.keeper(h.roll))}})
	h.route(one+"/log/archive", methods{"POST": {access.Operate, h.about(h.keeper(h.archive))}})
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, unknownRoute.with("nothing is at "+r.URL.Path, "begin with /v1/gateways"))
	})
	return h
}

// endpoint is what one method of a route needs and does. What it returns is the answer
// to an error.
type endpoint struct {
	scope  access.Scope
	answer func(http.ResponseWriter, *http.Request) error
}

type methods map[string]endpoint

// route serves path by method, and says which methods there are for any other.
func (h *handler) route(path string, by methods) {
	var allowed []string
	for m, e := range by {
		h.routes = append(h.routes, m+" "+path)
		h.mux.HandleFunc(m+" "+path, func(w http.ResponseWriter, r *http.Request) {
			err := allow(r, e.scope)
			if err == nil {
				err = e.answer(w, r)
			}
			if err != nil {
				h.fail(w, err)
			}
		})
		allowed = append(allowed, m)
	}
	slices.Sort(allowed)
	h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		for _, m := range allowed {
			w.Header().Add("Allow", m)
		}
		h.fail(w, wrongMethod.with(r.Method+" "+r.URL.Path, choices(allowed)))
	})
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.busy.RLock()
	defer h.busy.RUnlock()
	if h.ctx.Err() != nil {
		h.fail(w, ErrStopping)
		return
	}
	caller := access.Caller{Owner: true}
	if h.guard != nil {
		harden(w.Header())
		var err error
		if caller, err = h.guard.admit(r); err != nil {
			h.fail(w, err)
			return
		}
	}
	h.mux.ServeHTTP(w, r.WithContext(access.With(r.Context(), caller)))
}

// wait waits for the requests under way.
func (h *handler) wait(most time.Duration) error {
	done := make(chan struct{})
	go func() {
		h.busy.Lock()
		defer h.busy.Unlock()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(most):
		return fmt.Errorf("stop serving: a request did not end in %s after its connection was closed", most)
	}
}

// about looks up the gateway of a route.
func (h *handler) about(f func(http.ResponseWriter, *http.Request, Gateway) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		g, err := h.gateway(r.PathValue("name"))
		if err != nil {
			return err
		}
		return f(w, r, g)
	}
}

func (h *handler) gateway(name string) (Gateway, error) {
	g, ok := h.gateways[name]
	if !ok {
		return nil, unknownGateway.with(fmt.Sprintf("no gateway %q", name), choices(h.names))
	}
	return g, nil
}

func (h *handler) list(w http.ResponseWriter, _ *http.Request) error {
	h.answer(w, http.StatusOK, append([]string{}, h.names...))
	return nil
}

func (h *handler) status(w http.ResponseWriter, r *http.Request, g Gateway) error {
	s, err := g.Status(r.Context())
	if err != nil {
		return err
	}
	h.answer(w, http.StatusOK, s.canonical())
	return nil
}

// answer writes v as JSON. Nothing can be said to a peer that does not take it.
func (h *handler) answer(w http.ResponseWriter, status int, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // it would change the bytes of a stored event
	_ = enc.Encode(v)
}

// fail answers with a problem. It repeats what the caller sent, and an error of
// the recorder, only without account ids.
func (h *handler) fail(w http.ResponseWriter, err error) {
	p := *ProblemOf(err)
	p.Detail = h.redactor.Text(p.Detail)
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusUnauthorized {
		w.Header()["Www-Authenticate"] = []string{`Bearer realm="ibrecorder"`, `Basic realm="ibrecorder: any name, and a token"`}
	}
	h.answer(w, p.Status, p)
}
