package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestALogThatContradictsItsMarkIsRefused(t *testing.T) {
	mark := func(t *testing.T, dir string, m store.Mark) {
		m.Gateway = gw
		must(t, store.NewMarker(dir, gw).Mark(m, true))
	}
	hashAt := func(t *testing.T, dir string, seq uint64) events.Hash {
		s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
		must(t, err)
		defer s.Close()
		l, err := s.Log(t.Context(), gw)
		must(t, err)
		rec, err := firstOf(l.Read(t.Context(), seq, seq))
		must(t, err)
		return rec.Hash()
	}
	for _, c := range []struct {
		name string
		harm func(t *testing.T, dir string)
		want string // "" if it opens
	}{
		{"the log is where its mark is", func(*testing.T, string) {}, ""},
		{"the log is longer than its mark", func(t *testing.T, dir string) {
			mark(t, dir, store.Mark{Seq: 7, Hash: hashAt(t, dir, 7)})
		}, ""},
		{"the mark is that of an empty log", func(t *testing.T, dir string) { mark(t, dir, store.Mark{}) }, ""},
		{"the log is shorter than its mark", func(t *testing.T, dir string) {
			mark(t, dir, store.Mark{Seq: 41, Hash: hashAt(t, dir, 40)})
		}, "it ends at event 40, its high-water mark is at 41"},
		{"the log has another last event", func(t *testing.T, dir string) {
			mark(t, dir, store.Mark{Seq: 40, Hash: hashAt(t, dir, 39)})
		}, "event 40 is not the one its high-water mark remembers"},
		{"the log has another event before its last", func(t *testing.T, dir string) {
			mark(t, dir, store.Mark{Seq: 9, Hash: hashAt(t, dir, 10)})
		}, "event 9 is not the one its high-water mark remembers"},
		{"the mark is gone", func(t *testing.T, dir string) {
			must(t, os.Remove(store.MarkPath(dir, gw)))
		}, "it has 40 events and no high-water mark"},
		{"a bit of the mark flipped", func(t *testing.T, dir string) {
			b, err := os.ReadFile(store.MarkPath(dir, gw))
			must(t, err)
			must(t, os.WriteFile(store.MarkPath(dir, gw), []byte(strings.Replace(string(b), "false", "talse", 1)), 0o600))
		}, "its high-water mark cannot be read"},
		{"the mark is empty", func(t *testing.T, dir string) {
			must(t, os.Truncate(store.MarkPath(dir, gw), 0))
		}, "its high-water mark cannot be read"},
		{"the mark is another gateway's", func(t *testing.T, dir string) {
			must(t, store.NewMarker(dir, "live").Mark(store.Mark{Gateway: "live"}, true))
			must(t, os.Rename(store.MarkPath(dir, "live"), store.MarkPath(dir, gw)))
		}, `it is the mark of "live"`},
		{"the whole stream is gone", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(store.StreamsDir(dir), store.StreamName(gw))))
		}, "it is gone, and had 40 events"},
		{"everything that the server keeps is gone", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "jetstream")))
		}, "it is gone, and had 40 events"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := logOf(t, 40, 8<<10)
			c.harm(t, dir)
			marks := tree(t, filepath.Join(dir, "mark"))
			err := openAndLog(t, dir)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var me *store.MarkError
			if !errors.Is(err, store.ErrMark) || !errors.As(err, &me) || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "recorder log quarantine paper --reason") {
				t.Errorf("%v\nwant a *MarkError that says %q and what to type", err, c.want)
			}
			if diff := cmp.Diff(marks, tree(t, filepath.Join(dir, "mark"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// openAndLog opens the folder and the log in it, and closes both.
func openAndLog(t *testing.T, dir string) error {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Log(t.Context(), gw)
	return err
}

func TestCloseWritesTheLastMark(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	recs := storetest.Fill(t, l, gw, 3)
	for _, rec := range recs {
		must(t, l.Mark(store.Mark{Gateway: gw, Seq: rec.Seq, Hash: rec.Hash(), Epoch: 2}, false))
	}
	must(t, s.Close())
	m, found, err := store.ReadMark(dir, gw)
	if want := (store.Mark{Gateway: gw, Seq: 3, Hash: recs[2].Hash(), Epoch: 2}); err != nil || !found || m != want {
		t.Errorf("mark %+v, %v, want %+v", m, err, want)
	}
}

func TestAMarkIsNeverAheadOfTheLog(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 2)
	if err := l.Mark(store.Mark{Gateway: gw, Seq: 3}, true); !errors.Is(err, store.ErrNotNext) {
		t.Errorf("mark at 3 of 2: %v", err)
	}
	if err := l.Mark(store.Mark{Gateway: "live", Seq: 1}, true); err == nil {
		t.Error("the mark of another gateway is taken")
	}
}

func TestMarksAreWrittenAtMostOnceASecond(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "mark"), 0o700))
	synctest.Test(t, func(t *testing.T) {
		k := store.NewMarker(dir, gw)
		on := func() uint64 {
			synctest.Wait()
			m, _, err := store.ReadMark(dir, gw)
			must(t, err)
			return m.Seq
		}
		mark := func(seq uint64, now bool) { must(t, k.Mark(store.Mark{Gateway: gw, Seq: seq}, now)) }
		want := func(seq uint64, when string) {
			t.Helper()
			if got := on(); got != seq {
				t.Errorf("%s: the mark on disk is %d, want %d", when, got, seq)
			}
		}
		mark(1, false)
		want(1, "the first, after a long time")
		mark(2, false)
		mark(3, false)
		want(1, "within the second")
		time.Sleep(999 * time.Millisecond)
		want(1, "still within it")
		time.Sleep(time.Millisecond)
		want(3, "after it, without another call")
		mark(4, false)
		mark(5, true)
		want(5, "in a hurry")
		time.Sleep(5 * time.Second)
		want(5, "nothing came since")
		mark(6, false)
		want(6, "after a pause")
		mark(7, false)
		must(t, k.Close())
		want(7, "at the end")
		if err := k.Mark(store.Mark{Gateway: gw}, true); !errors.Is(err, store.ErrClosed) {
			t.Errorf("mark after the end: %v", err)
		}
	})
}

