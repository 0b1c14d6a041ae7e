package tap

import (
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// refusalGrace is how long the Gateway's own close is waited for after an error
// that ends the attempt: it comes at once, and says who closed and how.
const refusalGrace = time.Second

// notice is an error code and how often it came after it was first reported.
type notice struct{ code, again int64 }

// notice takes in an error that answers no request.
func (h *handshake) notice(a at, code int64) {
	h.count(code)
	if _, ok := upstream(code); ok {
		h.said = code
	}
	switch {
	case h.refused || !explains(code):
		return
	case code == 326 || code == 10141:
		h.code, h.refused = code, true
		if h.left != nil {
			h.abandoned(a, true)
			return
		}
		h.deadline = earlier(h.deadline, a.now.Add(refusalGrace))
	case h.code == 0:
		h.code = code
	}
}

// later keeps a code that stands behind ready, in the same segment.
func (h *handshake) later(f wire.Frame) {
	m, err := wire.ParseMessage(h.version, f)
	if err != nil || m.ID != wire.IDError {
		return
	}
	if e, err := m.ErrorMessage(); err == nil {
		if slot := slotOf(e.ID, e.Code); slot >= 0 {
			h.behind = append(h.behind, slot)
		}
	}
}

// explains says whether an error is a reason for ready not to come. The farm
// notices (2100 to 2199) and IB's own connectivity (1100 to 1102) are none: the
// API answers in spite of them.
func explains(code int64) bool {
	return code != 0 && (code < 2100 || code > 2199) && (code < 1100 || code > 1102)
}

// count reports the first notice of each code at once; how often it came again is
// said once, at the end, so that a Gateway that repeats itself cannot flood the log.
func (h *handshake) count(code int64) {
	for i := range h.notices {
		if h.notices[i].code == code {
			h.notices[i].again++
			return
		}
	}
	if len(h.notices) < 32 {
		h.notices = append(h.notices, notice{code: code})
		h.emit(events.GatewayNotice{Code: code, Origin: events.OriginWire, Count: 1})
	}
}

// repeated reports how often known notices came again.
func (h *handshake) repeated() {
	for i := range h.notices {
		if n := &h.notices[i]; n.again > 0 {
			h.emit(events.GatewayNotice{Code: n.code, Origin: events.OriginWire, Count: n.again})
			n.again = 0
		}
	}
}
