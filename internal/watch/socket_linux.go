package watch

import (
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// socketID returns the inode of the socket that listens on address, or "": a
// restarted Gateway has another one, even where its process cannot be read.
func socketID(address netip.AddrPort) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // without it the socket is simply not identified
		}
		if id := listenerInode(string(text), address); id != "" {
			return id
		}
	}
	return ""
}

// listenerInode finds the listener on address in the text of a socket table, whose
// columns proc_pid_net(5) describes: local address in the 2nd, state in the 4th
// (0A is LISTEN), inode in the 10th.
func listenerInode(table string, address netip.AddrPort) string {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != "0A" {
			continue
		}
		if local, ok := localAddress(f[1]); ok && local == address {
			return f[9]
		}
	}
	return ""
}

// localAddress reads ADDRESS:PORT in hexadecimal. The kernel prints an address as
// words of 32 bits in the byte order of the machine.
func localAddress(s string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(s, ":")
	var b []byte
	for ; len(host) >= 8; host = host[8:] {
		word, err := strconv.ParseUint(host[:8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		b = binary.NativeEndian.AppendUint32(b, uint32(word))
	}
	ip, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), ok && err == nil
}
