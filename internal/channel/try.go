package channel

import (
	"context"
	"fmt"
	"time"
)

// finishWithin is how long a try may still take when the recorder ends: most are done by
// then, and one that is cut short is made again in the next run.
const finishWithin = 500 * time.Millisecond

// try bounds one try to tell. What is under way when the run ends gets finishWithin.
func try(run context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(run), timeout, fmt.Errorf("it took longer than %s", timeout))
	stop := context.AfterFunc(run, func() { time.AfterFunc(finishWithin, cancel) })
	return ctx, func() { stop(); cancel() }
}
