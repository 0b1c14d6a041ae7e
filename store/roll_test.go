package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

var rolledAt = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

// rolling is a log that is rolled before every seventh event.
type rolling struct {
	*store.JetLog
	t *testing.T
}

func (r rolling) Append(ctx context.Context, rec events.Record) error {
	if rec.Seq%7 == 0 {
		if _, err := r.Roll(r.t.Context(), "each", rolledAt); err != nil && !errors.Is(err, store.ErrNothingToRoll) {
			r.t.Fatal(err)
		}
	}
	return r.JetLog.Append(ctx, rec)
}

func TestALogOfManyPartsKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Log { return rolling{openLog(t, t.TempDir()), t} })
}

// rolledLog is a folder whose log has the events 1 to 100 in parts that end with 40 and 80.
func rolledLog(t *testing.T) (dir string, recs []events.Record) {
	t.Helper()
	dir = t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 64 << 20})
	must(t, err)
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	for _, n := range []int{40, 40, 20} {
		if len(recs) > 0 {
			_, err = l.Roll(t.Context(), "the month is over", rolledAt)
			must(t, err)
		}
		recs = append(recs, storetest.Fill(t, l, gw, n)...)
	}
	head := storetest.HeadOf(recs[99])
	must(t, l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, true))
	must(t, s.Close())
	return dir, recs
}

func TestPartsAreReadAsOneHistory(t *testing.T) {
	dir, want := rolledLog(t)
	l := openLog(t, dir)
	for _, c := range []struct{ from, to, first, last uint64 }{
		{0, 0, 1, 100},
		{1, 40, 1, 40},
		{40, 41, 40, 41},
		{2, 99, 2, 99},
		{41, 0, 41, 100},
		{81, 200, 81, 100},
		{79, 82, 79, 82},
	} {
		t.Run(fmt.Sprintf("from %d to %d", c.from, c.to), func(t *testing.T) {
			got, err := hashes(l.Read(t.Context(), c.from, c.to))
			must(t, err)
			var expected []events.Hash
			for _, rec := range want[c.first-1 : c.last] {
				expected = append(expected, rec.Hash())
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	rolled := []store.Rolled{
		{Gateway: gw, Part: 1, First: 1, Last: 40, Time: rolledAt, Reason: "the month is over"},
		{Gateway: gw, Part: 2, First: 41, Last: 80, Time: rolledAt, Reason: "the month is over"},
	}
	got := l.Rolled()
	for i := range got {
		if got[i].Bytes < 40*300 {
			t.Errorf("part %d has %d bytes", got[i].Part, got[i].Bytes)
		}
		got[i].Bytes = 0
	}
	if diff := cmp.Diff(rolled, got); diff != "" {
		t.Error(diff)
	}
	used, limit, err := l.Usage(t.Context())
	if err != nil || used < 100*300 || limit != 64<<20 {
		t.Errorf("it uses %d of %d bytes, %v: the parts have one limit together", used, limit, err)
	}
}

// A roll is asked for by somebody who may leave, and its answers may be lost: the log must
// not be one that takes nothing until the next start.
func TestALogGoesOnBehindASealThatNobodyHeardOf(t *testing.T) {
	t.Run("whoever asked has left", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}.OnStep(func(step string) {
			if step == "sealed" {
				leave()
			}
		}))
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		l, err := s.Log(t.Context(), gw)
		must(t, err)
		recs := storetest.Fill(t, l, gw, 3)
		if r, err := l.Roll(ctx, "", rolledAt); err != nil || r.Last != 3 || ctx.Err() == nil {
			t.Errorf("rolled %+v, %v", r, err)
		}
		equal(t, l, append(recs, storetest.Fill(t, l, gw, 2)...))
	})
	t.Run("the next part is there already", func(t *testing.T) {
		var l *store.JetLog
		s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}.OnStep(func(step string) {
			if step == "create" {
				must(t, l.CreateUnnoticed(t.Context()))
			}
		}))
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		l, err = s.Log(t.Context(), gw)
		must(t, err)
		recs := storetest.Fill(t, l, gw, 3)
		_, err = l.Roll(t.Context(), "", rolledAt)
		must(t, err)
		equal(t, l, append(recs, storetest.Fill(t, l, gw, 2)...))
	})
	for _, c := range []struct {
		name string
		next func(l *store.JetLog, rec events.Record) error
	}{
		{"the next event finds it", func(l *store.JetLog, rec events.Record) error {
			_ = l.Append(t.Context(), rec) // the server takes it for no stream
			return l.Append(t.Context(), rec)
		}},
		{"the next roll finds it", func(l *store.JetLog, rec events.Record) error {
			_, err := l.Roll(t.Context(), "", rolledAt)
			return errors.Join(err, l.Append(t.Context(), rec))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := openLog(t, t.TempDir())
			recs := storetest.Fill(t, l, gw, 3)
			must(t, l.SealUnnoticed(t.Context()))
			next := storetest.Next(t, gw, storetest.HeadOf(recs[2]), "behind it")
			must(t, c.next(l, next))
			equal(t, l, append(recs, next))
			if rolled := l.Rolled(); len(rolled) != 1 || rolled[0].Last != 3 {
				t.Errorf("rolled %+v", rolled)
			}
		})
	}
}

