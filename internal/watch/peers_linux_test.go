package watch

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The rows are as Linux prints them on a little-endian machine: a dual-stack listener
// on port 4002, a program of this host (its own end in the table of IPv4), one of
// another host, one that is closing, and a program that is connected to port 4002 of
// another host.
const directRows = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0FA2 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5501 1 0 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A001 01 00000000:00000000 00:00000000 00000000  1000        0 5502 1 0 20 4 0 10 -1
   2: 0000000000000000FFFF00000A01A8C0:0FA2 0000000000000000FFFF00001401A8C0:A002 01 00000000:00000000 00:00000000 00000000  1000        0 5503 1 0 20 4 0 10 -1
   3: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A003 08 00000000:00000000 00:00000000 00000000  1000        0 5504 1 0 20 4 0 10 -1
   4: 0100007F:A001 0100007F:0FA2 01 00000000:00000000 00:00000000 00000000  1000        0 5505 1 0 20 4 0 10 -1
   5: 0A01A8C0:A005 1401A8C0:0FA2 01 00000000:00000000 00:00000000 00000000  1000        0 5506 1 0 20 4 0 10 -1
   6: 0100007F:A006 0100007F:0FA3 01 00000000:00000000 00:00000000 00000000  1000        0 5507 1 0 20 4 0 10 -1
`

func TestAConnectionToTheGatewayIsFoundOnceAndWhereItsProgramIs(t *testing.T) {
	const host = "192.168.1.10"
	rows, err := scanConnections(t.Context(), strings.NewReader(directRows), 4002)
	if err != nil {
		t.Fatal(err)
	}
	any := func(netip.Addr) bool { return true }
	for _, c := range []struct {
		name, address string
		local         bool
		serves        func(netip.Addr) bool
		want          []Peer
		owners        []uint64
	}{
		{"a Gateway of this host", "127.0.0.1:4002", true, any, []Peer{
			{Program: netip.MustParseAddrPort("127.0.0.1:40961"), Here: true},
			{Program: netip.MustParseAddrPort("192.168.1.20:40962")},
		}, []uint64{5505, 0}},
		{"one that listens at one address alone", host + ":4002", true, func(a netip.Addr) bool { return a.String() == host }, []Peer{
			{Program: netip.MustParseAddrPort("192.168.1.20:40962")},
		}, []uint64{0}},
		{"one on another host", "192.168.1.20:4002", false, nil, []Peer{
			{Program: netip.MustParseAddrPort("192.168.1.10:40965"), Here: true},
		}, []uint64{5506}},
		{"one that nobody is connected to", "192.168.1.30:4002", false, nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := parsePlace(c.address)
			if err != nil {
				t.Fatal(err)
			}
			var got []Peer
			var owners []uint64
			for _, p := range peersOf(rows, at, c.local, c.serves) {
				got, owners = append(got, p.Peer), append(owners, p.owner)
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.owners, owners); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAProgramThatIsConnectedIsNamed(t *testing.T) {
	address, _ := program(t, "java", ":0")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	address = net.JoinHostPort("127.0.0.1", port)
	if peers, err := Peers(t.Context(), address); err != nil || peers != nil {
		t.Fatalf("before anybody connects: %v, %v", peers, err)
	}
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	peers, err := Peers(t.Context(), address)
	want := Peer{Program: nc.LocalAddr().(*net.TCPAddr).AddrPort(), Here: true, PID: os.Getpid(), Process: processName(os.Getpid())}
	if err != nil || len(peers) != 1 || peers[0] != want {
		t.Errorf("the peers are %+v, %v, want %+v", peers, err, want)
	}
}

func TestPortsThatListenAreNamed(t *testing.T) {
	address, stop := program(t, "java", "127.0.0.1:0")
	port := netip.MustParseAddrPort(address).Port()
	if got := Ports(t.Context(), port); got[port] != "java" {
		t.Errorf("ports %v, want java on %d", got, port)
	}
	stop()
	if got := Ports(t.Context(), port); len(got) != 0 {
		t.Errorf("ports %v, want none", got)
	}
}
