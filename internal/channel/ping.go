package channel

import (
	"context"
	"net/http"
	"net/url"
)

// Pinger is a service such as healthchecks.io, which tells somebody when no ping comes any
// more. Its whole address is a secret.
type Pinger struct {
	target *url.URL
	sender Sender
}

// NewPinger makes one. The address is https, or on this host.
func NewPinger(address string) (*Pinger, error) {
	target, err := Address(address, true)
	if err != nil {
		return nil, err
	}
	return &Pinger{target: target}, nil
}

// Ping says that all is well; with why, that it is not, at the address with /fail behind
// it, as healthchecks.io has it. The error is a *TellError.
func (p *Pinger) Ping(ctx context.Context, why string) error {
	to := p.target
	if why != "" {
		to = p.target.JoinPath("fail")
	}
	_, err := p.sender.Post(ctx, to, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, []byte(why))
	return err
}