func TestAReaderGoesOnOverARollThatComesMeanwhile(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var tailed uint64
	for rec, err := range l.Tail(ctx, 1) {
		must(t, err)
		if tailed++; rec.Seq != tailed {
			t.Fatalf("event %d comes where %d belongs", rec.Seq, tailed)
		}
		if rec.Seq == 20 {
			break
		}
		if rec.Seq >= 3 { // it waits for the next one now, or is about to
			if rec.Seq%4 == 0 {
				_, err := l.Roll(ctx, "", rolledAt)
				must(t, err)
			}
			storetest.Fill(t, l, gw, 1)
		}
	}

	var handled []uint64
	done := errors.New("enough")
	ctx, stop := context.WithCancelCause(ctx)
	err := l.Consume(ctx, "pager", nil, func(ctx context.Context, rec events.Record) error {
		handled = append(handled, rec.Seq)
		if rec.Seq >= 20 {
			_, err := l.Roll(t.Context(), "", rolledAt)
			must(t, err)
			storetest.Fill(t, l, gw, 1)
		}
		if rec.Seq == 23 {
			stop(done)
		}
		return nil
	})
	if want := sequences(1, 23); !errors.Is(err, done) || !slices.Equal(handled, want) {
		t.Errorf("handled %v, %v", handled, err)
	}
}

func sequences(from, to uint64) (all []uint64) {
	for seq := from; seq <= to; seq++ {
		all = append(all, seq)
	}
	return all
}

