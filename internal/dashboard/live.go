package dashboard

import (
	"fmt"
	"net/http"
	"time"
)

// patience is how long a page may take to take what is written to it.
const patience = 10 * time.Second

// live tells an open page that something has changed, and that the recorder is there:
// server-sent events without a content. The page then asks for itself, because what it
// shows depends on its own address. A change is told at most once in a pace, and changes
// meanwhile are one.
func (b *Board) live(w http.ResponseWriter, r *http.Request) {
	if !b.enter() {
		http.Error(w, fmt.Sprintf("%d pages are open already; this one renews itself", maxPages), http.StatusServiceUnavailable)
		return
	}
	defer b.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	say := func(event string) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(patience))
		_, err := fmt.Fprintf(w, "event: %s\ndata:\n\n", event)
		return err == nil && rc.Flush() == nil
	}
	news, more := b.wait()
	if !say("change") { // what happened between the page and this
		return
	}
	beat := time.NewTicker(b.cfg.Beat)
	defer beat.Stop()
	for more {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if !say("beat") {
				return
			}
			continue
		case <-news:
		}
		news, more = b.wait()
		if !more || !say("change") {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(b.cfg.Pace):
		}
	}
}

func (b *Board) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages >= maxPages || b.ended {
		return false
	}
	b.pages++
	return true
}

func (b *Board) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages--
}
