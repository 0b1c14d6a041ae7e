package tap

import (
	"sync"

	"ibrecorder/events"
)

// Outcome is how the one attempt of a one-shot tap was decided.
type Outcome struct {
	End           End
	ServerVersion int               // if Ready
	Fail          events.FailReason // if Failed
	Code          int64             // of the error that explains it, 0 if none
	Hold          events.HoldReason // if Denied
	Err           error             // if Denied for want of a decision
}

// once is what a one-shot tap has beside an ordinary one.
type once struct {
	outcome chan Outcome
	done    chan struct{}

	decided sync.Once
	ended   sync.Once
}

// OneShot listens on a free port of 127.0.0.1 and serves one connection. Every
// further one is reset at once and reported as a hidden redial: a client library
// that reconnects by itself sends no hello, and must not reach the Gateway
// (scmhub/ibapi does so after any failed write).
func OneShot(cfg Config) (*Tap, error) {
	return open(cfg, "127.0.0.1:0", &once{outcome: make(chan Outcome, 1), done: make(chan struct{})})
}

// Outcome gives exactly one value, when the attempt is decided or the tap is
// closed. It is nil for a tap that is not one-shot.
func (t *Tap) Outcome() <-chan Outcome {
	if t.once == nil {
		return nil
	}
	return t.once.outcome
}

// Done is closed when the connection of a one-shot tap is of no more use: its
// session ended, or its attempt came to nothing. It is nil for any other tap.
func (t *Tap) Done() <-chan struct{} {
	if t.once == nil {
		return nil
	}
	return t.once.done
}

// decide gives the outcome, unless it was given.
func (o *once) decide(out Outcome) { o.decided.Do(func() { o.outcome <- out }) }

func (o *once) over() { o.ended.Do(func() { close(o.done) }) }
