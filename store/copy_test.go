package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestEvidenceIsReadFromACopyAndNeverTouched(t *testing.T) {
	for _, c := range []struct {
		name  string
		harm  func(t *testing.T, dir string)
		read  int   // events that can be read
		check error // what Check or Damage says
		ends  error // what the reader ends with
	}{
		{"a whole log", func(*testing.T, string) {}, 40, nil, nil},
		{"a log whose mark is gone", func(t *testing.T, dir string) {
			must(t, os.Remove(store.MarkPath(dir, gw)))
		}, 40, store.ErrMark, nil},
		{"a log whose mark is nonsense", func(t *testing.T, dir string) {
			must(t, os.WriteFile(store.MarkPath(dir, gw), []byte("x"), 0o600))
		}, 40, store.ErrMark, nil},
		{"a log that lost its last block", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(msgsDir(dir), "3.blk")))
		}, 30, store.ErrMark, nil},
		{"a log with a block missing in the middle", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(msgsDir(dir), "2.blk")))
		}, 15, store.ErrDamaged, errGap},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, tmp := logOf(t, 40, 8<<10), t.TempDir()
			c.harm(t, dir)
			before := tree(t, dir)
			s, err := store.OpenCopy(t.Context(), dir, tmp)
			must(t, err)
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			said := errors.Join(append(s.Damage(), l.Check())...)
			if c.check == nil && said != nil || c.check != nil && !errors.Is(said, c.check) {
				t.Errorf("it says %v, want %v", said, c.check)
			}
			if said != nil && strings.Contains(said.Error(), tmp) {
				t.Errorf("it names the copy, which will be gone: %v", said)
			}
			n, ended := 0, error(nil)
			for _, err := range l.Read(t.Context(), 0, 0) {
				if ended = err; err == nil {
					n++
				}
			}
			var gap *store.GapError
			if c.ends != nil && !errors.As(l.Check(), &gap) {
				t.Errorf("what the server itself counts: %v, want a gap", l.Check())
			}
			if n < c.read-3 || n > c.read+3 || errors.As(ended, &gap) != (c.ends != nil) {
				t.Errorf("read %d events, then %v; want about %d, then %v", n, ended, c.read, c.ends)
			}
			head, _ := l.Head(t.Context())
			if err := l.Append(t.Context(), storetest.Next(t, gw, head, "note")); !errors.Is(err, store.ErrCopy) {
				t.Errorf("append: %v", err)
			}
			if _, err := s.Log(t.Context(), "live"); !errors.Is(err, store.ErrUnknownGateway) {
				t.Errorf("a gateway without a log: %v", err)
			}
			must(t, s.Close())
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("the evidence was changed:\n%s", diff)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// Its mark says that there was one.
func TestACopyOfALogThatTheServerDoesNotTakeUpSaysSo(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(t *testing.T, stream string)
		want string
	}{
		{"its description is gone", func(t *testing.T, stream string) {
			must(t, os.Remove(filepath.Join(stream, "meta.inf")))
		}, "could not take it up from "},
		{"it is gone", func(t *testing.T, stream string) {
			must(t, os.RemoveAll(stream))
		}, "it is gone, and had 40 events"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := logOf(t, 40, 8<<10)
			stream := filepath.Join(store.StreamsDir(dir), store.StreamName(gw))
			c.harm(t, stream)
			s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
			must(t, err)
			defer s.Close()
			said := errors.Join(s.Damage()...)
			if !errors.Is(said, store.ErrMark) || !strings.Contains(said.Error(), c.want) {
				t.Errorf("%v, want %q", said, c.want)
			}
			if err := openAndLog(t, dir); !errors.Is(err, store.ErrMark) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("a recorder is told %v, want %q", err, c.want)
			}
		})
	}
}

// errGap stands for any *store.GapError.
var errGap = errors.New("a gap")

func TestACopyIsNotMadeWhileARecorderRuns(t *testing.T) {
	dir := t.TempDir()
	openStore(t, dir)
	if _, err := store.OpenCopy(t.Context(), dir, t.TempDir()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	if _, err := store.OpenCopy(t.Context(), t.TempDir(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is no store: %v", err)
	}
}

func TestTwoReadersMayCopyAtOnceAndReadOnlyEvidenceCanBeCopied(t *testing.T) {
	dir := logOf(t, 5, 8<<10)
	must(t, os.Chmod(dir, 0o500))
	must(t, os.Chmod(filepath.Join(dir, "lock"), 0o400))
	for range 2 {
		s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
		must(t, err)
		defer s.Close()
	}
}

// What fails before there is a copy says where, and the log is free again.
func TestThereIsNoPlaceForACopy(t *testing.T) {
	dir, nowhere := logOf(t, 3, 8<<10), filepath.Join(t.TempDir(), "nowhere")
	if _, err := store.OpenCopy(t.Context(), dir, nowhere); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), nowhere) {
		t.Errorf("error %v, want one that names %s and %s", err, dir, nowhere)
	}
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	must(t, s.Close())
}
