package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/nats-io/nats.go/jetstream"
)

func TestAnEventIsAcknowledgedOnlyAfterItsHandler(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := l.Consume(ctx, "pager", nil, func(ctx context.Context, rec events.Record) error {
		defer cancel()
		cons, err := l.Stream().Consumer(ctx, "pager")
		if err != nil {
			return err
		}
		info, err := cons.Info(ctx)
		if err != nil {
			return err
		}
		if info.NumAckPending != 1 {
			t.Errorf("%d events wait for their acknowledgement, want 1", info.NumAckPending)
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRedeliveryIsLaterEachTimeAndBounded(t *testing.T) {
	if store.Redelivery(1) != 250*time.Millisecond || store.Redelivery(2) != 500*time.Millisecond {
		t.Errorf("first waits %v, %v", store.Redelivery(1), store.Redelivery(2))
	}
	for n := uint64(2); n < 200; n++ {
		if store.Redelivery(n) < store.Redelivery(n-1) || store.Redelivery(n) > time.Minute {
			t.Errorf("wait %d is %v after %v", n, store.Redelivery(n), store.Redelivery(n-1))
		}
	}
}

func TestKindsAreFilteredByTheServer(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 3)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for {
			cons, err := l.Stream().Consumer(ctx, "pager")
			if errors.Is(err, jetstream.ErrConsumerNotFound) {
				continue
			}
			if err == nil && (cons.CachedInfo().NumPending != 0 || !slices.Equal(cons.CachedInfo().Config.FilterSubjects, []string{prefix + "restart.required"})) {
				err = fmt.Errorf("the server would send others: %+v", cons.CachedInfo())
			}
			cancel(err)
			return
		}
	}()
	err := l.Consume(ctx, "pager", []events.Kind{"restart.required"}, func(context.Context, events.Record) error {
		return errors.New("of another kind")
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
