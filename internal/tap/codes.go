package tap

import (
	"slices"
	"time"

	"ibrecorder/events"
)

// codes are what the Gateway may say of itself in a running session, and 0 for that
// it cannot be understood any more. An index into them is a slot.
//
// https://interactivebrokers.github.io/tws-api/message_codes.html
var codes = [...]int64{0, 326, 1100, 1101, 1102, 1300, 2103, 2104, 2105, 2106, 2107, 2108, 2109, 2110, 2157, 2158, 2159, 10141, 10197}

const (
	unreadable = 0 // slot of that code
	// noticeEvery is how often a code that comes again is told of in a session. One
	// Gateway repeated its 1100 for 833 times in an outage of 15 hours.
	noticeEvery = time.Minute
	// maxChanges is how many losses and returns of IB's servers a session tells of in
	// noticeEvery, so that a Gateway that flaps cannot flood the log.
	maxChanges = 10
)

// slotOf is the slot of an error message, -1 if it is none of ours. What answers a
// request belongs to the program alone, but for 10197: that its account is logged in
// somewhere else is said of every request for data.
func slotOf(request, code int) int {
	if request != -1 && code != 10197 || code == 0 {
		return -1
	}
	return slices.Index(codes[:], int64(code))
}

// upstream says what a code tells of the Gateway's connection to IB.
func upstream(code int64) (lost, told bool) {
	switch code {
	case 1100, 2110:
		return true, true
	case 1101, 1102:
		return false, true
	}
	return false, false
}

// bulletin decides what of the codes of one session is told, and when. It reads no
// clock. The goroutine of the connection owns it.
type bulletin struct {
	slots [len(codes)]struct {
		told  time.Time
		again int64 // how often it came since
	}
	is, told int64     // the last code about IB's servers, and the last one told; 0 is none
	began    time.Time // the span in which changes are counted
	changes  int
	reset    bool // 1300: this connection will be dropped
}

// heard takes in that a code came n times, in order with what was heard before.
func (b *bulletin) heard(now time.Time, slot int, n int64) (out []events.Payload) {
	s, code := &b.slots[slot], codes[slot]
	s.again += n
	if s.told.IsZero() || now.Sub(s.told) >= noticeEvery {
		out = append(out, b.notice(now, slot))
	}
	b.reset = b.reset || code == 1300
	if _, ok := upstream(code); ok {
		out = append(out, b.stands(now, code)...)
	}
	return out
}

// stands takes in a code about IB's servers.
func (b *bulletin) stands(now time.Time, code int64) []events.Payload {
	b.is = code
	if now.Sub(b.began) >= noticeEvery {
		b.began, b.changes = now, 0
	}
	if b.changes >= maxChanges {
		return nil
	}
	return b.change()
}

// change tells of IB's servers, if that is news.
func (b *bulletin) change() []events.Payload {
	is, _ := upstream(b.is)
	was, known := upstream(b.told)
	if b.is == 0 || known && is == was {
		return nil
	}
	b.told = b.is
	b.changes++
	if is {
		return []events.Payload{events.SessionDegraded{Code: b.is}}
	}
	return []events.Payload{events.SessionRestored{Code: b.is}}
}

func (b *bulletin) notice(now time.Time, slot int) events.Payload {
	s := &b.slots[slot]
	n := events.GatewayNotice{Code: codes[slot], Origin: events.OriginWire, Count: s.again}
	s.told, s.again = now, 0
	return n
}

// due tells what has waited for long enough.
func (b *bulletin) due(now time.Time) (out []events.Payload) {
	for slot := range b.slots {
		if s := &b.slots[slot]; s.again > 0 && now.Sub(s.told) >= noticeEvery {
			out = append(out, b.notice(now, slot))
		}
	}
	if b.is != 0 {
		out = append(out, b.stands(now, b.is)...)
	}
	return out
}

// rest tells what is pending at the end.
func (b *bulletin) rest(now time.Time) (out []events.Payload) {
	for slot := range b.slots {
		if b.slots[slot].again > 0 {
			out = append(out, b.notice(now, slot))
		}
	}
	return append(out, b.change()...)
}
