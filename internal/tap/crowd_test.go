//go:build unix

package tap_test

import (
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

// crowd is as many ways from one Gateway as IB has clients for it.
type crowd struct {
	name  string
	paths []path
	took  time.Duration // of this process's processors, both ends included
}

func crowds(b *testing.B) []*crowd {
	all := []*crowd{{name: "direct"}, {name: "copy"}, {name: "splice"}, {name: "tap"}}
	for range tap.MaxClients {
		all[0].paths = append(all[0].paths, direct(b))
		all[1].paths = append(all[1].paths, relayed(b, "copy", copied))
		all[2].paths = append(all[2].paths, relayed(b, "splice", spliced))
	}
	for _, r := range newRaws(b, tap.MaxClients) {
		all[3].paths = append(all[3].paths, path{"tap", r.client, r.upstream})
	}
	return all
}

// carry sends segments of frames down every path at once, one at each tick, or as fast
// as it goes, and adds what that took of the processors.
func (c *crowd) carry(b *testing.B, segments, frames int, every time.Duration) {
	b.Helper()
	var data []byte
	for range frames {
		data = wire.AppendFrame(data, tick)
	}
	var before, behind syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	for _, p := range c.paths {
		all.Go(func() {
			var pace <-chan time.Time
			if every > 0 {
				t := time.NewTicker(every)
				defer t.Stop()
				pace = t.C
			}
			for range segments {
				if pace != nil {
					<-pace
				}
				if _, err := p.upstream.Write(data); err != nil {
					b.Error(err)
					return
				}
			}
		})
		all.Go(func() {
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{io.LimitReader(p.client, int64(len(data)*segments))}, make([]byte, 64<<10)); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &behind); err != nil {
		b.Fatal(err)
	}
	c.took += processor(behind) - processor(before)
}

func processor(r syscall.Rusage) time.Duration {
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// What 32 clients at a full market-data rate take of the processors, in turns: direct,
// through relays that copy, and through the tap. "relay" is what is beyond direct, and
// the ratios compare that.
func BenchmarkThirtyTwoClients(b *testing.B) {
	for _, c := range []struct {
		name             string
		segments, frames int
		every            time.Duration
	}{
		// 100 lines of market data, each with a few fields that change four times a
		// second, are some 1 000 frames a second; a Gateway sends what it has together.
		{"1000 frames a second each", 100, 10, 10 * time.Millisecond},
		{"as fast as it goes", 200, batch, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			all := crowds(b)
			for b.Loop() {
				for _, to := range all {
					to.carry(b, c.segments, c.frames, c.every)
				}
			}
			frames := float64(b.N * c.segments * c.frames * tap.MaxClients)
			relay := func(c *crowd) float64 { return (c.took - all[0].took).Seconds() }
			for _, to := range all {
				b.ReportMetric(to.took.Seconds()/frames*1e6, to.name+"-s/Mframe")
				b.ReportMetric(to.took.Seconds()/(frames*frameBytes/1e9), to.name+"-s/GB")
			}
			if c.every > 0 {
				core := (time.Duration(b.N*c.segments) * c.every).Seconds()
				b.ReportMetric(100*all[3].took.Seconds()/core, "tap-%core")
				b.ReportMetric(100*relay(all[3])/core, "tap-relay-%core")
			}
			b.ReportMetric(relay(all[3])/relay(all[1]), "relay-x-copy")
			b.ReportMetric(relay(all[3])/relay(all[2]), "relay-x-splice")
			b.ReportMetric(all[3].took.Seconds()/all[1].took.Seconds(), "x-copy")
			b.ReportMetric(0, "ns/op")
		})
	}
}
