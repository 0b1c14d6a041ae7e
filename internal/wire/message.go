package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Message ids of the handshake and of the connectivity messages. Each direction
// counts for itself; in protobuf form 200 is added on the wire, never here.
const (
	IDError           = 4  // server: error or notice
	IDNextValidID     = 9  // server: one half of ready
	IDManagedAccounts = 15 // server: the other half
	IDCurrentTime     = 49 // server: the answer to IDReqCurrentTime
	IDReqCurrentTime  = 49 // client
	IDStartAPI        = 71 // client

	protobufOffset = 200
)

var (
	// ErrMalformed: a message's bytes do not have the form that its id and the
	// server version demand.
	ErrMalformed = errors.New("wire: malformed message")
	// ErrOtherMessage: a message was asked for that this one is not.
	ErrOtherMessage = errors.New("wire: another message")
)

// Message is one message of either direction after the version reply.
type Message struct {
	ID       int    // without the protobuf offset
	Protobuf bool   // Body is protobuf, else text fields
	Body     []byte // what follows the id; part of the frame's prefix

	version int  // of the server
	partial bool // the frame goes on after Body
}

// ParseMessage reads the id of the message in f, sent under the given server
// version. It allocates nothing unless it fails; the error wraps ErrMalformed.
func ParseMessage(version int, f Frame) (Message, error) {
	m := Message{version: version, partial: !f.Complete()}
	if version >= versionRawID {
		if len(f.Prefix) < 4 {
			return Message{}, fmt.Errorf("%w: %d bytes are no message id", ErrMalformed, f.Length)
		}
		id := binary.BigEndian.Uint32(f.Prefix)
		if id > 1<<31-1 {
			return Message{}, fmt.Errorf("%w: message id %d", ErrMalformed, int32(id))
		}
		m.ID, m.Body = int(id), f.Prefix[4:]
	} else {
		field, rest, ok := cutField(f.Prefix)
		if !ok {
			return Message{}, fmt.Errorf("%w: no message id", ErrMalformed)
		}
		if m.ID, ok = parseVersionNumber(field); !ok {
			return Message{}, fmt.Errorf("%w: message id %.20q", ErrMalformed, field)
		}
		m.Body = rest
	}
	if m.ID >= protobufOffset {
		m.ID, m.Protobuf = m.ID-protobufOffset, true
	}
	return m, nil
}

// StartAPI is the client's answer to the version reply.
type StartAPI struct {
	ClientID     int  // 0 to 2^31-1; negative ones are legal on the wire
	HasClientID  bool // false: the field was absent or empty, which is not client id 0
	Capabilities string
}

// StartAPI decodes a client's startAPI.
func (m Message) StartAPI() (StartAPI, error) {
	if m.ID != IDStartAPI {
		return StartAPI{}, m.otherThan("startAPI")
	}
	var s StartAPI
	if m.Protobuf {
		for r := (protoReader{b: m.Body}); r.next(); {
			switch r.field {
			case 1:
				s.ClientID, s.HasClientID = int(r.int32()), true
			case 2:
				s.Capabilities = string(r.bytes())
			}
			if r.err != nil {
				return StartAPI{}, m.malformed("startAPI", r.err)
			}
		}
		return s, nil
	}
	r := textReader{b: m.Body}
	r.skip() // version of the message, 2
	if id := r.field(); len(id) > 0 {
		n, err := strconv.ParseInt(string(id), 10, 32)
		if err != nil {
			return StartAPI{}, m.malformed("startAPI", errors.New("client id is not a number"))
		}
		s.ClientID, s.HasClientID = int(n), true
	}
	if len(r.b) > 0 { // servers below 72 did not get this field
		s.Capabilities = string(r.field())
	}
	if r.err != nil {
		return StartAPI{}, m.malformed("startAPI", r.err)
	}
	return s, nil
}
