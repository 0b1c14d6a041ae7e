package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
)

func TestAFollowedStreamShowsEachEventAsItComes(t *testing.T) {
	f := newFake("live")
	f.fill(2)
	s := serve(t, f)
	var seen uint64
	var last error
	for rec, err := range s.client.Tail(t.Context(), "live", 1) {
		if last = err; err != nil {
			break
		}
		seen++
		if rec.Seq != seen {
			t.Fatalf("event %d came as number %d", rec.Seq, seen)
		}
		switch {
		case seen == 10: // what comes while it stops is still shown
			s.stop()
			f.append(events.Draft{Source: "/recorder", Data: events.RecorderStopped{Reason: events.StoppedBySignal}})
		case seen >= 2: // nothing is to come until this one was seen
			f.fill(1)
		}
	}
	if seen != 11 || !errors.Is(last, ErrStopping) {
		t.Errorf("after %d events: %v, want 11 and then %v", seen, last, ErrStopping)
	}
}

func TestAReaderThatLeavesEndsItsTail(t *testing.T) {
	f := newFake("live")
	f.fill(1)
	s := serve(t, f)
	gone := errors.New("had enough")
	ctx, leave := context.WithCancelCause(t.Context())
	defer leave(nil)
	var last error
	for _, err := range s.client.Tail(ctx, "live", 1) {
		last = err
		leave(gone)
	}
	if !errors.Is(last, gone) {
		t.Errorf("the reader is told %v, want its own reason", last)
	}
	<-f.untailed // or the test times out
}

func TestABrokenStreamNeverLooksWhole(t *testing.T) {
	tests := []struct {
		name string
		feed func(c *Client) (n int, err error)
	}{
		{"read", func(c *Client) (n int, err error) {
			for _, err = range c.Read(t.Context(), "live", 0, 0) {
				n++
			}
			return n - 1, err
		}},
		{"followed", func(c *Client) (n int, err error) {
			for _, err = range c.Tail(t.Context(), "live", 0) {
				n++
			}
			return n - 1, err
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake("live")
			f.fill(5)
			f.bad = 4
			n, err := test.feed(serve(t, f).client)
			if err == nil || n > 3 || errors.Is(err, ErrStopping) {
				t.Errorf("%d events and then %v, want an error after at most 3", n, err)
			}
		})
	}
	t.Run("by a recorder that was killed", func(t *testing.T) {
		f := newFake("live")
		f.fill(1)
		dir := folder(t)
		l, err := net.Listen("unix", filepath.Join(dir, SocketName))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(c))
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\n\r\n", len(f.log[0].Raw)+1, f.log[0].Raw)
			c.Close()
			l.Close()
		}()
		n, last := 0, error(nil)
		for _, last = range Dial(dir).Tail(t.Context(), "live", 0) {
			n++
		}
		if n != 2 || !errors.Is(last, io.ErrUnexpectedEOF) || errors.Is(last, ErrStopping) {
			t.Errorf("%d pairs, the last %v, want one event and an unexpected end", n, last)
		}
	})
}

