package store

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Door is how programs reach the embedded server over TCP. They are in an account of
// their own, which has no JetStream: the logs, and the API that could change them, are
// in another one that nobody enters but this process.
type Door struct {
	// Listen is host:port, an IP address of loopback; port 0 takes any that is free.
	Listen string
	// Own is what the recorder's own connection in that account may do.
	Own Rights
	// Runners are who may connect.
	Runners []Runner
}

// Runner is one program that may connect.
type Runner struct {
	// Key is its public user key (nkey).
	Key string
	Rights
}

// Rights are the subjects that a connection may publish to and subscribe; none means none.
type Rights struct {
	Publish   []string
	Subscribe []string
}

// ErrDoor: the door cannot be opened as it is configured.
var ErrDoor = errors.New("NATS cannot be opened to runners")

// guests is the account of the runners.
const guests = "RUNNERS"

const (
	// maxConns bounds the connections of runners: a Gateway has at most 32 clients, and
	// this leaves room for another and for whoever looks on. ownConns are the recorder's.
	maxConns, ownConns = 64, 2
	// maxPending bounds the bytes that wait for one connection, and with maxConns those of
	// all, by 2 GiB: whoever subscribes and does not read is cut off. It and maxSubs hold
	// for the recorder's own connections too, which read at once, and have a subscription
	// for each reader of a log, of pullBytes at a time.
	maxPending = 32 << 20
	// maxSubs bounds the subscriptions of one connection.
	maxSubs = 1024
)

// check returns the address to listen at.
func (d *Door) check() (netip.AddrPort, error) {
	addr, err := netip.ParseAddrPort(d.Listen)
	switch {
	case err != nil:
		return addr, fmt.Errorf("%w: listen address %q: want IP:PORT, for example 127.0.0.1:4222", ErrDoor, d.Listen)
	case !addr.Addr().IsLoopback():
		return addr, fmt.Errorf("%w: %s is not loopback, and what it would carry is not encrypted; take 127.0.0.1, and ssh -L from elsewhere", ErrDoor, d.Listen)
	}
	for _, r := range d.Runners {
		if !nkeys.IsValidPublicUserKey(r.Key) {
			return addr, fmt.Errorf("%w: %q is no public user key; recorder nats key NAME makes one", ErrDoor, r.Key)
		}
	}
	// The server says of a port that is taken only that it is, in words.
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		return addr, fmt.Errorf("%w: %w; end the program that has the port, or choose another: recorder run --nats-listen 127.0.0.1:PORT", ErrDoor, err)
	}
	return addr, l.Close()
}

// open adds the door to the server's options; own is the key of the recorder's
// connection in the runners' account.
func (d *Door) open(opts *server.Options, own string) error {
	addr, err := d.check()
	if err != nil {
		return err
	}
	opts.DontListen = false
	opts.Host, opts.Port = addr.Addr().String(), int(addr.Port())
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.MaxConn, opts.MaxPending, opts.MaxSubs = maxConns+ownConns, maxPending, maxSubs
	acc := server.NewAccount(guests)
	opts.Accounts = append(opts.Accounts, acc)
	opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{Nkey: own, Account: acc, Permissions: d.Own.permissions()})
	for _, r := range d.Runners {
		opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{Nkey: r.Key, Account: acc, Permissions: r.permissions()})
	}
	return nil
}

func (r Rights) permissions() *server.Permissions {
	return &server.Permissions{Publish: only(r.Publish), Subscribe: only(r.Subscribe)}
}

// only is a permission for nothing but the subjects: to the server an empty list
// allows everything.
func only(subjects []string) *server.SubjectPermission {
	if len(subjects) == 0 {
		return &server.SubjectPermission{Deny: []string{">"}}
	}
	return &server.SubjectPermission{Allow: slices.Clone(subjects)}
}

// Guests is the recorder's connection in the account of the runners, nil without a
// Door. The store closes it.
func (s *Store) Guests() *nats.Conn { return s.guests }

// Listening is where runners connect, "" without a Door.
func (s *Store) Listening() string {
	if s.cfg.Door == nil {
		return ""
	}
	addr := s.srv.Addr().(*net.TCPAddr)
	return net.JoinHostPort(addr.IP.String(), strconv.Itoa(addr.Port))
}
