package tap

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// tornDown reports whether nc is a TCP socket without a connection: after the
// peer's FIN it would be in CLOSE_WAIT, after a reset it is in CLOSE.
func tornDown(nc net.Conn) bool {
	tcp, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	torn := false
	_ = raw.Control(func(fd uintptr) { // fails only once we closed it ourselves
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		torn = err == nil && info.State == unix.BPF_TCP_CLOSE
	})
	return torn
}
