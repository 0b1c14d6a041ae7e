package channel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ibrecorder/internal/notice"
)

// Hook is a channel over HTTP, as data: where, what is sent, and which answer says that it
// was taken. The functions that return one say for which receiver.
type Hook struct {
	name    string
	target  *url.URL
	sender  Sender
	compose func(notice.Notice) (http.Header, []byte)
	// taken judges an answer whose status is good.
	taken func(Answer) error
	// wait reads how long a receiver wants to be left alone out of its answer; nil if its
	// kind says so in a header alone.
	wait func(Answer) time.Duration
}

// Name implements alert.Channel.
func (h *Hook) Name() string { return h.name }

// Tell implements alert.Channel.
func (h *Hook) Tell(ctx context.Context, n notice.Notice) error {
	header, body := h.compose(plain(n))
	a, err := h.sender.Post(ctx, h.target, header, body)
	if err != nil {
		if e, ok := errors.AsType[*TellError](err); ok && h.wait != nil {
			e.RetryAfter = max(e.RetryAfter, h.wait(a))
		}
		return err
	}
	if err := h.taken(a); err != nil {
		fail := &TellError{To: h.target.Hostname(), Status: a.Status, ExitCode: -1, Err: err}
		if !errors.Is(err, errNotUnderstood) {
			fail.Text = redact(said(a), append(secretsOf(h.target), h.sender.Secrets...))
		}
		return fail
	}
	return nil
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// bearer adds a token, if there is one.
func bearer(h http.Header, token string) http.Header {
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return h
}

// Address reads an address of HTTP. What has a secret in it, or is sent one, goes over
// https alone, or stays on this host.
func Address(s string, secret bool) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("want https://HOST/PATH") // the address may be a secret: it is not repeated
	case u.Fragment != "":
		return nil, errors.New("want an address without #")
	case u.Scheme == "http" && secret && !here(u.Hostname()):
		return nil, fmt.Errorf("%s: a secret would go to it in the clear; use https", u.Hostname())
	}
	return u, nil
}

// here says whether a host is this one by its name.
func here(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// under is base with a path behind its own.
func under(base *url.URL, path string) *url.URL {
	u := *base
	u.Path, u.RawPath = strings.TrimSuffix(base.Path, "/")+path, ""
	return &u
}

// visible refuses a token that no header can carry; an empty one is none.
func visible(token string) error {
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("want a token of visible ASCII characters, without blanks")
	}
	return nil
}