func TestAHandlerDoesNotMeetARolledPartTwice(t *testing.T) {
	dir, _ := rolledLog(t)
	l := openLog(t, dir)
	handle := func(upTo uint64) (handled []uint64) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		err := l.Consume(ctx, "pager", nil, func(_ context.Context, rec events.Record) error {
			handled = append(handled, rec.Seq)
			if rec.Seq == upTo {
				stop()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return handled
	}
	if got := handle(90); !slices.Equal(got, sequences(1, 90)) {
		t.Errorf("at first %v", got)
	}
	// The answer to the last one may have been lost with the end.
	if got := handle(100); got[0] < 90 || !slices.Equal(got, sequences(got[0], 100)) {
		t.Errorf("later %v", got)
	}
}

// What is on disk at a step is what a kill leaves there.
func TestARollThatACrashCutsOffIsFinishedByTheNextStart(t *testing.T) {
	for _, step := range []string{"seal", "create", "created", "after"} {
		t.Run("killed before: "+step, func(t *testing.T) {
			dir, left := t.TempDir(), filepath.Join(t.TempDir(), "left")
			kill := func(at string) {
				if at == step {
					must(t, os.CopyFS(left, os.DirFS(dir)))
				}
			}
			s, err := store.Open(t.Context(), store.Config{Dir: dir}.OnStep(kill))
			must(t, err)
			defer func() { must(t, s.Close()) }()
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			before := storetest.Fill(t, l, gw, 5)
			head := storetest.HeadOf(before[4])
			must(t, l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, true))
			_, err = l.Roll(t.Context(), "by hand", rolledAt)
			must(t, err)
			kill("after")

			must(t, os.Chmod(left, 0o700))
			again := openLog(t, left)
			if got, err := again.Head(t.Context()); err != nil || got != head {
				t.Fatalf("head %v, %v", got, err)
			}
			if rolled := again.Rolled(); (len(rolled) == 1) == (step == "seal") {
				t.Errorf("rolled parts %+v", rolled)
			}
			recs := append(before, storetest.Fill(t, again, gw, 5)...)
			equal(t, again, recs)
			if _, err := again.Roll(t.Context(), "once more", rolledAt); err != nil {
				t.Error(err)
			}
			equal(t, again, recs)
		})
	}
}

func TestAPartIsPutOnlyWhereItBelongs(t *testing.T) {
	part := func(dir string, n int) string {
		return filepath.Join(store.StreamsDir(dir), fmt.Sprintf("IBR_PAPER_%04d", n))
	}
	for _, c := range []struct {
		name string
		harm func(t *testing.T, dir string)
		is   error
	}{
		{"a byte of a rolled part flipped", func(t *testing.T, dir string) { flip(t, filepath.Join(part(dir, 1), "msgs", "1.blk"), 500) }, store.ErrDamaged},
		{"a rolled part lost its end", func(t *testing.T, dir string) {
			path := filepath.Join(part(dir, 1), "msgs", "1.blk")
			info, err := os.Stat(path)
			must(t, err)
			must(t, os.Truncate(path, info.Size()-10))
		}, store.ErrDamaged},
		{"the part in the middle is gone", func(t *testing.T, dir string) { must(t, os.RemoveAll(part(dir, 2))) }, store.ErrDamaged},
		{"the newest part is gone", func(t *testing.T, dir string) { must(t, os.RemoveAll(part(dir, 3))) }, store.ErrMark},
		{"the server cannot take up a part", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(part(dir, 2), "meta.inf"))) }, store.ErrMark},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := rolledLog(t)
			c.harm(t, dir)
			before := tree(t, store.StreamsDir(dir))
			if err := openAndLog(t, dir); !errors.Is(err, c.is) {
				t.Errorf("error %v, want %v", err, c.is)
			}
			if c.is == store.ErrDamaged {
				if diff := cmp.Diff(before, tree(t, store.StreamsDir(dir))); diff != "" {
					t.Errorf("the refusal changed the folder:\n%s", diff)
				}
			}
			if all, err := store.Examine(t.Context(), dir); c.name != "the server cannot take up a part" && (err != nil || len(all) != 1 || !errors.Is(all[0].Err, c.is)) {
				t.Errorf("examined %+v, %v", all, err)
			}
		})
	}
}

func flip(t *testing.T, path string, at int) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	b[at] ^= 1
	must(t, os.WriteFile(path, b, 0o600))
}

func TestARolledLogIsSetAsideWhole(t *testing.T) {
	dir, _ := rolledLog(t)
	q, err := store.Quarantine(dir, gw, "a test", rolledAt)
	must(t, err)
	for n := 1; n <= 3; n++ {
		if _, err := os.Stat(filepath.Join(q.Folder, fmt.Sprintf("IBR_PAPER_%04d", n), "msgs")); err != nil {
			t.Error(err)
		}
	}
	l := openLog(t, dir)
	if head, err := l.Head(t.Context()); err != nil || head.Seq != 0 || len(l.Rolled()) != 0 {
		t.Errorf("the new log has head %v, %v, and rolled parts %v", head, err, l.Rolled())
	}
}

func TestNothingToRoll(t *testing.T) {
	l := openLog(t, t.TempDir())
	if _, err := l.Roll(t.Context(), "", rolledAt); !errors.Is(err, store.ErrNothingToRoll) {
		t.Errorf("an empty log: %v", err)
	}
	storetest.Fill(t, l, gw, 1)
	_, err := l.Roll(t.Context(), "", rolledAt)
	must(t, err)
	if _, err := l.Roll(t.Context(), "", rolledAt); !errors.Is(err, store.ErrNothingToRoll) {
		t.Errorf("a log that was just rolled: %v", err)
	}
}
