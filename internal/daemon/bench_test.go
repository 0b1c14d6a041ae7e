package daemon_test

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// BenchmarkKilledToListening measures the time for which programs are refused when a
// recorder is killed and started again at once: from the signal to the first connect
// that the tap takes. What starts it again adds its own delay.
func BenchmarkKilledToListening(b *testing.B) {
	s := newStage(b, "", "")
	s.begin()
	for b.Loop() {
		if err := s.end(syscall.SIGKILL); !killed(err) {
			b.Fatalf("the recorder ended by itself: %v", err)
		}
		taken := make(chan error, 1)
		go func() { taken <- untilTaken(s.orders.Tap) }()
		s.begin()
		if err := <-taken; err != nil {
			b.Fatal(err)
		}
	}
}

// untilTaken connects until it is let in.
func untilTaken(address string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Microsecond) { // not to take the recorder's processor
		nc, err := net.Dial("tcp", address)
		if err == nil {
			return nc.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
