package tap

import "ibrecorder/events"

// Desk is where a tap reports what it sees and asks whether it may dial: the loop
// of the recorder. It keeps the order of what one goroutine hands over, requests
// and reports alike, and no method ever blocks.
type Desk interface {
	// Report hands over a fact. The loop fills the cause of a dial.started with the
	// permit of its attempt.
	Report(events.Draft)
	// Request hands over an attempt.requested. Its one answer comes on the channel.
	Request(events.Draft) <-chan Answer
	// Denied counts a program that was told that it is held, because the tap is shut:
	// the stop is its denial, and nothing else is said of it.
	Denied()
}

// Answer is the decision on one request. It is an alias, so that the loop, which
// knows no tap, can give it.
type Answer = struct {
	// Permit is the ID of the durable attempt.permitted; empty means do not dial.
	Permit string
	// Reason is why not.
	Reason events.HoldReason
	// Err is why there is no decision: the recorder is ending, or cannot write.
	Err error
}
