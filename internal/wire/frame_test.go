package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/wire"
)

// seen is a frame with a prefix that outlives the iteration.
type seen struct {
	Offset int64
	Length int
	Prefix string
}

func scan(s *wire.Scanner, segment []byte) (frames []seen) {
	for f := range s.Frames(segment) {
		frames = append(frames, seen{f.Offset, f.Length, string(f.Prefix)})
	}
	return frames
}

func TestScanner(t *testing.T) {
	stream := wire.AppendFrame(nil, []byte("one"))
	stream = wire.AppendFrame(stream, nil)
	stream = wire.AppendFrame(stream, []byte("a longer one"))
	want := []seen{{0, 3, "one"}, {7, 0, ""}, {11, 12, "a lo"}}

	t.Run("a frame longer than the prefix is reported by its first bytes", func(t *testing.T) {
		s := wire.NewScanner(4)
		if diff := cmp.Diff(want, scan(s, stream)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if s.InFrame() || s.Offset() != int64(len(stream)) || s.Err() != nil {
			t.Errorf("inside a frame: %v, offset %d of %d, error %v", s.InFrame(), s.Offset(), len(stream), s.Err())
		}
	})
	t.Run("it is reported as soon as the prefix is there, not when it ends", func(t *testing.T) {
		s := wire.NewScanner(4)
		if got := scan(s, stream[:19]); len(got) != 3 {
			t.Errorf("%d frames after the third one's fourth byte", len(got))
		}
		if !s.InFrame() {
			t.Error("the stream stands inside the third frame")
		}
		if got := scan(s, stream[19:]); got != nil {
			t.Errorf("its rest is no frame: %+v", got)
		}
		if s.InFrame() {
			t.Error("the third frame is over")
		}
	})
	t.Run("leaving the loop early keeps the framing", func(t *testing.T) {
		s := wire.NewScanner(4)
		for range s.Frames(stream) {
			break
		}
		if got := scan(s, wire.AppendFrame(nil, []byte("on"))); len(got) != 1 || got[0].Prefix != "on" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a cut off frame shows", func(t *testing.T) {
		for cut := 1; cut < 7; cut++ {
			s := wire.NewScanner(4)
			if got := scan(s, stream[:cut]); got != nil || !s.InFrame() {
				t.Errorf("after %d bytes: %+v, inside a frame: %v", cut, got, s.InFrame())
			}
		}
	})
	t.Run("the longest frame a client accepts is a frame", func(t *testing.T) {
		s := wire.NewScanner(1)
		got := scan(s, binary.BigEndian.AppendUint32(nil, wire.MaxFrameBytes))
		got = append(got, scan(s, []byte("x"))...)
		if diff := cmp.Diff([]seen{{0, wire.MaxFrameBytes, "x"}}, got); diff != "" || s.Err() != nil {
			t.Errorf("error %v (-want +got):\n%s", s.Err(), diff)
		}
	})
	t.Run("a longer one ends the scan", func(t *testing.T) {
		s := wire.NewScanner(0)
		got := scan(s, append(wire.AppendFrame(nil, []byte("ok")), "HTTP/1.1 400 Bad Request"...))
		var long *wire.FrameTooLongError
		if len(got) != 1 || !errors.As(s.Err(), &long) {
			t.Fatalf("%d frames, error %v", len(got), s.Err())
		}
		if diff := cmp.Diff(&wire.FrameTooLongError{Length: 0x48545450, Offset: 6}, long); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := scan(s, stream); got != nil {
			t.Errorf("scanned on: %+v", got)
		}
	})
}

// The tap scans every byte of a busy session, so a frame must cost no garbage,
// whole or in pieces, short or far longer than the prefix.
func TestScannerAllocatesNothing(t *testing.T) {
	var stream []byte
	for range 100 {
		stream = wire.AppendError(stream, 213, wire.ErrorMessage{ID: -1, Code: 2104, Text: "x"})
		stream = wire.AppendNextValidID(stream, 213, 42)
	}
	stream = wire.AppendFrame(stream, make([]byte, 3*wire.DefaultPrefixBytes))
	s := wire.NewScanner(0)
	var notices, frames int
	allocs := testing.AllocsPerRun(20, func() {
		for i := 0; i < len(stream); i += 100 {
			for f := range s.Frames(stream[i:min(i+100, len(stream))]) {
				frames++
				if m, err := wire.ParseMessage(213, f); err == nil && m.ID == wire.IDError {
					notices++
				}
			}
		}
	})
	if frames != 21*201 || notices != 21*100 {
		t.Fatalf("%d frames, %d notices", frames, notices)
	}
	if allocs != 0 {
		t.Errorf("%v allocations for 201 frames", allocs)
	}
}

// Beside the scan, how long it takes only to read the same bytes.
func BenchmarkScanner(b *testing.B) {
	var stream []byte
	for range 1000 {
		stream = wire.AppendFrame(stream, []byte("1\x006\x001001\x001\x00187.25\x00300\x001\x00"))
	}
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		b.ReportAllocs()
		s := wire.NewScanner(0)
		frames := 0
		for b.Loop() {
			for f := range s.Frames(stream) {
				if m, err := wire.ParseMessage(176, f); err == nil {
					frames += m.ID
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(frames), "ns/frame")
	})
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		dst := make([]byte, len(stream))
		for b.Loop() {
			copy(dst, stream)
		}
	})
}

func FuzzFrames(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.hex), uint8(3), uint64(1))
	}
	f.Add(append(wire.AppendFrame(nil, make([]byte, 70)), 0xff, 0xff, 0xff, 0xff), uint8(16), uint64(2))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(0), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, prefix uint8, seed uint64) {
		whole := wire.NewScanner(int(prefix))
		want := scan(whole, data)
		split := wire.NewScanner(int(prefix))
		var got []seen
		for segment := range segments(data, seed) {
			got = append(got, scan(split, segment)...)
		}
		if !slices.Equal(want, got) { // cmp.Diff is slow on the many frames in a run of zeros
			diff := cmp.Diff(want, got)
			t.Fatalf("in pieces (-whole +pieces):\n%s", diff)
		}
		if split.InFrame() != whole.InFrame() || (split.Err() == nil) != (whole.Err() == nil) {
			t.Fatalf("inside a frame %v and %v, errors %v and %v", split.InFrame(), whole.InFrame(), split.Err(), whole.Err())
		}
		// Independently: the frames lie back to back and hold the stream's bytes.
		at := int64(0)
		for _, f := range want {
			if f.Offset != at || int(binary.BigEndian.Uint32(data[at:])) != f.Length {
				t.Fatalf("frame at %d of %d bytes, expected it at %d", f.Offset, f.Length, at)
			}
			if !bytes.HasPrefix(data[at+4:], []byte(f.Prefix)) {
				t.Fatalf("frame at %d: prefix %q", at, f.Prefix)
			}
			at += 4 + int64(f.Length)
		}
	})
}
