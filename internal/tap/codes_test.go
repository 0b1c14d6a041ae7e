package tap_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// What a Gateway says of itself in a running session, and what is told of it.
func TestCodesInASession(t *testing.T) {
	const ready = "hello\nwait start-api\nready\n"
	const nextID, half, rest = `\x00\x00\x00\x069\x001\x001\x00`, `\x00\x00\x00\x0e4\x002\x00-`, `1\x001100\x00\x00\x00` // of a 1100
	fin := []string{"session.lost fin", "client.closed gateway fin"}
	outage := []string{"gateway.notice 1100", "session.degraded 1100", "gateway.notice 1102", "session.restored 1102"}
	for _, row := range []struct {
		name, script string
		want         []string // behind session.established
	}{
		{"a code is told at once, and what came since a minute later as a number",
			ready + "error -1 2103\nsilence 10s\nerror -1 2103\nsilence 20s\nerror -1 2103\nsilence 10m\nerror -1 2103\nfin",
			after([]string{"gateway.notice 2103", "gateway.notice 2103 x 2", "gateway.notice 2103"}, fin...)},
		{"what is pending is told before the end", ready + "error -1 2105\nerror -1 2157\nerror -1 2105\nerror -1 2105\nfin",
			after([]string{"gateway.notice 2105", "gateway.notice 2157", "gateway.notice 2105 x 2"}, fin...)},
		{"IB's servers are lost once, however often that is said",
			ready + "error -1 1100\nsilence 1s\nerror -1 1100\nsilence 1s\nerror -1 2110\nsilence 2m\nerror -1 1101\nfin",
			after([]string{"gateway.notice 1100", "session.degraded 1100", "gateway.notice 2110", "gateway.notice 1100", "gateway.notice 1101",
				"session.restored 1101"}, fin...)},
		{"2110 is a loss", ready + "error -1 2110\nerror -1 1102\nfin", after([]string{"gateway.notice 2110", "session.degraded 2110", "gateway.notice 1102",
			"session.restored 1102"}, fin...)},
		{"a return after a loss that nobody saw", ready + "error -1 1102\nfin", after([]string{"gateway.notice 1102", "session.restored 1102"}, fin...)},
		{"every letter by itself", ready + "slow 1ms\nerror -1 1100 \"lost\"\nerror -1 1102\nfin", after(outage, fin...)},
		{"a loss that was said before ready", "hello\nwait start-api\nerror -1 1100\nready\nerror -1 1102\nfin",
			after([]string{"session.degraded 1100", "gateway.notice 1102", "session.restored 1102"}, fin...)},
		{"a loss and a return before ready", "hello\nwait start-api\nerror -1 1100\nerror -1 1102\nready\nfin", fin},
		{"a startAPI after what makes ready", "hello\naccounts\nnext-id\nwait start-api\nsilence 1s\nerror -1 1100\nerror -1 1102\nfin", after(outage, fin...)},
		{"a loss behind ready, in the same segment", "hello\nwait start-api\naccounts\nsend \"" + nextID + half + rest + "\"\nerror -1 1102\nfin", after(outage, fin...)},
		{"half of it behind ready", "hello\nwait start-api\naccounts\nsend \"" + nextID + half + "\"\nsend \"" + rest + "\"\nerror -1 1102\nfin", after(outage, fin...)},
		{"half of it before a startAPI that comes after what makes ready",
			"hello\naccounts\nnext-id\nsend \"" + half + "\"\nwait start-api\nsilence 1s\nsend \"" + rest + "\"\nerror -1 1102\nfin", after(outage, fin...)},
		{"1300 and a FIN", ready + "error -1 1300\nfin", []string{"gateway.notice 1300", "session.lost port_reset", "client.closed gateway fin"}},
		{"1300 and a reset", ready + "error -1 1300\nsilence 5s\nrst", []string{"gateway.notice 1300", "session.lost port_reset", "client.closed gateway fin"}},
		{"what answers a request, and what is none of the codes", ready + "error 5 200\nerror 5 1100\nerror -1 504\nerror -1 2100\nerror -1 0\nfin", fin},
		{"the competing session, which every request is told of", ready + "error 5 10197\nerror 6 10197\nfin",
			after([]string{"gateway.notice 10197", "gateway.notice 10197"}, fin...)},
		{"another protocol ends the parsing, and not the session", ready + `send "HTTP/1.1 400 Bad Request\r\n"` + "\nerror -1 1100\nfin",
			after([]string{"session.unwatched"}, fin...)},
		{"the same in the segment of ready", "hello\nwait start-api\naccounts\n" + `send "\x00\x00\x00\x069\x001\x001\x00HTTP/1.1 400"` + "\nsilence 1s\nfin",
			after([]string{"session.unwatched"}, fin...)},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.script, always(grant), func(t *testing.T, d *desk, p *pipes) {
				outlive(p)
				d.count(t, "client.closed", 1)
				story := d.story("c1")
				at := slices.Index(story, "session.established 7 176")
				if at < 0 || !slices.Equal(story[at+1:], row.want) {
					t.Errorf("want\n%s\nthe story is\n%s", strings.Join(row.want, "\n"), strings.Join(story, "\n"))
				}
			})
		})
	}
}

