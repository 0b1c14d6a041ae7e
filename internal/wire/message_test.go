package wire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scmhub/ibapi/protobuf"
	"google.golang.org/protobuf/proto"

	"ibrecorder/internal/wire"
)

func TestMalformedMessages(t *testing.T) {
	startAPI := func(m wire.Message) error { _, err := m.StartAPI(); return err }
	nextID := func(m wire.Message) error { _, err := m.NextValidID(); return err }
	accounts := func(m wire.Message) error { _, err := m.ManagedAccounts(); return err }
	errorMsg := func(m wire.Message) error { _, err := m.ErrorMessage(); return err }
	clock := func(m wire.Message) error { _, err := m.CurrentTime(); return err }
	for _, test := range []struct {
		name    string
		version int
		payload string
		decode  func(wire.Message) error
	}{
		{"an empty frame", 176, "", nil},
		{"no NUL after the id", 176, "71", nil},
		{"an id that is no number", 176, "x\x00", nil},
		{"a raw id of three bytes", 201, "\x00\x00\x47", nil},
		{"a negative raw id", 201, "\xff\xff\xff\xff", nil},
		{"text startAPI without a client id field", 176, "71\x002\x00", startAPI},
		{"text startAPI whose client id is no number", 176, "71\x002\x00seven\x00\x00", startAPI},
		{"text startAPI whose client id is no int32", 176, "71\x002\x002147483648\x00\x00", startAPI},
		{"protobuf startAPI whose client id is text", 213, "\x00\x00\x01\x0f\x0a\x017", startAPI},
		{"protobuf that ends inside a varint", 213, "\x00\x00\x01\x0f\x08\x80", startAPI},
		{"protobuf whose varint has eleven bytes", 213, "\x00\x00\x01\x0f\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", startAPI},
		{"protobuf whose text is longer than the message", 207, "\x00\x00\x00\xd7\x0a\x09DU", accounts},
		{"protobuf with a group", 213, "\x00\x00\x00\xd1\x0b\x08\x2a\x0c", nextID},
		{"protobuf with field number zero", 213, "\x00\x00\x00\xd1\x00\x2a", nextID},
		{"nextValidId without its number", 176, "9\x001\x00", nextID},
		{"managedAccounts without its list", 176, "15\x001\x00", accounts},
		{"an error without a code", 176, "4\x002\x00-1\x00", errorMsg},
		{"an error whose code is no number", 176, "4\x002\x00-1\x00x\x00text\x00\x00", errorMsg},
		{"currentTime without a time", 176, "49\x001\x00", clock},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := wire.ParseMessage(test.version, onlyFrame(t, wire.AppendFrame(nil, []byte(test.payload))))
			if test.decode != nil {
				if err != nil {
					t.Fatalf("ParseMessage: %v", err)
				}
				err = test.decode(m)
			}
			if !errors.Is(err, wire.ErrMalformed) {
				t.Errorf("error %v, want ErrMalformed", err)
			}
		})
	}
}

func TestAMessageIsNotAnother(t *testing.T) {
	m, err := wire.ParseMessage(176, onlyFrame(t, wire.AppendNextValidID(nil, 176, 1)))
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := m.StartAPI()
	_, err2 := m.ManagedAccounts()
	_, err3 := m.ErrorMessage()
	_, err4 := m.CurrentTime()
	for _, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, wire.ErrOtherMessage) {
			t.Errorf("error %v, want ErrOtherMessage", err)
		}
	}
}

