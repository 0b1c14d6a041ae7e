package watch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strconv"

	"ibrecorder/events"
)

// socket is a row of a socket table.
type socket struct {
	local  netip.AddrPort
	peer   netip.AddrPort
	state  uint8
	unread uint64 // bytes; of a listener the connections that nobody accepted yet
	inode  uint64 // 0 until a process has accepted it, and after it has closed it
}

// The states that matter here, from include/net/tcp_states.h of Linux.
const (
	established = 0x01
	closeWait   = 0x08
	listen      = 0x0A
)

var stateName = map[uint8]events.SocketState{established: events.SocketEstablished, closeWait: events.SocketCloseWait}

// maxRow bounds a row: the kernel's have 150 or 200 bytes.
const maxRow = 4096

// scanTable hands over the rows about a local port in the text of a socket table.
// What is no such row, like the heading, is passed over: a column that is added
// behind the ones that are known changes nothing.
func scanTable(ctx context.Context, r io.Reader, port uint16, row func(socket)) error {
	in := bufio.NewReaderSize(r, maxRow)
	for n := 1; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := in.ReadSlice('\n')
		if s, ok := parseRow(line, port); ok {
			row(s)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			return errors.New("it has a row that is too long")
		default:
			return err
		}
	}
}

// parseRow reads a row whose columns proc_pid_net(5) describes: local address in
// the 2nd, the peer's in the 3rd, state in the 4th, queues in the 5th, inode in the 10th. Tables of busy
// hosts have thousands, so one about another port costs no more than its address.
func parseRow(line []byte, port uint16) (s socket, ok bool) {
	var column [10][]byte
	for i := range column {
		line = bytes.TrimLeft(line, " \t\r\n")
		end := bytes.IndexAny(line, " \t\r\n")
		if end < 0 {
			end = len(line)
		}
		if end == 0 {
			return socket{}, false
		}
		column[i], line = line[:end], line[end:]
		if i == 1 {
			if s.local, ok = parseAddress(column[1]); !ok || s.local.Port() != port {
				return socket{}, false
			}
		}
	}
	if s.peer, ok = parseAddress(column[2]); !ok {
		return socket{}, false
	}
	_, unread, ok := bytes.Cut(column[4], []byte(":"))
	state, err := strconv.ParseUint(string(column[3]), 16, 8)
	if err != nil || !ok {
		return socket{}, false
	}
	s.state = uint8(state)
	if s.unread, err = strconv.ParseUint(string(unread), 16, 32); err != nil {
		return socket{}, false
	}
	s.inode, err = strconv.ParseUint(string(column[9]), 10, 64)
	return s, err == nil
}

// parseAddress reads ADDRESS:PORT in hexadecimal. The kernel prints an address as
// words of 32 bits in the byte order of the machine.
func parseAddress(text []byte) (netip.AddrPort, bool) {
	host, port, _ := bytes.Cut(text, []byte(":"))
	if len(host) != 8 && len(host) != 32 || len(port) != 4 {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(string(port), 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	var b [16]byte
	for i := 0; i < len(host); i += 8 {
		word, err := strconv.ParseUint(string(host[i:i+8]), 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		binary.NativeEndian.PutUint32(b[i/2:], uint32(word))
	}
	ip, ok := netip.AddrFromSlice(b[:len(host)/2])
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), ok
}

// listeners picks out of the sockets on the port those that take connections to
// the place: none, one, or several that share it.
func listeners(sockets []socket, at place) []socket {
	var found []socket
	best := 1
	for _, s := range sockets {
		if s.state != listen {
			continue
		}
		switch rank := at.serves(s.local.Addr()); {
		case rank > best:
			found, best = []socket{s}, rank
		case rank == best:
			found = append(found, s)
		}
	}
	return found
}

// count fills in what the sockets on the Gateway's side are like, and returns those
// that nobody accepted. Without a listener they are what an ended one has left.
func count(seen *events.GatewayObserved, sockets, listeners []socket, at place) (unaccepted []Unaccepted) {
	var queue, open, leftOpen, waiting, unread int64
	for _, l := range listeners {
		queue += int64(l.unread)
	}
	for _, s := range sockets {
		if !belongs(s.local.Addr(), listeners, at) {
			continue
		}
		switch s.state {
		case established:
			open++
		case closeWait:
			leftOpen++
		default:
			continue
		}
		// No process has it, so nobody accepted it; its hello is in the kernel, and
		// the FIN of a client that gave up counts as a byte.
		if s.inode == 0 && s.unread > 0 {
			unaccepted = append(unaccepted, Unaccepted{Local: s.local, Peer: s.peer, Bytes: int64(s.unread), State: stateName[s.state]})
			waiting++
			unread += int64(s.unread)
		}
	}
	seen.QueueSockets, seen.EstablishedSockets, seen.CloseWaitSockets = &queue, &open, &leftOpen
	seen.UnacceptedSockets, seen.UnacceptedBytes = &waiting, &unread
	return unaccepted
}

// belongs reports whether a connection to an address of this host is one of the
// listeners'.
func belongs(local netip.Addr, listeners []socket, at place) bool {
	if len(listeners) == 0 {
		return at.serves(local) > 0
	}
	bound := listeners[0].local.Addr()
	return bound == local || bound.IsUnspecified()
}
