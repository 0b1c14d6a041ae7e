package natsapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"

	"github.com/nats-io/nats.go"
)

// Gateway is what the server needs of one gateway's recorder. Its methods are called by
// many goroutines at once. An error that is a *httpapi.Problem goes to the runner as it
// is.
type Gateway interface {
	// Name is the gateway's.
	Name() string
	// Head asks the log for the sequence of its last event.
	Head(ctx context.Context) (uint64, error)
	// Submit appends a report. It is durable when it returns; an ID that is in the log
	// already gives the record that is there.
	Submit(ctx context.Context, d events.Draft) (events.Record, error)
	// Permit asks for a permit for a runner that dials by itself.
	Permit(ctx context.Context, source, attempt string, q events.AttemptRequested) (httpapi.Answer, error)
	// HangUp asks whether a runner may end its session: disconnect.completed, or
	// disconnect.blocked if a handshake is in the way.
	HangUp(ctx context.Context, source string, q events.DisconnectRequested) (events.Record, error)
	// Read yields the events from..to, both included; to 0 is the head.
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	// Tail yields what is there from sequence from on and then what comes; the last
	// pair is always an error.
	Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error]
}

const (
	// patience is how long a request may take, most of it for the log. A runner waits a
	// little longer.
	patience = 5 * time.Second
	// grace is how long requests under way may take when the recorder ends.
	grace = 500 * time.Millisecond
	// perRunner bounds the requests of one runner that are under way at a time.
	perRunner = 16
)

// Quota bounds what each source may send.
type Quota interface {
	// Take takes n things, or nothing, and says when they may come.
	Take(source string, n int) (wait time.Duration)
}

// server answers requests. Its Serve owns the subscriptions; each request has a
// goroutine of its own, because one gateway's log must not hold up another's runners.
type server struct {
	nc       *nats.Conn
	gateways map[string]Gateway
	quota    Quota
	log      *slog.Logger
	redactor *events.Redactor // for what an answer repeats of its request
	life     context.Context  // of requests

	mu    sync.Mutex // guards the rest
	busy  map[string]int
	ended bool
	all   sync.WaitGroup
}

// Serve answers runners on nc until ctx ends, and then for less than a second; quota bounds
// what each may report and ask for. The error is nil then, or why nc cannot be listened on.
func Serve(ctx context.Context, nc *nats.Conn, gateways []Gateway, quota Quota, log *slog.Logger) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	s := &server{
		nc: nc, gateways: map[string]Gateway{}, quota: quota, log: log, redactor: events.NewRedactor([]byte(rand.Text())), life: life, busy: map[string]int{},
	}
	for _, g := range gateways {
		s.gateways[g.Name()] = g
	}
	var followers sync.WaitGroup
	for _, g := range gateways {
		followers.Go(func() { s.follow(ctx, g) })
	}
	for root, answer := range map[string]answerer{intakeRoot: s.intake, permitRoot: s.permit, hangUpRoot: s.hangUp, readRoot: s.read} {
		sub, err := nc.Subscribe(root+"*.*", func(msg *nats.Msg) { s.take(msg, root, answer) })
		if err != nil {
			return fmt.Errorf("listen to runners: %w", err)
		}
		defer func() { _ = sub.Unsubscribe() }() // it fails on a connection that is gone
	}
	<-ctx.Done()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	defer time.AfterFunc(grace, end).Stop()
	s.all.Wait()
	followers.Wait()
	_ = nc.FlushTimeout(grace) // the last answers; who does not get theirs asks again
	return nil
}

// answerer answers one request.
type answerer = func(ctx context.Context, g Gateway, runner string, body []byte) (nats.Header, []byte, error)

