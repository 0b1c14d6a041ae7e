package bundle_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/internal/veil"
)

func contents() bundle.Contents {
	recs := streamtest.Forgotten("live").Records()
	last := recs[len(recs)-1]
	return bundle.Contents{
		Header: bundle.Header{Gateway: "live", Events: len(recs), First: 1, Last: last.Seq, Head: last.Hash(), MadeBy: "test"},
		Signed: bundle.Signed{
			Key: "a key", Checkpoints: []checkpoint.Saved{{Size: 3, Text: []byte("a checkpoint")}, {Size: 20, Text: []byte("another")}},
			Salts: veil.NewKey([]byte("secret"), "live"), Heads: checkpoint.Heads{3: {1}, 20: {2}},
		},
		Events: func(yield func(events.Record, error) bool) {
			for _, rec := range recs {
				if !yield(rec, nil) {
					return
				}
			}
		},
		Documents: []bundle.Document{{Name: "verdict.json", Text: []byte("{}\n")}},
	}
}

func written(t testing.TB, c bundle.Contents) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bundle.Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte) (*bundle.Bundle, error) {
	return bundle.Open(bytes.NewReader(b), int64(len(b)))
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	c := contents()
	b, err := open(written(t, c))
	if err != nil {
		t.Fatal(err)
	}
	c.Header.Format = 1
	if b.Header != c.Header {
		t.Errorf("the header is %+v, want %+v", b.Header, c.Header)
	}
	var got []byte
	for rec, err := range b.Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(append(got, rec.Raw...), '\n')
	}
	if want := streamtest.Forgotten("live").NDJSON(); !bytes.Equal(got, want) || b.Bytes() != int64(len(want)) {
		t.Errorf("the events are others: %d bytes, and it says %d, want %d", len(got), b.Bytes(), len(want))
	}
	if b.Signed.Key != c.Signed.Key || len(b.Signed.Checkpoints) != 2 || string(b.Signed.Checkpoints[1].Text) != "another" || b.Signed.Heads[20] != c.Signed.Heads[20] {
		t.Errorf("what was signed is another: %+v", b.Signed)
	}
	if names := b.Documents(); !slices.Equal(names, []string{"verdict.json"}) {
		t.Errorf("the documents are %q", names)
	}
	given, err := b.Given()
	if err != nil {
		t.Fatal(err)
	}
	v := veil.New(given, events.Hash{})
	for rec := range b.Events() {
		if _, err := v.Line(rec); err != nil {
			t.Fatal(err)
		}
	}
	if given.Left() != 0 {
		t.Errorf("%d salts belong to nothing", given.Left())
	}
}

func TestTheSameContentsAreTheSameBytes(t *testing.T) {
	one, two := written(t, contents()), written(t, contents())
	if !bytes.Equal(one, two) {
		t.Error("two bundles of one log differ")
	}
	if !bundle.Is(one[:75]) || bundle.Is(one[:74]) {
		t.Errorf("a bundle is not known by its first 75 bytes: %q", one[:75])
	}
}

func TestAStreamThatBreaksOffIsNoBundle(t *testing.T) {
	c := contents()
	broken := errors.New("broken")
	c.Events = func(yield func(events.Record, error) bool) { yield(events.Record{}, broken) }
	if err := bundle.Write(io.Discard, c); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the stream", err)
	}
}

// raw is a zip of these members, the first of which is what makes it look like a bundle.
func raw(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	media := "application/vnd.ibrecorder.bundle+zip"
	for i, m := range append([]string{"mimetype=" + media}, members...) {
		name, text, _ := strings.Cut(m, "=")
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if i == 0 {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsNoBundle(t *testing.T) {
	const header = `header.json={"format":1,"gateway":"live","redacted":false,"events":0,"first":0,"last":0,"head":"0000000000000000000000000000000000000000000000000000000000000000","made_by":"x"}`
	whole := written(t, contents())
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("n%d=", i))
	}
	for _, c := range []struct {
		name, want string
		bytes      []byte
	}{
		{"nothing", "it does not begin like one", nil},
		{"another zip", "it does not begin like one", raw(t, header, "events.ndjson=")[1:]},
		{"its end is gone", "it was cut, or is no zip any more", whole[:len(whole)-30]},
		{"only its beginning is left", "it was cut, or is no zip any more", whole[:90]},
		{"no events", "it has no events.ndjson", raw(t, header)},
		{"no header", "it has no header.json", raw(t, "events.ndjson=")},
		{"a header of something else", "header.json: ", raw(t, "header.json=[]", "events.ndjson=")},
		{"a field that nobody knows", `unknown field "more"`, raw(t, `header.json={"more":1}`, "events.ndjson=")},
		{"a later format", "it has format 2, and this program knows 1", raw(t, strings.Replace(header, `"format":1`, `"format":2`, 1), "events.ndjson=")},
		{"two streams of events", `it has "events.ndjson" twice`, raw(t, header, "events.ndjson=", "events.ndjson=x")},
		{"too many members", "it has 2003 members, at most 1024", raw(t, append(many, header, "events.ndjson=")...)},
		{"a key that is too long", `"key.txt" has 100000 bytes, at most 65536`, raw(t, header, "events.ndjson=", "key.txt="+strings.Repeat("x", 100_000))},
		{"a checkpoint that has no number", "is not named after a sequence", raw(t, header, "events.ndjson=", "checkpoint/x.note=")},
		{"a salt of the stored bytes that is none", "heads.txt has a line that is no size and salt", raw(t, header, "events.ndjson=", "heads.txt=3 abc\n")},
	} {
		b, err := open(c.bytes)
		if b != nil && err == nil || !errors.Is(err, bundle.ErrBundle) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrBundle and %q", c.name, err, c.want)
		}
	}
}

// A member whose list entry lies about its length is read no further than it may be, and
// is an error.
func TestAZipBombIsNotRead(t *testing.T) {
	bomb := raw(t, `header.json={"format":1}`, "events.ndjson=", "key.txt="+strings.Repeat("x", 32<<20))
	at := bytes.LastIndex(bomb, []byte("key.txt")) - 46 // of its entry in the list
	copy(bomb[at+24:], []byte{10, 0, 0, 0})             // uncompressed size
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := open(bomb)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, bundle.ErrBundle) {
		t.Errorf("got %v, want ErrBundle", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("reading it took %d bytes of memory", took)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(written(f, contents()))
	f.Add(raw(f, `header.json={"format":1}`, "events.ndjson=x\n", "salts.txt=00\n", "heads.txt=1 00\n", "key.txt=k", "checkpoint/1.note=n", "more=x"))
	c := contents()
	c.Header.Redacted, c.Signed = true, bundle.Signed{}
	f.Add(written(f, c))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := open(in)
		if err != nil {
			if !errors.Is(err, bundle.ErrBundle) {
				t.Fatalf("an error that is not ErrBundle: %v", err)
			}
			return
		}
		for _, name := range b.Documents() {
			if text, err := b.Member(name); err == nil && len(text) > bundle.MaxDocument {
				t.Fatalf("%q has %d bytes", name, len(text))
			}
		}
		x, err := b.Examine(nil)
		if err != nil {
			if !errors.Is(err, bundle.ErrBundle) && !errors.Is(err, veil.ErrSalts) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		n := 0
		for _, err := range x.Watch(b.Events()) {
			if err != nil {
				break
			}
			n++
		}
		if x.End(); x.Covered() > uint64(n) {
			t.Fatalf("%d of %d events are covered", x.Covered(), n)
		}
	})
}
