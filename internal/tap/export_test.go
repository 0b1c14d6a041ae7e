package tap

import "net"

// ServeOn is Listen on a listener that a test made, as in a bubble without a network.
func ServeOn(cfg Config, ln net.Listener) *Tap { return serve(cfg, ln, nil) }

// Open is how many connections the tap has.
func (t *Tap) Open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns)
}

// Opened is how many connections the tap ever had.
func (t *Tap) Opened() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opened
}

// Waiting is how many programs are known to wait for a permit: they have asked for it.
func (t *Tap) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count(func(p phase) bool { return p == waiting })
}

// UnderWay says whether an attempt that waits for the answer counts as a handshake.
func UnderWay(answer <-chan Answer) bool { return place{phase: waiting, answer: answer}.handshake() }

const (
	MaxClients   = maxClients
	MaxGreeting  = maxGreeting
	LastCall     = lastCall
	Standstill   = standstill
	HelloLimit   = helloLimit
	WriteLimit   = writeLimit
	TurnedSpan   = turnedSpan
	DeliveryHold = deliveryHold
	CloseGrace   = closeGrace
	MaxBoxed     = maxBoxed
	PaceBurst    = paceBurst
	PaceEvery    = paceEvery
)
