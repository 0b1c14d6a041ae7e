package tap_test

import (
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"ibrecorder/internal/wire"
)

// path is one way from a Gateway to a program: its two ends.
type path struct {
	name             string
	client, upstream net.Conn
}

// tcpPair is a connection over loopback.
func tcpPair(tb testing.TB) (dialled, accepted net.Conn) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if dialled, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if accepted, err = ln.Accept(); err != nil {
		tb.Fatal(err)
	}
	return dialled, accepted
}

// relayed joins two connections by pass, which copies one direction.
func relayed(tb testing.TB, name string, pass func(dst, src net.Conn)) path {
	client, near := tcpPair(tb)
	far, upstream := tcpPair(tb)
	var both sync.WaitGroup
	both.Go(func() { pass(near, far) })
	both.Go(func() { pass(far, near) })
	tb.Cleanup(func() {
		for _, nc := range []net.Conn{client, near, far, upstream} {
			_ = nc.Close()
		}
		both.Wait()
	})
	return path{name, client, upstream}
}

// copied is io.CopyBuffer with buffers as large as the tap's, and no splice.
func copied(dst, src net.Conn) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, 64<<10))
}

// spliced lets the kernel move the bytes.
func spliced(dst, src net.Conn) { _, _ = io.Copy(dst, src) }

func tapped(tb testing.TB) path {
	r := newRaw(tb)
	return path{"tap", r.client, r.upstream}
}

func direct(tb testing.TB) path {
	client, upstream := tcpPair(tb)
	tb.Cleanup(func() { _, _ = client.Close(), upstream.Close() })
	return path{"direct", client, upstream}
}

const (
	frameBytes = 80  // of a tick: header, id, a few short fields
	batch      = 50  // frames in one segment, as a busy Gateway sends them
	segments   = 400 // in one transfer
)

// tick is a price, as servers with text messages send it.
var tick = append([]byte("1\x006\x001001\x001\x00187.25\x00300\x001\x00"), make([]byte, frameBytes-4-28)...)

// transfer sends segments of frames down a path and returns how long it took.
func transfer(tb testing.TB, p path) time.Duration {
	tb.Helper()
	var data []byte
	for range batch {
		data = wire.AppendFrame(data, tick)
	}
	began := time.Now()
	sent := make(chan error, 1)
	go func() {
		for range segments {
			if _, err := p.upstream.Write(data); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	buf := make([]byte, 64<<10)
	for left := len(data) * segments; left > 0; {
		n, err := p.client.Read(buf)
		if err != nil {
			tb.Fatal(err)
		}
		left -= n
	}
	if err := <-sent; err != nil {
		tb.Fatal(err)
	}
	return time.Since(began)
}

// Market data through a relay of io.CopyBuffer, a spliced one and the tap, in turn;
// the ratios are the tap's speed to theirs.
func BenchmarkTapThroughput(b *testing.B) {
	paths := []path{relayed(b, "copy", copied), relayed(b, "splice", spliced), tapped(b)}
	took := make([]time.Duration, len(paths))
	for b.Loop() {
		for i, p := range paths {
			took[i] += transfer(b, p)
		}
	}
	bytes := float64(b.N) * frameBytes * batch * segments
	for i, p := range paths {
		b.ReportMetric(bytes/1e6/took[i].Seconds(), p.name+"-MB/s")
	}
	b.ReportMetric(took[0].Seconds()/took[2].Seconds(), "x-copy")
	b.ReportMetric(took[1].Seconds()/took[2].Seconds(), "x-splice")
}

// A request and its reply, direct and through the tap in turn.
func BenchmarkTapRoundTrip(b *testing.B) {
	paths := []path{direct(b), relayed(b, "copy", copied), tapped(b)}
	took := make([][]time.Duration, len(paths))
	var replies sync.WaitGroup
	for _, p := range paths {
		replies.Go(func() {
			buf := make([]byte, frameBytes)
			for {
				if _, err := io.ReadFull(p.upstream, buf); err != nil {
					return
				}
				if _, err := p.upstream.Write(buf); err != nil {
					return
				}
			}
		})
	}
	b.Cleanup(func() {
		for _, p := range paths {
			_ = p.upstream.Close()
		}
		replies.Wait()
	})
	buf := make([]byte, frameBytes)
	for b.Loop() {
		for i, p := range paths {
			began := time.Now()
			if _, err := p.client.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(p.client, buf); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	at := func(all []time.Duration, share float64) float64 {
		slices.Sort(all)
		return all[int(float64(len(all)-1)*share)].Seconds() * 1e6
	}
	for i, p := range paths {
		b.ReportMetric(at(took[i], 0.5), p.name+"-p50-us")
		b.ReportMetric(at(took[i], 0.99), p.name+"-p99-us")
	}
	b.ReportMetric(at(took[2], 0.5)-at(took[0], 0.5), "added-p50-us")
	b.ReportMetric(at(took[2], 0.99)-at(took[0], 0.99), "added-p99-us")
}

// A running session allocates nothing for what it relays.
func TestNothingIsAllocatedForAFrame(t *testing.T) {
	p := tapped(t)
	transfer(t, p) // the pumps have their orders now
	const rounds = 20
	var before, behind runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		transfer(t, p)
	}
	runtime.ReadMemStats(&behind)
	frames := float64(rounds * segments * batch)
	// What the test itself allocates for a transfer is a few objects.
	if got := float64(behind.Mallocs-before.Mallocs) / frames; got > 0.001 {
		t.Errorf("%.5f allocations a frame, want none", got)
	}
}
