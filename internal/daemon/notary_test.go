package daemon_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/veil"
	"ibrecorder/store"
)

// audited holds every checkpoint of main in a stopped folder against its log, and returns
// what they cover and where the log ends.
func audited(t *testing.T, dir string) (sizes []uint64, last uint64) {
	t.Helper()
	text, err := checkpoint.PublicKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := checkpoint.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	salts, err := checkpoint.Salts(dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	saved, err := checkpoint.Read(dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	var signed []checkpoint.Checkpoint
	for _, s := range saved {
		c, err := checkpoint.Open(s.Text, key)
		if err != nil {
			t.Fatalf("the checkpoint at #%d: %v", s.Size, err)
		}
		signed, sizes = append(signed, c), append(sizes, c.Size)
	}
	s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	log, err := s.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	audit := checkpoint.NewAudit(veil.New(salts, events.Hash{}), nil, signed)
	for rec, err := range log.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		audit.Add(rec)
		last = rec.Seq
	}
	if problems := audit.End(); problems != nil {
		t.Errorf("checkpoints at %v, and the log ends at #%d: %v", sizes, last, problems)
	}
	return sizes, last
}

func TestTheEndOfARunIsSigned(t *testing.T) {
	cfg := config(t, folder(t))
	for run := range 2 {
		r := start(t, cfg)
		if _, err := r.api.Note(t.Context(), "main", "kim", "hello"); err != nil {
			t.Fatal(err)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		sizes, last := audited(t, cfg.Data)
		if len(sizes) != run+1 || sizes[run] != last {
			t.Errorf("after run %d: checkpoints at %v, want %d and the last at #%d, recorder.stopped", run+1, sizes, run+1, last)
		}
	}
}

// A kill leaves a run unsigned. The next one signs that at its first event, and what it
// signs fits what was signed before.
func TestAfterAKillTheNextRunSigns(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	s := newStage(t, "", "")
	s.begin()
	if err := s.end(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	before, stopped := audited(t, s.orders.Data)

	s.begin()
	s.until("somebody was connected", func(st httpapi.Status) bool { return st.Totals.Succeeded > 0 }, s.attempt)
	if err := s.end(syscall.SIGKILL); !killed(err) {
		t.Fatalf("the recorder was to be killed: %v", err)
	}
	sizes, killedAt := audited(t, s.orders.Data)
	if len(before) != 1 || before[0] != stopped || len(sizes) != 1 || killedAt <= stopped {
		t.Fatalf("checkpoints at %v after a stop at #%d, and at %v after a kill at #%d", before, stopped, sizes, killedAt)
	}

	s.begin()
	if err := s.end(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	sizes, last := audited(t, s.orders.Data)
	if len(sizes) != 3 || sizes[1] != killedAt+1 || sizes[2] != last {
		t.Errorf("checkpoints at %v, want one at #%d, the first event after the kill, and one at the end, #%d", sizes, killedAt+1, last)
	}
}

func TestARecorderThatCannotSignRecords(t *testing.T) {
	cfg := config(t, folder(t))
	r := start(t, cfg)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(cfg.Data, checkpoint.Dir, "signing.key")
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(&said, nil))
	r = start(t, cfg)
	rec, err := r.api.Note(t.Context(), "main", "kim", "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if sizes, last := audited(t, cfg.Data); len(sizes) != 1 || last <= rec.Seq {
		t.Errorf("checkpoints at %v, and the log ends at #%d", sizes, last)
	}
	if text := said.String(); !strings.Contains(text, "no checkpoints are written") || !strings.Contains(text, key) || strings.Contains(text, "no key") {
		t.Errorf("nobody was told, or of too much: %s", text)
	}
}
