package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestStreamsAreDiscoveredFromTheServer(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []string{"paper", "live-2", "live"} {
		if _, err := s.Log(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := openStore(t, dir).Gateways(t.Context()) // of a store that has opened none of them
	if diff := cmp.Diff([]string{"live", "live-2", "paper"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestEveryGatewayHasAStreamOfItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,31}`).Filter(func(s string) bool { return events.CheckGatewayName(s) == nil })
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if back, ok := store.GatewayOf(store.StreamName(a)); !ok || back != a {
			t.Fatalf("%s becomes %s becomes %s", a, store.StreamName(a), back)
		}
		if a != b && store.StreamName(a) == store.StreamName(b) {
			t.Fatalf("%s and %s share %s", a, b, store.StreamName(a))
		}
	})
}

// The server itself is asked, because it fills in what a request leaves out.
func TestTheStreamKeepsEverythingAndHasLimits(t *testing.T) {
	l := openLog(t, t.TempDir())
	info, err := l.Stream().Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := info.Config
	for _, check := range []struct {
		name string
		ok   bool
	}{
		{"one bounded set of subjects: the kinds", slices.Equal(c.Subjects, []string{"ibrecorder.ev.paper.*.*"})},
		{"on disk", c.Storage == jetstream.FileStorage},
		{"nothing leaves by age, count or interest", c.Retention == jetstream.LimitsPolicy && c.MaxAge == 0 && c.MaxMsgs == -1 && c.MaxMsgsPerSubject == -1},
		{"a full log refuses instead of forgetting", c.Discard == jetstream.DiscardNew && c.MaxBytes == 64<<20},
		{"no deletion, purge, rollup or expiry", c.DenyDelete && c.DenyPurge && !c.AllowRollup && !c.AllowMsgTTL},
		{"the largest event fits", int(c.MaxMsgSize) >= events.MaxBytes+1024},
		{"no compression", c.Compression == jetstream.NoCompression},
		{"single events can be got without a consumer", c.AllowDirect},
		{"a repeated append is recognised", c.Duplicates > 0},
		{"writes are not put off", c.PersistMode == jetstream.DefaultPersistMode},
		{"the format has a version", c.Metadata["ibrecorder-format"] == "1"},
	} {
		if !check.ok {
			t.Errorf("not so: %s\n%+v", check.name, c)
		}
	}
}

func TestDenyDeleteAndPurgeCannotBeTurnedOff(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fill(t, l, gw, 3)
	cfg := l.Stream().CachedInfo().Config
	cfg.DenyDelete, cfg.DenyPurge = false, false
	if _, err := s.JetStream().UpdateStream(t.Context(), cfg); err == nil {
		t.Error("the protection was taken off")
	}
	if err := l.Stream().DeleteMsg(t.Context(), 2); err == nil {
		t.Error("an event was deleted")
	}
	if err := l.Stream().Purge(t.Context()); err == nil {
		t.Error("the log was purged")
	}
	if head, err := l.Head(t.Context()); err != nil || head.Seq != 3 {
		t.Errorf("head %v, %v", head, err)
	}
}

// The server lets anybody who reaches its API do each of these.
func TestALogWhoseStreamWasChangedIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*jetstream.StreamConfig)
		want   string
	}{
		{"old events give way to new ones", func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "discard policy"},
		{"it keeps a number of events", func(c *jetstream.StreamConfig) { c.MaxMsgs = 5 }, "retention"},
		{"it keeps a number of events of a kind", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 }, "retention"},
		{"it keeps events for a time", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "retention"},
		{"an event may say when it goes", func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true }, "expiry"},
		{"it takes other subjects", func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "other.>") }, "subjects"},
		{"it refuses large events", func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 }, "acceptance"},
		{"it acknowledges nothing", func(c *jetstream.StreamConfig) { c.NoAck = true }, "acceptance"},
		{"it was sealed", func(c *jetstream.StreamConfig) { c.Sealed = true }, "acceptance"},
		{"it is compressed", func(c *jetstream.StreamConfig) { c.Compression = jetstream.S2Compression }, "compression"},
		{"it copies another stream", func(c *jetstream.StreamConfig) {
			c.Sources = []*jetstream.StreamSource{{Name: "IBR_LIVE_0001"}}
		}, "replication"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			cfg := l.Stream().CachedInfo().Config
			c.change(&cfg)
			_, err = s.JetStream().UpdateStream(t.Context(), cfg)
			must(t, err)
			_, err = s.SecondWriter(t.Context(), gw)
			if !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "recorder log quarantine") {
				t.Errorf("%v, want a refusal that names the %s and what to type", err, c.want)
			}
		})
	}
}

func TestSubjectsAreTheKindsAndNothingElse(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	must(t, err)
	storetest.Fill(t, l, gw, 30)
	for _, subject := range []string{prefix + "note", prefix + "operator.noted.b1-paper-31", "ibrecorder.ev.live.operator.noted"} {
		if _, err := s.JetStream().Publish(t.Context(), subject, nil, jetstream.WithRetryAttempts(0)); !errors.Is(err, jetstream.ErrNoStreamResponse) {
			t.Errorf("%s: %v, want that nobody takes it", subject, err)
		}
	}
	if info, err := l.Stream().Info(t.Context()); err != nil || info.State.NumSubjects != 1 {
		t.Errorf("%d subjects for 30 events of a kind, %v", info.State.NumSubjects, err)
	}
}

func TestTheLimitOfALogIsBelowTheFreeDisk(t *testing.T) {
	dir := t.TempDir()
	var disk unix.Statfs_t
	must(t, unix.Statfs(dir, &disk))
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 1 << 55})
	must(t, err)
	defer s.Close()
	for _, g := range []string{"paper", "live"} {
		l, err := s.Log(t.Context(), g)
		must(t, err)
		_, limit, err := l.Usage(t.Context())
		if total := int64(disk.Blocks) * int64(disk.Bsize); err != nil || limit <= 0 || limit >= total {
			t.Errorf("limit of %s is %d on a disk of %d, %v", g, limit, total, err)
		}
	}
}
