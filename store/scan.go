package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"

	"ibrecorder/events"
)

// scanEvery is how many events are read from a block between two looks at the
// context: far below a millisecond's worth.
const scanEvery = 256

// scan yields from..to as far as it can read them in the server's files, and returns
// the first event that it did not yield; more says that somebody wants it. It is five
// times as fast as a consumer (BenchmarkLiveRead), and takes only what it understands
// and what follows without a gap: for anything else the server is asked, whose answer
// counts. An event up to the head is in its file, whole and synced, because the server
// acknowledges it after that (TestEveryAppendIsSynced).
func (l *JetLog) scan(ctx context.Context, p *part, from, to uint64, yield func(events.Record, error) bool) (next uint64, more bool) {
	files, err := blockFiles(filepath.Join(streamsDir(l.store.cfg.Dir), p.name))
	if err != nil {
		return from, true
	}
	next = from
	var buf []byte
	for i, file := range files {
		if i+1 < len(files) && startsBy(files[i+1].path, next) {
			continue
		}
		b, err := newBlock(p.name, file.index, l.prefix)
		if err != nil {
			return next, true
		}
		if buf, err = readInto(file.path, buf); err != nil {
			return next, true
		}
		_, skip, _ := b.tombstone(buf)
		for rest, read := buf[skip:], 0; len(rest) > 0 && next <= to; read++ {
			r, problem := b.record(rest)
			if problem != "" || r.seq > next || read%scanEvery == 0 && ctx.Err() != nil {
				return next, true
			}
			rest = rest[r.size:]
			if r.seq < next {
				continue
			}
			rec, err := l.record(r.seq, string(r.subject), bytes.Clone(r.payload))
			if !yield(rec, err) || err != nil {
				return next, false
			}
			next++
		}
	}
	return next, next <= to
}

// startsBy reports whether the first record of a block is at most seq, so that the
// blocks before it hold nothing from seq on.
func startsBy(path string, seq uint64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var start [12]byte // of a record: its length and its sequence
	if _, err := io.ReadFull(f, start[:]); err != nil {
		return false
	}
	return binary.LittleEndian.Uint64(start[4:]) <= seq
}
