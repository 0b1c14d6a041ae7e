package tap_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
)

// nameServer is a resolver whose server is in this process. It answers every name
// with these addresses, with "no such name" if there are none, and not at all if it
// is silent.
func nameServer(t *testing.T, silent bool, addresses ...netip.Addr) {
	old, over := net.DefaultResolver, make(chan struct{})
	t.Cleanup(func() { net.DefaultResolver = old; close(over) })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() { // a lookup that was given up goes on until its server is gone
			<-over
			_ = far.Close()
		}()
		go func() {
			for {
				var length [2]byte
				if _, err := io.ReadFull(far, length[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(far, query); err != nil {
					return
				}
				if silent {
					continue
				}
				reply := dnsReply(query, addresses)
				if _, err := far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
					return
				}
			}
		}()
		return near, nil
	}}
}

// dnsReply answers a query with one question (RFC 1035, 4.1).
func dnsReply(query []byte, addresses []netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	reply := append([]byte(nil), query[:end]...)
	reply[2], reply[3] = 0x84, 0 // an answer, authoritative
	clear(reply[6:12])
	if len(addresses) == 0 {
		reply[3] = 3 // no such name
	}
	for _, ip := range addresses {
		kind := uint16(1)
		if ip.Is6() {
			kind = 28
		}
		if kind != binary.BigEndian.Uint16(query[end-4:]) {
			continue
		}
		reply[7]++
		reply = append(reply, 0xc0, 12)
		reply = binary.BigEndian.AppendUint16(reply, kind)
		reply = append(reply, 0, 1, 0, 0, 0, 60)
		reply = binary.BigEndian.AppendUint16(reply, uint16(ip.BitLen()/8))
		reply = append(reply, ip.AsSlice()...)
	}
	return reply
}

// One permit is at most one connect, whatever the Gateway's name stands for, and a
// name that stands for nothing is no silence.
func TestTheGatewaysName(t *testing.T) {
	one, two, six := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::1")
	for _, row := range []struct {
		name      string
		host      string
		silent    bool
		addresses []netip.Addr
		dials     []string // the hosts
		reason    events.FailReason
	}{
		{"an address is dialled as it is", "127.0.0.1", false, nil, []string{"127.0.0.1"}, events.Refused},
		{"so is one of IPv6", "::1", false, nil, []string{"::1"}, events.Refused},
		{"localhost is 127.0.0.1", "localhost", false, nil, []string{"127.0.0.1"}, events.Refused},
		{"of two addresses one is dialled", "gateway.example.", false, []netip.Addr{one, two}, []string{"127.0.0.1"}, events.Refused},
		{"of two families it is IPv4", "gateway.example.", false, []netip.Addr{six, two}, []string{"127.0.0.2"}, events.Refused},
		{"IPv6 is dialled if there is nothing else", "gateway.example.", false, []netip.Addr{six}, []string{"::1"}, events.Refused},
		{"a name that nobody knows", "gateway.example.", false, nil, nil, events.Unreachable},
		{"a name server that does not answer", "gateway.example.", true, nil, nil, events.Unreachable},
	} {
		t.Run(row.name, func(t *testing.T) {
			nameServer(t, row.silent, row.addresses...)
			var dials []string
			w := start(t, setting{params: budgets(300 * time.Millisecond), config: func(c *tap.Config) {
				c.Address = net.JoinHostPort(row.host, "4002")
				c.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
					host, port, err := net.SplitHostPort(address)
					if err != nil || port != "4002" || network != "tcp" {
						t.Errorf("it dials %s %s, %v", network, address, err)
					}
					dials = append(dials, host)
					return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
				}
			}})
			w.connect(t, 7).all(t)
			w.desk.count(t, "client.closed", 1)
			if diff := cmp.Diff(row.dials, dials); diff != "" {
				t.Errorf("dialled, want -, got +\n%s", diff)
			}
			reason := string(row.reason)
			w.desk.tells(t, "c1", after(opening, "dial.started", "dial.failed "+reason, "attempt.failed "+reason+" dial", "client.closed recorder fin")...)
			w.desk.legal(t)
		})
	}
}

// The dialer that a tap has by itself connects once, too.
func TestOneConnectForOnePermit(t *testing.T) {
	nameServer(t, false, netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"))
	port := deaf(t)
	ln, err := net.Listen("tcp", "127.0.0.2:"+port) // only the second address listens
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skip("this system has no 127.0.0.2")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	var connects atomic.Int64
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			connects.Add(1)
			_ = nc.Close()
		}
	}()
	w := start(t, setting{config: func(c *tap.Config) { c.Address = "gateway.example.:" + port }})
	w.connect(t, 7).all(t)
	w.desk.count(t, "client.closed", 1)
	w.desk.tells(t, "c1", after(opening, "dial.started", "dial.failed refused", "attempt.failed refused dial", "client.closed recorder fin")...)
	if n := connects.Load(); n != 0 {
		t.Errorf("%d connects behind the one that was refused", n)
	}
}

// deaf returns a port of 127.0.0.1 that refuses every connect until the test ends. It
// is bound, so that no other test comes to listen on it.
func deaf(t *testing.T) (port string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(bound.(*syscall.SockaddrInet4).Port)
}