// take begins with a request, or says at once why not.
func (s *server) take(msg *nats.Msg, root string, answer answerer) {
	name, runner, ok := asker(msg.Subject, root)
	// The server does not look at where an answer is to go: it could be to the subject
	// of another runner.
	if !ok || !strings.HasPrefix(msg.Reply, inboxRoot+runner+".") {
		s.log.Debug("a message that asks for no answer in its sender's own inbox is not taken", "subject", msg.Subject)
		return
	}
	g, known := s.gateways[name]
	if !known {
		s.fail(msg, &httpapi.Problem{Type: "urn:ibrecorder:problem:unknown-gateway", Title: "no such gateway", Status: http.StatusNotFound,
			Detail: fmt.Sprintf("no gateway %q", name), Hint: "recorder status lists them"})
		return
	}
	if !s.begin(runner) {
		s.fail(msg, busy(fmt.Sprintf("%d requests of %s are under way, or the recorder is stopping", perRunner, runner)))
		return
	}
	go func() {
		defer s.end(runner)
		ctx, cancel := context.WithTimeoutCause(s.life, patience, busy(fmt.Sprintf("the log has not taken it within %s", patience)))
		defer cancel()
		header, body, err := answer(ctx, g, runner, msg.Data)
		if err != nil {
			s.fail(msg, err)
			return
		}
		s.reply(msg, header, body)
	}()
}

// busy is the answer to what can be sent again.
func busy(detail string) *httpapi.Problem {
	return &httpapi.Problem{Type: "urn:ibrecorder:problem:busy", Title: "the recorder does not keep up", Status: http.StatusServiceUnavailable,
		Detail: detail, Hint: "send it again as it is"}
}

// spend takes n things from what a runner may send.
func (s *server) spend(runner string, n int) error {
	wait := s.quota.Take(sourceOf(runner), n)
	if wait == 0 {
		return nil
	}
	// 503, because that is what a client sends again by itself.
	return busy(fmt.Sprintf("%s sends more than it may; there is room again in %s", sourceOf(runner), wait.Round(time.Millisecond)))
}

func (s *server) begin(runner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.busy[runner] >= perRunner {
		return false
	}
	s.busy[runner]++
	s.all.Add(1)
	return true
}

func (s *server) end(runner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy[runner]--
	s.all.Done()
}

func (s *server) reply(msg *nats.Msg, header nats.Header, body []byte) {
	if err := s.nc.PublishMsg(&nats.Msg{Subject: msg.Reply, Header: header, Data: body}); err != nil {
		s.log.Warn("a runner was not answered", "subject", msg.Subject, "error", err)
	}
}

// fail answers with a problem, without account ids. The header is the one by which
// NATS tools know a failure.
func (s *server) fail(msg *nats.Msg, err error) {
	p := *httpapi.ProblemOf(err)
	p.Detail = s.redactor.Text(p.Detail)
	body, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("natsapi: a problem has only strings and numbers: %v", err))
	}
	s.reply(msg, nats.Header{"Nats-Service-Error-Code": {strconv.Itoa(p.Status)}, "Nats-Service-Error": {p.Title}}, body)
}

// followAgain is the wait before a log that could not be followed is tried again.
const followAgain = time.Second

// follow publishes what is new in a log, once it is durable. Who missed some of it
// reads the pages.
func (s *server) follow(ctx context.Context, g Gateway) {
	next := uint64(0)
	for ctx.Err() == nil {
		var why error
		if next == 0 {
			if next, why = g.Head(ctx); why == nil {
				next++
			}
		}
		if why == nil {
			why = s.publish(ctx, g, &next)
		}
		if ctx.Err() != nil || errors.Is(why, nats.ErrConnectionClosed) {
			return
		}
		s.log.Error("the log is not followed, and is tried again", "gateway", g.Name(), "error", why, "in", followAgain)
		select {
		case <-time.After(followAgain):
		case <-ctx.Done():
		}
	}
}

// publish publishes events from next on, and returns why it ended.
func (s *server) publish(ctx context.Context, g Gateway, next *uint64) error {
	for rec, err := range g.Tail(ctx, *next) {
		if err == nil {
			err = s.nc.Publish(liveRoot+g.Name()+"."+string(rec.Kind()), rec.Raw)
		}
		if err != nil {
			return err
		}
		*next = rec.Seq + 1
	}
	return ctx.Err()
}
