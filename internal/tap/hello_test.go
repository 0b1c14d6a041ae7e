package tap_test

import (
	"io"
	"net"
	"testing"

	"ibrecorder/events"
)

// Port probes, other protocols and halves of a hello never reach the Gateway.
func TestNothingButAHelloReachesTheGateway(t *testing.T) {
	for _, row := range []struct {
		name, sent string
		how        events.Close // how the program ends, "" if it waits for the tap
		want       string
	}{
		{"a port probe", "", events.FIN, "client.rejected hello_closed"},
		{"a port probe that resets", "", events.RST, "client.rejected hello_closed"},
		{"half a hello", "API\x00\x00\x00\x00\x09v100", events.FIN, "client.rejected hello_closed 4150490000000009"},
		{"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", "client.rejected not_a_hello 1603010200010001"},
		{"a browser", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "", "client.rejected not_a_hello 474554202f204854"},
		{"a library that redials by itself", "\x00\x00\x00\x0549\x001\x00", "", "client.rejected not_a_hello 0000000534390031"},
		{"a client of the old protocol", "63\x00", "", "client.rejected not_a_hello 363300"},
		{"a hello without a version", "API\x00\x00\x00\x00\x04vx..", "", "client.rejected not_a_hello 4150490000000004"},
		{"a hello that is too long", "API\x00\x00\x01\x00\x00", "", "client.rejected not_a_hello 4150490000010000"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setting{})
			nc := w.dial(t)
			if _, err := io.WriteString(nc, row.sent); err != nil {
				t.Fatal(err)
			}
			if row.how != "" {
				if row.how == events.RST {
					_ = nc.(*net.TCPConn).SetLinger(0)
				}
				_ = nc.Close()
			} else if n, err := nc.Read(make([]byte, 1)); err == nil {
				t.Errorf("read %d bytes, want a close", n)
			}
			w.desk.count(t, "client.rejected", 1)
			w.desk.tells(t, "c1", row.want)
			if w.desk.requests != 0 {
				t.Errorf("%d permits were asked for", w.desk.requests)
			}
			w.connects(t, 0)
		})
	}
}
