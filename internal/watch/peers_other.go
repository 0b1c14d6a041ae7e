//go:build !linux

package watch

import (
	"context"
	"net/netip"

	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// connections asks the system's own tools. Nobody has run this: it is compiled for
// macOS and Windows, and no more.
func connections(ctx context.Context, at place, local bool) ([]connection, error) {
	all, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	var rows []connection
	for _, c := range all {
		if c.Status != "ESTABLISHED" {
			continue
		}
		here, err1 := netip.ParseAddr(c.Laddr.IP)
		there, err2 := netip.ParseAddr(c.Raddr.IP)
		if err1 != nil || err2 != nil {
			continue
		}
		rows = append(rows, connection{
			local:  netip.AddrPortFrom(here.WithZone("").Unmap(), uint16(c.Laddr.Port)),
			remote: netip.AddrPortFrom(there.WithZone("").Unmap(), uint16(c.Raddr.Port)),
			owner:  uint64(c.Pid),
		})
	}
	return peersOf(rows, at, local, func(a netip.Addr) bool { return at.serves(a) > 0 }), nil
}

func nameOwners(ctx context.Context, found []connection, peers []Peer) {
	for i, c := range found {
		peers[i].PID = int(c.owner)
		if p, err := process.NewProcessWithContext(ctx, int32(c.owner)); err == nil && c.owner != 0 {
			peers[i].Process, _ = p.NameWithContext(ctx) // unnamed is unnamed
		}
	}
}
