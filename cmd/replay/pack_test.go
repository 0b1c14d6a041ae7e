package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// signed makes the data folder of a recorder that has ended, with checkpoints of some of
// its sizes.
func signed(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "signed DIR GATEWAY=STREAM SIZE...")
	gateway, name, _ := strings.Cut(args[1], "=")
	ts.Check(fill(ts, args[0], args[1:2]).Close())
	var sizes []int
	for _, text := range args[2:] {
		n, err := strconv.Atoi(text)
		ts.Check(err)
		sizes = append(sizes, n)
	}
	ts.Check(sign(ts.MkAbs(args[0]), streams[name](gateway), gateway, sizes...))
}

// sign writes the checkpoints that runs ending after these sizes would have left.
func sign(dir string, s *streamtest.Stream, gateway string, sizes ...int) error {
	keys, err := checkpoint.MakeKeys(dir)
	if err != nil {
		return err
	}
	log, ctx := store.NewMemory(gateway), context.Background()
	recs := s.Records()
	for _, n := range sizes {
		for ; len(recs) > s.Len()-n; recs = recs[1:] {
			if err := log.Append(ctx, recs[0]); err != nil {
				return err
			}
		}
		notary, err := checkpoint.NewNotary(ctx, keys, dir, gateway, log, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		notary.Close()
	}
	return nil
}

// folder is a stopped recorder's, signed at the given sizes.
func folder(t *testing.T, s *streamtest.Stream, sizes ...int) (dir, key string) {
	t.Helper()
	dir = t.TempDir()
	st, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	log, err := st.Log(t.Context(), "live")
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range s.Records() {
		if err := log.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sign(dir, s, "live", sizes...); err != nil {
		t.Fatal(err)
	}
	if key, err = checkpoint.PublicKey(dir); err != nil {
		t.Fatal(err)
	}
	return dir, key
}

// replay runs the program in this process.
func replay(args ...string) (code int, out, said string) {
	var stdout, stderr strings.Builder
	code = run(args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func pack(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "b.ibrec")
	if code, _, said := replay(append([]string{"pack", "-w", out}, args...)...); code != exitFine {
		t.Fatalf("pack %v: exit %d: %s", args, code, said)
	}
	return out
}

// members are what is in a bundle, in its order.
type member struct{ Name, Text string }

func members(t *testing.T, path string) (out []member) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, member{f.Name, string(b)})
	}
	return out
}

func TestATornBundleSaysSo(t *testing.T) {
	dir, key := folder(t, streamtest.Night("live"), 100)
	whole, err := os.ReadFile(pack(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{80, len(whole) / 2, len(whole) - 1} {
		path := filepath.Join(t.TempDir(), "torn.ibrec")
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, said := replay("verify", path, "--key", key)
		if code != exitInconclusive || out != "" || !strings.Contains(said, "not a whole bundle: it was cut, or is no zip any more") {
			t.Errorf("the first %d of %d bytes: exit %d, %q, %q", n, len(whole), code, out, said)
		}
	}
}

func TestARedactedBundleHasTheSameSignatures(t *testing.T) {
	dir, key := folder(t, streamtest.Night("live"), 100, streamtest.Night("live").Len())
	full := pack(t, dir)
	redacted, again := pack(t, dir, "--redact"), pack(t, full, "--redact")
	if diff := cmp.Diff(members(t, redacted), members(t, again)); diff != "" {
		t.Errorf("redacting the bundle is not redacting the log (- log, + bundle):\n%s", diff)
	}
	for _, path := range []string{full, redacted} {
		if code, out, said := replay("verify", path, "--key", key); code != exitFine {
			t.Errorf("exit %d: %s%s", code, out, said)
		}
	}
	var notes [2][]member
	for i, path := range []string{full, redacted} {
		for _, m := range members(t, path) {
			if strings.HasPrefix(m.Name, "checkpoint/") || m.Name == "key.txt" {
				notes[i] = append(notes[i], m)
			}
		}
	}
	if diff := cmp.Diff(notes[0], notes[1]); diff != "" || len(notes[0]) != 3 {
		t.Errorf("%d members with what was signed, want 3; the redacted bundle has others:\n%s", len(notes[0]), diff)
	}
}

func TestPackingTwiceGivesTheSameBytes(t *testing.T) {
	dir, _ := folder(t, streamtest.Forgotten("live"), 20)
	for _, args := range [][]string{{dir}, {dir, "--redact"}} {
		one, err := os.ReadFile(pack(t, args...))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(pack(t, args...))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%v: two bundles differ", args)
		}
	}
}
