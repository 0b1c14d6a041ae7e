package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

var night = time.Date(2026, 3, 2, 1, 14, 0, 0, time.FixedZone("CET", 3600))

func TestQuarantineSetsTheLogAsideAndANewOneBegins(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(t *testing.T, dir string, m *store.Mark)
		want store.Carried
	}{
		{"the gate was open", func(t *testing.T, dir string, m *store.Mark) {
			m.Epoch = 4
		}, store.Carried{OldSeq: 40, Epoch: 4}},
		{"the gate was stopped", func(t *testing.T, dir string, m *store.Mark) {
			m.Stopped, m.Epoch = true, 4
		}, store.Carried{OldSeq: 40, Epoch: 4, Stopped: true}},
		{"a block is damaged", func(t *testing.T, dir string, m *store.Mark) {
			must(t, os.Truncate(filepath.Join(msgsDir(dir), "2.blk"), 5000))
		}, store.Carried{OldSeq: 40}},
		{"the stream is gone", func(t *testing.T, dir string, m *store.Mark) {
			must(t, os.RemoveAll(filepath.Join(store.StreamsDir(dir), store.StreamName(gw))))
		}, store.Carried{OldSeq: 40}},
		{"nobody can tell", func(t *testing.T, dir string, m *store.Mark) { m.Gateway = "" }, store.Carried{Stopped: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := logOf(t, 40, 8<<10)
			m, _, err := store.ReadMark(dir, gw)
			must(t, err)
			if c.want.OldSeq > 0 {
				c.want.OldHash = m.Hash
			}
			c.want.Gateway, c.want.Reason = gw, "block 2 is bad"
			c.harm(t, dir, &m)
			must(t, store.NewMarker(dir, gw).Mark(m, true))
			signed := filepath.Join(dir, "checkpoint", gw)
			must(t, os.MkdirAll(signed, 0o700))
			must(t, os.WriteFile(filepath.Join(signed, "40.note"), []byte("a checkpoint"), 0o600))
			must(t, store.SnapshotsOf(dir, gw).Keep("a snapshot"))
			before := contents(t, dir)

			q, err := store.Quarantine(dir, gw, "block 2 is bad", night)
			must(t, err)
			if _, err := os.Stat(signed); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the checkpoints of the old log are still there: %v", err)
			}
			var old string
			if found, err := store.SnapshotsOf(dir, gw).Load(&old); found || err != nil {
				t.Errorf("the snapshot of the old log is still there: %v", err)
			}
			if want := filepath.Join(dir, "quarantine", "20260302T001400Z-paper"); q.Folder != want {
				t.Errorf("folder %s, want %s", q.Folder, want)
			}
			if diff := cmp.Diff(c.want, q.Carried); diff != "" {
				t.Error(diff)
			}
			for hash, name := range before {
				if _, ok := contents(t, q.Folder)[hash]; !ok && !strings.Contains(name, "store.format") {
					t.Errorf("%s was not kept", name)
				}
			}

			s, err := store.Open(t.Context(), store.Config{Dir: dir})
			must(t, err)
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			got, ok := l.Carried()
			if diff := cmp.Diff(c.want, got); !ok || diff != "" {
				t.Errorf("carried %v\n%s", ok, diff)
			}
			must(t, s.Close()) // a crash before the first event: the note is still there

			s, err = store.Open(t.Context(), store.Config{Dir: dir})
			must(t, err)
			defer s.Close()
			l, err = s.Log(t.Context(), gw)
			must(t, err)
			if _, ok := l.Carried(); !ok {
				t.Error("the note was lost before the first event")
			}
			storetest.Fill(t, l, gw, 1)
			if _, ok := l.Carried(); ok {
				t.Error("the note is still there after the first event")
			}
		})
	}
}

// contents maps the hash of every file below dir to its path.
func contents(t *testing.T, dir string) map[string]string {
	by := map[string]string{}
	for path, hash := range tree(t, dir) {
		by[hash] = path
	}
	return by
}

func TestTheNoteOfACrashAfterTheFirstEventIsForgotten(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	_, err := store.Quarantine(dir, gw, "reason", night)
	must(t, err)
	note := filepath.Join(dir, "mark", gw+".next.json")
	b, err := os.ReadFile(note)
	must(t, err)
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	storetest.Fill(t, l, gw, 1)
	must(t, s.Close())
	must(t, os.WriteFile(note, b, 0o600)) // as if its removal had not reached the disk
	if _, ok := openLog(t, dir).Carried(); ok {
		t.Error("the second event would tell it again")
	}
}

