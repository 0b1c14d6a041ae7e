package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"

	"github.com/google/go-cmp/cmp"
)

// heard is a client of a stream of events.
type heard struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Scanner
}

// listenTo opens a stream.
func listenTo(t testing.TB, address, path string, header ...string) *heard {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	h := &heard{t: t, resp: resp, in: bufio.NewScanner(resp.Body)}
	h.in.Buffer(nil, 1<<20)
	if got := h.next(); resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || got != "retry: 1000" {
		t.Fatalf("%d %s begins with %q", resp.StatusCode, resp.Header.Get("Content-Type"), got)
	}
	return h
}

// next is the next block, its lines joined by " | "; "" at the end.
func (h *heard) next() string {
	h.t.Helper()
	var lines []string
	for h.in.Scan() {
		if h.in.Text() == "" {
			return strings.Join(lines, " | ")
		}
		lines = append(lines, h.in.Text())
	}
	return ""
}

// ids reads n events and returns their ids and kinds; the data must be the stored bytes.
func (h *heard) ids(n int, logs ...*fake) []string {
	h.t.Helper()
	var got []string
	for range n {
		id, rest, _ := strings.Cut(strings.TrimPrefix(h.next(), "id: "), " | event: ")
		kind, data, _ := strings.Cut(rest, " | data: ")
		rec, err := events.ParseRecord([]byte(data))
		if err != nil {
			h.t.Fatalf("after %d events: %v: %.200s", len(got), err, data)
		}
		for _, f := range logs {
			if f.name == rec.Gateway && string(f.log[rec.Seq-1].Raw) != data {
				h.t.Errorf("event %d was stored as %s\nand streamed as %s", rec.Seq, f.log[rec.Seq-1].Raw, data)
			}
		}
		got = append(got, id+" "+kind)
	}
	return got
}

func remarks(from, to int) (want []string) {
	for i := from; i <= to; i++ {
		want = append(want, fmt.Sprint(i, " operator.noted"))
	}
	return want
}