func TestAMarkThatCannotBeWrittenIsReportedAndTriedAgain(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "mark")
	synctest.Test(t, func(t *testing.T) {
		k := store.NewMarker(dir, gw) // there is no folder for it
		mark := func(seq uint64, now bool) error { return k.Mark(store.Mark{Gateway: gw, Seq: seq}, now) }
		on := func() uint64 {
			m, _, err := store.ReadMark(dir, gw)
			must(t, err)
			return m.Seq
		}
		if err := mark(1, true); err == nil {
			t.Error("a mark that is nowhere counts as written")
		}
		must(t, mark(2, false))
		time.Sleep(time.Second)
		synctest.Wait()
		if err := mark(3, false); err == nil {
			t.Error("the error of the timer is lost")
		}
		must(t, os.Mkdir(folder, 0o700))
		time.Sleep(time.Second)
		synctest.Wait()
		if on() != 3 {
			t.Errorf("the mark on disk is %d, want 3: there is room again, and nobody asks for another mark", on())
		}
		must(t, os.RemoveAll(folder))
		if err := mark(4, true); err == nil {
			t.Error("the mark of a stop that is nowhere counts as written")
		}
		must(t, os.Mkdir(folder, 0o700))
		time.Sleep(time.Second)
		synctest.Wait()
		if on() != 4 {
			t.Errorf("the mark on disk is %d, want 4", on())
		}
		must(t, os.RemoveAll(folder))
		must(t, mark(5, false))
		time.Sleep(time.Second)
		synctest.Wait()
		if err := k.Close(); err == nil {
			t.Error("a last mark that is nowhere counts as written")
		}
	})
}

func TestACloseThatWritesTheMarkHasNoErrorOfAnOlderOne(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k := store.NewMarker(dir, gw)
		must(t, k.Mark(store.Mark{Gateway: gw, Seq: 1}, false))
		synctest.Wait()
		must(t, os.Mkdir(filepath.Join(dir, "mark"), 0o700))
		must(t, k.Close())
	})
	if m, _, err := store.ReadMark(dir, gw); err != nil || m.Seq != 1 {
		t.Errorf("mark %+v, %v, want 1", m, err)
	}
}
