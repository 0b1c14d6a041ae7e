package watch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ibrecorder/events"
)

// forwarders listen in place of a Gateway and outlive it: their restart says
// nothing about it, and neither does their staying.
var forwarders = []string{"docker-proxy", "socat", "ssh", "sshd", "rootlessport", "slirp4netns", "pasta", "recorder", "haproxy", "nginx"}

// gateways are the names under which the Gateway's own process runs.
var gateways = []string{"java", "ibgateway", "tws", "javaw"}

// Listener reads who listens on Address, host:port, without connecting. It keeps
// whose the socket was, so that the next reading need not search every process.
// Several goroutines may read at once, and none waits for another.
type Listener struct {
	Address string

	mu     sync.Mutex // guards the rest
	known  owner      // of the socket of the last reading
	space  namespace  // in which the address is at home, if not in this one
	lost   string     // why it was not found
	looked time.Time  // when it was looked for
}

// Observe reads the socket table once. It fails never: what it cannot know, it
// says to be unknown.
func (l *Listener) Observe(ctx context.Context) events.GatewayObserved {
	seen, _ := l.Look(ctx)
	return seen
}

// Look is Observe, and who waits for the listener to take them.
func (l *Listener) Look(ctx context.Context) (events.GatewayObserved, []Unaccepted) {
	at, err := parsePlace(l.Address)
	if err != nil {
		return unknown("%v", err), nil
	}
	local, err := at.isLocal()
	if err != nil {
		return unknown("the addresses of this host cannot be read: %v", err), nil
	}
	if !local {
		return l.readElsewhere(ctx, at)
	}
	return l.read(ctx, at, ownTables)
}

func unknown(format string, args ...any) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown, Text: fmt.Sprintf(format, args...)}
}

// Blind says why nothing can be read of the Gateway from this host as things are, "" if it
// can. It costs a search of all processes once a minute at most.
func (l *Listener) Blind(ctx context.Context) string {
	at, err := parsePlace(l.Address)
	if err != nil {
		return err.Error()
	}
	if local, err := at.isLocal(); err != nil || local {
		return ""
	}
	_, why := l.namespaceOf(ctx, at)
	return why
}

const elsewhere = "the Gateway is on another host"

// ownerNamed says whose a listener is by the name of its process.
func ownerNamed(process string) events.Owner {
	name := strings.TrimSuffix(strings.ToLower(process), ".exe")
	switch {
	case slices.Contains(gateways, name):
		return events.OwnerGateway
	case slices.Contains(forwarders, name):
		return events.OwnerOther
	}
	return events.OwnerUnknown
}

// place is where the Gateway is to be found.
type place struct {
	addr netip.Addr // the zero Addr is localhost by name
	name string     // a name that is not localhost: resolved by somebody else
	port uint16
}

func parsePlace(address string) (place, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return place{}, fmt.Errorf("the address has no port")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return place{}, fmt.Errorf("the port is not a number")
	}
	at := place{port: uint16(port)}
	if host == "localhost" || host == "" {
		return at, nil
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		at.name = host
	case !addr.IsUnspecified(): // a connect to that goes to this host
		at.addr = addr.WithZone("").Unmap()
	}
	return at, nil
}

// isLocal reports whether the place is on this machine.
func (p place) isLocal() (bool, error) {
	switch {
	case p.name != "":
		return false, nil // not provably here
	case !p.addr.IsValid(), p.addr.IsLoopback():
		return true, nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, a := range addrs {
		if n, err := netip.ParsePrefix(a.String()); err == nil && n.Addr().Unmap() == p.addr {
			return true, nil
		}
	}
	return false, nil
}

// serves says how specifically a listener that is bound to an address takes
// connections to the place: the kernel gives them to the most specific one. 0 is
// not at all.
func (p place) serves(bound netip.Addr) int {
	switch {
	case !p.addr.IsValid(): // a name that stands for both
		switch bound {
		case netip.AddrFrom4([4]byte{127, 0, 0, 1}):
			return 4
		case netip.IPv6Loopback():
			return 3
		case netip.IPv4Unspecified():
			return 2
		case netip.IPv6Unspecified():
			return 1
		}
	case bound == p.addr:
		return 3
	case bound.IsUnspecified() && bound.Is4() == p.addr.Is4():
		return 2
	case bound == netip.IPv6Unspecified(): // one socket for both, as Java opens it
		return 1
	}
	return 0
}