func TestASecondQuarantineCarriesWhatTheFirstOneCarried(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	m, _, err := store.ReadMark(dir, gw)
	must(t, err)
	m.Stopped, m.Epoch = true, 3
	must(t, store.NewMarker(dir, gw).Mark(m, true))
	for i := range 3 {
		q, err := store.Quarantine(dir, gw, "reason", night)
		must(t, err)
		want := store.Carried{Gateway: gw, OldSeq: 40, OldHash: m.Hash, Stopped: true, Epoch: 3, Reason: "reason"}
		if diff := cmp.Diff(want, q.Carried); diff != "" {
			t.Errorf("quarantine %d:\n%s", i+1, diff)
		}
		if i == 1 {
			must(t, openAndLog(t, dir)) // an empty log lies between
		}
	}
}

// The note goes with the first event, and that event's own mark comes after it: what
// is marked between them must not forget the stop.
func TestAStopOutlivesACrashRightAfterTheFirstEventOfTheNextLog(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	m, _, err := store.ReadMark(dir, gw)
	must(t, err)
	m.Stopped, m.Epoch = true, 3
	must(t, store.NewMarker(dir, gw).Mark(m, true))
	_, err = store.Quarantine(dir, gw, "reason", night)
	must(t, err)
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	storetest.Fill(t, l, gw, 1)
	must(t, s.Close())
	q, err := store.Quarantine(dir, gw, "reason", night)
	if err != nil || !q.Stopped || q.Epoch != 3 {
		t.Errorf("%+v, %v; want a stop of epoch 3", q.Carried, err)
	}
}

func TestQuarantineRefusesWhatItMust(t *testing.T) {
	dir := logOf(t, 3, 8<<10)
	other := t.TempDir()
	for _, c := range []struct {
		name, dir, gateway, reason string
		want                       error
	}{
		{"a gateway without a log", dir, "live", "reason", store.ErrUnknownGateway},
		{"no reason", dir, gw, "", nil},
		{"no gateway", dir, "../x", "reason", nil},
		{"a folder that is none of ours", other, gw, "reason", os.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := store.Quarantine(c.dir, c.gateway, c.reason, night); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	if len(tree(t, other)) != 0 {
		t.Error("something was written to a folder that is none of ours")
	}
	openStore(t, dir)
	if _, err := store.Quarantine(dir, gw, "reason", night); !errors.Is(err, store.ErrLocked) {
		t.Errorf("while a recorder runs: %v", err)
	}
}

// What cannot be seen is not gone: nothing is moved, and nobody reads that it was.
func TestAQuarantineThatCannotSeeTheLogMovesNothing(t *testing.T) {
	dir := logOf(t, 3, 8<<10)
	must(t, os.RemoveAll(store.StreamsDir(dir)))
	must(t, os.WriteFile(store.StreamsDir(dir), nil, 0o600)) // as blind as a folder without rights, also for root
	before := tree(t, dir)
	if q, err := store.Quarantine(dir, gw, "reason", night); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("%+v, %v", q, err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestANoteThatCannotBeRemovedIsTriedAgain(t *testing.T) {
	dir := logOf(t, 40, 8<<10)
	_, err := store.Quarantine(dir, gw, "reason", night)
	must(t, err)
	l := openLog(t, dir)
	note := filepath.Join(dir, "mark", gw+".next.json")
	must(t, os.Remove(note))
	must(t, os.MkdirAll(filepath.Join(note, "in the way"), 0o700)) // a folder that is not empty cannot be removed

	rec := storetest.Next(t, gw, store.Head{}, "note")
	var failed *store.AppendError
	if err := l.Append(t.Context(), rec); !errors.As(err, &failed) || failed.Head.ID != rec.ID || !strings.Contains(err.Error(), "it is on disk") {
		t.Errorf("append: %v, want an *AppendError whose head is the event", err)
	}
	if head, err := l.Head(t.Context()); err != nil || head.ID != rec.ID {
		t.Errorf("the log ends with %q (%v), want %q", head.ID, err, rec.ID)
	}
	must(t, os.RemoveAll(note))
	must(t, l.Append(t.Context(), rec))
	if _, ok := l.Carried(); ok {
		t.Error("the next event would tell it again")
	}
}
