package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// create makes the stream.
func (s *Store) create(ctx context.Context, gateway string) (jetstream.Stream, error) {
	limit, err := s.limit(0)
	if err != nil {
		return nil, err
	}
	stream, err := s.js.CreateStream(ctx, streamConfig(gateway, limit))
	if err != nil {
		return nil, s.unavailable(err)
	}
	return stream, nil
}

func streamConfig(gateway string, limit int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        streamName(gateway),
		Description: "events of gateway " + gateway + ", CloudEvents in JSON, in order and hash-chained",
		Subjects:    []string{subjectPrefix(gateway) + "*.*"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    limit,
		MaxMsgs:     -1,
		MaxMsgSize:  maxRecordBytes,
		Duplicates:  2 * time.Minute, // a convenience; the expected sequence is the guarantee
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		Compression: jetstream.NoCompression, // one flipped byte in a compressed block loses the stream
		Metadata:    map[string]string{"ibrecorder-format": strconv.Itoa(formatVersion), "ibrecorder-gateway": gateway},
	}
}

// limit is how large a log that holds used bytes may get.
func (s *Store) limit(used int64) (int64, error) {
	free, err := s.cfg.free(s.cfg.Dir)
	if err != nil {
		return 0, err
	}
	return max(used, 1, min(s.cfg.MaxBytes, used+free-diskReserve)), nil
}

// unchanged refuses a stream that would forget, put off its writes or take what is
// not ours. Its limit may be any.
func (l *JetLog) unchanged(got jetstream.StreamConfig) error {
	want := streamConfig(l.gateway, got.MaxBytes)
	for _, c := range []struct {
		what string
		ok   bool
	}{
		{"subjects", len(got.Subjects) == 1 && got.Subjects[0] == want.Subjects[0]},
		{"storage", got.Storage == want.Storage && got.PersistMode == want.PersistMode},
		{"retention", got.Retention == want.Retention && got.MaxAge == 0 && got.MaxMsgs == -1 && got.MaxMsgsPerSubject == -1},
		{"expiry of single events", !got.AllowMsgTTL && got.SubjectDeleteMarkerTTL == 0},
		{"discard policy", got.Discard == want.Discard && !got.DiscardNewPerSubject},
		{"protection against deletion", got.DenyDelete && got.DenyPurge && !got.AllowRollup},
		{"acceptance of events", !got.NoAck && !got.Sealed && got.MaxMsgSize == want.MaxMsgSize},
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

// fit adapts the log's limit to its disk and to the configuration, and says
// whether there is more room than before.
func (l *JetLog) fit(ctx context.Context, info *jetstream.StreamInfo) (grown bool, err error) {
	cfg := info.Config
	limit, err := l.store.limit(int64(info.State.Bytes))
	if err != nil || limit == cfg.MaxBytes {
		return false, err
	}
	grown, cfg.MaxBytes = limit > cfg.MaxBytes, limit
	if _, err := l.store.js.UpdateStream(ctx, cfg); err != nil {
		return false, l.store.unavailable(err)
	}
	return grown, nil
}
