package wire

import (
	"encoding/binary"
	"fmt"
	"iter"
)

const (
	// MaxFrameBytes is the longest payload that clients accept, 16 MiB - 1.
	MaxFrameBytes = 0xFFFFFF
	// DefaultPrefixBytes is how much of a frame a Scanner keeps unless told
	// otherwise: enough for every handshake message, with room for the account
	// list of an adviser with hundreds of accounts.
	DefaultPrefixBytes = 4096

	headerBytes = 4
)

// FrameTooLongError says that a frame header announced more than MaxFrameBytes.
// No client would accept such a frame, so the stream is not IB's protocol (the
// letters "HTTP" read as a length are 1.2 GB) or it has lost its framing.
type FrameTooLongError struct {
	Length uint32 // announced payload length in bytes
	Offset int64  // position of the frame header in the stream, in bytes
}

func (e *FrameTooLongError) Error() string {
	return fmt.Sprintf("wire: frame at byte %d announces %d bytes, more than the %d a client accepts",
		e.Offset, e.Length, MaxFrameBytes)
}

// Frame is what a Scanner knows of one frame.
type Frame struct {
	// Offset is the position of the frame's header in the stream, in bytes.
	Offset int64
	// Length is the payload length in bytes, 0 to MaxFrameBytes, without the header.
	Length int
	// Prefix is the payload's first bytes: all of it, or as many as the
	// Scanner keeps. It is valid until the iteration goes on.
	Prefix []byte
}

// Complete reports whether Prefix is the whole payload.
func (f Frame) Complete() bool { return len(f.Prefix) == f.Length }

// Scanner finds the frames in one direction of a connection. Feed it segments
// as they arrive, however they are cut. It is for one goroutine.
//
// The server's direction is frames from its first byte on; the client's from
// the byte after the hello (see HelloParser).
type Scanner struct {
	limit  int
	buf    []byte // of limit bytes; holds a prefix that arrived in pieces
	have   int    // bytes of the prefix in buf
	head   [headerBytes]byte
	nhead  int   // bytes of the header in head
	length int   // payload length, once the header is complete
	skip   int   // payload bytes after the prefix still to pass
	offset int64 // bytes consumed
	err    error
}

// NewScanner returns a Scanner that keeps the first prefixBytes of a frame,
// DefaultPrefixBytes if that is not positive.
func NewScanner(prefixBytes int) *Scanner {
	if prefixBytes <= 0 {
		prefixBytes = DefaultPrefixBytes
	}
	return &Scanner{limit: prefixBytes, buf: make([]byte, prefixBytes)}
}

// Frames consumes segment and yields the frames that it brings to notice: a
// frame no longer than the prefix when its last byte has arrived, a longer one
// as soon as its prefix has. Leaving the loop early loses the segment's other
// frames but not the framing. After an error nothing is yielded; see Err.
func (s *Scanner) Frames(segment []byte) iter.Seq[Frame] {
	return func(yield func(Frame) bool) {
		wanted := true
		for {
			var f Frame
			var ok bool
			if f, segment, ok = s.next(segment); !ok {
				return
			}
			wanted = wanted && yield(f)
		}
	}
}

// Err is the error that ended scanning, a *FrameTooLongError, or nil.
func (s *Scanner) Err() error { return s.err }

// Offset is the number of stream bytes consumed so far.
func (s *Scanner) Offset() int64 { return s.offset }

// InFrame reports whether the stream stands inside a frame: if it ends now, the
// last frame is cut off.
func (s *Scanner) InFrame() bool { return s.nhead > 0 || s.skip > 0 }

// next consumes b up to the next frame that can be reported.
func (s *Scanner) next(b []byte) (f Frame, rest []byte, ok bool) {
	if s.err != nil {
		return Frame{}, nil, false
	}
	if s.skip > 0 {
		n := min(s.skip, len(b))
		s.skip -= n
		s.offset += int64(n)
		b = b[n:]
	}
	if s.nhead < headerBytes {
		n := copy(s.head[s.nhead:], b)
		s.nhead += n
		s.offset += int64(n)
		b = b[n:]
		if s.nhead < headerBytes {
			return Frame{}, nil, false
		}
		length := binary.BigEndian.Uint32(s.head[:])
		if length > MaxFrameBytes {
			s.err = &FrameTooLongError{Length: length, Offset: s.offset - headerBytes}
			return Frame{}, nil, false
		}
		s.length = int(length)
	}
	want := min(s.length, s.limit)
	var prefix []byte
	if s.have == 0 && len(b) >= want { // the usual case: nothing to copy
		prefix, b = b[:want:want], b[want:]
		s.offset += int64(want)
	} else {
		n := copy(s.buf[s.have:want], b)
		s.have += n
		s.offset += int64(n)
		b = b[n:]
		if s.have < want {
			return Frame{}, nil, false
		}
		prefix = s.buf[:want:want]
	}
	f = Frame{Offset: s.offset - int64(want) - headerBytes, Length: s.length, Prefix: prefix}
	s.skip = s.length - want
	s.nhead, s.have = 0, 0
	return f, b, true
}

// AppendFrame appends payload as one frame. A payload longer than MaxFrameBytes
// panics: that is a mistake in this program, no input leads here.
func AppendFrame(dst, payload []byte) []byte {
	dst, mark := beginFrame(dst)
	return endFrame(append(dst, payload...), mark)
}

// beginFrame leaves room for the header; endFrame fills it in.
func beginFrame(dst []byte) (grown []byte, mark int) {
	return append(dst, 0, 0, 0, 0), len(dst)
}

func endFrame(dst []byte, mark int) []byte {
	n := len(dst) - mark - headerBytes
	if n > MaxFrameBytes {
		panic(fmt.Sprintf("wire: frame of %d bytes", n))
	}
	binary.BigEndian.PutUint32(dst[mark:], uint32(n))
	return dst
}