// outlive is a program that stays until the Gateway closes, for hours if need be.
func outlive(p *pipes) {
	c := connect(p.dial(), 7, false)
	for range c.saw {
	}
	_ = c.nc.Close()
}

// A code that comes every second is told of once a minute, and none is lost.
func TestACodeIsToldOnceAMinute(t *testing.T) {
	script := "hello\nwait start-api\nready\n" + strings.Repeat("error -1 2108\nsilence 1s\n", 600) + "fin"
	bubble(t, script, always(grant), func(t *testing.T, d *desk, p *pipes) {
		outlive(p)
		d.count(t, "client.closed", 1)
		var sum int64
		var last time.Duration
		for i, r := range d.log {
			n, ok := r.Data.(events.GatewayNotice)
			if !ok {
				continue
			}
			sum += n.Count
			now := time.Duration(r.Mono)
			if _, end := d.log[i+1].Data.(events.SessionLost); !end && last != 0 && now-last < time.Minute {
				t.Errorf("told after %s, want a minute", now-last)
			}
			last = now
		}
		if got := len(payloads[events.GatewayNotice](d)); sum != 600 || got > 11 {
			t.Errorf("%d events tell of %d notices, want at most 11 of 600", got, sum)
		}
	})
}

// A program that leaves because of what it was told finds it in the log before its
// end, and a session that it closes after 1300 is its own doing.
func TestWhatTheClientSawIsTold(t *testing.T) {
	bubble(t, "hello\nwait start-api\nready\nerror -1 1300\nsilence", always(grant), func(t *testing.T, d *desk, p *pipes) {
		c := connect(p.dial(), 7, false)
		c.sees(t, "error -1 1300")
		c.leave(events.FIN)
		synctest.Wait()
		story := d.story("c1")
		want := []string{"gateway.notice 1300", "session.closed client fin", "client.closed client fin"}
		if got := story[len(story)-len(want):]; !slices.Equal(got, want) {
			t.Errorf("the story ends %q, want %q", got, want)
		}
	})
}

// A Gateway that flaps faster than anybody can write: bounded in the log, complete in
// number, and the last word holds.
func TestAFloodOfCodes(t *testing.T) {
	const times = 5000
	r := newRaw(t)
	lost := wire.AppendError(nil, 176, wire.ErrorMessage{ID: -1, Code: 1100, Text: "lost"})
	back := wire.AppendError(nil, 176, wire.ErrorMessage{ID: -1, Code: 1102, Text: "back"})
	flood := append(bytes.Repeat(append(slices.Clone(lost), back...), times), lost...)
	go func() {
		_, _ = r.upstream.Write(flood)
		_ = r.upstream.CloseWrite()
	}()
	got, err := io.ReadAll(r.client)
	if err != nil || !bytes.Equal(got, flood) {
		t.Errorf("%d bytes arrived, %v; want %d", len(got), err, len(flood))
	}
	_ = r.client.Close()
	r.desk.count(t, "client.closed", 1)
	sum := map[int64]int64{}
	for _, n := range payloads[events.GatewayNotice](r.desk) {
		sum[n.Code] += n.Count
	}
	degraded, restored := payloads[events.SessionDegraded](r.desk), payloads[events.SessionRestored](r.desk)
	if sum[1100] != times+1 || sum[1102] != times || len(degraded) != len(restored)+1 || len(degraded) > 6 {
		t.Errorf("told of %v, %d losses and %d returns", sum, len(degraded), len(restored))
	}
	r.desk.legal(t)
}

// The longest frame passes, and what stands behind it is seen.
func TestTheLongestFrameInASession(t *testing.T) {
	r := newRaw(t)
	long := wire.AppendFrame(nil, append([]byte("5\x00"), make([]byte, wire.MaxFrameBytes-2)...))
	long = wire.AppendError(long, 176, wire.ErrorMessage{ID: -1, Code: 1100})
	go func() { _, _ = r.upstream.Write(long) }()
	if _, err := io.ReadFull(r.client, make([]byte, len(long))); err != nil {
		t.Fatal(err)
	}
	r.desk.count(t, "session.degraded", 1)
	r.desk.legal(t)
}
