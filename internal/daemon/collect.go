package daemon

import (
	"runtime/debug"
	"sync"
)

// ends are the gateways of this process whose runs are ending.
var ends struct {
	sync.Mutex
	n       int
	percent int // of the collector, before the first of them
}

// uncollected keeps the garbage collector away from the end of a run, until collected is
// called. For the first append after some minutes the embedded server reads a block of up
// to 8 MiB back (nats-server 2.15.2), at a stop for every gateway at once. Such
// buffers begin a collection, and appends wait until it is over, because the server's
// caches hang on weak pointers: on a busy machine for more than a second. What is not
// collected is little more than these blocks, and the process is about to end.
func uncollected() (collected func()) {
	ends.Lock()
	defer ends.Unlock()
	if ends.n++; ends.n == 1 {
		ends.percent = debug.SetGCPercent(-1)
	}
	return func() {
		ends.Lock()
		defer ends.Unlock()
		if ends.n--; ends.n == 0 {
			debug.SetGCPercent(ends.percent)
		}
	}
}
