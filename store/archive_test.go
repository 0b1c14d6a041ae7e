package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func keepNothing(context.Context, uint64) error { return nil }

// archived returns the lines of the files of an archive, in the order of their names.
func archived(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	var all strings.Builder
	for _, f := range files {
		if filepath.Ext(f) != ".ndjson" {
			t.Errorf("%s was left", f)
		}
		b, err := os.ReadFile(f)
		must(t, err)
		all.Write(b)
	}
	return all.String()
}

func lines(recs []events.Record) string {
	var b bytes.Buffer
	for _, rec := range recs {
		b.Write(rec.Raw)
		b.WriteByte('\n')
	}
	return b.String()
}

func TestAnArchiveMakesRoomAndLosesNothing(t *testing.T) {
	dir, recs := rolledLog(t)
	l := openLog(t, dir)
	before, _, err := l.Usage(t.Context())
	must(t, err)
	to := t.TempDir()
	var kept []uint64
	done, err := l.Archive(t.Context(), to, func(_ context.Context, last uint64) error {
		kept = append(kept, last)
		return nil
	})
	must(t, err)
	if len(done) != 2 || done[1].Last != 80 || done[1].Hash != recs[79].Hash() || done[1].File != filepath.Join(to, "paper-0002.ndjson") {
		t.Errorf("done %+v", done)
	}
	if diff := cmp.Diff([]uint64{40, 80}, kept); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(lines(recs[:80]), archived(t, to)); diff != "" {
		t.Errorf("the files have other events:\n%s", diff)
	}
	after, limit, err := l.Usage(t.Context())
	if err != nil || after > before/3 || limit != 64<<20 {
		t.Errorf("it used %d bytes and uses %d of %d, %v", before, after, limit, err)
	}
	rest := append(recs[80:], storetest.Fill(t, l, gw, 3)...)
	equal(t, l, rest)
	if l.First() != 81 {
		t.Errorf("it begins with event %d", l.First())
	}
	for rec, err := range l.Tail(t.Context(), 0) {
		if err != nil || rec.Seq != 81 {
			t.Errorf("who follows it from its beginning gets event %d, %v", rec.Seq, err)
		}
		break
	}
	for _, err := range l.Read(t.Context(), 5, 90) {
		if !errors.Is(err, store.ErrArchived) {
			t.Errorf("an archived event: %v", err)
		}
	}
	if done, err := l.Archive(t.Context(), to, keepNothing); err != nil || len(done) != 0 {
		t.Errorf("again: %+v, %v", done, err)
	}
}

func TestAnArchivedLogIsOpenedAgain(t *testing.T) {
	dir, recs := rolledLog(t)
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	_, err = l.Archive(t.Context(), t.TempDir(), keepNothing)
	must(t, errors.Join(err, s.Close()))
	if all, err := store.Examine(t.Context(), dir); err != nil || len(all) != 1 || all[0].Err != nil || all[0].Seq != 100 {
		t.Errorf("examined %+v, %v", all, err)
	}
	again := openLog(t, dir)
	equal(t, again, append(recs[80:], storetest.Fill(t, again, gw, 3)...))
}

