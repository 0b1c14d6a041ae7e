package watch

import (
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"ibrecorder/events"
)

func TestAListenerIsSeenWithoutAConnect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := (&Listener{Address: l.Addr().String()}).Observe(t.Context())
	if got.Listening != events.ListeningYes || got.PID != int64(os.Getpid()) || got.StartedMS == 0 || got.Socket == "" {
		t.Errorf("observed %+v, want this process (pid %d) listening, with its start time and socket", got, os.Getpid())
	}
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if c, err := l.Accept(); err == nil {
		c.Close()
		t.Error("observing connected to the port")
	}
}

func TestAClosedPortIsPositivelyNotListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if got := (&Listener{Address: addr}).Observe(t.Context()); got.Listening != events.ListeningNo {
		t.Errorf("observed %+v, want not listening", got)
	}
}

func TestWhatCannotBeKnownIsUnknown(t *testing.T) {
	for _, c := range []struct{ name, address string }{
		{"a Gateway on another host", "192.0.2.1:4001"},
		{"a Gateway behind a name", "ib-gateway:4003"},
		{"no port", "127.0.0.1"},
		{"a port that is no number", "127.0.0.1:api"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := (&Listener{Address: c.address}).Observe(t.Context())
			if got.Listening != events.ListeningUnknown || got.Owner != events.OwnerUnknown || got.Text == "" {
				t.Errorf("observed %+v, want unknown and a reason", got)
			}
		})
	}
}

func TestTwoListenersOnOnePortAreTwoSockets(t *testing.T) {
	seen := make(map[string]string)
	port := "0"
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Logf("without %s: %v", host, err)
			continue
		}
		defer l.Close()
		port = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
		got := (&Listener{Address: l.Addr().String()}).Observe(t.Context())
		if other, taken := seen[got.Socket]; taken || got.Listening != events.ListeningYes {
			t.Errorf("%s is observed as %+v, with the socket of %q", host, got, other)
		}
		seen[got.Socket] = host
	}
}

func TestAListenerOfAnotherAddressIsNotTheGateways(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("no second loopback address here:", err)
	}
	defer l.Close()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	if got := (&Listener{Address: addr}).Observe(t.Context()); got.Listening != events.ListeningNo {
		t.Errorf("observed %+v on %s, want not listening: only 127.0.0.2 is", got, addr)
	}
}
