package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"ibrecorder/internal/wire"
)

func TestWhatIsNoHello(t *testing.T) {
	magic := func(length uint32, text string) string {
		return string(binary.BigEndian.AppendUint32([]byte(wire.Magic), length)) + text
	}
	for _, test := range []struct {
		name, bytes string
		reason      error
		kind        wire.Kind
	}{
		{"a redial without a handshake starts with a frame", "\x00\x00\x00\x0549\x001\x00", wire.ErrNoMagic, wire.KindFrame},
		{"a client from before server 100 starts with digits", "63\x00", wire.ErrNoMagic, wire.KindLegacy},
		{"a health check speaks HTTP", "GET / HTTP/1.1\r\n", wire.ErrNoMagic, wire.KindHTTP},
		{"one letter of HTTP is enough", "G", wire.ErrNoMagic, wire.KindHTTP},
		{"a TLS client", "\x16\x03\x01\x02\x00", wire.ErrNoMagic, wire.KindTLS},
		{"something else", "hello?", wire.ErrNoMagic, wire.KindOther},
		{"the magic without its NUL", "API v100", wire.ErrNoMagic, wire.KindOther},
		{"an empty text", magic(0, ""), wire.ErrHelloLength, wire.KindHello},
		{"a text above the bound, refused before it arrives", magic(65, ""), wire.ErrHelloLength, wire.KindHello},
		{"a text without a v", magic(8, "100..225"), wire.ErrHelloText, wire.KindHello},
		{"a version with one dot", magic(8, "v100.200"), wire.ErrHelloText, wire.KindHello},
		{"a signed version", magic(5, "v+100"), wire.ErrHelloText, wire.KindHello},
		{"a range without an end", magic(6, "v100.."), wire.ErrHelloText, wire.KindHello},
		{"a range that ends before it starts", magic(9, "v225..100"), wire.ErrHelloText, wire.KindHello},
		{"a number too large to be a version", magic(11, "v9999999999"), wire.ErrHelloText, wire.KindHello},
		{"options without a space", magic(13, "v100..225+PAC"), wire.ErrHelloText, wire.KindHello},
		{"a line break in the options", magic(7, "v100 \nx"), wire.ErrHelloText, wire.KindHello},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p wire.HelloParser
			if _, state := p.Feed([]byte(test.bytes)); state != wire.HelloInvalid {
				t.Fatalf("state %v, hello %+v", state, p.Hello())
			}
			var herr *wire.HelloError
			if !errors.As(p.Err(), &herr) || !errors.Is(p.Err(), test.reason) {
				t.Fatalf("error %v, want reason %v", p.Err(), test.reason)
			}
			if herr.Kind != test.kind {
				t.Errorf("kind %q, want %q", herr.Kind, test.kind)
			}
			if n, _ := p.Feed([]byte("more")); n != 0 {
				t.Errorf("consumed %d bytes after its decision", n)
			}
		})
	}
}

func TestAHelloInPiecesNeedsMore(t *testing.T) {
	hello := wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})
	var p wire.HelloParser
	for i := range hello {
		if state := p.State(); state != wire.HelloNeedMore {
			t.Fatalf("after %d of %d bytes: %v, %v", i, len(hello), state, p.Err())
		}
		if n, _ := p.Feed(hello[i : i+1]); n != 1 {
			t.Fatalf("byte %d: consumed %d", i, n)
		}
	}
	if p.State() != wire.HelloComplete || !bytes.Equal(p.Bytes(), hello) {
		t.Errorf("state %v, bytes %q", p.State(), p.Bytes())
	}
}

func TestNegotiate(t *testing.T) {
	for _, test := range []struct {
		name    string
		hello   wire.Hello
		own     int
		version int
		ok      bool
	}{
		{"the server is older than the client's newest", wire.Hello{Min: 100, Max: 225}, 176, 176, true},
		{"the client's newest is older than the server", wire.Hello{Min: 157, Max: 178}, 213, 178, true},
		{"the server is too old for the client", wire.Hello{Min: 213, Max: 225}, 203, 203, false},
		{"below the oldest framed server", wire.Hello{Min: 38, Max: 99}, 176, 99, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			version, ok := test.hello.Negotiate(test.own)
			if version != test.version || ok != test.ok {
				t.Errorf("got %d, %v; want %d, %v", version, ok, test.version, test.ok)
			}
			if ok && !test.hello.Accepts(version) {
				t.Errorf("negotiated %d, which %+v does not accept", version, test.hello)
			}
		})
	}
}

// helloText is the form that the recorder forwards; the parser is stricter only
// where a number has no meaning as a version.
var helloText = regexp.MustCompile(`^v(\d+)(\.\.(\d+))?( .*)?$`)

func FuzzHello(f *testing.F) {
	for _, seed := range []string{
		"v100..225", "v100..225 +PACEAPI", "v176", "v100..", "v225..100", "v100.200", "v1 \n", "v1 \x00\xff", "",
	} {
		f.Add(wire.AppendFrame([]byte(wire.Magic), []byte(seed)), uint64(1))
	}
	f.Add([]byte("GET / HTTP/1.1"), uint64(2))
	f.Add([]byte("63\x00"), uint64(3))
	f.Add([]byte("\x00\x00\x00\x0549\x001\x00"), uint64(4))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		var whole wire.HelloParser
		n, state := whole.Feed(data)

		var split wire.HelloParser
		consumed := 0
		for segment := range segments(data, seed) {
			k, _ := split.Feed(segment)
			consumed += k
			if k < len(segment) {
				break
			}
		}
		if split.State() != state || split.Hello() != whole.Hello() || split.TotalBytes() != whole.TotalBytes() {
			t.Fatalf("in pieces %v %+v, whole %v %+v", split.State(), split.Hello(), state, whole.Hello())
		}
		switch state {
		case wire.HelloComplete:
			if consumed != n || n != whole.TotalBytes() {
				t.Fatalf("consumed %d in pieces, %d whole, of %d", consumed, n, whole.TotalBytes())
			}
			text := data[8:n]
			if !helloText.Match(text) {
				t.Fatalf("accepted %q", text)
			}
			var again wire.HelloParser
			if _, state := again.Feed(wire.AppendHello(nil, whole.Hello())); state != wire.HelloComplete || again.Hello() != whole.Hello() {
				t.Fatalf("%+v does not survive encoding: %v", whole.Hello(), again.Err())
			}
		case wire.HelloInvalid:
			if errors.Is(whole.Err(), wire.ErrHelloText) {
				text := string(data[8:whole.TotalBytes()])
				if m := helloText.FindStringSubmatch(text); m != nil && len(m[1]) <= 9 && m[3] == "" {
					t.Fatalf("refused %q", text)
				}
			}
			if strings.HasPrefix(string(data), wire.Magic) == errors.Is(whole.Err(), wire.ErrNoMagic) {
				t.Fatalf("%q: %v", data, whole.Err())
			}
		case wire.HelloNeedMore:
			if n != len(data) {
				t.Fatalf("needs more but left %d of %d bytes", len(data)-n, len(data))
			}
		}
	})
}

// segments cuts data at places drawn from seed. Segments may be empty.
func segments(data []byte, seed uint64) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		r := rand.New(rand.NewPCG(seed, 0))
		for len(data) > 0 {
			n := min(r.IntN(9), len(data))
			if r.IntN(8) == 0 {
				n = r.IntN(len(data) + 1)
			}
			if !yield(data[:n:n]) {
				return
			}
			data = data[n:]
		}
	}
}
