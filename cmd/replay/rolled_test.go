package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/internal/source/streamtest"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
)

// partsOf records a stream in a folder, and rolls its log before each of the events.
func partsOf(t *testing.T, s *streamtest.Stream, before ...uint64) (dir string, archive string) {
	t.Helper()
	dir, archive = t.TempDir(), t.TempDir()
	st, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	log, err := st.Log(t.Context(), "live")
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range s.Records() {
		if len(before) > 0 && rec.Seq == before[0] {
			if _, err := log.Roll(t.Context(), "", time.Unix(0, 0)); err != nil {
				t.Fatal(err)
			}
			before = before[1:]
		}
		if err := log.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	return dir, archive
}

// A roll is where a log is kept, and not what happened.
func TestALogThatWasRolledReadsAsOneThatWasNot(t *testing.T) {
	s := streamtest.Night("live")
	n := uint64(s.Len())
	plain, _ := partsOf(t, s)
	rolled, _ := partsOf(t, s, 2, 3, n/3, n/2, n-1)
	parts, err := filepath.Glob(filepath.Join(rolled, "jetstream", "*", "streams", "*"))
	if err != nil || len(parts) != 6 {
		t.Fatalf("the log has the parts %v, %v", parts, err)
	}
	for _, args := range []string{
		"verify FOLDER", "verify FOLDER -o json", "timeline FOLDER", "timeline FOLDER -o json --from 3 --to 9", "export FOLDER",
		"report FOLDER -o md", "report FOLDER -o json", "state FOLDER", "state FOLDER --at 5", "whatif FOLDER", "shrink FOLDER",
	} {
		t.Run(args, func(t *testing.T) {
			about := func(dir string) string {
				code, out, said := replay(strings.Fields(strings.ReplaceAll(args, "FOLDER", dir))...)
				return strings.ReplaceAll(fmt.Sprintf("%d\n%s\n%s", code, out, said), dir, "FOLDER")
			}
			want := about(plain)
			if !strings.Contains(want, "\n") || len(want) < 20 {
				t.Fatalf("it says nothing: %s", want)
			}
			if diff := cmp.Diff(want, about(rolled)); diff != "" {
				t.Errorf("-not rolled +rolled:\n%s", diff)
			}
		})
	}
}

func TestAnArchiveAndTheRestAreOneHistory(t *testing.T) {
	s := streamtest.Night("live")
	n := uint64(s.Len())
	dir, to := partsOf(t, s, n/3, n/2)
	st, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	log, err := st.Log(t.Context(), "live")
	if err != nil {
		t.Fatal(err)
	}
	last := s.Records()[n-1]
	if err := log.Mark(store.Mark{Gateway: "live", Seq: last.Seq, Hash: last.Hash()}, true); err != nil {
		t.Fatal(err)
	}
	done, err := log.Archive(t.Context(), to, func(ctx context.Context, _ uint64) error { return ctx.Err() })
	if err != nil || len(done) != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, a := range done {
		b, err := os.ReadFile(a.File)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
		// By itself a later part may not have what the verdict rests on.
		if code, _, said := replay("verify", a.File); code != 0 && (code != exitInconclusive || a.First == 1) {
			t.Errorf("%s by itself: exit %d, %s", a.File, code, said)
		}
	}
	code, rest, said := replay("export", dir)
	if code != 0 {
		t.Fatalf("export: %d, %s", code, said)
	}
	if diff := cmp.Diff(string(s.NDJSON()), all.String()+rest); diff != "" {
		t.Errorf("together they are not what was recorded:\n%s", diff)
	}
	if _, out, _ := replay("verify", dir); !strings.Contains(out, fmt.Sprintf("the stream starts at #%d", n/2)) {
		t.Errorf("the verdict on the rest does not say where it starts:\n%s", out)
	}
}
