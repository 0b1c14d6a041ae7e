//go:build !linux

package watch

import (
	"context"
	"net/netip"

	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"

	"ibrecorder/events"
)

// Only Linux has network namespaces.
type namespace struct{}

const ownTables = ""

func (l *Listener) namespaceOf(context.Context, place) (namespace, string) {
	return namespace{}, elsewhere
}

func (l *Listener) readElsewhere(context.Context, place) (events.GatewayObserved, []Unaccepted) {
	return unknown(elsewhere), nil
}

// owner: only Linux shows an identity of a socket without special rights, so there
// is nothing by which one could be known again.
type owner struct{}

// read asks the system's own tools for the listener. Nobody has run this: it is
// compiled for macOS and Windows, and no more.
func (l *Listener) read(ctx context.Context, at place, _ string) (events.GatewayObserved, []Unaccepted) {
	conns, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return unknown("the socket table cannot be read: %v", err), nil
	}
	best, pid := 0, int32(0)
	for _, c := range conns {
		if c.Status != "LISTEN" || c.Laddr.Port != uint32(at.port) {
			continue
		}
		bound, err := netip.ParseAddr(c.Laddr.IP)
		if err != nil {
			bound = netip.IPv6Unspecified() // how some systems print "any"
		}
		if rank := at.serves(bound.WithZone("").Unmap()); rank > best {
			best, pid = rank, c.Pid
		}
	}
	if best == 0 {
		return events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}, nil
	}
	return owned(ctx, pid), nil
}

// owned describes the process behind a listener.
func owned(ctx context.Context, pid int32) events.GatewayObserved {
	seen := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}
	if pid == 0 {
		seen.Text = "the owner belongs to another user"
		return seen
	}
	seen.PID = int64(pid)
	p, err := process.NewProcessWithContext(ctx, pid)
	if err != nil {
		seen.Text = "the owner has just ended"
		return seen
	}
	if seen.StartedMS, err = p.CreateTimeWithContext(ctx); err != nil {
		seen.StartedMS = 0
		seen.Text = "the owner's start time cannot be read"
	}
	if seen.Process, err = p.NameWithContext(ctx); err != nil {
		seen.Text = "the owner's name cannot be read"
	}
	seen.Owner = ownerNamed(seen.Process)
	return seen
}
