package dashboard

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ibrecorder/internal/source/streamtest"
)

// listen opens the stream of a page and returns what it hears, one word each.
func listen(t *testing.T, address string) (<-chan string, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", address+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	words := make(chan string)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(words)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if word, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				select {
				case words <- word:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
		<-done
		http.DefaultClient.CloseIdleConnections()
	})
	return words, resp
}

// hears waits for the next word.
func hears(t *testing.T, words <-chan string, want string) {
	t.Helper()
	select {
	case word, open := <-words:
		if word != want {
			t.Fatalf("it hears %q (open: %t), want %q", word, open, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("it hears nothing, want %q", want)
	}
}

func TestAnOpenPageIsTold(t *testing.T) {
	f := newFake("main", streamtest.New("main").Start())
	cfg := sceneConfig()
	cfg.Beat, cfg.Pace = time.Hour, time.Millisecond
	server := httptest.NewServer(run(t, cfg, f))
	t.Cleanup(server.Close)
	words, resp := listen(t, server.URL)
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("it is %q", got)
	}
	hears(t, words, "change") // what happened between the page and the stream
	f.add(func(s *streamtest.Stream) { s.After(time.Second).Refused("a1") })
	hears(t, words, "change")
}

func TestAQuietPageHearsABeat(t *testing.T) {
	cfg := sceneConfig()
	cfg.Beat = 5 * time.Millisecond
	server := httptest.NewServer(run(t, cfg, newFake("main", streamtest.New("main").Start())))
	t.Cleanup(server.Close)
	words, _ := listen(t, server.URL)
	for _, want := range []string{"change", "beat", "beat"} {
		hears(t, words, want)
	}
}

func TestPagesAreBounded(t *testing.T) {
	b := run(t, sceneConfig(), newFake("main", streamtest.New("main").Start()))
	for range maxPages {
		if !b.enter() {
			t.Fatal("a page has no room before there are too many")
		}
	}
	if w := get(t, b, "/live"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one page too many is answered %d", w.Code)
	}
	if w := get(t, b, "/"); w.Code != http.StatusOK {
		t.Errorf("its page is answered %d", w.Code)
	}
	b.leave()
	if !b.enter() {
		t.Error("a page that has left takes room")
	}
}

// A stream ends with the recorder, so that its end need not wait for readers.
func TestAStreamEndsWithTheRecorder(t *testing.T) {
	b := New(Config{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { b.Run(ctx); close(done) }()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	words, _ := listen(t, server.URL)
	hears(t, words, "change")
	stop()
	<-done
	select {
	case word, open := <-words:
		if open {
			t.Errorf("after the end it hears %q", word)
		}
	case <-time.After(20 * time.Second):
		t.Error("the stream does not end")
	}
	if w := get(t, b, "/live"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after the end a stream is answered %d", w.Code)
	}
}
