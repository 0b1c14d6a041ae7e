package recorder

import (
	"errors"
	"sync"

	"ibrecorder/events"
)

// ErrEnding: the recorder is ending and takes nothing more.
var ErrEnding = errors.New("the recorder is stopping")

// ErrBusy: too much waits for the log.
var ErrBusy = errors.New("the log does not keep up")

// Answer is the decision on one request. It is an alias, so that a tap, which knows
// no recorder, can take it.
type Answer = struct {
	// Permit is the ID of the durable attempt.permitted; empty means do not dial.
	Permit string
	// Reason is why not.
	Reason events.HoldReason
	// Err is why there is no decision: ErrEnding, ErrBusy, or the log's.
	Err error
}

// item is one thing for the loop. A request has an answer; somebody may
// wait for the reply to anything else.
type item struct {
	draft  events.Draft
	verb   verb
	answer chan<- Answer // of a request; has room
	reply  chan<- reply  // of whoever waits for it to be written; has room
	// gone is closed when whoever asked has stopped waiting; nil is never.
	gone <-chan struct{}
	// after, of a reading, is the last reading that was recorded when it began.
	after string
}

// lapsed says that an operator, or who asks for a lease, stopped waiting before it was
// taken: they were told that nothing came of it, by now the word may be about another
// stop, and nobody would use the lease.
func (it item) lapsed() bool {
	if it.verb != claim && it.verb != disconnect && it.verb != lease && it.verb != adoption {
		return false // a report is a fact, whoever waits for it
	}
	select {
	case <-it.gone:
		return true
	default:
		return false
	}
}

// verb says what the loop does with a draft beyond writing it down.
type verb uint8

const (
	fact       verb = iota
	request         // a client wants to dial
	claim           // an operator's: the listener is read before the decision
	disconnect      // an operator's
	sighting        // of the listener, by whoever watches it
	lease           // a runner wants to dial by itself
	adoption        // of another policy
)

// reply is what became of an item that somebody waits for.
type reply struct {
	rec  events.Record
	made []events.Record // the decisions that followed at once
	// lease is the answer to a request for one.
	lease Lease
	err   error
}

// softLimit is how many things may wait for the log before those that can be
// missed are dropped and counted. One gateway's relay has at most 32 clients with
// a handshake of a dozen events each; more can only come of a log that stands
// still, while clients and reporters go on.
const softLimit = 4096

// inbox hands over from many goroutines to the loop, in order. It never blocks,
// and never drops what moves the gate or a session, such as the end of one.
type inbox struct {
	mu     *sync.Mutex // guards the rest
	queue  []item
	lost   int64           // facts that were dropped since they were last told of
	turned map[string]bool // connections whose request was refused, until they end
	closed bool
	filled chan struct{} // has a token when something came
}

func newInbox() inbox {
	return inbox{mu: new(sync.Mutex), turned: make(map[string]bool), filled: make(chan struct{}, 1)}
}

// put adds an item, or says why not.
func (b *inbox) put(it item) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrEnding
	case len(b.queue) >= softLimit && (it.answer != nil || it.reply != nil):
		if it.answer != nil {
			b.turned[it.draft.Conn] = true
		}
		return ErrBusy // whoever waits can come again
	case b.turned[it.draft.Conn] && it.answer == nil && it.reply == nil:
		if _, over := it.draft.Data.(events.ClientClosed); over {
			delete(b.turned, it.draft.Conn)
		}
		b.lost++ // its request is not in the log either
		return nil
	case len(b.queue) >= softLimit && canBeMissed(it.draft.Data):
		b.lost++
		return nil
	}
	b.queue = append(b.queue, it)
	b.wake()
	return nil
}

// wake makes the loop look.
func (b *inbox) wake() {
	select {
	case b.filled <- struct{}{}:
	default:
	}
}

// canBeMissed says whether a fact moves neither the gate nor a session. A program makes
// them as often as it connects.
func canBeMissed(data events.Payload) bool {
	switch data.(type) {
	case events.ClientOpened, events.ClientHello, events.GatewayNotice:
		return true
	}
	return false
}

// take returns the oldest item.
func (b *inbox) take() (item, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return item{}, false
	}
	it := b.queue[0]
	b.queue[0] = item{}
	b.queue = b.queue[1:]
	return it, true
}

// takeLost returns how many facts were dropped, once.
func (b *inbox) takeLost() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.lost
	b.lost = 0
	return n
}

func (b *inbox) empty() bool { return b.size() == 0 }

// size is how many items wait.
func (b *inbox) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// close makes every later put fail.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
