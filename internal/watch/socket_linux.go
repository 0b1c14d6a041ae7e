package watch

import (
	"os"
	"strconv"
	"strings"
)

// socketID returns the inode of the listening socket on port, or "": a restarted
// Gateway has another one, even where its process cannot be read.
func socketID(port uint16) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // without it the socket is simply not identified
		}
		if id := listenerInode(string(text), port); id != "" {
			return id
		}
	}
	return ""
}

// listenerInode finds the listener on port in the text of a socket table, whose
// columns proc_pid_net(5) describes: local address in the 2nd, state in the 4th
// (0A is LISTEN), inode in the 10th.
func listenerInode(table string, port uint16) string {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != "0A" {
			continue
		}
		_, hexPort, ok := strings.Cut(f[1], ":")
		if n, err := strconv.ParseUint(hexPort, 16, 16); ok && err == nil && uint16(n) == port {
			return f[9]
		}
	}
	return ""
}
