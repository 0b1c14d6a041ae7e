package main

import (
	"context"
	"iter"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// feed is the log as it grows, one event at a time.
type feed struct {
	pull  func() (events.Record, error, bool)
	close func()
}

// follow begins with the first event of the demo's gateway.
func follow(ctx context.Context, c *httpapi.Client) *feed {
	pull, stop := iter.Pull2(c.Tail(ctx, "main", 1))
	return &feed{pull: pull, close: stop}
}

func (f *feed) next() (events.Record, error) {
	rec, err, _ := f.pull() // a tail never ends without an error
	return rec, err
}

// wrap breaks a text into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Fields(text) {
		switch {
		case at == 0:
		case at+1+len(word) > width:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