func TestEventsAreStreamed(t *testing.T) {
	const live = "/v1/gateways/live/events"
	f := newFake("live")
	f.fill(5)
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	fresh := listenTo(t, address, live)
	all := listenTo(t, address, live+"?from=1")
	some := listenTo(t, address, live+"?from=4")
	again := listenTo(t, address, live+"?from=1", "Last-Event-ID", "3")
	f.fill(2)
	for _, c := range []struct {
		name string
		*heard
		want []string
	}{
		{"what is new", fresh, remarks(6, 7)},
		{"from the beginning", all, remarks(1, 7)},
		{"from a place", some, remarks(4, 7)},
		{"behind the last event that came", again, remarks(4, 7)},
	} {
		if diff := cmp.Diff(c.want, c.ids(len(c.want), f)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestAStreamOfSomeKinds(t *testing.T) {
	f := newFake("live")
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	h := listenTo(t, address, "/v1/gateways/live/events?from=1&kind=gateway.down,restart.*")
	f.fill(3)
	f.append(events.Draft{Source: "/runner/robo-1", Data: events.GatewayDown{Reason: events.DownReported, Count: 1, Limit: 1}})
	f.fill(1)
	f.append(events.Draft{Source: "/recorder", Data: events.RestartAcknowledged{Basis: events.BasisWord, By: "ann", Reason: "x"}})
	if diff := cmp.Diff([]string{"4 gateway.down", "6 restart.acknowledged"}, h.ids(2, f)); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamOfAllGateways(t *testing.T) {
	one, two := newFake("live"), newFake("paper")
	one.fill(2)
	two.fill(1)
	address := servePort(t, Port{Gateways: []Gateway{two, one}, Open: true})
	h := listenTo(t, address, "/v1/events")
	one.fill(1)
	got := h.ids(1, one, two)
	two.fill(1)
	got = append(got, h.ids(1, one, two)...)
	if diff := cmp.Diff([]string{"live:3,paper:1 operator.noted", "live:3,paper:2 operator.noted"}, got); diff != "" {
		t.Error(diff)
	}
	again := listenTo(t, address, "/v1/events", "Last-Event-ID", "live:2,paper:2,gone:9")
	if diff := cmp.Diff([]string{"live:3,paper:2 operator.noted"}, again.ids(1, one, two)); diff != "" {
		t.Error(diff)
	}
}

func TestStreamsThatAreRefused(t *testing.T) {
	f := newFake("live")
	f.fill(3)
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	for _, c := range []struct{ name, path, last, says string }{
		{"from what is not there", "?from=5", "", "its log ends at 3"},
		{"behind what is not there", "", "4", "another log may have been begun"},
		{"from no number", "?from=x", "", "want a sequence number"},
		{"from two places", "?from=1&from=2", "", "give it once"},
		{"behind no number", "", "three", "send the id of the last event as it came"},
		{"behind the id of a stream of all", "", "live:1", "send the id"},
		{"of no kind", "?kind=gateway.dwon", "", "docs/events.md lists them"},
		{"of a group that is none", "?kind=gate*", "", "as in attempt.*"},
		{"with an end", "?to=3", "", "parameters: from, kind"},
	} {
		header := map[string]string{"Accept": "text/event-stream"}
		if c.last != "" {
			header["Last-Event-ID"] = c.last
		}
		resp, body := call{method: "GET", path: "/v1/gateways/live/events" + c.path, header: header}.do(t, address)
		if resp.StatusCode != 400 || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want 400 with %q", c.name, resp.StatusCode, body, c.says)
		}
	}
	if resp, body := (call{method: "GET", path: "/v1/events?from=2"}).do(t, address); resp.StatusCode != 400 || !strings.Contains(body, "only from=1") {
		t.Errorf("all from a place: %d %s", resp.StatusCode, body)
	}
}

// Who reads slowly has no queue: it is given what it asks for from the log, nobody waits
// for it, and it is cut off when it takes nothing.
func TestASlowListenerHoldsUpNobody(t *testing.T) {
	f := newFake("live")
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	slow := listenTo(t, address, "/v1/gateways/live/events")
	quick := listenTo(t, address, "/v1/gateways/live/events")
	const n = 5000 // far more than the ring holds
	start := time.Now()
	go f.fill(n)
	if got := quick.ids(n); got[n-1] != fmt.Sprint(n, " operator.noted") {
		t.Errorf("the last is %s", got[n-1])
	}
	took := time.Since(start)
	// The slow one was left where it is, and gets the rest when it reads.
	if diff := cmp.Diff(remarks(1, n), slow.ids(n)); diff != "" {
		t.Error(diff)
	}
	t.Logf("%d events in %s beside one who reads nothing", n, took)
}

func TestAListenerThatTakesNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("live")
		ctx, stop := context.WithCancel(t.Context())
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		ended := make(chan error, 1)
		go func() { ended <- ServePort(ctx, l, Port{Gateways: []Gateway{f}, Open: true}, nil) }()
		conn, theirs := net.Pipe()
		defer conn.Close()
		l.conns <- theirs
		fmt.Fprint(conn, "GET /v1/gateways/live/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
		in := bufio.NewScanner(conn)
		for in.Scan() && in.Text() != "retry: 1000" {
		}
		in.Scan()
		start := time.Now()
		for in.Scan() && !strings.HasPrefix(in.Text(), ":") { // the first heartbeat
		}
		if beat := time.Since(start); beat != heartbeat {
			t.Errorf("a stream says that it is there after %s, want %s", beat, heartbeat)
		}
		f.fill(1) // it comes into a pipe that nobody reads
		time.Sleep(patience + time.Second)
		select {
		case <-f.untailed:
		default:
			t.Error("its stream goes on")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestOnlySoManyListen(t *testing.T) {
	f := newFake("live")
	h := newHandler(t.Context(), []Gateway{f}, nil)
	h.listeners.Store(maxListeners)
	address := serveHandler(t, h)
	resp, body := call{method: "GET", path: "/v1/events"}.do(t, address)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "5" || !strings.Contains(body, "1024 others listen") {
		t.Errorf("one more: %d %s", resp.StatusCode, body)
	}
	for range maxReaders {
		h.readers <- struct{}{}
	}
	resp, body = call{method: "GET", path: "/v1/gateways/live/events"}.do(t, address)
	if resp.StatusCode != 503 || !strings.Contains(body, "16 others read the logs") {
		t.Errorf("one more who reads: %d %s", resp.StatusCode, body)
	}
	h.listeners.Store(0) // who listens waits for none of them, also who has to catch up
	f.fill(2)
	listenTo(t, address, "/v1/gateways/live/events")
	if diff := cmp.Diff(remarks(1, 2), listenTo(t, address, "/v1/gateways/live/events?from=1").ids(2, f)); diff != "" {
		t.Error(diff)
	}
}

// A stream that the log breaks ends, and the next one has a tail that works.
func TestAStreamBreaksAndComesAgain(t *testing.T) {
	f := newFake("live")
	f.bad = 2
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	h := listenTo(t, address, "/v1/gateways/live/events")
	f.fill(2)
	if diff := cmp.Diff(remarks(1, 1), h.ids(1, f)); diff != "" {
		t.Error(diff)
	}
	if rest := h.next(); rest != "" {
		t.Errorf("then comes %s", rest)
	}
	f.mu.Lock()
	f.bad = 0
	f.mu.Unlock()
	again := listenTo(t, address, "/v1/gateways/live/events", "Last-Event-ID", "1")
	f.fill(1)
	if diff := cmp.Diff(remarks(2, 3), again.ids(2, f)); diff != "" {
		t.Error(diff)
	}
}

// TestAThousandListen: what a client costs that listens to a log on which nothing
// happens, and that each is told when something does.
func TestAThousandListen(t *testing.T) {
	const n = 1000
	f := newFake("live")
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	before := inUse()
	conns := make([]*bufio.Scanner, n)
	for i := range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET /v1/gateways/live/events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", address)
		conns[i] = bufio.NewScanner(c)
		for conns[i].Scan() && conns[i].Text() != "retry: 1000" {
		}
	}
	each := (inUse() - before) / n
	start := time.Now()
	f.fill(1)
	for i, c := range conns {
		for c.Scan() && c.Text() != "id: 1" {
		}
		if c.Text() != "id: 1" {
			t.Fatalf("client %d was told nothing: %v", i, c.Err())
		}
	}
	t.Logf("%d clients: %.1f KiB each with both ends, told within %s", n, float64(each)/1024, time.Since(start))
	if each > 128<<10 {
		t.Errorf("%d bytes each", each)
	}
}

// inUse is the memory of heap and stacks that is in use.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
