package source

import (
	"context"
	"errors"
	"fmt"

	"ibrecorder/internal/httpapi"
	"ibrecorder/store"
)

// openFolder reads a data folder: from a copy, or through the recorder that has
// it open. The embedded server never runs on the folder itself, because it would
// mend what it finds damaged.
func openFolder(ctx context.Context, dir string, o Options) (*Source, error) {
	s, err := store.OpenCopy(ctx, dir, o.Temp)
	if locked, ok := errors.AsType[*store.LockError](err); ok {
		live, err := openFeed(ctx, dir, httpapi.Dial(dir), o)
		if errors.Is(err, ErrUnreachable) {
			err = fmt.Errorf("%w; process %d has %s open: if it hangs, stop it, for the log of a stopped recorder needs no answer", err, locked.PID, dir)
		}
		return live, err
	}
	if err != nil {
		return nil, err
	}
	src, err := openCopy(ctx, dir, s, o)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return src, nil
}

func openCopy(ctx context.Context, dir string, s *store.Store, o Options) (*Source, error) {
	have, err := s.Gateways(ctx)
	if err != nil {
		return nil, err
	}
	gateway, err := choose(have, o.Gateway, dir)
	if err != nil {
		return nil, errors.Join(append([]error{err}, s.Damage()...)...)
	}
	log, err := s.Log(ctx, gateway)
	if err != nil {
		return nil, err
	}
	head, err := log.Head(ctx)
	src := &Source{What: "a copy of a stopped recorder's log", Gateway: gateway, Folder: dir, Last: head.Seq, read: log.Read, close: s.Close}
	if err != nil {
		src.Doubts = append(src.Doubts, err)
	}
	if err := log.Check(); err != nil {
		src.Doubts = append(src.Doubts, err)
	}
	for _, err := range s.Damage() {
		if about(err, gateway) {
			src.Doubts = append(src.Doubts, err)
		}
	}
	return src, nil
}

// about says whether err may concern a gateway's log: whether it names no other.
func about(err error, gateway string) bool {
	if d, ok := errors.AsType[*store.DamageError](err); ok {
		return d.Gateway == gateway
	}
	m, ok := errors.AsType[*store.MarkError](err)
	return !ok || m.Gateway == gateway
}
