package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats.go"
)

// Config says who connects, and where to.
type Config struct {
	// URL is where the recorder listens, as its configuration has it in nats.listen:
	// 127.0.0.1:4222 or nats://127.0.0.1:4222.
	URL string
	// Seed is the file with the runner's seed, which recorder nats key makes. It must be
	// its owner's alone.
	Seed string
	// Name is the runner's, as the recorder's configuration has it in nats.runners.
	Name string
	// Gateway is the name of the gateway that all calls are about.
	Gateway string
}

// Client is a connection to a recorder. It outlives a restart of the recorder, and may
// be used by many goroutines at once.
type Client struct {
	cfg    Config
	nc     *nats.Conn
	denied atomic.Pointer[error] // what the recorder last did not allow
}

const (
	// askWithin is how long one request may take: longer than the recorder takes to say
	// that its log does not keep up.
	askWithin = 6 * time.Second
	// againFirst and againMost are the waits before a request is sent again.
	againFirst = 50 * time.Millisecond
	againMost  = time.Second
)

// ErrNotAllowed: the recorder does not know this key, or has another name for it.
var ErrNotAllowed = errors.New("the recorder does not allow it")

// Connect connects, and sees to it that the recorder knows the runner and the gateway.
// It fails when no recorder answers before ctx ends, with ErrNotAllowed, or with a
// *Problem.
func Connect(ctx context.Context, cfg Config) (*Client, error) {
	c := &Client{cfg: cfg}
	if err := c.connect(ctx); err != nil {
		return nil, fmt.Errorf("connect to the recorder at %s as %s: %w", cfg.URL, cfg.Name, err)
	}
	return c, nil
}

func (c *Client) connect(ctx context.Context) error {
	if err := events.CheckGatewayName(c.cfg.Name); err != nil {
		return fmt.Errorf("the runner's name, which is like a gateway's: %w", err)
	}
	if err := events.CheckGatewayName(c.cfg.Gateway); err != nil {
		return err
	}
	info, err := os.Stat(c.cfg.Seed)
	if err != nil {
		return fmt.Errorf("the seed of the runner: %w; make one with: recorder nats key %s", err, c.cfg.Name)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 { // there the mode says nothing of others
		return fmt.Errorf("the seed can be read by others; make a new key, or: chmod 600 %s", c.cfg.Seed)
	}
	key, err := nats.NkeyOptionFromSeed(c.cfg.Seed)
	if err != nil {
		return fmt.Errorf("the seed of the runner: %s: %w; make one with: recorder nats key %s", c.cfg.Seed, err, c.cfg.Name)
	}
	within := askWithin
	if end, bounded := ctx.Deadline(); bounded {
		within = min(within, time.Until(end))
	}
	inbox := "_INBOX." + c.cfg.Name
	c.nc, err = nats.Connect(c.cfg.URL, key,
		nats.Name(c.cfg.Name), nats.CustomInboxPrefix(inbox), nats.Timeout(within),
		nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 0),
		nats.ReconnectBufSize(-1), // a request that is sent later than asked is answered to nobody
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrPermissionViolation) {
				c.denied.Store(&err)
			}
		}))
	if err != nil {
		return c.explain(err)
	}
	if err = c.known(ctx, inbox); err != nil {
		c.nc.Close()
	}
	return err
}

// explain says with an error of the first connect what is to be done.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return fmt.Errorf("%w: %w; it does not know the key: add what recorder nats key printed to nats.runners in its configuration, and start it again", ErrNotAllowed, err)
	case errors.Is(err, nats.ErrNoServers):
		return fmt.Errorf("nobody listens there: %w; start it with nats.listen in its configuration: recorder run", err)
	}
	return fmt.Errorf("%w; recorder status -o json says in nats where it listens for runners", err)
}

// known asks whether the runner may have its inbox, and for the end of the log.
func (c *Client) known(ctx context.Context, inbox string) error {
	sub, err := c.nc.SubscribeSync(inbox + ".hello")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if err := c.nc.FlushWithContext(ctx); err != nil {
		return err
	}
	if errors.Is(c.nc.LastError(), nats.ErrPermissionViolation) {
		return fmt.Errorf("%w: it has another name for this key; see nats.runners in its configuration", ErrNotAllowed)
	}
	if err := sub.Unsubscribe(); err != nil {
		return err
	}
	_, _, err = c.page(ctx, 1)
	return err
}

// Close ends the connection, and with it everything that waits.
func (c *Client) Close() { c.nc.Close() }

// Problem is a recorder's answer that something cannot be done.
type Problem struct {
	Type   string `json:"type"` // urn:ibrecorder:problem: and a word that never changes
	Title  string `json:"title"`
	Status int    `json:"status"` // as in HTTP
	Detail string `json:"detail"`
	Hint   string `json:"hint"` // what to do; may be empty
}

func (p *Problem) Error() string {
	s := p.Detail
	if s == "" {
		s = p.Title
	}
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}

// passes says that the same request may succeed later.
func (p *Problem) passes() bool { return p.Status == 503 }

// ask sends a request until it is answered or ctx ends: a recorder that restarts, or
// whose log does not keep up, answers later. So body must be what can be sent twice.
// sent is when the one that was answered was sent.
func (c *Client) ask(ctx context.Context, root string, body []byte) (msg *nats.Msg, sent time.Time, err error) {
	wait := againFirst
	var last error // why it was not answered so far
	for {
		sent = time.Now()
		msg, err = c.once(ctx, root, body)
		var p *Problem
		switch {
		case err == nil:
			return msg, sent, nil
		case errors.As(err, &p) && !p.passes(), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, ErrNotAllowed), errors.Is(err, nats.ErrMaxPayload):
			return nil, sent, err
		case ctx.Err() == nil:
			last = err
		}
		select {
		case <-ctx.Done():
			if last == nil {
				last = errors.New("no answer")
			}
			return nil, sent, fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-time.After(wait):
			wait = min(2*wait, againMost)
		}
	}
}

// once sends a request one time.
func (c *Client) once(ctx context.Context, root string, body []byte) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	subject := root + c.cfg.Gateway + "." + c.cfg.Name
	msg, err := c.nc.RequestWithContext(ctx, subject, body)
	if err != nil {
		if denied := c.denied.Load(); denied != nil && strings.Contains((*denied).Error(), subject) {
			return nil, fmt.Errorf("%w: %w", ErrNotAllowed, *denied)
		}
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	if msg.Header.Get("Nats-Service-Error-Code") == "" {
		return msg, nil
	}
	p := &Problem{}
	if err := json.Unmarshal(msg.Data, p); err != nil {
		return nil, fmt.Errorf("ask %s: an answer that cannot be read: %w", subject, err)
	}
	return nil, p
}

// page asks for events from a sequence on; head is the last one of the log.
func (c *Client) page(ctx context.Context, from uint64) (lines []byte, head uint64, err error) {
	msg, _, err := c.ask(ctx, "ibrecorder.read.", fmt.Appendf(nil, `{"from":%d}`, from))
	if err != nil {
		return nil, 0, err
	}
	if head, err = strconv.ParseUint(msg.Header.Get("Ibrecorder-Head"), 10, 64); err != nil {
		return nil, 0, fmt.Errorf("read the log of %s: where it ends: %w", c.cfg.Gateway, err)
	}
	return msg.Data, head, nil
}
