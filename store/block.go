package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"

	"ibrecorder/events"

	"github.com/minio/highwayhash"
)

// The layout of a message block of nats-server 2.15.2, which is documented
// nowhere but in its file store. All numbers are little-endian:
//
//	length 4 | sequence 8 | time 8 | subject length 2 | subject |
//	[header length 4 | header] | payload | checksum 8
//
// The highest bit of length says that there is a header. The checksum is
// HighwayHash-64 over sequence, time, subject, header and payload, without the
// lengths, under the key SHA-256("<stream>-<block number>").
// TestBlocksOfThisServerAreUnderstood fails if a new server writes another.
const (
	recordFixed   = 4 + 8 + 8 + 2
	checksumBytes = highwayhash.Size64
	headerBit     = 1 << 31
	deletedBits   = 3 << 62 // erased messages and tombstones: a log has one at most, where a part begins
	tombBit       = 1 << 62
)

var (
	headerStart = []byte("NATS/1.0\r\n")
	headerEnd   = []byte("\r\n\r\n")
)

// blockRecord is one record; its slices point into the block.
type blockRecord struct {
	seq     uint64
	size    int // on disk
	subject []byte
	payload []byte
}

// block checks the records of one file.
type block struct {
	prefix []byte // that every subject must have
	sum    *highwayhash.Digest64
}

func newBlock(stream string, index int, prefix string) (*block, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, index))
	sum, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		return nil, fmt.Errorf("block checksum: %w", err)
	}
	return &block{prefix: []byte(prefix), sum: sum}, nil
}

// record reads the record at the start of buf; problem says why there is none.
func (b *block) record(buf []byte) (r blockRecord, problem string) {
	if len(buf) < recordFixed+checksumBytes {
		return r, "a record is cut off"
	}
	length := binary.LittleEndian.Uint32(buf)
	r.size = int(length &^ headerBit)
	subject := int(binary.LittleEndian.Uint16(buf[20:]))
	if r.size > len(buf) {
		return r, "a record is cut off or has an impossible length"
	}
	body := r.size - recordFixed - subject - checksumBytes
	if length&headerBit != 0 {
		body -= 4
	}
	if body < 0 {
		return r, "a record has an impossible length"
	}
	r.seq = binary.LittleEndian.Uint64(buf[4:])
	rest := buf[recordFixed : r.size-checksumBytes]
	r.subject, rest = rest[:subject], rest[subject:]
	header := 0
	if length&headerBit != 0 {
		header = int(binary.LittleEndian.Uint32(rest))
		rest = rest[4:]
	}
	b.sum.Reset()
	b.sum.Write(buf[4:20])
	b.sum.Write(r.subject)
	b.sum.Write(rest)
	var want [checksumBytes]byte
	if !bytes.Equal(b.sum.Sum(want[:0]), buf[r.size-checksumBytes:r.size]) {
		return r, "a record's checksum does not match"
	}
	// What follows is not under the checksum, or not what this log holds.
	switch {
	case header > len(rest) || header > 0 && !(bytes.HasPrefix(rest, headerStart) && bytes.HasSuffix(rest[:header], headerEnd)):
		return r, "a record's header length was changed"
	case r.seq&deletedBits != 0:
		return r, "a record says that an event was deleted"
	case !bytes.HasPrefix(r.subject, b.prefix):
		return r, fmt.Sprintf("a record has the subject %.80q", r.subject)
	}
	r.payload = rest[header:]
	return r, ""
}

// tombstone reads what the server writes at the beginning of a part that does not begin
// with event 1: a record without subject and payload that names the event before the
// first one. ok is false if there is none at the start of buf.
func (b *block) tombstone(buf []byte) (before uint64, size int, ok bool) {
	const size0 = recordFixed + checksumBytes
	if len(buf) < size0 || binary.LittleEndian.Uint32(buf) != size0 || binary.LittleEndian.Uint16(buf[20:]) != 0 {
		return 0, 0, false
	}
	seq := binary.LittleEndian.Uint64(buf[4:])
	b.sum.Reset()
	b.sum.Write(buf[4:20])
	var want [checksumBytes]byte
	ok = seq&deletedBits == tombBit && bytes.Equal(b.sum.Sum(want[:0]), buf[size0-checksumBytes:size0])
	return seq &^ deletedBits, size0, ok
}

// blockSummary is what a whole file holds.
type blockSummary struct {
	first, last uint64 // sequences, 0 if there is none
	before      uint64 // the event before the first of the part, by its tombstone; 0 without one
	size, good  int    // bytes, and how many of them are whole records
	problem     string // of the record at good, "" if all are whole
	torn        bool   // what is not whole is as a crash leaves the last record
	understood  bool   // at least one record is whole, or the file is empty
	hash        events.Hash
	hashed      bool // hash is that of the event asked for
}

// verify reads the file and checks every record in it. It hashes the payload at
// hashAt if it meets it.
func (b *block) verify(path string, buf []byte, hashAt uint64) (blockSummary, []byte, error) {
	buf, err := readInto(path, buf)
	if err != nil {
		return blockSummary{}, buf, &FileError{Path: path, Problem: "cannot be read", Err: err}
	}
	s := blockSummary{size: len(buf), understood: true}
	if before, size, ok := b.tombstone(buf); ok {
		s.before, s.good = before, size
	}
	for s.good < len(buf) {
		r, problem := b.record(buf[s.good:])
		if problem == "" && s.last != 0 && r.seq != s.last+1 {
			problem = fmt.Sprintf("event %d follows event %d", r.seq, s.last)
		}
		if problem != "" {
			rest := buf[s.good:]
			s.problem, s.torn = problem, b.torn(rest, r.size)
			s.understood = s.good > 0 || b.resumes(rest[1:])
			break
		}
		if s.first == 0 {
			s.first = r.seq
		}
		s.last = r.seq
		s.good += r.size
		if r.seq == hashAt {
			s.hash, s.hashed = events.HashOf(r.payload), true
		}
	}
	return s, buf, nil
}

// torn reports whether rest, which is no whole record and claims size bytes, is
// what a crash leaves of the last one: its beginning, or zeros for what never
// came to the disk. It was never acknowledged. A bad record with anything behind
// it is damage.
func (b *block) torn(rest []byte, size int) bool {
	switch {
	case len(rest) > maxRecordBytes || b.resumes(rest[1:]):
		return false
	case len(rest) < recordFixed+checksumBytes:
		return true
	}
	return size >= len(rest) && size <= maxRecordBytes || len(bytes.Trim(rest, "\x00")) == 0
}

// resumes reports whether buf holds a whole record anywhere: a length that was
// changed makes the last record of many look like the only one.
func (b *block) resumes(buf []byte) bool {
	for off := 0; ; off++ {
		i := bytes.Index(buf[off:], b.prefix)
		if i < 0 {
			return false
		}
		off += i
		if off < recordFixed {
			continue
		}
		if _, problem := b.record(buf[off-recordFixed:]); problem == "" {
			return true
		}
	}
}

// readInto reads a file into buf, which it grows if it must.
func readInto(path string, buf []byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return buf, err
	}
	n := int(info.Size())
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	for read := 0; read < n; {
		k, err := f.ReadAt(buf[read:], int64(read))
		read += k
		if err != nil && read < n {
			return buf[:read], err
		}
	}
	return buf, nil
}
