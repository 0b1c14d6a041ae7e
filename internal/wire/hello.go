package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// Magic is what a client of a framed server (version 100 and up) sends first.
// It is the only thing on the wire that has no length prefix.
const Magic = "API\x00"

const (
	// MaxHelloTextBytes bounds the version text. Known clients send 9 bytes, 18
	// with the one known option; the bound keeps a stray client from making
	// anybody wait for more.
	MaxHelloTextBytes = 64
	// MinServerVersion is the oldest server that speaks this framing.
	MinServerVersion = 100

	maxHelloBytes = len(Magic) + headerBytes + MaxHelloTextBytes
)

// Why bytes are not a hello. A *HelloError wraps one of them.
var (
	// ErrNoMagic: the first four bytes are not Magic.
	ErrNoMagic = errors.New("no API magic")
	// ErrHelloLength: the announced length is zero or above MaxHelloTextBytes.
	ErrHelloLength = errors.New("hello length out of range")
	// ErrHelloText: the text is not v<n> or v<min>..<max>, with options after a space.
	ErrHelloText = errors.New("malformed hello text")
)

// HelloError says why a connection's first bytes are not a hello.
type HelloError struct {
	Reason error  // ErrNoMagic, ErrHelloLength or ErrHelloText
	Kind   Kind   // what the bytes look like instead
	First  []byte // the bytes seen up to then, at most 72
}

func (e *HelloError) Error() string {
	return fmt.Sprintf("wire: not a hello: %v (%s, first bytes %x)", e.Reason, e.Kind, e.First[:min(len(e.First), 16)])
}

func (e *HelloError) Unwrap() error { return e.Reason }

// Hello is what a client offers.
type Hello struct {
	Min, Max int    // server versions that the client understands; equal in the form v<n>
	Options  string // after the first space, verbatim; the only known one is +PACEAPI
}

// Text is the version text: v<min>..<max>, or v<n> if both are the same, as the
// Java client writes it.
func (h Hello) Text() string { return string(h.appendText(nil)) }

func (h Hello) appendText(dst []byte) []byte {
	dst = append(dst, 'v')
	dst = strconv.AppendInt(dst, int64(h.Min), 10)
	if h.Max != h.Min {
		dst = append(dst, '.', '.')
		dst = strconv.AppendInt(dst, int64(h.Max), 10)
	}
	if h.Options != "" {
		dst = append(dst, ' ')
		dst = append(dst, h.Options...)
	}
	return dst
}

// AppendHello appends the client's first bytes. It does not validate.
func AppendHello(dst []byte, h Hello) []byte {
	dst, mark := beginFrame(append(dst, Magic...))
	return endFrame(h.appendText(dst), mark)
}

// Accepts reports whether version lies in the offered range.
func (h Hello) Accepts(version int) bool { return h.Min <= version && version <= h.Max }

// Negotiate is the version that a server of the given own version answers with:
// the smaller of its own and the client's highest. False if that is below what
// the client understands or below MinServerVersion; a server then closes.
func (h Hello) Negotiate(own int) (version int, ok bool) {
	version = min(own, h.Max)
	return version, version >= max(h.Min, MinServerVersion)
}

// parseHelloText parses the version text of a hello, without magic and length.
// It accepts ^v\d+(\.\.\d+)?( .*)?$ of at most MaxHelloTextBytes whose numbers
// have at most nine digits and are in order. The error wraps ErrHelloLength or
// ErrHelloText.
func parseHelloText(text []byte) (Hello, error) {
	if len(text) == 0 || len(text) > MaxHelloTextBytes {
		return Hello{}, fmt.Errorf("%w: %d bytes, allowed are 1 to %d", ErrHelloLength, len(text), MaxHelloTextBytes)
	}
	bad := func() (Hello, error) { return Hello{}, fmt.Errorf("%w: %q", ErrHelloText, text) }
	versions, options, hasOptions := bytes.Cut(text, []byte{' '})
	if hasOptions && bytes.IndexByte(options, '\n') >= 0 {
		return bad()
	}
	versions, ok := bytes.CutPrefix(versions, []byte{'v'})
	if !ok {
		return bad()
	}
	low, high, isRange := bytes.Cut(versions, []byte(".."))
	if !isRange {
		high = low
	}
	h := Hello{Options: string(options)}
	var okMin, okMax bool
	h.Min, okMin = parseVersionNumber(low)
	h.Max, okMax = parseVersionNumber(high)
	if !okMin || !okMax || h.Min > h.Max {
		return bad()
	}
	return h, nil
}

