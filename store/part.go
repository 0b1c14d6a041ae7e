package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// part is one stream of a log. All but the newest are sealed: the server takes nothing
// for them any more. Sequence and chain go on from one to the next.
type part struct {
	n      int
	name   string
	first  uint64 // the sequence of its first event, or of the one that it waits for
	stream jetstream.Stream
	open   context.Context // ends when the part is sealed
	seal   context.CancelFunc
	// followed is closed once the next part is there.
	followed chan struct{}

	// Written before open ends, and read after that.
	last  uint64
	bytes int64
}

// partFrom is a part as the server has it.
func partFrom(n int, name string, stream jetstream.Stream) *part {
	info := stream.CachedInfo()
	p := &part{n: n, name: name, first: max(1, info.Config.FirstSeq), stream: stream, followed: make(chan struct{})}
	p.open, p.seal = context.WithCancel(context.Background())
	if info.Config.Sealed {
		p.close(info)
	}
	return p
}

// close makes the part a rolled one, info being the server's word after it was sealed.
func (p *part) close(info *jetstream.StreamInfo) {
	p.last, p.bytes = info.State.LastSeq, int64(info.State.Bytes)
	p.seal()
}

func (p *part) sealed() bool { return p.open.Err() != nil }

// current is the newest part.
func (l *JetLog) current() *part {
	parts := *l.parts.Load()
	return parts[len(parts)-1]
}

// sealedBytes is what the rolled parts take.
func (l *JetLog) sealedBytes() (n int64) {
	for _, p := range *l.parts.Load() {
		if p.sealed() {
			n += p.bytes
		}
	}
	return n
}

// holding returns the part that has the event seq, or would have it.
func (l *JetLog) holding(seq uint64) (*part, error) {
	for _, p := range slices.Backward(*l.parts.Load()) {
		if seq >= p.first {
			return p, nil
		}
	}
	return nil, &GapError{Gateway: l.gateway, Want: seq, Got: l.First(), What: "stream sequence"}
}

// First returns the sequence of the first event that the log still has, or will have: 1
// unless parts of it were archived.
func (l *JetLog) First() uint64 { return (*l.parts.Load())[0].first }

// partsOf asks the server for the parts of a gateway's log, oldest first; none if it has
// no log.
func (s *Store) partsOf(ctx context.Context, gateway string) ([]*part, error) {
	var parts []*part
	names := s.js.StreamNames(ctx)
	for name := range names.Name() {
		of, n, ok := partOf(name)
		if !ok || of != gateway {
			continue
		}
		stream, err := s.js.Stream(ctx, name)
		if err != nil {
			return nil, s.unavailable(err)
		}
		parts = append(parts, partFrom(n, name, stream))
	}
	if err := names.Err(); err != nil {
		return nil, s.unavailable(err)
	}
	slices.SortFunc(parts, func(a, b *part) int { return cmp.Compare(a.n, b.n) })
	for i := 1; i < len(parts); i++ {
		close(parts[i-1].followed)
	}
	return parts, nil
}

// partFolder is where the server keeps one part.
type partFolder struct {
	n    int
	path string
}

// partsIn are the folders of a gateway's parts below a data folder, oldest first,
// whatever is in them. What is left of a part that was archived is none.
func partsIn(dir, gateway string) (parts []partFolder, err error) {
	gone, err := readForgotten(dir, gateway)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(streamsDir(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the logs: %w", err)
	}
	for _, e := range entries {
		if of, n, ok := partOf(e.Name()); ok && of == gateway && n != gone.Part {
			parts = append(parts, partFolder{n, filepath.Join(streamsDir(dir), e.Name())})
		}
	}
	slices.SortFunc(parts, func(a, b partFolder) int { return cmp.Compare(a.n, b.n) })
	return parts, nil
}

// withParts are the gateways that have a part below a data folder, sorted.
func withParts(dir string) (names []string, err error) {
	entries, err := os.ReadDir(streamsDir(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the logs: %w", err)
	}
	for _, e := range entries {
		if gateway, _, ok := partOf(e.Name()); ok {
			names = append(names, gateway)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
