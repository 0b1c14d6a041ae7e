package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
	"ibrecorder/internal/veil"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheRootIsThatOfTlog(t *testing.T) {
	var tree Tree
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for n := range int64(200) {
		want, err := tlog.TreeHash(n, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Root(); got != want {
			t.Fatalf("the root over %d lines is %s, tlog has %s", n, got, want)
		}
		if err := tree.check(); err != nil {
			t.Fatal(err)
		}
		line := fmt.Appendf(nil, "line %d", n)
		hashes, err := tlog.StoredHashes(n, line, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		tree.Add(line)
	}
}

func TestATreeGoesOnFromWhatWasKept(t *testing.T) {
	var whole Tree
	for n := range 100 {
		kept, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		var again Tree
		if err := json.Unmarshal(kept, &again); err != nil {
			t.Fatal(err)
		}
		line := fmt.Appendf(nil, "line %d", n)
		whole.Add(line)
		again.Add(line)
		if whole.Root() != again.Root() {
			t.Fatalf("after %d lines the kept tree has another root", n)
		}
	}
	broken := Tree{Size: 5, Tops: whole.Tops[:1]}
	if err := broken.check(); !errors.Is(err, ErrTree) {
		t.Errorf("one subtree of five lines: got %v, want ErrTree", err)
	}
}

func keys(t *testing.T, data string) *Keys {
	t.Helper()
	k, err := MakeKeys(data)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatIsNoCheckpoint(t *testing.T) {
	mine, other := keys(t, t.TempDir()), keys(t, t.TempDir())
	c := Checkpoint{Origin: "ibrecorder/main/0011223344556677", Size: 7, Root: tlog.RecordHash([]byte("x")), Stored: events.HashOf([]byte("y")).String()}
	signed := func(text string, by *Keys) []byte {
		b, err := note.Sign(&note.Note{Text: text}, by.signer)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := signed(c.text(), mine)
	got, err := Open(good, mine.public)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got); diff != "" {
		t.Error(diff)
	}
	both, err := note.Sign(&note.Note{Text: c.text()}, other.signer, mine.signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(both, mine.public); err != nil {
		t.Errorf("a witness has signed too: %v", err)
	}
	for _, n := range []struct {
		name string
		text []byte
		want error
	}{
		{"signed by somebody else", signed(c.text(), other), ErrSigner},
		{"the size was changed", bytes.Replace(good, []byte("\n7\n"), []byte("\n8\n"), 1), ErrSignature},
		{"torn in the text", good[:20], ErrNote},
		{"torn in the signature", good[:len(good)-9], ErrNote},
		{"nothing", nil, ErrNote},
		{"a note of something else", signed("hello\n", mine), ErrNote},
		{"another line behind it", signed(c.text()+"more\n", mine), ErrNote},
		{"a size with a sign", signed(strings.Replace(c.text(), "\n7\n", "\n+7\n", 1), mine), ErrNote},
		{"of no events", signed(strings.Replace(c.text(), "\n7\n", "\n0\n", 1), mine), ErrNote},
		{"a root that is too short", signed(strings.Replace(c.text(), "=\n", "=\n"[1:], 1), mine), ErrNote},
		{"without the stored bytes", signed(strings.Replace(c.text(), "stored ", "", 1), mine), ErrNote},
		{"longer than any", append(bytes.Repeat([]byte("x"), maxNote), good...), ErrNote},
	} {
		if _, err := Open(n.text, mine.public); !errors.Is(err, n.want) {
			t.Errorf("%s: got %v, want %v", n.name, err, n.want)
		}
	}
}

func TestKeysAreMadeOnceAndAreTheOwnersAlone(t *testing.T) {
	data := t.TempDir()
	if _, err := PublicKey(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before a first run: got %v, want fs.ErrNotExist", err)
	}
	first, again := keys(t, data), keys(t, data)
	public, err := PublicKey(data)
	if err != nil {
		t.Fatal(err)
	}
	if first.Public() != public || again.Public() != public {
		t.Errorf("three times the public key:\n%s\n%s\n%s", first.Public(), again.Public(), public)
	}
	if !strings.HasPrefix(public, "ibrecorder+") {
		t.Errorf("the public key is %q", public)
	}
	for _, name := range []string{signingFile, publicFile, veilFile} {
		info, err := os.Stat(filepath.Join(data, Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
	for name, content := range map[string]string{signingFile: "PRIVATE+KEY+ibrecorder+00000000+AAAA", veilFile: "abc"} {
		dir := t.TempDir()
		keys(t, dir)
		if err := os.WriteFile(filepath.Join(dir, Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := MakeKeys(dir)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), content) {
			t.Errorf("a broken %s: %v; want an error that names the file and not what is in it", name, err)
		}
	}
}

func TestAKeyThatWasLostIsNotReplacedInSilence(t *testing.T) {
	for _, name := range []string{signingFile, veilFile} {
		data := t.TempDir()
		old := keys(t, data)
		if err := os.Remove(filepath.Join(data, Dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := MakeKeys(data); !errors.Is(err, ErrKeyLost) || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v, want an error that names it", name, err)
		}
		// What the error says to do.
		if err := os.Remove(filepath.Join(data, Dir, publicFile)); err != nil {
			t.Fatal(err)
		}
		k := keys(t, data)
		if again := k.text == old.text; again != (name == veilFile) {
			t.Errorf("without %s the public key is the same: %t", name, again)
		}
	}
}

// history is a log in memory, and the stamps of what comes next.
type history struct {
	t *testing.T
	*store.Memory
	chain events.Chain
	boot  string
	mono  int64
}

func newHistory(t *testing.T) *history {
	return &history{t: t, Memory: store.NewMemory("main"), boot: "abceghjklm"}
}

// add appends an event.
func (h *history) add(data events.Payload) events.Record {
	h.t.Helper()
	seq, head := h.chain.Head()
	h.mono++
	rec, err := events.NewRecord(events.Event{
		ID: fmt.Sprintf("%s-main-%d", h.boot, seq+1), Source: "/recorder", Gateway: "main", Seq: seq + 1, Boot: h.boot, Mono: h.mono, Prev: head, Data: data,
	})
	if err == nil {
		err = h.chain.Add(rec)
	}
	if err == nil {
		err = h.Append(h.t.Context(), rec)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return rec
}

func (h *history) some(n int, to *Notary) {
	h.t.Helper()
	for range n {
		if rec := h.add(events.OperatorNoted{By: "anna", Text: "hello"}); to != nil {
			to.Step(rec)
		}
	}
}

func notary(t *testing.T, k *Keys, data string, log Log) *Notary {
	t.Helper()
	n, err := NewNotary(t.Context(), k, data, "main", log, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sizes are what the checkpoints in a folder cover; each must be right.
func sizes(t *testing.T, k *Keys, data string, h *history) (out []uint64) {
	t.Helper()
	saved, err := Read(data, "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range saved {
		c, err := Open(s.Text, k.public)
		if err != nil {
			t.Fatal(err)
		}
		salt, err := veil.HeadSalt(k.Salts("main"), hashAt(t, h, c.Size))
		if err != nil {
			t.Fatal(err)
		}
		audit := NewAudit(veil.New(k.Salts("main"), events.Hash{}), Heads{c.Size: salt}, []Checkpoint{c})
		for rec, err := range h.Read(context.Background(), 1, c.Size) {
			if err != nil {
				t.Fatal(err)
			}
			audit.Add(rec)
		}
		if problems := audit.End(); problems != nil || audit.Covered != s.Size || c.Size != s.Size {
			t.Errorf("the checkpoint %d.note covers %d of %d: %v", s.Size, audit.Covered, c.Size, problems)
		}
		out = append(out, s.Size)
	}
	return out
}

func hashAt(t *testing.T, h *history, seq uint64) events.Hash {
	t.Helper()
	for rec, err := range h.Read(context.Background(), seq, seq) {
		if err != nil {
			t.Fatal(err)
		}
		return rec.Hash()
	}
	t.Fatalf("the log has no #%d", seq)
	return events.Hash{}
}

func want(t *testing.T, what string, want, got []uint64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: checkpoints (- want, + got):\n%s", what, diff)
	}
}

func TestWhenANotarySigns(t *testing.T) {
	data, h := t.TempDir(), newHistory(t)
	k := keys(t, data)
	n := notary(t, k, data, h)
	h.some(5, n)
	want(t, "within a day", nil, sizes(t, k, data, h))
	n.Close()
	want(t, "after the end of a run", []uint64{5}, sizes(t, k, data, h))
	n.Close()
	want(t, "after a second end", []uint64{5}, sizes(t, k, data, h))

	n = notary(t, k, data, h)
	h.mono = 0
	h.some(2, n)
	h.mono += int64(24*time.Hour) - 10
	h.some(2, n)
	want(t, "a moment before a day is over", []uint64{5}, sizes(t, k, data, h))
	h.mono += 10
	h.some(1, n)
	n.wrote(<-n.writing)
	want(t, "a day after the start", []uint64{5, 10}, sizes(t, k, data, h))
	h.some(3, n)
	// The process is killed here: there is no Close.

	h.mono = 0
	n = notary(t, k, data, h)
	want(t, "a start that has not written yet", []uint64{5, 10}, sizes(t, k, data, h))
	h.some(2, n)
	n.Close()
	want(t, "the first event after a crash, and the end of that run", []uint64{5, 10, 14, 15}, sizes(t, k, data, h))

	n = notary(t, k, data, h)
	n.many = 4
	h.some(4, n)
	n.wrote(<-n.writing)
	h.some(3, n)
	want(t, "many events in a short time", []uint64{5, 10, 14, 15, 19}, sizes(t, k, data, h))
	n.Close()
}

func TestANotaryReadsWhatItMissed(t *testing.T) {
	data, h := t.TempDir(), newHistory(t)
	k := keys(t, data)
	h.some(9, nil) // a recorder of before there were checkpoints
	n := notary(t, k, data, h)
	h.some(1, n)
	n.Close()
	want(t, "after a first run with checkpoints", []uint64{10}, sizes(t, k, data, h))
	h.some(4, nil)
	n = notary(t, k, data, h)
	h.some(1, n)
	n.Close()
	want(t, "after a run of which it knew nothing", []uint64{10, 15}, sizes(t, k, data, h))

	// What it goes on from was lost, or is not whole.
	for _, change := range []func(path string) error{
		os.Remove,
		func(path string) error { return os.WriteFile(path, []byte("{}\n"), 0o600) },
		func(path string) error { return os.Truncate(path, 100) },
	} {
		if err := change(filepath.Join(folder(data, "main"), treeFile)); err != nil {
			t.Fatal(err)
		}
		n = notary(t, k, data, h)
		h.some(1, n)
		n.Close()
	}
	want(t, "after the kept tree was lost", []uint64{10, 15, 16, 17, 18}, sizes(t, k, data, h))
}

func TestANotarySignsNoOtherHistory(t *testing.T) {
	data, h := t.TempDir(), newHistory(t)
	k := keys(t, data)
	n := notary(t, k, data, h)
	h.some(5, n)
	n.Close()

	other := newHistory(t)
	other.some(4, nil)
	for _, c := range []struct {
		name string
		add  func()
	}{
		{"a shorter log", func() {}},
		{"a log whose last signed event is another", func() { other.add(events.OperatorNoted{By: "bob", Text: "x"}) }},
		{"a longer log of another history", func() { other.some(5, nil) }},
	} {
		c.add()
		_, err := NewNotary(t.Context(), k, data, "main", other, slog.New(slog.DiscardHandler))
		if !errors.Is(err, ErrHistory) || !strings.Contains(err.Error(), "recorder log quarantine main --reason TEXT") {
			t.Errorf("%s: got %v, want ErrHistory and what to type", c.name, err)
		}
	}

	for _, name := range []string{veilFile, publicFile} {
		if err := os.Remove(filepath.Join(data, Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := NewNotary(t.Context(), keys(t, data), data, "main", h, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), veilFile) {
		t.Errorf("with another secret: got %v, want an error that names %s", err, veilFile)
	}

	n = notary(t, k, data, h)
	rec := h.add(events.TapReopened{})
	h.some(1, n) // an event is left out
	n.Step(rec)
	n.Close()
	want(t, "after an event that it was not shown", []uint64{5}, sizes(t, k, data, h))
}

// altered is a log in which somebody has put another event in the place of one.
type altered struct {
	Log
	with events.Record
}

func (a altered) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range a.Log.Read(ctx, from, to) {
			if rec.Seq == a.with.Seq {
				rec = a.with
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// A crash leaves events that no checkpoint covers, and a start that goes on from a
// snapshot does not look at them. A signature would make good whatever they were by then.
func TestANotarySignsNoBrokenChain(t *testing.T) {
	data, h := t.TempDir(), newHistory(t)
	k := keys(t, data)
	n := notary(t, k, data, h)
	h.some(5, n)
	n.Close()
	h.some(5, nil)

	for rec, err := range h.Read(t.Context(), 8, 8) {
		if err != nil {
			t.Fatal(err)
		}
		forged := rec.Event
		forged.Data = events.OperatorNoted{By: "bob", Text: "nothing happened"}
		with, err := events.NewRecord(forged)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewNotary(t.Context(), k, data, "main", altered{h, with}, slog.New(slog.DiscardHandler))
		if !errors.Is(err, ErrHistory) || !strings.Contains(err.Error(), "#9") {
			t.Errorf("a log whose #8 was changed: got %v, want ErrHistory and #9, which does not follow it", err)
		}
	}
	want(t, "of a log that was changed", []uint64{5}, sizes(t, k, data, h))
	n = notary(t, k, data, h)
	n.Close()
	want(t, "of the log as it was written", []uint64{5, 10}, sizes(t, k, data, h))
}

func TestANotaryThatCannotWriteStopsNobody(t *testing.T) {
	data, h := t.TempDir(), newHistory(t)
	k := keys(t, data)
	if err := os.WriteFile(folder(data, "main"), nil, 0o600); err != nil { // where the folder belongs
		t.Fatal(err)
	}
	var said bytes.Buffer
	n, err := NewNotary(t.Context(), k, data, "main", h, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	h.some(3, n)
	n.Close()
	if !strings.Contains(said.String(), "a checkpoint was not written") {
		t.Errorf("nobody was told: %s", said.String())
	}
	if err := os.Remove(folder(data, "main")); err != nil {
		t.Fatal(err)
	}
	n.Close()
	want(t, "once it can be written", []uint64{3}, sizes(t, k, data, h))
}

func TestOldCheckpointsGiveWay(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, noteName(1)+diskfile.Unfinished)
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n < kept+5; n++ {
		if err := os.WriteFile(filepath.Join(dir, noteName(n)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := save(dir, kept+5, []byte("x"), progress{Gateway: "main"}); err != nil {
		t.Fatal(err)
	}
	got, err := sizesIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != kept || got[0] != 6 || got[kept-1] != kept+5 {
		t.Errorf("%d are left, from %d to %d", len(got), got[0], got[len(got)-1])
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a crash left half written is still there: %v", err)
	}
}

// What the loop pays for an event that is to be signed, beside what it pays the disk for it:
// the same bytes, written and synced.
func BenchmarkStep(b *testing.B) {
	var chain events.Chain
	next := func() events.Record {
		seq, head := chain.Head()
		rec, err := events.NewRecord(events.Event{ID: fmt.Sprintf("abceghjklm-main-%d", seq+1), Source: "/tap", Gateway: "main", Seq: seq + 1, Boot: "abceghjklm", Mono: 1,
			Conn: "abceghjklm-c1", Prev: head, Data: events.ClientOpened{Peer: "127.0.0.1:50123"}})
		if err == nil {
			err = chain.Add(rec)
		}
		if err != nil {
			b.Fatal(err)
		}
		return rec
	}
	b.Run("Notary", func(b *testing.B) {
		k, err := MakeKeys(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		n, err := NewNotary(b.Context(), k, b.TempDir(), "main", store.NewMemory("main"), slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		var batch []events.Record
		for b.Loop() {
			if len(batch) == 0 {
				b.StopTimer() // to make an event is not to sign it
				for range 1000 {
					batch = append(batch, next())
				}
				b.StartTimer()
			}
			n.Step(batch[0])
			batch = batch[1:]
		}
		if n.failed != nil {
			b.Fatal(n.failed)
		}
	})
	b.Run("Disk", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "log"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		raw := next().Raw
		for b.Loop() {
			if _, err := f.Write(raw); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
