//go:build !linux

package watch

import "net/netip"

// socketID: only Linux shows an identity of a socket without special rights.
func socketID(netip.AddrPort) string { return "" }
