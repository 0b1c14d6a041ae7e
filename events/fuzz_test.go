package events

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// seeds are events of every kind, and near misses of one.
func seeds(f *testing.F) {
	for i, info := range Kinds() {
		raw := mustEncode(f, rapid.Custom(func(t *rapid.T) Event { return drawEvent(t, info) }).Example(i))
		f.Add(raw)
		f.Add(asReport(f, mustDecode(f, raw)))
	}
	for _, s := range []string{canonical, reported, "", "{}", "null", canonical + " ", strings.Replace(canonical, `"lost":3`, `"lost":-0`, 1),
		strings.Replace(canonical, `é\n`, `\ud83d\u00e9\/`, 1), strings.Replace(canonical, "27.5Z", "27.50Z", 1), strings.Replace(canonical, "c1", "U1234567", 1)} {
		f.Add([]byte(s))
	}
}

func mustDecode(tb rapid.TB, raw []byte) Event {
	tb.Helper()
	e, err := Decode(raw)
	if err != nil {
		tb.Fatalf("%v\n%s", err, raw)
	}
	return e
}

// What Decode accepts is what Encode writes, byte for byte.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := Decode(line)
		if err != nil {
			if hasAccountID(err.Error()) {
				t.Fatalf("the error names an account: %v", err)
			}
			return
		}
		again, err := Encode(e)
		if err != nil || !bytes.Equal(line, again) {
			t.Fatalf("accepted %q\nencoded as %q, %v", line, again, err)
		}
	})
}

// The fast decoder and the diagnosing one are two programs for one language.
func FuzzDecodeAgrees(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		var fast Event
		ok := len(line) <= MaxBytes && decodeFast(string(line), &fast)
		slow, err := decodeReference(line)
		if ok != (err == nil) {
			t.Fatalf("fast: %v, reference: %v\n%q", ok, err, line)
		}
		if diff := cmp.Diff(fast, slow); ok && diff != "" {
			t.Fatalf("(-fast +reference):\n%s\n%q", diff, line)
		}
	})
}

// What DecodeDraft accepts can be stamped and stored: no reporter stops the loop.
func FuzzDecodeDraft(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, report []byte) {
		gateway, d, err := DecodeDraft(report)
		if err != nil {
			if hasAccountID(err.Error()) {
				t.Fatalf("the error names an account: %v", err)
			}
			return
		}
		info, _ := Lookup(d.Data.Kind())
		if !info.Outside || info.Class != Fact {
			t.Fatalf("a %s came from outside", info.Kind)
		}
		s := Stamp{Gateway: gateway, Time: time.Unix(1772442927, 5).UTC(), Seq: 1, Boot: "kqzmbtwhxa", Prev: HashOf(report)}
		raw, err := Encode(testRedactor.Event(d, s))
		if err != nil {
			t.Fatalf("%v\nof %q", err, report)
		}
		mustDecode(t, raw)
	})
}

// The fuzz targets start from seeds; this one runs them over mutations in every
// test run: what a byte more, less or other does to events of every kind.
func TestBothDecodersAgreeNearCanonicalEvents(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i, info := range Kinds() {
		raw := mustEncode(t, rapid.Custom(func(t *rapid.T) Event { return drawEvent(t, info) }).Example(i))
		for range 300 {
			line := bytes.Clone(raw)
			at := random.IntN(len(line))
			switch random.IntN(3) {
			case 0:
				line[at] = byte(random.IntN(256))
			case 1:
				line = append(line[:at], line[at+1:]...)
			default:
				line = append(line[:at], append([]byte{line[random.IntN(len(line))]}, line[at:]...)...)
			}
			var fast Event
			ok := len(line) <= MaxBytes && decodeFast(string(line), &fast)
			slow, err := decodeReference(line)
			if ok != (err == nil) || ok && !cmp.Equal(fast, slow) {
				t.Fatalf("fast: %v, reference: %v\n%q", ok, err, line)
			}
		}
	}
}
