package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ibrecorder/internal/channel"
	"ibrecorder/internal/flock"
	"ibrecorder/internal/notice"
)

// Start tells people of a recorder that cannot start, and when it runs again: programs are
// refused meanwhile, and nobody reads a journal at night. Each channel is told once a day,
// however often a service manager tries and whatever the other channels do, in a folder
// that has had a recorder that ran. In another it is told at each try.
type Start struct {
	// Folder is the data folder. What each channel was told stands in a file there.
	Folder   string
	Gateways []string
	Words    notice.Words
	Channels []Channel
	Logger   *slog.Logger
}

const (
	startFile = "told-of-starts"
	startHead = "what was told of starts that failed: channel, since, last\n"
	// startBytes is as long as the file is at least, so that what is told is written in the
	// place of other bytes: the disk may be full.
	startBytes = 4096
	// startAgain is when it is told once more.
	startAgain = 24 * time.Hour
	// startTries is how often a channel is tried when it runs again. Before that the next
	// start is the next try.
	startTries = 5
)

// failing is what a channel knows of a recorder that cannot start: since when, and when it
// was told last.
type failing struct{ since, last time.Time }

// Failed tells why it could not start. It returns when each channel was tried once.
func (s Start) Failed(ctx context.Context, why string) {
	now := time.Now().UTC().Truncate(time.Second)
	known, _ := s.read()
	var due []Channel
	for _, ch := range s.Channels {
		f, told := known[ch.Name()]
		if age := now.Sub(f.last); takes(ch, notice.Down) && (!told || age < 0 || age >= startAgain) { // a clock may have been set back
			due = append(due, ch)
		}
	}
	if len(due) == 0 {
		return
	}
	key := now
	if !s.write(known, os.O_RDWR) { // each try will tell it: once an hour to who deduplicates
		key = now.Truncate(time.Hour)
	}
	for i, err := range tell(due, func(ch Channel) error {
		return persist(ctx, ch, s.Words.Down(s.Gateways, why, sinceOf(known[ch.Name()], now), now, key), 1, s.Logger)
	}) {
		e, _ := errors.AsType[*channel.TellError](err)
		if err == nil || e != nil && e.Final { // it would not take it the next time either
			name := due[i].Name()
			known[name] = failing{sinceOf(known[name], now), now}
		}
	}
	s.write(known, os.O_RDWR)
}

// sinceOf is since when it fails.
func sinceOf(f failing, now time.Time) time.Time {
	if f.since.IsZero() || f.since.After(now) {
		return now
	}
	return f.since
}

// Runs tells that it does, to whoever was told otherwise. It returns when they were, or ctx
// ends; who was not is told by the next start.
func (s Start) Runs(ctx context.Context) {
	known, there := s.read()
	var due []Channel
	for _, ch := range s.Channels {
		if !known[ch.Name()].since.IsZero() {
			due = append(due, ch)
		}
	}
	for i, err := range tell(due, func(ch Channel) error {
		return persist(ctx, ch, s.Words.Up(s.Gateways, known[ch.Name()].since, time.Now()), startTries, s.Logger)
	}) {
		if err == nil {
			delete(known, due[i].Name())
		}
	}
	if len(s.Channels) > 0 && (len(due) > 0 || !there) {
		s.write(known, os.O_RDWR|os.O_CREATE)
	}
}

// tell tells all at once, and says of each what came of it.
func tell(due []Channel, one func(Channel) error) []error {
	var telling sync.WaitGroup
	errs := make([]error, len(due))
	for i, ch := range due {
		telling.Go(func() { errs[i] = one(ch) })
	}
	telling.Wait()
	return errs
}

// read is what each channel knows by its name, and whether the file is there. One that is
// not as it was written says nothing.
func (s Start) read() (known map[string]failing, there bool) {
	known = map[string]failing{}
	text, err := os.ReadFile(filepath.Join(s.Folder, startFile))
	body, ours := strings.CutPrefix(string(text), startHead)
	if err != nil || !ours {
		return known, false
	}
	for line := range strings.Lines(body) {
		var name, since, last string
		if n, _ := fmt.Sscan(line, &name, &since, &last); n != 3 {
			break
		}
		var f failing
		f.since, err = time.Parse(time.RFC3339, since)
		if err == nil {
			f.last, err = time.Parse(time.RFC3339, last)
		}
		if err == nil {
			known[name] = f
		}
	}
	return known, true
}

// write puts it in the place of what is there, and reports whether it could. A file that is
// somebody else's is left alone.
func (s Start) write(known map[string]failing, flags int) bool {
	text := bytes.NewBufferString(startHead)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(text, "%s %s %s\n", name, known[name].since.UTC().Format(time.RFC3339), known[name].last.UTC().Format(time.RFC3339))
	}
	text.Write(bytes.Repeat([]byte("\n"), max(1, startBytes-text.Len())))
	err := overwrite(filepath.Join(s.Folder, startFile), flags, text.Bytes())
	if err != nil {
		s.Logger.Warn("what was told of a start is not written down, so it may be told again", "error", err)
	}
	return err == nil
}

func overwrite(path string, flags int, text []byte) error {
	f, err := os.OpenFile(path, flags|flock.NoFollow, 0o600)
	if err != nil {
		return err
	}
	head := make([]byte, len(startHead))
	if n, err := io.ReadFull(f, head); n > 0 && string(head[:n]) != startHead {
		return errors.Join(fmt.Errorf("%s is not the recorder's; move it away", path), err, f.Close())
	}
	_, err = f.WriteAt(text, 0)
	if err == nil {
		err = f.Truncate(int64(len(text)))
	}
	return errors.Join(err, f.Close())
}
