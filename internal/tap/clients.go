package tap

import (
	"sync"
	"time"
)

// Clients is what the taps of one Gateway know of client ids: when one was last seen to
// end, and which wait by the recorder's decision. Any goroutine may use it. Nothing of it
// outlives the process.
type Clients struct {
	mu      sync.Mutex // guards the rest
	over    map[int64]time.Time
	waits   map[int64]time.Time // replaced and never changed
	changed chan struct{}       // closed, and replaced, with waits
}

// NewClients returns one that knows of no client.
func NewClients() *Clients {
	return &Clients{over: map[int64]time.Time{}, changed: make(chan struct{})}
}

// Hold says which client ids wait, and until when, in the place of what was said before.
// The map must not change any more.
func (c *Clients) Hold(waits map[int64]time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = waits
	close(c.changed)
	c.changed = make(chan struct{})
}

// Left is how long a client id still waits, 0 if it does not. The channel is closed when
// somebody says otherwise.
func (c *Clients) Left(id int64) (time.Duration, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.waits[id]
	if !ok {
		return 0, c.changed
	}
	return max(0, time.Until(until)), c.changed
}

// ended notes that a connection of a client id is over at the Gateway's side, and forgets
// those that have cooled down.
func (c *Clients) ended(id int64, cooling time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for other, at := range c.over {
		if now.Sub(at) >= cooling {
			delete(c.over, other)
		}
	}
	if cooling > 0 {
		c.over[id] = now
	}
}

// warm is how long a client id still has to cool down, 0 if it need not.
func (c *Clients) warm(id int64, cooling time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.over[id]
	if !ok {
		return 0
	}
	return max(0, cooling-time.Since(at))
}

// Hold keeps the startAPI of these client ids from the Gateway until their time, in the
// place of what was said before. The map must not change any more.
func (t *Tap) Hold(waits map[int64]time.Time) { t.cfg.Clients.Hold(waits) }
