package alert

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ibrecorder/internal/flock"
	"ibrecorder/internal/notice"
)

// Start tells people of a recorder that cannot start, and when it runs again: programs are
// refused meanwhile, and nobody reads a journal at night. It is told once a day, however
// often a service manager tries, if the data folder has had a recorder that ran or takes a
// few bytes.
type Start struct {
	// Folder is the data folder. Whether somebody was told stands in a file there.
	Folder   string
	Gateways []string
	Words    notice.Words
	Channels []Channel
	Logger   *slog.Logger
}

const (
	startFile = "start"
	// startFailed is what the file says of a recorder that could not start: when it failed
	// first, and when that was told last.
	startFailed = "2006-01-02T15:04:05Z 2006-01-02T15:04:05Z\n"
	// startWell is what it says of one that runs. It is as long, so that the other is put
	// in its place without another byte: the disk may be full.
	startWell = "it runs                                  \n"
	// startAgain is when it is told once more.
	startAgain = 24 * time.Hour
	// startTries is how often a channel is tried when it runs again. Before that the next
	// start is the next try.
	startTries = 5
)

// Failed tells why it could not start. It returns when each channel was tried once.
func (s Start) Failed(ctx context.Context, why string) {
	if len(s.Channels) == 0 {
		return
	}
	now := time.Now().UTC()
	since, last, told := s.read()
	switch {
	case !told:
		since = now
	case now.Sub(last) < startAgain:
		return
	}
	if s.tell(ctx, s.Words.Down(s.Gateways, why, since, now), 1) {
		s.write(since.Format(startFailed[:21]) + now.Format(startFailed[21:]))
	}
}

// Runs tells that it does, to whoever was told otherwise. It returns when they were, or ctx
// ends.
func (s Start) Runs(ctx context.Context) {
	since, _, told := s.read()
	if told && !s.tell(ctx, s.Words.Up(s.Gateways, since, time.Now()), startTries) {
		return // the next start tells it
	}
	s.write(startWell)
}

// tell reports whether every channel took it.
func (s Start) tell(ctx context.Context, n notice.Notice, tries int) bool {
	var telling sync.WaitGroup
	errs := make([]error, len(s.Channels))
	for i, ch := range s.Channels {
		if takes(ch, n.Kind) {
			telling.Go(func() { errs[i] = persist(ctx, ch, n, tries, s.Logger) })
		}
	}
	telling.Wait()
	for _, err := range errs {
		if err != nil {
			return false
		}
	}
	return true
}

// read says when it failed first and when that was told last, if it was.
func (s Start) read() (since, last time.Time, told bool) {
	text, err := os.ReadFile(filepath.Join(s.Folder, startFile))
	if err != nil || len(text) != len(startFailed) {
		return since, last, false
	}
	since, err = time.Parse(startFailed[:21], string(text[:21]))
	if err == nil {
		last, err = time.Parse(startFailed[21:], string(text[21:]))
	}
	return since, last, err == nil
}

// write puts as many bytes in the place of those that are there.
func (s Start) write(text string) {
	f, err := os.OpenFile(filepath.Join(s.Folder, startFile), os.O_WRONLY|os.O_CREATE|flock.NoFollow, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		if closed := f.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		s.Logger.Warn("what was told of a start is not written down", "error", fmt.Errorf("write %s: %w", startFile, err))
	}
}