func TestUnknownProtobufFieldsAreSkipped(t *testing.T) {
	payload := "\x00\x00\x01\x0f" +
		"\x20\x96\x01" + // field 4, varint
		"\x29\x01\x02\x03\x04\x05\x06\x07\x08" + // field 5, eight bytes
		"\x08\x07" + // field 1: client id
		"\x32\x03abc" + // field 6, text
		"\x3d\x01\x02\x03\x04" // field 7, four bytes
	m, err := wire.ParseMessage(213, onlyFrame(t, wire.AppendFrame(nil, []byte(payload))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.StartAPI()
	if diff := cmp.Diff(wire.StartAPI{ClientID: 7, HasClientID: true}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// The code of an error decides what a recorder does; a text that does not fit
// into the prefix must not hide it.
func TestALongErrorKeepsItsCode(t *testing.T) {
	for _, version := range []int{165, 176, 194, 201, 213} {
		long := wire.AppendError(nil, version, wire.ErrorMessage{ID: -1, Code: 10141, Text: strings.Repeat("x", 5000)})
		s := wire.NewScanner(64)
		found := false
		for f := range s.Frames(long) {
			m, err := wire.ParseMessage(version, f)
			if err != nil {
				t.Fatal(err)
			}
			e, err := m.ErrorMessage()
			if err != nil || e.Code != 10141 || e.ID != -1 || !e.Truncated || strings.Trim(e.Text, "x") != "" || len(e.Text) < 30 {
				t.Errorf("server %d: %+v, error %v", version, e, err)
			}
			found = true
		}
		if !found {
			t.Errorf("server %d: no frame", version)
		}
	}
}

func TestEmptyAccountsAreDropped(t *testing.T) {
	m, err := wire.ParseMessage(176, onlyFrame(t, wire.AppendManagedAccounts(nil, 176, []string{"DU1", "", "DU2", ""})))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.ManagedAccounts()
	if diff := cmp.Diff([]string{"DU1", "DU2"}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestBadVersionReplies(t *testing.T) {
	for _, test := range []struct{ name, payload string }{
		{"nothing", ""},
		{"one field, which would crash a client", "176\x00"},
		{"no NUL at the end", "176\x00now"},
		{"three fields", "176\x00now\x00more\x00"},
		{"a version that is no number", "banana\x00now\x00"},
		{"a negative version that is not the redirect", "-2\x00now\x00"},
		{"longer than the prefix", "176\x00" + strings.Repeat("x", wire.DefaultPrefixBytes) + "\x00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if r, err := wire.ParseVersionReply(onlyFrame(t, wire.AppendFrame(nil, []byte(test.payload)))); !errors.Is(err, wire.ErrBadVersion) {
				t.Errorf("got %+v, error %v; want ErrBadVersion", r, err)
			}
		})
	}
}

// The codec is written by hand; a client library's generated code has to read
// what it writes and write what it reads, byte for byte.
func TestProtobufAgreesWithGeneratedCode(t *testing.T) {
	const version = 225
	body := func(frame []byte) []byte { return frame[8:] } // after length and raw id
	for _, test := range []struct {
		name  string
		frame []byte
		into  proto.Message
		want  proto.Message
	}{
		{"startAPI", wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: 0, HasClientID: true, Capabilities: "+PACEAPI"}),
			&protobuf.StartApiRequest{}, &protobuf.StartApiRequest{ClientId: proto.Int32(0), OptionalCapabilities: proto.String("+PACEAPI")}},
		{"startAPI of a negative client id", wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: -5, HasClientID: true}),
			&protobuf.StartApiRequest{}, &protobuf.StartApiRequest{ClientId: proto.Int32(-5)}},
		{"managedAccounts", wire.AppendManagedAccounts(nil, version, []string{"DU1", "DU2"}),
			&protobuf.ManagedAccounts{}, &protobuf.ManagedAccounts{AccountsList: proto.String("DU1,DU2")}},
		{"nextValidId", wire.AppendNextValidID(nil, version, 1<<31-1),
			&protobuf.NextValidId{}, &protobuf.NextValidId{OrderId: proto.Int32(1<<31 - 1)}},
		{"error", wire.AppendError(nil, version, wire.ErrorMessage{ID: -1, Code: 2104, Text: "farm ok: é", TimeMS: errorTimeMS}),
			&protobuf.ErrorMessage{}, &protobuf.ErrorMessage{Id: proto.Int32(-1), ErrorTime: proto.Int64(errorTimeMS), ErrorCode: proto.Int32(2104), ErrorMsg: proto.String("farm ok: é")}},
		{"currentTime", wire.AppendCurrentTime(nil, version, 1767225600),
			&protobuf.CurrentTime{}, &protobuf.CurrentTime{CurrentTime: proto.Int64(1767225600)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := proto.Unmarshal(body(test.frame), test.into); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(test.want, test.into) {
				t.Errorf("read %v, want %v", test.into, test.want)
			}
			written, err := proto.MarshalOptions{Deterministic: true}.Marshal(test.want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(written, body(test.frame)); diff != "" {
				t.Errorf("bytes (-generated +ours):\n%s", diff)
			}
		})
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.hex)[4:], uint16(v.version), uint16(4096))
		f.Add(unhex(f, v.hex)[4:], uint16(v.version), uint16(6))
	}
	f.Add([]byte("176\x0020260901 09:30:00 EST\x00"), uint16(0), uint16(64))
	f.Fuzz(func(t *testing.T, payload []byte, version, prefix uint16) {
		s := wire.NewScanner(int(prefix))
		for frame := range s.Frames(wire.AppendFrame(nil, payload)) {
			if reply, err := wire.ParseVersionReply(frame); err == nil && reply.Version != -1 {
				var again wire.VersionReply
				for f := range wire.NewScanner(0).Frames(wire.AppendVersionReply(nil, reply)) {
					again, err = wire.ParseVersionReply(f)
				}
				if err != nil || again != reply {
					t.Fatalf("%+v became %+v, error %v", reply, again, err)
				}
			}
			m, err := wire.ParseMessage(int(version), frame)
			if err != nil {
				continue
			}
			// Whatever decodes survives an encoding for the same version.
			again := func(b []byte) wire.Message {
				for f := range wire.NewScanner(len(b)).Frames(b) {
					if m, err := wire.ParseMessage(int(version), f); err == nil {
						return m
					}
				}
				t.Fatalf("cannot read back %x", b)
				return wire.Message{}
			}
			// (A NUL inside a protobuf string has no form as text.)
			if bytes.IndexByte(m.Body, 0) >= 0 && m.Protobuf && version < 213 {
				continue
			}
			if v, err := m.StartAPI(); err == nil {
				if got, err := again(wire.AppendStartAPI(nil, int(version), v)).StartAPI(); err != nil || got != v {
					t.Fatalf("%+v became %+v, error %v", v, got, err)
				}
			}
			if v, err := m.NextValidID(); err == nil {
				if got, err := again(wire.AppendNextValidID(nil, int(version), v)).NextValidID(); err != nil || got != v {
					t.Fatalf("%d became %d, error %v", v, got, err)
				}
			}
			if v, err := m.ManagedAccounts(); err == nil {
				if got, err := again(wire.AppendManagedAccounts(nil, int(version), v)).ManagedAccounts(); err != nil || cmp.Diff(v, got) != "" {
					t.Fatalf("%q became %q, error %v", v, got, err)
				}
			}
			if v, err := m.CurrentTime(); err == nil {
				if got, err := again(wire.AppendCurrentTime(nil, int(version), v)).CurrentTime(); err != nil || got != v {
					t.Fatalf("%d became %d, error %v", v, got, err)
				}
			}
			if v, err := m.ErrorMessage(); err == nil {
				got, err := again(wire.AppendError(nil, int(version), v)).ErrorMessage()
				v.Truncated = false
				if version < 194 {
					v.TimeMS = 0
				}
				if err != nil || got != v {
					t.Fatalf("%+v became %+v, error %v", v, got, err)
				}
			}
		}
	})
}
