package watch

import (
	"context"
	"errors"
	"net/netip"

	"ibrecorder/events"
)

// Peer is a connection to a Gateway's port that is established.
type Peer struct {
	Program netip.AddrPort // the program's end
	Here    bool           // that end is on this host, in this network namespace
	PID     int            // whose it is; 0 if nobody here may know
	Process string         // its name as the system has it; "" likewise
}

// Peers are the connections to the Gateway at address, in the order of the socket
// table. It connects to nothing, and resolves no name of a host.
func Peers(ctx context.Context, address string) ([]Peer, error) {
	at, err := parsePlace(address)
	if err != nil {
		return nil, err
	}
	if at.name != "" {
		return nil, errors.New("the address is a name, which is not resolved here")
	}
	local, err := at.isLocal()
	if err != nil {
		return nil, err
	}
	found, err := connections(ctx, at, local)
	if err != nil {
		return nil, err
	}
	var peers []Peer
	for _, c := range found {
		peers = append(peers, c.Peer)
	}
	nameOwners(ctx, found, peers)
	return peers, nil
}

// Ports says of each port whether something listens where a connect to 127.0.0.1 finds
// it, and the name of what does, "" if that cannot be read.
func Ports(ctx context.Context, ports ...uint16) map[uint16]string {
	found := make(map[uint16]string)
	for _, port := range ports {
		l := Listener{Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String()}
		if seen := l.Observe(ctx); seen.Listening == events.ListeningYes {
			found[port] = seen.Process
		}
	}
	return found
}

// connection is an established row of a socket table, and for a Peer how its owner is
// found.
type connection struct {
	Peer
	local, remote netip.AddrPort
	owner         uint64 // an inode on Linux, a process id elsewhere; 0 is unknown
}

// peersOf picks out of all connections those to the place. A Gateway of this host has
// a row at its own end for each; serves says whether it listens at an address. Of one
// elsewhere only the programs' ends are here.
func peersOf(rows []connection, at place, local bool, serves func(netip.Addr) bool) []connection {
	ends := make(map[[2]netip.AddrPort]connection)
	for _, c := range rows {
		ends[[2]netip.AddrPort{c.local, c.remote}] = c
	}
	var peers []connection
	for _, c := range rows {
		switch {
		case local && c.local.Port() == at.port && serves(c.local.Addr()):
			end, here := ends[[2]netip.AddrPort{c.remote, c.local}]
			end.Peer = Peer{Program: c.remote, Here: here}
			peers = append(peers, end)
		case !local && c.remote == netip.AddrPortFrom(at.addr, at.port):
			c.Peer = Peer{Program: c.local, Here: true}
			peers = append(peers, c)
		}
	}
	return peers
}
