package wire_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/wire"
)

// A vector is one frame as unmodified client libraries were seen to send or to
// accept it: what it says, and its bytes with the length prefix.
type vector struct {
	name    string
	version int
	hex     string
	encode  func(dst []byte, version int) []byte
	decode  func(m wire.Message) (any, error)
	want    any
}

const errorTimeMS = 1767225600000

var vectors = []vector{
	startAPIVector("startAPI of client 7, text", 176, "00000008 3731 00 32 00 37 00 00", wire.StartAPI{ClientID: 7, HasClientID: true}),
	startAPIVector("startAPI of client 7, text, oldest framed server", 100, "00000008 3731 00 32 00 37 00 00", wire.StartAPI{ClientID: 7, HasClientID: true}),
	startAPIVector("startAPI of client 7, text, last of its kind", 200, "00000008 3731 00 32 00 37 00 00", wire.StartAPI{ClientID: 7, HasClientID: true}),
	startAPIVector("startAPI of client 7, raw id", 201, "00000009 00000047 32 00 37 00 00", wire.StartAPI{ClientID: 7, HasClientID: true}),
	startAPIVector("startAPI of client 7, raw id, last of its kind", 212, "00000009 00000047 32 00 37 00 00", wire.StartAPI{ClientID: 7, HasClientID: true}),
	startAPIVector("startAPI of client 7, protobuf", 213, "00000006 0000010f 08 07", wire.StartAPI{ClientID: 7, HasClientID: true}),
	startAPIVector("startAPI of client 0 is there, protobuf", 213, "00000006 0000010f 08 00", wire.StartAPI{HasClientID: true}),
	startAPIVector("startAPI without a client id is not client 0, protobuf", 213, "00000004 0000010f", wire.StartAPI{}),
	startAPIVector("startAPI without a client id is not client 0, text", 176, "00000007 3731 00 32 00 00 00", wire.StartAPI{}),
	startAPIVector("startAPI with capabilities, text", 176, "0000000a 3731 00 32 00 37 00 6162 00", wire.StartAPI{ClientID: 7, HasClientID: true, Capabilities: "ab"}),
	startAPIVector("startAPI with capabilities, protobuf", 225, "0000000a 0000010f 08 07 12 02 6162", wire.StartAPI{ClientID: 7, HasClientID: true, Capabilities: "ab"}),

	accountsVector("managedAccounts, text", 176, "0000000f 3135 00 31 00 445531323334353637 00"),
	accountsVector("managedAccounts, raw id", 201, "00000010 0000000f 31 00 445531323334353637 00"),
	accountsVector("managedAccounts, raw id, last of its kind", 206, "00000010 0000000f 31 00 445531323334353637 00"),
	accountsVector("managedAccounts, protobuf", 207, "0000000f 000000d7 0a 09 445531323334353637"),

	nextIDVector("nextValidId 42, text", 176, "00000007 39 00 31 00 3432 00"),
	nextIDVector("nextValidId 42, raw id", 203, "00000009 00000009 31 00 3432 00"),
	nextIDVector("nextValidId 42, protobuf", 213, "00000006 000000d1 08 2a"),

	errorVector("error 326, before the reject text", 165, "0000000d 34 00 32 00 2d31 00 333236 00 78 00", 0),
	errorVector("error 326, with the reject text", 166, "0000000e 34 00 32 00 2d31 00 333236 00 78 00 00", 0),
	errorVector("error 326, with the reject text, last of its kind", 193, "0000000e 34 00 32 00 2d31 00 333236 00 78 00 00", 0),
	errorVector("error 326, with the time", 194, "0000001a 34 00 2d31 00 333236 00 78 00 00 31373637323235363030303030 00", errorTimeMS),
	errorVector("error 326, raw id", 201, "0000001c 00000004 2d31 00 333236 00 78 00 00 31373637323235363030303030 00", errorTimeMS),
	errorVector("error 326, protobuf", 203, "0000001c 000000cc 08 ffffffffffffffffff01 10 80d0eab6b733 18 c602 22 0178", errorTimeMS),

	requestVector("reqCurrentTime, text", 200, "00000005 3439 00 31 00"),
	requestVector("reqCurrentTime, protobuf", 213, "00000004 000000f9"),
	timeVector("currentTime, text", 200, "00000010 3439 00 31 00 31373637323235363030 00"),
	timeVector("currentTime, protobuf", 213, "0000000a 000000f9 08 80f2d6ca06"),
}

func startAPIVector(name string, version int, hex string, s wire.StartAPI) vector {
	return vector{name, version, hex,
		func(dst []byte, v int) []byte { return wire.AppendStartAPI(dst, v, s) },
		func(m wire.Message) (any, error) { return m.StartAPI() }, s}
}

func accountsVector(name string, version int, hex string) vector {
	accounts := []string{"DU1234567"}
	return vector{name, version, hex,
		func(dst []byte, v int) []byte { return wire.AppendManagedAccounts(dst, v, accounts) },
		func(m wire.Message) (any, error) { return m.ManagedAccounts() }, accounts}
}

func nextIDVector(name string, version int, hex string) vector {
	return vector{name, version, hex,
		func(dst []byte, v int) []byte { return wire.AppendNextValidID(dst, v, 42) },
		func(m wire.Message) (any, error) { return m.NextValidID() }, 42}
}

