package store_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/minio/highwayhash"
)

// logOf returns the folder of a closed log of n events in blocks of about
// blockSize bytes. The blocks are written by hand: a million synced appends
// would take minutes.
func logOf(t testing.TB, n, blockSize int) string {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 4 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Log(t.Context(), storetest.Gateway); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	head := writeBlocks(t, msgsDir(dir), n, blockSize)
	k := store.NewMarker(dir, storetest.Gateway)
	if err := k.Mark(store.Mark{Gateway: storetest.Gateway, Seq: head.Seq, Hash: head.Hash}, true); err != nil {
		t.Fatal(err)
	}
	return dir
}

func msgsDir(dir string) string {
	return filepath.Join(store.StreamsDir(dir), store.StreamName(storetest.Gateway), "msgs")
}

func writeBlocks(t testing.TB, dir string, n, size int) (head store.Head) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for index := 1; head.Seq < uint64(n); index++ {
		var block []byte
		for len(block) < size && head.Seq < uint64(n) {
			rec := storetest.Next(t, storetest.Gateway, head, "restarted by hand, second try after the nightly window")
			block = appendRecord(block, index, rec)
			head = storetest.HeadOf(rec)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.blk", index)), block, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return head
}

// appendRecord appends one record as nats-server 2.15.2 writes it.
func appendRecord(b []byte, index int, rec events.Record) []byte {
	le := binary.LittleEndian
	subject := "ibrecorder.ev." + rec.Gateway + "." + string(rec.Kind())
	header := "NATS/1.0\r\nNats-Msg-Id: " + rec.ID + "\r\ncontent-type: application/cloudevents+json\r\n\r\n"
	start := len(b)
	b = le.AppendUint32(b, uint32(4+8+8+2+len(subject)+4+len(header)+len(rec.Raw)+8)|1<<31)
	b = le.AppendUint64(b, rec.Seq)
	b = le.AppendUint64(b, uint64(rec.Time.UnixNano()))
	b = le.AppendUint16(b, uint16(len(subject)))
	b = append(b, subject...)
	b = le.AppendUint32(b, uint32(len(header)))
	b = append(b, header...)
	b = append(b, rec.Raw...)
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", store.StreamName(rec.Gateway), index))
	h, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		panic(err)
	}
	h.Write(b[start+4 : start+20])
	h.Write([]byte(subject))
	h.Write([]byte(header))
	h.Write(rec.Raw)
	return h.Sum(b)
}
