package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"

	"ibrecorder/internal/access"
	"ibrecorder/internal/dashboard"
	"ibrecorder/internal/httpapi"
)

// HTTP is where the API is served beside the socket, and to whom.
type HTTP struct {
	Listen string // IP:PORT; port 0 takes any that is free
	// Tokens are who may do more than read.
	Tokens access.Tokens
	// CertFile and KeyFile are in PEM; empty is no TLS.
	CertFile, KeyFile string
}

// quotaRate and quotaBurst bound what each runner may report and ask for, in a second and
// at once, by HTTP and NATS together. An attempt is about five reports. A runner that was
// cut off for an hour sends what it kept at once; one that goes on at the rate for a day
// fills a fifth of the default log and has the disk write for a hundredth of the time
// (0.34 ms each, docs/performance.md).
const (
	quotaRate  = 5
	quotaBurst = 256
)

// ErrHTTP: the port of the HTTP API cannot be opened as it is configured.
var ErrHTTP = errors.New("HTTP cannot be served")

// port is the listener of the HTTP API.
type port struct {
	net.Listener
	tokens   atomic.Pointer[access.Tokens]
	loopback bool                // nobody reaches it from elsewhere
	cert     *access.Certificate // nil without TLS
}

// listen opens the port, nil if h is.
func (h *HTTP) listen() (*port, error) {
	if h == nil {
		return nil, nil
	}
	addr, err := netip.ParseAddrPort(h.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: listen address %q: want IP:PORT, for example 127.0.0.1:7463", ErrHTTP, h.Listen)
	}
	p := &port{loopback: addr.Addr().IsLoopback()}
	p.tokens.Store(&h.Tokens)
	if !p.loopback && (h.CertFile == "" || len(h.Tokens) == 0) {
		return nil, fmt.Errorf("%w: %s is open to others; it needs http.tls_cert_file, http.tls_key_file and http.tokens (recorder token new NAME --scope read); or listen on 127.0.0.1:%d, and ssh -L from elsewhere", ErrHTTP, h.Listen, addr.Port())
	}
	if h.CertFile != "" {
		if p.cert, err = access.LoadCertificate(h.CertFile, h.KeyFile); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrHTTP, err)
		}
	}
	network := "tcp"
	if addr.Addr().Is4() { // 0.0.0.0 would be every address of IPv6 too
		network = "tcp4"
	}
	if p.Listener, err = net.Listen(network, addr.String()); err != nil {
		return nil, fmt.Errorf("%w: %w; end the program that has the port, or: --http off, or another port: --http 127.0.0.1:PORT", ErrHTTP, err)
	}
	if p.cert != nil {
		p.Listener = tls.NewListener(p.Listener, p.cert.Config())
	}
	return p, nil
}

// HTTP is the URL of the API, "" if no port serves it.
func (d *Daemon) HTTP() string {
	if d.port == nil {
		return ""
	}
	scheme := "http://"
	if d.port.cert != nil {
		scheme = "https://"
	}
	return scheme + d.port.reached()
}

// reached is where the port can be had: 0.0.0.0 and [::] are no addresses that a browser
// opens, and the name of this host is one that a certificate may have.
func (p *port) reached() string {
	addr, err := netip.ParseAddrPort(p.Addr().String())
	if err != nil || !addr.Addr().IsUnspecified() {
		return p.Addr().String()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(addr.Port())))
}

// serve answers over the port until ctx ends.
func (d *Daemon) serve(ctx context.Context, served []httpapi.Gateway) error {
	page := d.page(served)
	following, stop := context.WithCancel(ctx)
	followed := make(chan struct{})
	go func() { page.Run(following); close(followed) }()
	defer func() { stop(); <-followed }()
	return httpapi.ServePort(ctx, d.port, httpapi.Port{
		Gateways: served, Mounts: append(d.vitals(), page.Mounts()...), Tokens: func() access.Tokens { return *d.port.tokens.Load() }, Open: d.port.loopback, Quota: d.quota,
	}, d.cfg.Logger)
}

// page is the dashboard. An operator's token is what its forms ask for.
func (d *Daemon) page(served []httpapi.Gateway) *dashboard.Board {
	cfg := dashboard.Config{Gateways: served, Folder: d.cfg.Data, Zone: d.cfg.Zone, Version: d.cfg.Version, Logger: d.cfg.Logger}
	cfg.Steps = func(gateway string) []string {
		for _, p := range d.posts {
			if p.cfg.Name == gateway {
				return p.alerts.Load().words.Steps
			}
		}
		return nil
	}
	cfg.Open = func() bool { return d.port.tokens.Load().Has(access.Operate) }
	cfg.Authorize = func(token string) (string, error) {
		c, known := d.port.tokens.Load().Find(token)
		switch {
		case !known:
			return "", errors.New("the token is not one that this recorder knows")
		case !c.May(access.Operate):
			return "", fmt.Errorf("token %s has the scope %s, and this needs %s", c.Name, c.Scope, access.Operate)
		}
		return c.Name, nil
	}
	return dashboard.New(cfg)
}
