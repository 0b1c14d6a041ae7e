package watch

import (
	"os"
	"strings"
	"testing"

	"ibrecorder/events"
)

// The rows are as Linux prints them on a little-endian machine, with the counts of a
// Gateway whose acceptor hangs: two wait in the queue of its dual-stack listener, one
// client still waits and one gave up; one was accepted before and its client left.
const wedged = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0FA2 00000000000000000000000000000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 5501 1 0000000000000000 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A001 01 00000000:00000011 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 0 10 -1
   2: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A002 08 00000000:00000012 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 0 10 -1
   3: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A003 08 00000000:00000001 00:00000000 00000000  1000        0 5502 1 0000000000000000 20 4 0 10 -1
   4: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A004 01 00000000:00000000 00:00000000 00000000  1000        0 5503 1 0000000000000000 20 4 0 10 -1
   5: 0000000000000000FFFF00000100007F:0FA2 0000000000000000FFFF00000100007F:A005 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000
   6: 0000000000000000FFFF00000100007F:A004 0000000000000000FFFF00000100007F:0FA2 01 00000000:00000000 00:00000000 00000000  1000        0 5504 1 0000000000000000 20 4 0 10 -1
`

func rows(t testing.TB, table string) []socket {
	t.Helper()
	var all []socket
	if err := scanTable(t.Context(), strings.NewReader(table), 4002, func(s socket) { all = append(all, s) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAWedgedAcceptorIsCounted(t *testing.T) {
	at, err := parsePlace("127.0.0.1:4002")
	if err != nil {
		t.Fatal(err)
	}
	all := rows(t, wedged)
	found := listeners(all, at)
	if len(found) != 1 || found[0].inode != 5501 {
		t.Fatalf("the listeners are %+v, want the one with inode 5501", found)
	}
	var seen events.GatewayObserved
	count(&seen, all, found, at)
	for _, c := range []struct {
		what string
		got  *int64
		want int64
	}{
		{"in the listen queue", seen.QueueSockets, 2},
		{"established", seen.EstablishedSockets, 2},
		{"in CLOSE_WAIT", seen.CloseWaitSockets, 2},
		{"not accepted", seen.UnacceptedSockets, 2},
		{"bytes unread in them", seen.UnacceptedBytes, 0x11 + 0x12},
	} {
		if *c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, *c.got, c.want)
		}
	}
}

func TestTheMostSpecificListenerServes(t *testing.T) {
	const (
		any4  = "0: 00000000:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1\n"
		one4  = "0: 0100007F:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 2 1\n"
		other = "0: 0200007F:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 3 1\n"
		any6  = "0: 00000000000000000000000000000000:0FA2 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4 1\n"
		one6  = "0: 00000000000000000000000001000000:0FA2 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5 1\n"
		again = "0: 0100007F:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 6 1\n"
	)
	for _, c := range []struct {
		name, address, table string
		want                 []uint64
	}{
		{"an address before any", "127.0.0.1:4002", any4 + one4 + other + any6, []uint64{2}},
		{"any of its family before that of both", "127.0.0.1:4002", other + any6 + any4, []uint64{1}},
		{"one socket for both families", "127.0.0.1:4002", other + any6, []uint64{4}},
		{"another address is none", "127.0.0.1:4002", other + one6, nil},
		{"IPv6 is not served by a socket of IPv4", "[::1]:4002", any4 + one4, nil},
		{"IPv6", "[::1]:4002", any4 + any6 + one6, []uint64{5}},
		{"localhost is IPv4 first", "localhost:4002", one6 + one4, []uint64{2}},
		{"localhost may be IPv6", "localhost:4002", one6, []uint64{5}},
		{"a connect to no address goes to localhost", "0.0.0.0:4002", one4, []uint64{2}},
		{"two that share the port", "127.0.0.1:4002", one4 + again, []uint64{2, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := parsePlace(c.address)
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, l := range listeners(rows(t, c.table), at) {
				got = append(got, l.inode)
			}
			if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
				t.Errorf("%v listen for it, want %v", got, c.want)
			}
		})
	}
}

func TestARowThatIsTooLongIsAnError(t *testing.T) {
	if err := scanTable(t.Context(), strings.NewReader(strings.Repeat("0", 2*maxRow)), 4002, func(socket) {}); err == nil {
		t.Error("a row without an end was read")
	}
}

// FuzzTable holds that no text of a table is a crash, that only rows of the port are
// handed over, and that a row stays the same whatever stands around it.
func FuzzTable(f *testing.F) {
	f.Add([]byte(wedged))
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if text, err := os.ReadFile(path); err == nil {
			f.Add(text[:min(len(text), 1000)])
		}
	}
	f.Add([]byte("0: 0100007F:0FA2 : 0A : : : : : 18446744073709551616"))
	f.Add([]byte("0: 0100007F:0FA2 00000000:0000 0A 00000000:FFFFFFFF 00:00000000 00000000 0 0 1"))
	at := place{port: 4002}
	f.Fuzz(func(t *testing.T, table []byte) {
		var all, again []socket
		first := scanTable(t.Context(), strings.NewReader(string(table)), 4002, func(s socket) { all = append(all, s) })
		if first == nil && (len(table) == 0 || table[len(table)-1] == '\n') {
			framed := "  sl  local_address\n" + string(table) + wedged
			if err := scanTable(t.Context(), strings.NewReader(framed), 4002, func(s socket) { again = append(again, s) }); err != nil {
				t.Fatal(err)
			}
			if len(again) != len(all)+6 {
				t.Errorf("%d rows, and %d with 6 more behind them", len(all), len(again))
			}
		}
		var seen events.GatewayObserved
		count(&seen, all, listeners(all, at), at)
		for _, s := range all {
			if s.local.Port() != 4002 {
				t.Errorf("%+v is about another port", s)
			}
		}
		if *seen.UnacceptedSockets > *seen.EstablishedSockets+*seen.CloseWaitSockets || *seen.UnacceptedBytes < *seen.UnacceptedSockets {
			t.Errorf("the counts do not agree: %d of %d and %d, %d bytes", *seen.UnacceptedSockets, *seen.EstablishedSockets, *seen.CloseWaitSockets, *seen.UnacceptedBytes)
		}
	})
}

func BenchmarkTable(b *testing.B) {
	var table strings.Builder
	for range 10_000 { // another port's
		table.WriteString("   6: 0100007F:A004 0100007F:1000 01 00000000:00000000 00:00000000 00000000  1000        0 5504 1 0000000000000000 20 4 0 10 -1\n")
	}
	table.WriteString(wedged)
	b.ReportAllocs()
	for b.Loop() {
		_ = scanTable(b.Context(), strings.NewReader(table.String()), 4002, func(socket) {})
	}
}
