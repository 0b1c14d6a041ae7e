package channel

import (
	"fmt"
	"time"
)

// TellError says why somebody could not be told. It has no secret of its channel, no part
// of an address beyond the host, and no account id, whatever a receiver has answered.
type TellError struct {
	// To is the host that was asked; empty for a command.
	To string
	// Status is what it answered, over HTTP or SMTP; 0 if it did not.
	Status int
	// ExitCode is the command's, -1 if it could not be run or was killed, and for whatever
	// is no command.
	ExitCode int64
	// Text is what the receiver or the command said.
	Text string
	// Final says that the same will not be taken later either.
	Final bool
	// RetryAfter is how long the receiver wants to be left alone, at most an hour; 0 if it
	// does not say.
	RetryAfter time.Duration
	Err        error
}

func (e *TellError) Error() string {
	s := e.Err.Error()
	if e.To != "" {
		s = e.To + ": " + s
	}
	if e.Text != "" {
		s = fmt.Sprintf("%s: %s", s, e.Text)
	}
	return s
}

func (e *TellError) Unwrap() error { return e.Err }
