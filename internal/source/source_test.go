package source_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/source"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// nats-server: one for the process, started by its file store.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"),
	)
}

var forgotten = streamtest.Forgotten("live")

// file writes a file and returns its path.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder makes the data folder of a recorder that has these logs. It stays open.
func folder(t *testing.T, streams map[string]*streamtest.Stream) (string, *store.Store) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for name, stream := range streams {
		log, err := s.Log(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range stream.Records() {
			if err := log.Append(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir, s
}

// listen is the socket of a data folder.
func listen(t *testing.T, dir string) net.Listener {
	t.Helper()
	l, err := httpapi.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve answers there as a recorder does.
func serve(t *testing.T, dir string, streams ...*streamtest.Stream) {
	t.Helper()
	l := listen(t, dir)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- streamtest.Serve(ctx, l, streams...) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// serveOther answers there as something else does.
func serveOther(t *testing.T, dir string, h http.Handler) {
	t.Helper()
	l := listen(t, dir)
	srv := &http.Server{Handler: h}
	done := make(chan error)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// read opens a source and returns the bytes of its events, one a line.
func read(t *testing.T, name string, o source.Options, from, to uint64) (string, error) {
	t.Helper()
	s, err := source.Open(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var first string
	stream := s.Events(t.Context(), from, to)
	for pass := range 2 {
		var b strings.Builder
		var last error
		for rec, err := range stream {
			if last = err; err == nil {
				b.Write(append(rec.Raw[:len(rec.Raw):len(rec.Raw)], '\n'))
			}
		}
		if pass == 0 {
			first = b.String()
		} else if b.String() != first {
			t.Errorf("%s gives something else the second time:\n%s", name, cmp.Diff(first, b.String()))
		}
		if pass == 1 {
			return first, last
		}
	}
	panic("unreachable")
}

func TestEveryPlaceGivesTheSameBytes(t *testing.T) {
	want := string(forgotten.NDJSON())
	lines := strings.SplitAfter(want, "\n")
	stopped, s := folder(t, map[string]*streamtest.Stream{"live": forgotten})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	running, _ := folder(t, map[string]*streamtest.Stream{"live": streamtest.New("live").Start()})
	serve(t, running, forgotten)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name  string
		what  string
		place func() string
	}{
		{"a file", "a file", func() string { return file(t, "anything.txt", forgotten.NDJSON()) }},
		{"an incident folder", "an incident folder", func() string { return filepath.Dir(file(t, "events.ndjson", forgotten.NDJSON())) }},
		{"standard input", "standard input", func() string { return "-" }},
		{"a named pipe", "a pipe", func() string {
			go func() {
				if f, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
					_, _ = f.Write(forgotten.NDJSON()) // the reader says what is missing
					f.Close()
				}
			}()
			return pipe
		}},
		{"the folder of a stopped recorder", "a copy of a stopped recorder's log", func() string { return stopped }},
		{"a running recorder", "a running recorder", func() string { return running }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := func() source.Options {
				return source.Options{Stdin: bytes.NewReader(forgotten.NDJSON()), Temp: t.TempDir()}
			}
			got, err := read(t, c.place(), o(), 0, 0)
			if got != want || err != nil {
				t.Errorf("%v, and (-want +got):\n%s", err, cmp.Diff(want, got))
			}
			got, err = read(t, c.place(), o(), 3, 5)
			if part := strings.Join(lines[2:5], ""); got != part || err != nil {
				t.Errorf("from 3 to 5: %v, and (-want +got):\n%s", err, cmp.Diff(part, got))
			}
			s, err := source.Open(t.Context(), c.place(), o())
			if err != nil {
				t.Fatal(err)
			}
			if s.What != c.what || len(s.Doubts) > 0 {
				t.Errorf("it is %s with doubts %v, want %s", s.What, s.Doubts, c.what)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	temp := t.TempDir()
	dir, s := folder(t, map[string]*streamtest.Stream{"live": forgotten})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"-", dir} {
		if _, err := read(t, name, source.Options{Stdin: bytes.NewReader(forgotten.NDJSON()), Temp: temp}, 0, 0); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("after %s there is %v, %v", name, left, err)
		}
	}
}

// tree is every file below dir with its content and mode.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = info.Mode().String() + " " + info.ModTime().String() + " " + events.HashOf(b).String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADataFolderIsReadFromACopy(t *testing.T) {
	dir, s := folder(t, map[string]*streamtest.Stream{"live": forgotten})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	if _, err := read(t, dir, source.Options{Temp: t.TempDir()}, 0, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("reading changed the folder (-before +after):\n%s", diff)
	}
}

func TestADamagedFolderIsReadAndDoubted(t *testing.T) {
	dir, s := folder(t, map[string]*streamtest.Stream{"live": forgotten})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*", "msgs", "*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("blocks %v, %v", blocks, err)
	}
	b, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(blocks[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := source.Open(t.Context(), dir, source.Options{Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if !errors.Is(errors.Join(src.Doubts...), store.ErrDamaged) {
		t.Errorf("doubts %v, want the damage", src.Doubts)
	}
}

func TestDamageToAnotherGatewaysLogIsNoDoubt(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(stream string) error
		is   error
	}{
		{"it lost its last events", func(stream string) error { return os.Truncate(filepath.Join(stream, "msgs", "1.blk"), 0) }, store.ErrMark},
		{"it is gone", os.RemoveAll, store.ErrMark},
		{"its first event was changed", func(stream string) error {
			path := filepath.Join(stream, "msgs", "1.blk")
			b, err := os.ReadFile(path)
			if err == nil {
				b[10] ^= 1
				err = os.WriteFile(path, b, 0o600)
			}
			return err
		}, store.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, s := folder(t, map[string]*streamtest.Stream{"live": forgotten, "paper": streamtest.New("paper").Start()})
			paper, err := s.Log(t.Context(), "paper")
			if err != nil {
				t.Fatal(err)
			}
			head, err := paper.Head(t.Context())
			if err == nil {
				err = paper.Mark(store.Mark{Gateway: "paper", Seq: head.Seq, Hash: head.Hash}, true)
			}
			if err = errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(filepath.Join(dir, "jetstream", "IBRECORDER", "streams", "IBR_PAPER_0001")); err != nil {
				t.Fatal(err)
			}
			src, err := source.Open(t.Context(), dir, source.Options{Gateway: "live", Temp: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if len(src.Doubts) > 0 {
				t.Errorf("the other log is doubted: %v", src.Doubts)
			}
			if _, err := source.Open(t.Context(), dir, source.Options{Gateway: "papre", Temp: t.TempDir()}); !errors.Is(err, c.is) {
				t.Errorf("which gateway: %v, want the damage beside it", err)
			}
		})
	}
}

func TestAStreamThatBreaksOffEndsWithAnError(t *testing.T) {
	whole := forgotten.NDJSON()
	running, _ := folder(t, nil)
	serveOther(t, running, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/gateways" {
			_, _ = io.WriteString(w, `["live"]`)
			return
		}
		_, _ = w.Write(whole[:len(whole)/2])
		panic(http.ErrAbortHandler) // the recorder dies in the middle of an answer
	}))
	for _, c := range []struct {
		name  string
		place string
		stdin io.Reader
		want  string
	}{
		{"a file that was cut", file(t, "cut.ndjson", whole[:len(whole)-9]), nil, "line 25, byte"},
		{"standard input that fails", "-", io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(errors.New("wire cut"))), "wire cut"},
		{"a recorder that dies while it answers", running, nil, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, c.place, source.Options{Stdin: c.stdin, Temp: t.TempDir()}, 0, 0)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if got == "" || !strings.HasPrefix(string(whole), got) {
				t.Errorf("what came before it is %d bytes, and no beginning of the stream", len(got))
			}
		})
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	two := map[string]*streamtest.Stream{"live": streamtest.New("live").Start(), "paper": streamtest.New("paper").Start()}
	stopped, s := folder(t, two)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	empty, s := folder(t, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	running, _ := folder(t, nil)
	serve(t, running, two["live"], two["paper"])
	silent, _ := folder(t, nil)
	strange, _ := folder(t, nil)
	serveOther(t, strange, http.NotFoundHandler())
	incident := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.Mkdir(incident, 0o700); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name    string
		place   string
		gateway string
		is      error
		want    string
	}{
		{"there is nothing", "/no/such/file", "", fs.ErrNotExist, "no such file"},
		{"a folder without a stream", t.TempDir(), "", source.ErrNoStream, "neither events.ndjson (an incident) nor store.format"},
		{"an incident whose events are a folder", filepath.Dir(incident), "", source.ErrNoStream, "events.ndjson is a folder"},
		{"a log of two gateways", stopped, "", source.ErrGateway, "add --gateway live or paper"},
		{"a gateway that is not there", stopped, "lvie", source.ErrGateway, `has no "lvie"; take --gateway live or paper`},
		{"a recorder of two gateways", running, "", source.ErrGateway, "add --gateway live or paper"},
		{"a recorder without a log", empty, "", source.ErrGateway, "has the log of none"},
		{"a recorder that does not answer", silent, "", source.ErrUnreachable, "nobody listens on its socket; process "},
		{"something else answers", strange, "", source.ErrUnreachable, "answers 404 Not Found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			temp := t.TempDir()
			src, err := source.Open(t.Context(), c.place, source.Options{Gateway: c.gateway, Temp: temp})
			if err == nil {
				src.Close()
			}
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %v with %q", err, c.is, c.want)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	t.Run("a folder that may not be looked into", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may look into everything")
		}
		shut := t.TempDir()
		if err := os.Chmod(shut, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Open(t.Context(), shut, source.Options{}); !errors.Is(err, fs.ErrPermission) || errors.Is(err, source.ErrNoStream) {
			t.Errorf("error %v, want that it may not be read", err)
		}
	})
	t.Run("a file of another gateway than the one named", func(t *testing.T) {
		_, err := read(t, file(t, "x", forgotten.NDJSON()), source.Options{Gateway: "paper"}, 0, 0)
		if !errors.Is(err, source.ErrGateway) || !strings.Contains(err.Error(), "the stream is of live") {
			t.Errorf("error %v", err)
		}
	})
}

// A range is no way around the order of a stream: whoever judges it must see what
// is out of its place.
func TestARangeHidesNothingThatIsOutOfItsPlace(t *testing.T) {
	lines := strings.SplitAfter(string(forgotten.NDJSON()), "\n")
	lines = lines[:len(lines)-1]
	at := func(seqs ...int) (out string) {
		for _, n := range seqs {
			out += lines[n-1]
		}
		return out
	}
	for _, c := range []struct {
		name     string
		file     string
		from, to uint64
		want     string
	}{
		{"a later event in the middle does not end the range", at(1, 2, 9, 3, 4, 5), 0, 4, at(1, 2, 9, 3, 4)},
		{"an earlier event in the middle stays in it", at(1, 2, 3, 1, 4, 5), 2, 4, at(2, 3, 1, 4)},
		{"a later event before the range begins it", at(1, 9, 2, 3, 4, 5), 3, 4, at(9, 2, 3, 4)},
		{"a hole at its end shows", at(1, 2, 5, 6), 0, 3, at(1, 2, 5, 6)},
		{"a hole behind its end does not", at(1, 2, 3, 6), 0, 3, at(1, 2, 3)},
		{"a stream that begins behind it has nothing of it", at(5, 6), 0, 3, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, file(t, "x", []byte(c.file)), source.Options{}, c.from, c.to)
			if got != c.want || err != nil {
				t.Errorf("%v, and (-want +got):\n%s", err, cmp.Diff(c.want, got))
			}
		})
	}
}

func TestGivingUpEndsEverything(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := source.Open(ctx, file(t, "x", forgotten.NDJSON()), source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel()
	for _, err := range s.Events(ctx, 0, 0) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
	}
	in, out := io.Pipe()
	if _, err := source.Open(ctx, "-", source.Options{Stdin: in, Temp: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that waits: %v", err)
	}
	out.Close()
}
