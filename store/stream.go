package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// create makes the part n, whose first event is first, or takes up the one that it made
// before and whose answer was lost. It may get as large as left, whatever the disk has now.
func (l *JetLog) create(ctx context.Context, n int, first uint64, left int64) (*part, error) {
	most := l.store.cfg.MaxBytes - l.sealedBytes()
	limit, err := l.store.limit(0, most)
	if err != nil {
		return nil, err
	}
	limit = max(limit, min(most, left))
	stream, err := l.store.js.CreateStream(ctx, streamConfig(l.gateway, n, first, limit))
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // with another limit: the disk has another room now
		stream, err = l.store.js.Stream(ctx, streamName(l.gateway, n))
	}
	if err != nil {
		return nil, l.store.unavailable(err)
	}
	return partFrom(n, streamName(l.gateway, n), stream), nil
}

func streamConfig(gateway string, n int, first uint64, limit int64) jetstream.StreamConfig {
	if first == 1 {
		first = 0 // the server's own word for it
	}
	return jetstream.StreamConfig{
		Name:        streamName(gateway, n),
		Description: "events of gateway " + gateway + ", CloudEvents in JSON, in order and hash-chained",
		Subjects:    []string{subjectPrefix(gateway) + "*.*"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    limit,
		MaxMsgs:     -1,
		MaxMsgSize:  maxRecordBytes,
		FirstSeq:    first,
		Duplicates:  2 * time.Minute, // a convenience; the expected sequence is the guarantee
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		Compression: jetstream.NoCompression, // one flipped byte in a compressed block loses the stream
		Metadata:    map[string]string{"ibrecorder-format": strconv.Itoa(formatVersion), "ibrecorder-gateway": gateway},
	}
}

// limit is how large a part that holds used bytes may get, most being what is left for it
// of the gateway's share.
func (s *Store) limit(used, most int64) (int64, error) {
	free, err := s.cfg.free(s.cfg.Dir)
	if err != nil {
		return 0, err
	}
	return max(used, 1, min(most, used+free-diskReserve)), nil
}

// unchanged refuses a part that would forget, put off its writes or take what is
// not ours. Its limit may be any.
func (l *JetLog) unchanged(p *part, got jetstream.StreamConfig) error {
	want := streamConfig(l.gateway, p.n, got.FirstSeq, got.MaxBytes)
	subjects := want.Subjects[0]
	rolled := got.Sealed && len(got.Subjects) == 1 && got.Subjects[0] == rolledSubject(l.gateway, p.n)
	if rolled {
		subjects = got.Subjects[0]
	}
	for _, c := range []struct {
		what string
		ok   bool
	}{
		{"subjects", len(got.Subjects) == 1 && got.Subjects[0] == subjects},
		{"storage", got.Storage == want.Storage && got.PersistMode == want.PersistMode},
		{"retention", got.Retention == want.Retention && got.MaxAge == 0 && got.MaxMsgs == -1 && got.MaxMsgsPerSubject == -1},
		{"expiry of single events", !got.AllowMsgTTL && got.SubjectDeleteMarkerTTL == 0},
		{"discard policy", got.Discard == want.Discard && !got.DiscardNewPerSubject},
		{"protection against deletion", got.DenyDelete && got.DenyPurge && !got.AllowRollup},
		{"acceptance of events", !got.NoAck && got.Sealed == rolled && got.MaxMsgSize == want.MaxMsgSize},
		{"compression", got.Compression == want.Compression},
		{"replication", got.Mirror == nil && len(got.Sources) == 0 && got.SubjectTransform == nil && got.RePublish == nil},
	} {
		if !c.ok {
			return &FileError{Path: got.Name, Problem: "the stream's " + c.what + " was changed", Err: ErrFormat,
				Hint: fmt.Sprintf("recorder log quarantine %s --reason TEXT", l.gateway)}
		}
	}
	return nil
}

// fit adapts the newest part's limit to its disk and to the configuration, to less than
// before only if it may shrink, and says whether there is more room.
func (l *JetLog) fit(ctx context.Context, info *jetstream.StreamInfo, shrink bool) (grown bool, err error) {
	cfg := info.Config
	limit, err := l.store.limit(int64(info.State.Bytes), l.store.cfg.MaxBytes-l.sealedBytes())
	if err != nil || limit == cfg.MaxBytes || limit < cfg.MaxBytes && !shrink {
		return false, err
	}
	grown, cfg.MaxBytes = limit > cfg.MaxBytes, limit
	if _, err := l.store.js.UpdateStream(ctx, cfg); err != nil {
		return false, l.store.unavailable(err)
	}
	l.meter = meter{} // it is asked again
	return grown, nil
}
