package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// What is wrong inside a message body; always wrapped in ErrMalformed.
var (
	errShort    = errors.New("it ends early")
	errNumber   = errors.New("a field is not a number")
	errWireType = errors.New("a field has another wire type")
	errField    = errors.New("a field number or wire type that does not exist")
	errVarint   = errors.New("a varint of more than 64 bits")
)

// textReader takes NUL-terminated fields. The first error sticks.
type textReader struct {
	b   []byte
	err error
}

func (r *textReader) text() []byte {
	if r.err != nil {
		return nil
	}
	field, rest, ok := cutField(r.b)
	if !ok {
		r.err = errShort
		return nil
	}
	r.b = rest
	return field
}

func (r *textReader) int32(field []byte) int32 { return int32(r.int(field, 32)) }

func (r *textReader) int(field []byte, bits int) int64 {
	if r.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(field), 10, bits)
	if err != nil {
		r.err = errNumber
		return 0
	}
	return n
}

// protoReader walks the fields of one protobuf message: varints and
// length-delimited fields can be read, the fixed-width ones only be passed,
// groups are refused. The first error sticks.
//
// https://protobuf.dev/programming-guides/encoding/
type protoReader struct {
	b     []byte
	field int // number of the current field, 1 to 2^29-1
	wire  int // its wire type
	num   uint64
	data  []byte
	err   error
}

const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// next goes to the next field; false at the end or after an error.
func (r *protoReader) next() bool {
	if r.err != nil || len(r.b) == 0 {
		return false
	}
	tag := r.uvarint()
	if r.err != nil {
		return false
	}
	if tag > math.MaxUint32 || tag>>3 == 0 {
		r.err = errField
		return false
	}
	r.field, r.wire = int(tag>>3), int(tag&7)
	switch r.wire {
	case wireVarint:
		r.num = r.uvarint()
	case wireBytes:
		n := r.uvarint()
		if r.err == nil {
			r.data = r.take(n)
		}
	case wireFixed64:
		r.take(8)
	case wireFixed32:
		r.take(4)
	default:
		r.err = errField
	}
	return r.err == nil
}

func (r *protoReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	switch {
	case n == 0:
		r.err = errShort
		return 0
	case n < 0:
		r.err = errVarint
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *protoReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.err = errShort
		return nil
	}
	data := r.b[:n]
	r.b = r.b[n:]
	return data
}

// varint is the current field's value, which must be a varint.
func (r *protoReader) varint() uint64 {
	if r.wire != wireVarint {
		r.err = errWireType
		return 0
	}
	return r.num
}

// bytes is the current field's value, which must be length-delimited.
func (r *protoReader) bytes() []byte {
	if r.wire != wireBytes {
		r.err = errWireType
		return nil
	}
	return r.data
}
