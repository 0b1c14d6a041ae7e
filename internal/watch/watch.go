package watch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"

	"ibrecorder/events"
)

// forwarders listen in place of a Gateway and outlive it: their restart says
// nothing about it, and neither does their staying.
var forwarders = []string{"docker-proxy", "socat", "ssh", "sshd", "rootlessport", "slirp4netns", "pasta", "recorder", "haproxy", "nginx"}

// gateways are the names under which the Gateway's own process runs.
var gateways = []string{"java", "ibgateway", "tws", "javaw"}

// Listener reads who listens on address, host:port, without connecting.
type Listener struct{ Address string }

// Observe reads the socket table once. It fails never: what it cannot know, it
// says to be unknown.
func (l Listener) Observe(ctx context.Context) events.GatewayObserved {
	unknown := func(format string, args ...any) events.GatewayObserved {
		return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown, Text: fmt.Sprintf(format, args...)}
	}
	host, portText, err := net.SplitHostPort(l.Address)
	if err != nil {
		return unknown("the address has no port")
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return unknown("the port is not a number")
	}
	local, err := isLocal(host)
	if err != nil {
		return unknown("the addresses of this host cannot be read: %v", err)
	}
	if !local {
		return unknown("the Gateway is on another host")
	}
	conns, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return unknown("the socket table cannot be read: %v", err)
	}
	for _, c := range conns {
		if c.Status == "LISTEN" && c.Laddr.Port == uint32(port) && serves(c.Laddr.IP, host) {
			bound, _ := netip.ParseAddr(c.Laddr.IP) // where there is none, no socket has it
			return owned(ctx, c.Pid, socketID(netip.AddrPortFrom(bound.Unmap(), uint16(port))))
		}
	}
	return events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
}

// owned describes the process behind a listener.
func owned(ctx context.Context, pid int32, socket string) events.GatewayObserved {
	seen := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown, Socket: socket}
	if pid == 0 {
		seen.Text = "the owner belongs to another user, or to another namespace"
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
	name := strings.TrimSuffix(strings.ToLower(seen.Process), ".exe")
	switch {
	case slices.Contains(gateways, name):
		seen.Owner = events.OwnerGateway
	case slices.Contains(forwarders, name):
		seen.Owner = events.OwnerOther
	}
	return seen
}

// serves reports whether a listener bound to ip takes connections to host.
func serves(ip, host string) bool {
	bound, err := netip.ParseAddr(ip)
	if err != nil {
		return ip == "*" || ip == "" // how some systems print "any"
	}
	if bound.IsUnspecified() {
		return true
	}
	if want, err := netip.ParseAddr(host); err == nil {
		return bound.Unmap() == want.Unmap()
	}
	return bound.IsLoopback() == (host == "localhost")
}

// isLocal reports whether host is this machine.
func isLocal(host string) (bool, error) {
	if host == "localhost" || host == "" {
		return true, nil
	}
	want, err := netip.ParseAddr(host)
	if err != nil {
		return false, nil // a name, resolved by somebody else: not provably here
	}
	if want.IsLoopback() {
		return true, nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == want.Unmap() {
			return true, nil
		}
	}
	return false, nil
}