func TestAnArchiveThatACrashCutsOffIsFinishedByTheNext(t *testing.T) {
	for _, step := range []string{"export", "keep", "remove", "half removed", "removed", "after"} {
		t.Run("killed before: "+step, func(t *testing.T) {
			dir, recs := rolledLog(t)
			to := t.TempDir()
			left, leftTo := filepath.Join(t.TempDir(), "left"), filepath.Join(t.TempDir(), "archive")
			seen := false
			kill := func(at string) {
				half := step == "half removed" && at == "remove"
				if at != step && !half || seen {
					return
				}
				seen = true
				must(t, os.CopyFS(left, os.DirFS(dir)))
				must(t, os.CopyFS(leftTo, os.DirFS(to)))
				if half { // the server removes file after file
					must(t, os.CopyFS(filepath.Join(store.StreamsDir(left), ".IBR_PAPER_0001"), os.DirFS(filepath.Join(store.StreamsDir(left), "IBR_PAPER_0001"))))
					must(t, os.Remove(filepath.Join(store.StreamsDir(left), "IBR_PAPER_0001", "msgs", "1.blk")))
				}
			}
			s, err := store.Open(t.Context(), store.Config{Dir: dir}.OnStep(kill))
			must(t, err)
			defer func() { must(t, s.Close()) }()
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			_, err = l.Archive(t.Context(), to, func(context.Context, uint64) error { kill("keep"); return nil })
			must(t, err)
			kill("after")

			must(t, os.Chmod(left, 0o700))
			if all, err := store.Examine(t.Context(), left); err != nil || len(all) != 1 || all[0].Err != nil {
				t.Errorf("examined %+v, %v", all, err)
			}
			again := openLog(t, left)
			equal(t, again, recs[again.First()-1:])
			_, err = again.Archive(t.Context(), leftTo, keepNothing)
			must(t, err)
			if diff := cmp.Diff(lines(recs[:80]), archived(t, leftTo)); diff != "" {
				t.Errorf("the files have other events:\n%s", diff)
			}
			equal(t, again, recs[80:])
		})
	}
}

func TestWhatIsNotArchived(t *testing.T) {
	t.Run("a part of which somebody was not told", func(t *testing.T) {
		dir, recs := rolledLog(t)
		l := openLog(t, dir)
		ctx, stop := context.WithCancel(t.Context())
		err := l.Consume(ctx, "pager", nil, func(_ context.Context, rec events.Record) error {
			if rec.Seq == 50 {
				stop()
				return errors.New("no network")
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		done, err := l.Archive(t.Context(), t.TempDir(), keepNothing)
		if len(done) != 1 || !errors.Is(err, store.ErrUnread) || !strings.Contains(err.Error(), "pager has 31 to go") {
			t.Errorf("%+v, %v", done, err)
		}
		equal(t, l, recs[40:])
		must(t, l.ConsumedBy(t.Context(), []string{"pager"}))
		if done, err := l.Archive(t.Context(), t.TempDir(), keepNothing); len(done) != 0 || !errors.Is(err, store.ErrUnread) {
			t.Errorf("while the pager is still there: %+v, %v", done, err)
		}
		must(t, l.ConsumedBy(t.Context(), []string{"mail"}))
		if done, err := l.Archive(t.Context(), t.TempDir(), keepNothing); len(done) != 1 || err != nil {
			t.Errorf("after the pager is there no more: %+v, %v", done, err)
		}
		equal(t, l, recs[80:])
	})
	t.Run("what cannot be kept", func(t *testing.T) {
		dir, recs := rolledLog(t)
		l := openLog(t, dir)
		broken := errors.New("no room")
		if done, err := l.Archive(t.Context(), t.TempDir(), func(context.Context, uint64) error { return broken }); len(done) != 0 || !errors.Is(err, broken) {
			t.Errorf("%+v, %v", done, err)
		}
		equal(t, l, recs)
	})
	t.Run("into a file that has other events", func(t *testing.T) {
		dir, recs := rolledLog(t)
		l := openLog(t, dir)
		to := t.TempDir()
		must(t, os.WriteFile(filepath.Join(to, "paper-0001.ndjson"), []byte(lines(recs[:39])), 0o600))
		if done, err := l.Archive(t.Context(), to, keepNothing); len(done) != 0 || err == nil || !strings.Contains(err.Error(), "1 to 39, not 1 to 40; move the file away") {
			t.Errorf("%+v, %v", done, err)
		}
		equal(t, l, recs)
	})
	t.Run("the part with the last event", func(t *testing.T) {
		l := openLog(t, t.TempDir())
		recs := storetest.Fill(t, l, gw, 3)
		head := storetest.HeadOf(recs[2])
		must(t, l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, true))
		_, err := l.Roll(t.Context(), "", rolledAt)
		must(t, err)
		if done, err := l.Archive(t.Context(), t.TempDir(), keepNothing); err != nil || len(done) != 0 {
			t.Errorf("%+v, %v", done, err)
		}
		equal(t, l, recs)
	})
}
