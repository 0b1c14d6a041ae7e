package tap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"ibrecorder/events"
)

// errNoAddress: the Gateway's name could not be looked up, so nothing was dialled.
var errNoAddress = errors.New("the Gateway's name has no address")

// errStoodStill: a dial ran into its limit while this process did not run, so that
// nobody knows whether it was answered in time.
var errStoodStill = errors.New("this process stood still meanwhile")

// dial connects to the Gateway and sends the hello; false if the attempt is over.
func (c *conn) dial(h *handshake) bool {
	h.dial(time.Now(), c.tap.cfg.Address)
	c.report(h.drain()...) // the one fact that precedes what it tells of
	if !c.tap.beginDial(c) {
		return c.callOff(h)
	}
	ctx, cancel := context.WithCancel(c.spell.ctx)
	defer cancel()
	type result struct {
		nc  net.Conn
		err error
	}
	results := make(chan result, 1)
	go func() {
		defer c.spell.dials.Done()
		nc, err := c.tap.dial(ctx)
		results <- result{nc, err}
	}()
	giveUp := func() {
		cancel()
		if r := <-results; r.err == nil {
			_ = r.nc.Close()
		}
	}
	for {
		select {
		case r := <-results:
			switch {
			case r.err == nil && c.tap.pass(c, shaking):
				c.greetGateway(h, r.nc)
				return true
			case r.err == nil:
				_ = r.nc.Close()
				return c.callOff(h)
			case c.spell.over():
				return c.callOff(h)
			}
			h.dialFailed(c.now(), dialReason(r.err), r.err.Error())
			return false
		case s := <-c.in:
			if !c.early(s) {
				h.clientLeft(c.now(), c.clientHow)
				c.report(h.drain()...)
			}
		case <-c.spell.ctx.Done():
			giveUp()
			return c.callOff(h)
		case <-c.hang:
			giveUp()
			return c.callOff(h)
		case <-c.tap.closing:
			giveUp()
			c.closedBy(events.Recorder, events.FIN)
			return false
		}
	}
}

// callOff ends an attempt whose hello was not sent. It is always false.
func (c *conn) callOff(h *handshake) bool {
	h.abandoned(c.now(), false)
	c.report(h.drain()...)
	c.calledOff()
	return false
}

// calledOff parts with the client of an attempt that was called off: an operator's
// disconnect closes it, a stop is explained to it.
func (c *conn) calledOff() {
	c.tap.move(c, place{phase: finished})
	select {
	case <-c.hang:
		c.closedBy(events.Recorder, events.FIN)
		return
	default:
	}
	c.decide(Outcome{End: Denied, Hold: events.HoldStopped})
	if c.clientHow == "" {
		c.explain(events.HoldStopped)
	}
}

// dial makes one connect. A name is looked up before, and within a limit of its own,
// so that a slow name server takes nothing from the Gateway's.
func (t *Tap) dial(ctx context.Context) (net.Conn, error) {
	limit := time.Duration(t.params.Load().DialTimeoutMS) * time.Millisecond
	lookup, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	address, err := resolve(lookup, t.cfg.Address)
	if err != nil {
		return nil, err
	}
	connect, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	nc, err := t.cfg.Dial(connect, "tcp", address)
	if err != nil && timedOut(err) && time.Since(began) > limit+standstill {
		err = fmt.Errorf("%w: %w", err, errStoodStill)
	}
	return nc, err
}

// resolve returns one address for the Gateway's: net.Dialer would try all that a
// name has, which is several connects for one permit. IPv4 is taken first, as IB's
// own clients know nothing else and a Gateway trusts IPv4 addresses by default.
func resolve(ctx context.Context, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(host); err == nil || host == "" { // nothing to look up
		return address, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoAddress, err)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%w: %s", errNoAddress, host)
	}
	best := found[0]
	for _, ip := range found {
		if ip.Unmap().Is4() {
			best = ip.Unmap()
			break
		}
	}
	return net.JoinHostPort(best.String(), port), nil
}

// dialReason names why a dial failed. What never became a connect, for want of an
// address, says nothing about the Gateway, and neither does one that nobody watched.
func dialReason(err error) events.FailReason {
	switch {
	case errors.Is(err, errNoAddress), errors.Is(err, errStoodStill): // a name server may refuse or time out, too
		return events.Unreachable
	case errors.Is(err, syscall.ECONNREFUSED):
		return events.Refused
	case timedOut(err):
		return events.DialTimeout
	}
	return events.Unreachable
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
