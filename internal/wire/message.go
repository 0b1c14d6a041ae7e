package wire

import (
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
	ClientID     int  // any int32
	HasClientID  bool // false: the field was absent or empty, which is not client id 0
	Capabilities string
}

// StartAPI decodes a client's startAPI.
func (m Message) StartAPI() (StartAPI, error) {
	var s StartAPI
	if m.ID != IDStartAPI {
		return s, m.otherThan("startAPI")
	}
	if m.Protobuf {
		r := protoReader{b: m.Body}
		for r.next() {
			switch r.field {
			case 1:
				s.ClientID, s.HasClientID = int(int32(r.varint())), true
			case 2:
				s.Capabilities = string(r.bytes())
			}
		}
		return s, m.check("startAPI", r.err)
	}
	r := textReader{b: m.Body}
	r.text() // version of the message, 2
	if id := r.text(); len(id) > 0 {
		s.ClientID, s.HasClientID = int(r.int32(id)), true
	}
	if len(r.b) > 0 { // servers below 72 did not get this field
		s.Capabilities = string(r.text())
	}
	return s, m.check("startAPI", r.err)
}

// NextValidID decodes the server's nextValidId: the next free order id. It is
// int32 on the wire; -1 if a protobuf message leaves it out, as clients read it.
func (m Message) NextValidID() (int, error) {
	if m.ID != IDNextValidID {
		return 0, m.otherThan("nextValidId")
	}
	id := -1
	if m.Protobuf {
		r := protoReader{b: m.Body}
		for r.next() {
			if r.field == 1 {
				id = int(int32(r.varint()))
			}
		}
		return id, m.check("nextValidId", r.err)
	}
	r := textReader{b: m.Body}
	r.text() // version of the message, 1
	id = int(r.int32(r.text()))
	return id, m.check("nextValidId", r.err)
}

// ManagedAccounts decodes the server's list of account ids, which the caller
// must redact before it stores or prints anything. Empty entries are dropped.
// A list longer than the Scanner's prefix is an error.
func (m Message) ManagedAccounts() ([]string, error) {
	if m.ID != IDManagedAccounts {
		return nil, m.otherThan("managedAccounts")
	}
	var list []byte
	if m.Protobuf {
		r := protoReader{b: m.Body}
		for r.next() {
			if r.field == 1 {
				list = r.bytes()
			}
		}
		if err := m.check("managedAccounts", r.err); err != nil {
			return nil, err
		}
	} else {
		r := textReader{b: m.Body}
		r.text() // version of the message, 1
		list = r.text()
		if err := m.check("managedAccounts", r.err); err != nil {
			return nil, err
		}
	}
	var accounts []string
	for account := range strings.SplitSeq(string(list), ",") {
		if account != "" {
			accounts = append(accounts, account)
		}
	}
	return accounts, nil
}

// ErrorMessage is an error or a notice of the server.
type ErrorMessage struct {
	ID   int    // of the request it answers; -1 if of none
	Code int    // IB's number
	Text string // as sent; from server 153 on some are \uXXXX-escaped
	// TimeMS is the server's errorTime in Unix milliseconds; 0 if it sent none,
	// as servers below 194 do.
	TimeMS int64
	// Truncated: Text ends early, because the frame did or the Scanner's prefix.
	Truncated bool
}

// ErrorMessage decodes the server's error message in any of its five layouts.
// The advanced reject text, which describes an order, is not looked at. Id and
// code must be there; a message cut off after them is not an error.
func (m Message) ErrorMessage() (ErrorMessage, error) {
	var e ErrorMessage
	if m.ID != IDError {
		return e, m.otherThan("error")
	}
	if m.Protobuf {
		r := protoReader{b: m.Body}
		hasCode := false
		for r.next() {
			switch r.field {
			case 1:
				e.ID = int(int32(r.varint()))
			case 2:
				e.TimeMS = int64(r.varint())
			case 3:
				e.Code, hasCode = int(int32(r.varint())), true
			case 4:
				e.Text = string(r.bytes())
			}
		}
		if hasCode && m.partial && errors.Is(r.err, errShort) {
			if r.field == 4 {
				e.Text = string(r.b)
			}
			r.err = nil
		}
		e.Truncated = m.partial
		return e, m.check("error", r.err)
	}
	r := textReader{b: m.Body}
	if m.version < versionErrorTime {
		r.text() // version of the message, 2
	}
	e.ID = int(r.int32(r.text()))
	e.Code = int(r.int32(r.text()))
	if r.err != nil {
		return ErrorMessage{}, m.check("error", r.err)
	}
	e.Text = string(r.text())
	if r.err != nil {
		e.Text, e.Truncated = string(r.b), true
		return e, nil
	}
	if m.version >= versionRejectJSON {
		r.text()
	}
	if m.version >= versionErrorTime {
		if at, err := strconv.ParseInt(string(r.text()), 10, 64); err == nil {
			e.TimeMS = at
		}
	}
	e.Truncated = m.partial
	return e, nil
}

// CurrentTime decodes the server's clock, in Unix seconds; 0 if a protobuf
// message leaves it out. In a client's direction the same id is the request,
// which has nothing to decode.
func (m Message) CurrentTime() (int64, error) {
	if m.ID != IDCurrentTime {
		return 0, m.otherThan("currentTime")
	}
	var unix int64
	if m.Protobuf {
		r := protoReader{b: m.Body}
		for r.next() {
			if r.field == 1 {
				unix = int64(r.varint())
			}
		}
		return unix, m.check("currentTime", r.err)
	}
	r := textReader{b: m.Body}
	r.text() // version of the message, 1
	unix = r.int(r.text(), 64)
	return unix, m.check("currentTime", r.err)
}

func (m Message) otherThan(name string) error {
	return fmt.Errorf("%w: id %d is not %s", ErrOtherMessage, m.ID, name)
}

func (m Message) check(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
}