func TestItEndsWithinASecond(t *testing.T) {
	send := func(t *testing.T, c net.Conn, request string) {
		t.Helper()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(t *testing.T, c net.Conn) { // to read, and no more
		t.Helper()
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		do   func(t *testing.T, c net.Conn, f *fake)
	}{
		{"somebody has connected and says nothing", func(*testing.T, net.Conn, *fake) {}},
		{"half a request has come", func(t *testing.T, c net.Conn, f *fake) {
			send(t, c, "POST /v1/gateways/live/events HTTP/1.1\r\nHost: r\r\nContent-Length: 10\r\n\r\n{")
		}},
		{"a connection is kept open", func(t *testing.T, c net.Conn, f *fake) {
			send(t, c, "GET /v1/gateways HTTP/1.1\r\nHost: r\r\n\r\n")
			if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatal(err)
			}
		}},
		{"a reader does not read", func(t *testing.T, c net.Conn, f *fake) {
			send(t, c, "GET /v1/gateways/live/events HTTP/1.1\r\nHost: r\r\n\r\n")
			begin(t, c)
		}},
		{"a follower does not read", func(t *testing.T, c net.Conn, f *fake) {
			send(t, c, "GET /v1/gateways/live/events?follow=1 HTTP/1.1\r\nHost: r\r\n\r\n")
			begin(t, c)
		}},
		{"a follower waits", func(t *testing.T, c net.Conn, f *fake) {
			send(t, c, "GET /v1/gateways/live/events?follow=1&from=4000 HTTP/1.1\r\nHost: r\r\n\r\n")
			begin(t, c)
		}},
		{"a report is never stored", func(t *testing.T, c net.Conn, f *fake) {
			f.hold = func(ctx context.Context) { <-ctx.Done() }
			send(t, c, fmt.Sprintf("POST /v1/gateways/live/events HTTP/1.1\r\nHost: r\r\nContent-Length: %d\r\n\r\n%s", len(report), report))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake("live")
				f.fill(100) // more than is written at once
				l := &pipes{make(chan net.Conn), make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- Serve(ctx, l, []Gateway{f}, nil) }()
				mine, theirs := net.Pipe()
				defer mine.Close()
				l.conns <- theirs
				test.do(t, mine, f)
				synctest.Wait() // until the server has it in hand
				began := time.Now()
				stop()
				if err := <-ended; err != nil {
					t.Errorf("Serve: %v", err)
				}
				if took := time.Since(began); took >= time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestAnAnswerUnderWayIsFinished(t *testing.T) {
	f := newFake("live")
	s := serve(t, f)
	inHand := make(chan bool)
	f.hold = func(context.Context) { close(inHand); s.stop(); <-time.After(50 * time.Millisecond) } // the disk is slow
	rec, err := s.client.Submit(t.Context(), "live", []byte(report))
	<-inHand
	if err != nil || rec.ID != "r-1" {
		t.Errorf("%s, %v: the report is in the log and its reporter is not told", rec.ID, err)
	}
}

func TestAHandlerThatNeverEndsIsReported(t *testing.T) {
	f := newFake("live")
	dir := folder(t)
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	inHand, free := make(chan bool), make(chan bool)
	f.hold = func(context.Context) { close(inHand); <-free }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Serve(ctx, l, []Gateway{f}, nil) }()
	submitted := make(chan error)
	go func() {
		_, err := Dial(dir).Submit(context.Background(), "live", []byte(report))
		submitted <- err
	}()
	<-inHand
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "a request did not end") {
		t.Errorf("Serve: %v", err)
	}
	if err := <-submitted; err == nil {
		t.Error("the reporter was told that its report is stored")
	}
	close(free)
}

func TestAStoppedRecorderAnswersThatItStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	h := newHandler(ctx, []Gateway{newFake("live")}, nil)
	stop()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/v1/gateways", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAListenerThatFailsEndsTheServer(t *testing.T) {
	l, err := Listen(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l, nil, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v, want %v", err, net.ErrClosed)
	}
}

// pipes is a listener over connections in memory, which know the time of a
// synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func TestAStuckPeerIsCutOff(t *testing.T) {
	tests := []struct {
		name string
		send string
		read int // bytes it takes before it is stuck
	}{
		{"that takes nothing of a stream", "GET /v1/gateways/live/events HTTP/1.1\r\nHost: r\r\n\r\n", 100},
		{"that takes nothing of what it follows", "GET /v1/gateways/live/events?follow=1 HTTP/1.1\r\nHost: r\r\n\r\n", 100},
		{"that takes no answer", "GET /v1/gateways HTTP/1.1\r\nHost: r\r\n\r\n", 0},
		{"that does not send its body", "POST /v1/gateways/live/notes HTTP/1.1\r\nHost: r\r\nContent-Length: 10\r\n\r\n{", 1 << 20},
		{"that does not send its request", "GET /v1/gate", 1 << 20},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake("live")
				f.fill(100)
				l := &pipes{make(chan net.Conn), make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- Serve(ctx, l, []Gateway{f}, nil) }()
				mine, theirs := net.Pipe()
				l.conns <- theirs
				began := time.Now()
				if _, err := io.WriteString(mine, test.send); err != nil {
					t.Fatal(err)
				}
				_, _ = io.ReadFull(mine, make([]byte, test.read))
				time.Sleep(patience + time.Second - time.Since(began))
				synctest.Wait()
				if _, err := io.Copy(io.Discard, mine); err != nil && !errors.Is(err, io.ErrClosedPipe) {
					t.Error(err)
				}
				if took := time.Since(began); took < patience || took > patience+2*time.Second {
					t.Errorf("cut off after %s, want %s", took, patience)
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTheFeedIsAChain(t *testing.T) {
	f := newFake("live")
	f.fill(2000)
	c := serve(t, f).client
	var chain events.Chain
	n := 0
	for rec, err := range c.Read(t.Context(), "live", 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.Add(rec); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2000 {
		t.Errorf("%d events", n)
	}
}

// caring is a gateway whose log can be cared for.
type caring struct{ *fake }

func (caring) Roll(context.Context, Roll) (Part, error) { return Part{Part: 1, First: 1, Last: 9}, nil }
func (caring) Archive(_ context.Context, a Archive) ([]Part, error) {
	return []Part{{Part: 1, First: 1, Last: 9, File: a.Folder + "/live-0001.ndjson"}}, nil
}

// An archive is written with the recorder's rights where the caller says, so nobody may
// ask for one over a port.
func TestALogIsCaredForOverTheSocketAlone(t *testing.T) {
	h := newHandler(t.Context(), []Gateway{caring{newFake("live")}}, nil)
	for _, c := range []struct {
		path, body string
		caller     access.Caller
		code       int
		says       string
	}{
		{"roll", `{"by":"kim","reason":"x"}`, access.Caller{Owner: true}, 200, `"last":9`},
		{"archive", `{"by":"kim","folder":"/mnt"}`, access.Caller{Owner: true}, 200, `"file":"/mnt/live-0001.ndjson"`},
		{"archive", `{"by":"kim"}`, access.Caller{Owner: true}, 400, "folder is missing"},
		{"roll", `{"reason":"x"}`, access.Caller{Owner: true}, 400, "by is missing"},
		{"roll", `{"by":"kim","reason":"x"}`, access.Caller{Scope: access.Operate}, 404, "ask over the socket"},
		{"archive", `{"by":"kim","folder":"/mnt"}`, access.Caller{Scope: access.Operate}, 404, "ask over the socket"},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/v1/gateways/live/log/"+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		h.mux.ServeHTTP(w, r.WithContext(access.With(r.Context(), c.caller)))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s of %+v: %d %s, want %d and %q", c.path, c.caller, w.Code, w.Body, c.code, c.says)
		}
	}
}
