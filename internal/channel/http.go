package channel

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// postTimeout bounds a request and its answer.
	postTimeout = 10 * time.Second
	// mostAnswer is how many bytes of an answer are looked at.
	mostAnswer = 64 << 10
	// mostWait is the longest that a receiver may ask to be left alone: a stop must not
	// wait for a day because a header says so.
	mostWait = time.Hour
)

// Sender is the one way out over HTTP. It follows no redirect, because what is sent has
// secrets in it; uses the proxies of the environment; verifies certificates; and opens a
// connection for each request: alerts are rare, and one that was kept open for hours is
// found to be dead by the alert that needs it. Its zero value is ready for use.
type Sender struct {
	// Secrets are what no error may repeat, beside the address.
	Secrets []string
	// Timeout bounds a request; 0 is 10 s.
	Timeout time.Duration
	trust   *tls.Config // of tests; nil trusts whom the system trusts
}

// Answer is a receiver's, of a status from 200 to 299.
type Answer struct {
	Status int
	Type   string // of the content, without parameters
	Body   []byte // at most 64 KiB
	Whole  bool   // nothing of it is missing
}

// Post sends body to target. The error is a *TellError, and nil for a status from 200 to
// 299 whatever came with it: what an answer means is the caller's to say.
//
//	status              what it means
//	200-299             taken
//	408, 425, 429       not now: try again, after Retry-After if there is one
//	other 400-499       not this: final, it will not be taken later either
//	anything else       try again: a redirect, a server that fails, or no answer
func (s Sender) Post(run context.Context, target *url.URL, header http.Header, body []byte) (Answer, error) {
	secrets := append(secretsOf(target), s.Secrets...)
	fail := &TellError{To: target.Hostname(), ExitCode: -1}
	if run.Err() != nil {
		fail.Err = context.Cause(run)
		return Answer{}, fail
	}
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = postTimeout
	}
	ctx, cancel := try(run, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil { // an address that was checked is always good
		fail.Err, fail.Final = errors.New(redact(err.Error(), secrets)), true
		return Answer{}, fail
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "ibrecorder")
	resp, err := s.client().Do(req)
	if err != nil {
		fail.Err = errors.New(redact(unanswered(ctx, err), secrets))
		return Answer{}, fail
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode}
	a.Type, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	a.Whole = err == nil && len(a.Body) <= mostAnswer
	a.Body = a.Body[:min(len(a.Body), mostAnswer)]
	if a.Status >= 200 && a.Status < 300 {
		return a, nil
	}
	fail.Status, fail.Final, fail.RetryAfter = a.Status, final(a.Status), retryAfter(resp.Header.Get("Retry-After"), time.Now())
	fail.Err, fail.Text = errors.New(meaning(a.Status)), redact(said(a), secrets)
	return a, fail
}

// client is a fresh one, so that nothing stays open.
func (s Sender) client() *http.Client {
	config := s.trust.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// final says whether a receiver that answers so will answer so again.
func final(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// meaning is a status in words.
func meaning(status int) string {
	s := fmt.Sprintf("it answered %d", status)
	if words := http.StatusText(status); words != "" {
		s += " " + words
	}
	if status >= 300 && status < 400 {
		s += ", and redirects are not followed; set the address that it redirects to"
	}
	return s
}

// unanswered says why there was no answer. The error of net/http has the whole address.
func unanswered(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return context.Cause(ctx).Error()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return "its name cannot be looked up: " + d.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it closed the connection without an answer"
	}
	return err.Error()
}

// retryAfter reads the header, in seconds or as a date; 0 if it has neither.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(header, 10, 64); err == nil {
		return bounded(n)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, at.Sub(now)), mostWait)
	}
	return 0
}

// bounded is a wait in seconds that somebody else asks for.
func bounded(seconds int64) time.Duration {
	return time.Duration(min(max(0, seconds), int64(mostWait/time.Second))) * time.Second
}

// said is what an answer says, as far as people can use it: the sentence of a JSON error,
// or a line of plain text. A page for a browser says nothing.
func said(a Answer) string {
	if text := sentence(a.Body); text != "" {
		return text
	}
	if a.Type == "text/plain" {
		first, _, _ := strings.Cut(strings.TrimSpace(string(a.Body)), "\n")
		return first
	}
	return ""
}
