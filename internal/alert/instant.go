package alert

import (
	"time"

	"ibrecorder/events"
)

// Instant is a moment by both clocks of a run.
type Instant struct {
	Boot string
	Mono int64 // nanoseconds since that boot
	Wall time.Time
}

func instantOf(e events.Event) Instant { return Instant{e.Boot, e.Mono, e.Time} }

// since is how long ago from was, 0 at least: by the monotonic clock within a run, and
// across runs by the one that people set, which may err by as much as they do. A reminder
// that a recorder which is killed every quarter of an hour never sends would be worse.
func (now Instant) since(from Instant) time.Duration {
	if now.Boot == from.Boot && from.Mono != events.NoMono {
		return time.Duration(max(0, now.Mono-from.Mono))
	}
	if from.Wall.IsZero() {
		return 0
	}
	return max(0, now.Wall.Sub(from.Wall))
}

// ms is since in whole milliseconds, as payloads have it.
func (now Instant) ms(from Instant) int64 { return now.since(from).Milliseconds() }