// parseVersionNumber takes digits only: strconv would also take a sign.
func parseVersionNumber(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// HelloState is how far a HelloParser has come.
type HelloState int

const (
	HelloNeedMore HelloState = iota // what came so far may become a hello
	HelloComplete                   // see Hello and TotalBytes
	HelloInvalid                    // see Err
)

func (s HelloState) String() string {
	switch s {
	case HelloNeedMore:
		return "need more"
	case HelloComplete:
		return "complete"
	default:
		return "invalid"
	}
}

// HelloParser reads a client's first bytes as they arrive. The zero value is
// ready. It decides as early as the bytes allow: at the first byte that is not
// the magic's, at the length, at the end of the text. It is for one goroutine.
type HelloParser struct {
	buf   [maxHelloBytes]byte
	n     int
	total int // bytes of the whole hello, once the length is known
	state HelloState
	hello Hello
	err   error
}

// Feed consumes bytes of segment and returns how many of them belong to the
// hello; those after a complete hello are the client's first frames. Once the
// state is final it consumes nothing.
func (p *HelloParser) Feed(segment []byte) (n int, state HelloState) {
	if p.state != HelloNeedMore {
		return 0, p.state
	}
	if p.n < len(Magic)+headerBytes {
		n = p.take(segment, len(Magic)+headerBytes)
		if got := min(p.n, len(Magic)); !bytes.Equal(p.buf[:got], []byte(Magic[:got])) {
			// A stray client's description gets better with every byte that came along.
			n += p.take(segment[n:], maxHelloBytes)
			return n, p.fail(ErrNoMagic)
		}
		if p.n < len(Magic)+headerBytes {
			return n, p.state
		}
		length := binary.BigEndian.Uint32(p.buf[len(Magic):])
		if length == 0 || length > MaxHelloTextBytes {
			return n, p.fail(fmt.Errorf("%w: %d bytes, allowed are 1 to %d", ErrHelloLength, length, MaxHelloTextBytes))
		}
		p.total = len(Magic) + headerBytes + int(length)
	}
	n += p.take(segment[n:], p.total)
	if p.n < p.total {
		return n, p.state
	}
	h, err := parseHelloText(p.buf[len(Magic)+headerBytes : p.total])
	if err != nil {
		return n, p.fail(err)
	}
	p.hello, p.state = h, HelloComplete
	return n, p.state
}

// take copies bytes until upTo are in the buffer.
func (p *HelloParser) take(segment []byte, upTo int) int {
	n := copy(p.buf[p.n:upTo], segment)
	p.n += n
	return n
}

func (p *HelloParser) fail(reason error) HelloState {
	first := bytes.Clone(p.buf[:p.n])
	p.state, p.err = HelloInvalid, &HelloError{Reason: reason, Kind: Describe(first), First: first}
	return p.state
}

// State is the state after the last Feed.
func (p *HelloParser) State() HelloState { return p.state }

// Hello is the parsed hello, once the state is HelloComplete.
func (p *HelloParser) Hello() Hello { return p.hello }

// TotalBytes is the length of the complete hello, magic and length included;
// 0 while it is unknown.
func (p *HelloParser) TotalBytes() int { return p.total }

// Bytes are the bytes consumed so far, the hello itself once it is complete.
// They are valid until the next Feed.
func (p *HelloParser) Bytes() []byte { return p.buf[:p.n] }

// Err is a *HelloError once the state is HelloInvalid, else nil.
func (p *HelloParser) Err() error { return p.err }
