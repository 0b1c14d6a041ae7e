package wire_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/wire"
)

// told is an error message as a Skimmer tells it.
type told struct{ id, code int }

// skimmed is what a Skimmer finds in segments, of which the first one is still a
// Scanner's.
func skimmed(version int, first []byte, segments ...[]byte) (found []told, garbled bool) {
	s := wire.NewScanner(0)
	for f := range s.Frames(first) {
		if e, ok := reference(version, f); ok {
			found = append(found, e)
		}
	}
	k := s.Skimmer(version, func(id, code int) { found = append(found, told{id, code}) })
	for _, b := range segments {
		k.Skim(b)
	}
	return found, k.Garbled()
}

// reference is an error message as the decoder of whole messages reads it, of the
// bytes that a Skimmer looks at.
func reference(version int, f wire.Frame) (told, bool) {
	f.Prefix = f.Prefix[:min(len(f.Prefix), 64)]
	if version < 201 && !bytes.HasPrefix(f.Prefix, []byte("4\x00")) {
		return told{}, false // no server says 04, or a protobuf id in letters
	}
	m, err := wire.ParseMessage(version, f)
	if err != nil || m.ID != wire.IDError {
		return told{}, false
	}
	e, err := m.ErrorMessage()
	return told{e.ID, e.Code}, err == nil
}

func stream(version int) []byte {
	text := string(bytes.Repeat([]byte("long "), 40))
	b := wire.AppendError(nil, version, wire.ErrorMessage{ID: -1, Code: 1100, Text: text, TimeMS: 1767225600000})
	b = wire.AppendNextValidID(b, version, 1100)
	b = wire.AppendError(b, version, wire.ErrorMessage{ID: 1102, Code: 200, Text: "No security definition"})
	b = wire.AppendFrame(b, append([]byte{0, 0, 0, 1}, make([]byte, 3000)...)) // not an error, and longer than any prefix
	return wire.AppendError(b, version, wire.ErrorMessage{ID: -1, Code: 1102})
}

func TestSkimmer(t *testing.T) {
	want := []told{{-1, 1100}, {1102, 200}, {-1, 1102}}
	for _, version := range []int{100, 176, 194, 201, 203, 213, 225} {
		all := stream(version)
		for cut := range len(all) + 1 { // where the Scanner leaves off
			got, garbled := skimmed(version, all[:cut], all[cut:])
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(told{})); diff != "" || garbled {
				t.Fatalf("version %d, from byte %d: garbled %v (-want +got):\n%s", version, cut, garbled, diff)
			}
		}
		if got, _ := skimmed(version, nil, slices.Collect(slices.Chunk(all, 1))...); len(got) != len(want) {
			t.Errorf("version %d, byte by byte: %v", version, got)
		}
	}
	for _, row := range []struct {
		name    string
		version int
		bytes   []byte
		want    bool
	}{
		{"another protocol", 176, []byte("HTTP/1.1 400 Bad Request"), true},
		{"another protocol in pieces", 176, []byte("HT"), false},
		{"a frame without room for a message id", 176, []byte{0, 0, 0, 1, '4'}, true},
		{"the same for raw ids", 203, []byte{0, 0, 0, 3, 0, 0, 0}, true},
		{"the shortest frame", 176, []byte{0, 0, 0, 2, '4', 0}, false},
		{"the longest frame a client accepts", 213, []byte{0, 0xff, 0xff, 0xff, 0, 0}, false},
		{"a longer one", 213, []byte{1, 0, 0, 0}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, garbled := skimmed(row.version, nil, row.bytes); garbled != row.want || got != nil {
				t.Errorf("garbled %v, found %v", garbled, got)
			}
			if _, garbled := skimmed(row.version, nil, slices.Collect(slices.Chunk(row.bytes, 1))...); garbled != row.want {
				t.Errorf("byte by byte garbled %v", garbled)
			}
		})
	}
	t.Run("16 MiB pass in segments", func(t *testing.T) {
		long := binary.BigEndian.AppendUint32(nil, wire.MaxFrameBytes)
		long = append(long, make([]byte, wire.MaxFrameBytes)...)
		long = wire.AppendError(long, 203, wire.ErrorMessage{ID: -1, Code: 2110})
		got, garbled := skimmed(203, nil, slices.Collect(slices.Chunk(long, 60_000))...)
		if len(got) != 1 || got[0].code != 2110 || garbled {
			t.Errorf("found %v, garbled %v", got, garbled)
		}
	})
}

func TestSkimmerAllocatesNothing(t *testing.T) {
	for _, version := range []int{176, 194, 213} {
		all := stream(version)
		found := 0
		k := wire.NewScanner(0).Skimmer(version, func(int, int) { found++ })
		if n := testing.AllocsPerRun(20, func() {
			for b := range slices.Chunk(all, 100) {
				k.Skim(b)
			}
		}); n != 0 {
			t.Errorf("version %d: %v allocations", version, n)
		}
		if found != 3*21 {
			t.Errorf("version %d: %d errors", version, found)
		}
	}
}

// Beside the look, how long it takes only to read the same bytes.
func BenchmarkSkimmer(b *testing.B) {
	var all []byte
	for range 1000 {
		all = wire.AppendFrame(all, []byte("1\x006\x001001\x001\x00187.25\x00300\x001\x00"))
	}
	k := wire.NewScanner(0).Skimmer(176, func(int, int) {})
	b.SetBytes(int64(len(all)))
	b.ReportAllocs()
	for b.Loop() {
		k.Skim(all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/frame")
}

// FuzzSkimmer: whatever comes, in whatever pieces, a Skimmer finds what a Scanner
// and the decoder of whole messages find.
func FuzzSkimmer(f *testing.F) {
	for _, v := range []uint16{100, 176, 194, 201, 203, 213} {
		f.Add(stream(int(v)), v, uint64(1))
		f.Add(append(stream(int(v)), "HTTP"...), v, uint64(2))
	}
	for _, v := range vectors {
		f.Add(unhex(f, v.hex), uint16(v.version), uint64(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, v uint16, seed uint64) {
		version, least := int(v), 2
		if version >= 201 {
			least = 4
		}
		var want []told
		for frame := range wire.NewScanner(64).Frames(data) {
			if frame.Length < least {
				break
			}
			if e, ok := reference(version, frame); ok {
				want = append(want, e)
			}
		}
		broken := false // a header says so by itself, before its frame is whole
		for b := data; len(b) >= 4 && !broken; {
			length := binary.BigEndian.Uint32(b)
			broken = length < uint32(least) || length > wire.MaxFrameBytes
			b = b[min(uint64(len(b)), 4+uint64(length)):]
		}
		var got []told
		k := wire.NewScanner(0).Skimmer(version, func(id, code int) { got = append(got, told{id, code}) })
		for segment := range segments(data, seed) {
			k.Skim(segment)
		}
		if !slices.Equal(want, got) || k.Garbled() != broken {
			t.Fatalf("found %v, want %v; garbled %v, want %v", got, want, k.Garbled(), broken)
		}
	})
}
