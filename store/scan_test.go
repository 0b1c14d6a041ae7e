package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// hashes collects the hashes of what a reader yields until its first error.
func hashes(seq func(func(events.Record, error) bool)) (got []events.Hash, err error) {
	for rec, err := range seq {
		if err != nil {
			return got, err
		}
		got = append(got, rec.Hash())
	}
	return got, nil
}

func TestTheFilesAndTheServerReadTheSame(t *testing.T) {
	const n = 200
	l := openLog(t, logOf(t, n, 8<<10)) // some ten events a block
	for from := uint64(1); from <= n-40; from++ {
		for _, to := range []uint64{from + 32, from + 40, n} {
			files, err := hashes(l.Read(t.Context(), from, to))
			must(t, err)
			server, err := hashes(l.ReadByServer(t.Context(), from, to))
			must(t, err)
			if diff := cmp.Diff(server, files); diff != "" || len(files) != int(to-from)+1 {
				t.Fatalf("%d to %d (-server +files):\n%s", from, to, diff)
			}
		}
	}
}

// What the files do not give is asked of the server, and what that does not have
// either ends the reader: no event is ever left out.
func TestAByteThatFlipsUnderARunningRecorderEndsTheReader(t *testing.T) {
	const n = 200
	want, err := hashes(openLog(t, logOf(t, n, 8<<10)).Read(t.Context(), 1, n))
	must(t, err)
	for _, block := range []string{"1.blk", "2.blk", "7.blk", "14.blk"} {
		t.Run(block, func(t *testing.T) {
			dir := logOf(t, n, 8<<10)
			l := openLog(t, dir)
			path := filepath.Join(msgsDir(dir), block)
			b, err := os.ReadFile(path)
			must(t, err)
			b[len(b)/2] ^= 1
			must(t, os.WriteFile(path, b, 0o600))
			got, err := hashes(l.Read(t.Context(), 1, n))
			if err == nil && len(got) != n {
				t.Errorf("%d of %d events and no error", len(got), n)
			}
			if diff := cmp.Diff(want[:len(got)], got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAReaderOfTheFilesSeesEveryEventThatWasAppended(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	storetest.Fill(t, l, gw, 40)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		head, err := l.Head(ctx)
		for err == nil {
			rec := storetest.Next(t, gw, head, "note")
			if err = l.Append(ctx, rec); err == nil {
				head = storetest.HeadOf(rec)
			}
		}
		ended <- err
	}()
	for range 100 {
		head, err := l.Head(t.Context())
		must(t, err)
		var chain events.Chain
		for rec, err := range l.Read(t.Context(), 1, 0) {
			must(t, err)
			must(t, chain.Add(rec))
		}
		if seq, _ := chain.Head(); seq < head.Seq {
			t.Fatalf("read to %d, and %d was there before", seq, head.Seq)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAReaderOfTheFilesEndsWithItsContext(t *testing.T) {
	l := openLog(t, logOf(t, 2000, 1<<20))
	why := errors.New("had enough")
	ctx, leave := context.WithCancelCause(t.Context())
	defer leave(nil)
	n := 0
	var last error
	for _, last = range l.Read(ctx, 1, 0) {
		if n++; n == 10 {
			leave(why)
		}
	}
	if !errors.Is(last, why) || n > 400 {
		t.Errorf("%d pairs, the last with %v; want its reason soon", n, last)
	}
}
