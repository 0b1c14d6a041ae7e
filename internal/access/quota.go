package access

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Quota bounds what each source may send, so that none fills the log or keeps the disk
// busy for the others. It is safe for many goroutines.
type Quota struct {
	rate  rate.Limit
	burst int

	mu sync.Mutex               // guards the rest
	of map[string]*rate.Limiter // by source; these are configured, so they are few
}

// NewQuota lets each source send burst things at once, and then so many a second.
func NewQuota(perSecond float64, burst int) *Quota {
	return &Quota{rate: rate.Limit(perSecond), burst: burst, of: map[string]*rate.Limiter{}}
}

// Take takes n things from what a source may send, 1 to the burst. If it may not, nothing
// is taken, and the time is after which it will, if nothing else of it comes between.
func (q *Quota) Take(source string, n int) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.of[source]
	if l == nil {
		l = rate.NewLimiter(q.rate, q.burst)
		q.of[source] = l
	}
	r := l.ReserveN(time.Now(), n)
	if wait = r.Delay(); wait > 0 {
		r.Cancel()
	}
	return wait
}
