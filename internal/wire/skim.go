package wire

import (
	"encoding/binary"
	"errors"
)

// skimBytes is how much of a message a Skimmer looks at: the id and the code of the
// longest form, protobuf with its time, end before byte 32.
const skimBytes = 64

// Skimmer finds the error messages in the server's direction of a running session,
// and of them only the request's id and the code. It is leaner than a Scanner: a
// frame that is none costs its header and its message id, a look at eight bytes.
// It is for one goroutine.
type Skimmer struct {
	version int
	raw     bool   // message ids are raw integers
	least   uint32 // length of a message id
	found   func(id, code int)
	buf     [headerBytes + skimBytes]byte
	have    int // bytes in buf, of a header and what follows it, that came in pieces
	skip    int // bytes of a frame still to pass
	garbled bool
}

// Skimmer goes on where the Scanner stands, under the given server version, and
// calls found for each error message. The Scanner is of no more use.
func (s *Scanner) Skimmer(version int, found func(id, code int)) *Skimmer {
	k := &Skimmer{version: version, raw: version >= versionRawID, least: 2, found: found, skip: s.skip, garbled: s.err != nil}
	if k.raw {
		k.least = 4
	}
	if s.skip == 0 { // else the Scanner has told of this frame
		k.Skim(s.head[:s.nhead])
		k.Skim(s.buf[:s.have])
	}
	return k
}

// Garbled reports whether a header came that makes no sense: a length that no client
// accepts, or one that has no room for a message id. Nothing is looked at since.
func (k *Skimmer) Garbled() bool { return k.garbled }

// Skim consumes segment.
func (k *Skimmer) Skim(segment []byte) {
	b := segment
	if k.skip > 0 {
		b = k.pass(b)
	}
	for len(b) > 0 && !k.garbled {
		if k.have > 0 || len(b) < headerBytes {
			b = k.piece(b)
			continue
		}
		length := binary.BigEndian.Uint32(b)
		if length < k.least || length > MaxFrameBytes {
			k.garbled = true
			return
		}
		want := headerBytes + min(int(length), skimBytes)
		if len(b) < want {
			b = k.piece(b)
			continue
		}
		if p := b[headerBytes:want]; k.isError(p) {
			k.look(p, int(length))
		}
		if whole := headerBytes + int(length); whole <= len(b) {
			b = b[whole:]
		} else {
			k.skip = whole - len(b)
			return
		}
	}
}

// pass goes over what is left of a frame.
func (k *Skimmer) pass(b []byte) (rest []byte) {
	n := min(k.skip, len(b))
	k.skip -= n
	return b[n:]
}

// piece takes from b what is missing of a header, or of what follows it.
func (k *Skimmer) piece(b []byte) (rest []byte) {
	want := headerBytes
	if k.have >= headerBytes {
		want += min(int(binary.BigEndian.Uint32(k.buf[:])), skimBytes)
	}
	n := copy(k.buf[k.have:want], b)
	k.have += n
	if k.have < want {
		return b[n:]
	}
	length := binary.BigEndian.Uint32(k.buf[:])
	switch {
	case length < k.least || length > MaxFrameBytes:
		k.garbled = true
	case want > headerBytes:
		if p := k.buf[headerBytes:want]; k.isError(p) {
			k.look(p, int(length))
		}
		k.skip, k.have = int(length)-(want-headerBytes), 0
	}
	rest = b[n:]
	if k.skip > 0 {
		rest = k.pass(rest)
	}
	return rest
}

// isError says whether p, which has a message id, begins an error.
func (k *Skimmer) isError(p []byte) bool {
	if !k.raw {
		return p[0] == '0'+IDError && p[1] == 0
	}
	id := binary.BigEndian.Uint32(p)
	return id == IDError || id == IDError+protobufOffset
}

// look tells of an error, of which p is the beginning.
func (k *Skimmer) look(p []byte, length int) {
	m := Message{ID: IDError, version: k.version, partial: len(p) < length}
	if k.raw {
		m.Protobuf, m.Body = binary.BigEndian.Uint32(p) != IDError, p[4:]
	} else {
		m.Body = p[2:]
	}
	if id, code, ok := m.errorCode(); ok {
		k.found(id, code)
	}
}

// errorCode is ErrorMessage without its text, and so without an allocation.
func (m Message) errorCode() (id, code int, ok bool) {
	if !m.Protobuf {
		r := textReader{b: m.Body}
		if m.version < versionErrorTime {
			r.text() // version of the message, 2
		}
		id = int(r.int32(r.text()))
		code = int(r.int32(r.text()))
		return id, code, r.err == nil
	}
	r, coded := protoReader{b: m.Body}, false
	for r.next() {
		switch r.field {
		case 1:
			id = int(int32(r.varint()))
		case 2:
			r.varint()
		case 3:
			code, coded = int(int32(r.varint())), true
		case 4:
			r.bytes()
		}
	}
	return id, code, r.err == nil || coded && m.partial && errors.Is(r.err, errShort)
}
