package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"ibrecorder/events"
)

// Client asks a running recorder over the socket in its data folder. An answer
// that is an error is a *Problem; no answer because nobody listens is
// ErrUnreachable. It keeps no connection between calls and needs no closing.
type Client struct {
	dir  string
	http *http.Client
}

// Dial makes a client for the recorder whose data folder is dir. It connects
// with the first call.
func Dial(dir string) *Client {
	c := &Client{dir: dir}
	c.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: c.dial}}
	return c
}

func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	path, err := socketPath(c.dir)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "unix", path)
}

// Gateways returns the names of the gateways it guards, sorted.
func (c *Client) Gateways(ctx context.Context) ([]string, error) {
	var names []string
	err := c.call(ctx, "list gateways", http.MethodGet, "/v1/gateways", nil, &names)
	return names, err
}

// Alive returns nil if the loop of every gateway turns, as GET /healthz has it.
func (c *Client) Alive(ctx context.Context) error {
	body, err := c.do(ctx, "health", http.MethodGet, "/healthz", nil)
	if err != nil {
		return err
	}
	return body.Close()
}

// Status returns what the recorder knows of a gateway.
func (c *Client) Status(ctx context.Context, gateway string) (Status, error) {
	var s Status
	err := c.call(ctx, "status of "+gateway, http.MethodGet, route(gateway, ""), nil, &s)
	return s, err
}

// Submit hands in a report, a CloudEvent in JSON as events.DecodeDraft reads it.
// It is durable when Submit returns, and may be handed in again: the same id is
// stored once.
func (c *Client) Submit(ctx context.Context, gateway string, report []byte) (events.Record, error) {
	return c.post(ctx, "report to "+gateway, route(gateway, "events"), json.RawMessage(report))
}

// Note writes an operator's remark into the log.
func (c *Client) Note(ctx context.Context, gateway, by, text string) (events.Record, error) {
	return c.post(ctx, "note on "+gateway, route(gateway, "notes"), note{By: by, Text: text})
}

// Resume claims that the Gateway was restarted. A claim that was rejected is a
// *Problem that matches ErrRefused and has the decision as its Record.
func (c *Client) Resume(ctx context.Context, gateway string, claim Claim) (events.Record, error) {
	return c.post(ctx, "resume "+gateway, route(gateway, "resume"), claim)
}

// Ack says that an operator has seen the alert in force, and returns the
// alert.acknowledged that counts. Without an alert the error is a *Problem that matches
// ErrRefused.
func (c *Client) Ack(ctx context.Context, gateway string, a Ack) (events.Record, error) {
	return c.post(ctx, "ack "+gateway, route(gateway, "ack"), a)
}

// Disconnect asks to end sessions. A request that was blocked is a *Problem that
// matches ErrRefused and has the decision as its Record.
func (c *Client) Disconnect(ctx context.Context, gateway string, q Disconnect) (events.Record, error) {
	return c.post(ctx, "disconnect "+gateway, route(gateway, "disconnect"), q)
}

// Read yields the events from..to as they are stored; from 0 is 1, to 0 the head.
// Without an error it has yielded all of them.
func (c *Client) Read(ctx context.Context, gateway string, from, to uint64) iter.Seq2[events.Record, error] {
	return c.feed(ctx, gateway, fmt.Sprintf("events?from=%d&to=%d", from, to), nil)
}

// Tail yields what is there from sequence from on and then what comes. The last
// pair is always an error: ErrStopping when the recorder ended in order.
func (c *Client) Tail(ctx context.Context, gateway string, from uint64) iter.Seq2[events.Record, error] {
	return c.feed(ctx, gateway, fmt.Sprintf("events?from=%d&follow=1", from), ErrStopping)
}

// feed yields a stream of events, and end after one that ended in order.
func (c *Client) feed(ctx context.Context, gateway, query string, end error) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		op := "events of " + gateway
		body, err := c.do(ctx, op, http.MethodGet, route(gateway, query), nil)
		if err != nil {
			yield(events.Record{}, err)
			return
		}
		defer body.Close()
		last := uint64(0)
		for rec, err := range events.ReadNDJSON(body) {
			if err != nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(events.Record{}, fmt.Errorf("%s: broken off after event %d: %w", op, last, err))
				return
			}
			if !yield(rec, nil) {
				return
			}
			last = rec.Seq
		}
		if end != nil {
			yield(events.Record{}, fmt.Errorf("%s: ended after event %d: %w", op, last, end))
		}
	}
}

// post sends v and returns the event that was stored.
func (c *Client) post(ctx context.Context, op, path string, v any) (events.Record, error) {
	body, isRaw := v.(json.RawMessage) // a report goes out as it is, wrong or not: the server says where
	if !isRaw {
		var err error
		if body, err = json.Marshal(v); err != nil {
			return events.Record{}, fmt.Errorf("%s: %w", op, err)
		}
	}
	var s stored
	if err := c.call(ctx, op, http.MethodPost, path, body, &s); err != nil {
		return events.Record{}, err
	}
	rec, err := events.ParseRecord(s.Event)
	if err != nil {
		return events.Record{}, fmt.Errorf("%s: the answer: %w", op, err)
	}
	return rec, nil
}

// order sends v and decodes the answer, which is no event.
func (c *Client) order(ctx context.Context, op, path string, v, answer any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return c.call(ctx, op, http.MethodPost, path, body, answer)
}

// call decodes the answer into dst.
func (c *Client) call(ctx context.Context, op, method, path string, body []byte, dst any) error {
	answer, err := c.do(ctx, op, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(dst); err != nil {
		return fmt.Errorf("%s: the answer: %w", op, err)
	}
	return nil
}

// do sends a request and returns the body of a good answer.
func (c *Client) do(ctx context.Context, op, method, path string, body []byte) (io.ReadCloser, error) {
	// The host is never looked up: dial goes to the socket.
	req, err := http.NewRequestWithContext(ctx, method, "http://recorder"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(op, err)
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	p := new(Problem)
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4*maxBody))
	if err == nil && resp.StatusCode == http.StatusServiceUnavailable && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") { // as /healthz says it
		return nil, fmt.Errorf("%s: %s", op, strings.TrimSpace(string(text)))
	}
	if err != nil || json.Unmarshal(text, p) != nil || !strings.HasPrefix(p.Type, problemType) {
		return nil, fmt.Errorf("%s: the recorder answers %s and not why", op, resp.Status)
	}
	return nil, p
}

// unreachable sorts why there was no answer.
func (c *Client) unreachable(op string, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the made-up address
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s; start it with: recorder run --data %s; or say where it keeps its data: --data FOLDER", ErrUnreachable, c.dir, quoted(c.dir))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: the socket in %s belongs to another user; ask as the one who runs the recorder: %w", op, c.dir, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

func route(gateway, rest string) string {
	path := "/v1/gateways/" + url.PathEscape(gateway)
	if rest != "" {
		path += "/" + rest
	}
	return path
}