func errorVector(name string, version int, hex string, timeMS int64) vector {
	sent := wire.ErrorMessage{ID: -1, Code: 326, Text: "x", TimeMS: errorTimeMS}
	got := sent
	got.TimeMS = timeMS
	return vector{name, version, hex,
		func(dst []byte, v int) []byte { return wire.AppendError(dst, v, sent) },
		func(m wire.Message) (any, error) { return m.ErrorMessage() }, got}
}

func requestVector(name string, version int, hex string) vector {
	return vector{name, version, hex, wire.AppendReqCurrentTime,
		func(m wire.Message) (any, error) { return m.ID, nil }, wire.IDReqCurrentTime}
}

func timeVector(name string, version int, hex string) vector {
	return vector{name, version, hex,
		func(dst []byte, v int) []byte { return wire.AppendCurrentTime(dst, v, 1767225600) },
		func(m wire.Message) (any, error) { return m.CurrentTime() }, int64(1767225600)}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("vector %q: %v", s, err)
	}
	return b
}

// onlyFrame scans b, which must hold exactly one frame.
func onlyFrame(t testing.TB, b []byte) wire.Frame {
	t.Helper()
	s := wire.NewScanner(0)
	var frames []wire.Frame
	for f := range s.Frames(b) {
		frames = append(frames, f)
	}
	if len(frames) != 1 || s.InFrame() || s.Err() != nil {
		t.Fatalf("%x: %d frames, inside one: %v, error: %v", b, len(frames), s.InFrame(), s.Err())
	}
	return frames[0]
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			want := unhex(t, v.hex)
			before := []byte("before")
			got := v.encode(before, v.version)
			if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(got[len(before):])); diff != "" {
				t.Errorf("encoding for server %d (-want +got):\n%s", v.version, diff)
			}
			m, err := wire.ParseMessage(v.version, onlyFrame(t, want))
			if err != nil {
				t.Fatalf("ParseMessage: %v", err)
			}
			decoded, err := v.decode(m)
			if err != nil {
				t.Fatalf("decoding: %v", err)
			}
			if diff := cmp.Diff(v.want, decoded); diff != "" {
				t.Errorf("decoding for server %d (-want +got):\n%s", v.version, diff)
			}
		})
	}
}

// Servers 201 to 212 mix raw ids with text and protobuf, so a message's form
// must follow from its id: here each form is read under a version whose own
// encoder would have used another.
func TestTheIDDecidesTheForm(t *testing.T) {
	for _, test := range []struct {
		name, hex string
		version   int
		protobuf  bool
	}{
		{"text startAPI to a server that would take protobuf", "00000009 00000047 32 00 37 00 00", 213, false},
		{"protobuf startAPI to a server in the mixed range", "00000006 0000010f 08 07", 205, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := wire.ParseMessage(test.version, onlyFrame(t, unhex(t, test.hex)))
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.StartAPI()
			if err != nil || s.ClientID != 7 || m.Protobuf != test.protobuf {
				t.Errorf("got %+v, protobuf %v, error %v", s, m.Protobuf, err)
			}
		})
	}
}

func TestHelloVectors(t *testing.T) {
	for _, test := range []struct {
		name, hex string
		hello     wire.Hello
	}{
		{"a range", "41504900 00000009 763130302e2e323235", wire.Hello{Min: 100, Max: 225}},
		{"a range with an option", "41504900 00000012 763130302e2e323235202b50414345415049", wire.Hello{Min: 100, Max: 225, Options: "+PACEAPI"}},
		{"a single version", "41504900 00000004 76313736", wire.Hello{Min: 176, Max: 176}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.hex)
			if diff := cmp.Diff(want, wire.AppendHello(nil, test.hello)); diff != "" {
				t.Errorf("encoding (-want +got):\n%s", diff)
			}
			var p wire.HelloParser
			n, state := p.Feed(append(want, "next"...))
			if state != wire.HelloComplete || n != len(want) || p.TotalBytes() != len(want) {
				t.Fatalf("consumed %d of %d, total %d, state %v, error %v", n, len(want), p.TotalBytes(), state, p.Err())
			}
			if diff := cmp.Diff(test.hello, p.Hello()); diff != "" {
				t.Errorf("decoding (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVersionReplyVectors(t *testing.T) {
	for _, test := range []struct {
		name, hex string
		reply     wire.VersionReply
	}{
		{"a version", "0000001a 31373600 32303236303930312030393a33303a303020455354 00",
			wire.VersionReply{Version: 176, ConnectionTime: "20260901 09:30:00 EST"}},
		{"a redirect", "00000008 2d3100 683a343100", wire.VersionReply{Version: -1, Redirect: "h:41"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := unhex(t, test.hex)
			if diff := cmp.Diff(want, wire.AppendVersionReply(nil, test.reply)); diff != "" {
				t.Errorf("encoding (-want +got):\n%s", diff)
			}
			got, err := wire.ParseVersionReply(onlyFrame(t, want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.reply, got); diff != "" {
				t.Errorf("decoding (-want +got):\n%s", diff)
			}
		})
	}
}
