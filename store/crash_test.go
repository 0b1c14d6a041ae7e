package store_test

import (
	"bufio"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

// watch runs a child and hands on what it prints, line by line. The child is
// killed when line returns false.
func watch(t *testing.T, what, dir string, line func(string) bool) {
	t.Helper()
	cmd := child(t, what, dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	killed := false
	for in := bufio.NewScanner(out); in.Scan(); {
		if !line(in.Text()) && !killed {
			killed = true
			must(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // killed, or what it had to say is said
}

// acknowledged collects what a child says is on disk.
type acknowledged map[uint64]string

func (a acknowledged) take(t *testing.T, line string) bool {
	t.Helper()
	seq, hash, ok := strings.Cut(line, " ")
	n, err := strconv.ParseUint(seq, 10, 64)
	if !ok || err != nil || len(hash) != 64 { // cut off by the kill, or something else
		return false
	}
	a[n] = hash
	return true
}

func (a acknowledged) check(t *testing.T, dir string) store.Log {
	t.Helper()
	l := openLog(t, dir)
	found := 0
	for rec, err := range l.Read(t.Context(), 1, 0) {
		must(t, err)
		if want, ok := a[rec.Seq]; ok {
			found++
			if rec.Hash().String() != want {
				t.Errorf("event %d is not the one that was acknowledged", rec.Seq)
			}
		}
	}
	if found != len(a) {
		t.Errorf("%d of %d acknowledged events are there", found, len(a))
	}
	return l
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acked := acknowledged{}
	for range 3 {
		lines := 0
		watch(t, "append", dir, func(line string) bool {
			if acked.take(t, line) {
				lines++
			}
			return lines < 200
		})
		if lines < 200 {
			t.Fatalf("the process ended after %d events", lines)
		}
	}
	acked.check(t, dir)
}

// The kernel itself refuses here, by a limit on the length of files: the server's
// write comes back short and then with an error, as on a full disk.
func TestADiskThatRefusesAWriteIsNamedAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	acked, said := acknowledged{}, map[string]string{}
	watch(t, "refused", dir, func(line string) bool {
		if what, text, ok := strings.Cut(line, ": "); ok {
			said[what] = text
		} else if !acked.take(t, line) {
			t.Errorf("it says %q", line)
		}
		return true
	})
	for _, want := range []string{"did not answer", "file too large", "make room or repair the disk, then restart the recorder"} {
		if !strings.Contains(said["append"], want) {
			t.Errorf("whoever appends reads %q, want %q in it", said["append"], want)
		}
	}
	if !strings.Contains(said["server"], "file too large") {
		t.Errorf("Store.Err gives %q", said["server"])
	}
	if said["with room"] != "true" || said["readable"] != strconv.Itoa(len(acked)) || len(acked) < 40 {
		t.Errorf("%d events acknowledged, then %q", len(acked), said)
	}
	storetest.Fill(t, acked.check(t, dir), gw, 3) // and after a restart it goes on
}

// The position is not synced: events may come again, and none is left out. What
// the killed run had in its hands comes at once, and not after its time is over.
func TestConsumeGoesOnAfterAKill(t *testing.T) {
	const n = 400
	dir := logOf(t, n, 1<<20)
	last := 0
	for range 2 {
		first := true
		lines := 0
		watch(t, "consume", dir, func(line string) bool {
			seq, err := strconv.Atoi(line)
			if err != nil {
				return false // cut off by the kill
			}
			if first && (seq > last+1 || seq < 1) || !first && seq != last+1 {
				t.Errorf("event %d follows event %d", seq, last)
			}
			first, last = false, seq
			lines++
			return lines < 100
		})
		if lines < 100 {
			t.Fatalf("the process ended after %d events", lines)
		}
	}
	l := openLog(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, begun := true, time.Now() // of the wait for an event
	err := l.Consume(ctx, "pager", nil, func(_ context.Context, rec events.Record) error {
		if seq := int(rec.Seq); first && seq > last+1 || !first && seq != last+1 {
			t.Errorf("event %d follows event %d", rec.Seq, last)
		}
		if wait := time.Since(begun); wait > store.AckWait/2 {
			t.Errorf("event %d came after %v", rec.Seq, wait)
		}
		first, last, begun = false, int(rec.Seq), time.Now()
		if last == n {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
