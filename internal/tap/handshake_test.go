package tap

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

var testBudgets = events.Params{DialTimeoutMS: 5_000, VersionBudgetMS: 30_000, StartAPIBudgetMS: 2_000, ReadyBudgetMS: 30_000}

// judge is a handshake with a clock that the test turns.
type judge struct {
	*handshake
	at at
}

// fromClient is what the client sent behind the version, and what was passed on at once.
func (j *judge) fromClient(a at, b []byte) {
	j.look(b)
	j.passedOn(a, len(b))
}

func newJudge(key func(string) string) *judge {
	began := time.Unix(1_790_000_000, 0)
	j := &judge{handshake: newHandshake(testBudgets, key, wire.Hello{Min: 100, Max: 225}, began), at: at{now: began}}
	j.dial(began, "127.0.0.1:4002")
	j.connected(began, 50_000)
	j.at.sent = 17
	return j
}

func (j *judge) gets(b []byte) []byte {
	j.at.got += int64(len(b))
	return j.fromGateway(j.at, b)
}

func (j *judge) pass(d time.Duration) { j.at.now = j.at.now.Add(d) }

func versionReply(version int) []byte {
	return wire.AppendVersionReply(nil, wire.VersionReply{Version: version, ConnectionTime: "20260901 09:30:00 EST"})
}

func startAPI(version int) []byte {
	return wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: 7, HasClientID: true})
}

func readyFrames(version int) []byte {
	return wire.AppendNextValidID(wire.AppendManagedAccounts(nil, version, []string{"DU1234567", "DU7654321"}), version, 1)
}

// The Gateway's bytes in any cut mean the same, and the client gets all of them,
// the version reply in one piece.
func TestAnyCutOfTheSameBytes(t *testing.T) {
	for _, v := range []int{176, 203, 213, 225} {
		whole := newJudge(nil)
		whole.gets(versionReply(v))
		whole.fromClient(whole.at, startAPI(v))
		whole.gets(readyFrames(v))
		want := whole.drain()
		for cut := 1; cut < 40; cut++ {
			j := newJudge(nil)
			var got []byte
			feed := func(b []byte) {
				for len(b) > 0 {
					n := min(cut, len(b))
					got = append(got, j.gets(b[:n])...)
					b = b[n:]
				}
			}
			feed(versionReply(v))
			for b := startAPI(v); len(b) > 0; b = b[min(cut, len(b)):] {
				j.fromClient(j.at, b[:min(cut, len(b))])
			}
			feed(readyFrames(v))
			if diff := cmp.Diff(want, j.drain()); diff != "" || j.end != Ready {
				t.Fatalf("server %d in pieces of %d ends %q, want -, got +\n%s", v, cut, j.end, diff)
			}
			if !bytes.Equal(got, append(versionReply(v), readyFrames(v)...)) {
				t.Errorf("server %d in pieces of %d: the client gets other bytes", v, cut)
			}
		}
	}
}

// Nothing of a bad version reply reaches the client: a library was seen to crash on one.
func TestABadVersionIsNotPassedOn(t *testing.T) {
	for name, b := range map[string][]byte{
		"above the offered range": versionReply(226),
		"below it":                versionReply(99),
		"a redirect":              wire.AppendVersionReply(nil, wire.VersionReply{Version: -1, Redirect: "10.0.0.1:4001"}),
		"one field":               wire.AppendFrame(nil, []byte("176\x00")),
		"empty":                   {0, 0, 0, 0},
		"too long":                {0xff, 0xff, 0xff, 0xff},
		"a frame of a megabyte":   append([]byte{0, 0x10, 0, 0}, bytes.Repeat([]byte("x"), handshakePrefix)...),
	} {
		j := newJudge(nil)
		if got := j.gets(b); len(got) != 0 {
			t.Errorf("%s: the client gets %q", name, got)
		}
		if j.end != Failed || j.fail.Reason != events.BadVersion {
			t.Errorf("%s: it ends %q by %q, want bad_version", name, j.end, j.fail.Reason)
		}
	}
}

// Accounts are a count and keyed hashes; a list too long to keep is ready all the same.
func TestAccountsAreHashed(t *testing.T) {
	ready := func(accounts []string) events.HandshakeReady {
		j := newJudge(func(account string) string { return "acct-" + account[len(account)-2:] })
		j.gets(versionReply(176))
		j.fromClient(j.at, startAPI(176))
		j.gets(wire.AppendManagedAccounts(nil, 176, accounts))
		j.gets(wire.AppendNextValidID(nil, 176, 1))
		for _, p := range j.drain() {
			if r, ok := p.(events.HandshakeReady); ok {
				return r
			}
		}
		t.Fatalf("%d accounts: not ready", len(accounts))
		return events.HandshakeReady{}
	}
	if got := ready([]string{"DU1234567", "DU7654321"}); got.Accounts != 2 || !cmp.Equal(got.AccountKeys, []string{"acct-67", "acct-21"}) {
		t.Errorf("%+v, want two hashed accounts", got)
	}
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprintf("DU%07d", i)
	}
	if got := ready(many); got.Accounts != 500 || len(got.AccountKeys) != maxAccountKeys {
		t.Errorf("500 accounts give %d and %d hashes, want 500 and %d", got.Accounts, len(got.AccountKeys), maxAccountKeys)
	}
	for len(many) < 10_000 {
		many = append(many, many...)
	}
	if got := ready(many); got.Accounts != 0 || len(got.AccountKeys) != 0 {
		t.Errorf("a list that was not kept gives %+v, want no count", got)
	}
}

// A notice that repeats is reported once, and then with its count.
func TestNoticesDoNotFloodTheLog(t *testing.T) {
	j := newJudge(nil)
	j.gets(versionReply(176))
	j.fromClient(j.at, startAPI(176))
	for range 1000 {
		j.gets(wire.AppendError(nil, 176, wire.ErrorMessage{ID: -1, Code: 1100}))
		j.gets(wire.AppendError(nil, 176, wire.ErrorMessage{ID: 3, Code: 200})) // answers a request
	}
	for code := range 1000 {
		j.gets(wire.AppendError(nil, 176, wire.ErrorMessage{ID: -1, Code: 2000 + code}))
	}
	j.pass(31 * time.Second)
	j.expired(j.at)
	n, counted := 0, int64(0)
	for _, p := range j.drain() {
		if d, ok := p.(events.GatewayNotice); ok {
			n++
			if d.Code == 1100 {
				counted += d.Count
			}
		}
	}
	if n > 64 || counted != 1000 {
		t.Errorf("%d notices, of them %d times 1100; want at most 64, and 1000 times", n, counted)
	}
}

// A silence that has an explanation is none.
func TestWhatExplainsASilence(t *testing.T) {
	for _, row := range []struct {
		code int
		want events.FailReason
	}{
		{326, events.ClientIDInUse}, {10141, events.DisclaimerPending}, {502, events.ErrorBeforeReady}, {1300, events.ErrorBeforeReady}, {504, events.ErrorBeforeReady},
		{1100, events.VersionNoReady}, {1101, events.VersionNoReady}, {1102, events.VersionNoReady}, {2103, events.VersionNoReady}, {2110, events.VersionNoReady},
		{2157, events.VersionNoReady}, {2199, events.VersionNoReady}, {0, events.VersionNoReady},
	} {
		for _, v := range []int{176, 200, 203, 213} {
			j := newJudge(nil)
			j.gets(versionReply(v))
			j.fromClient(j.at, startAPI(v))
			j.gets(wire.AppendError(nil, v, wire.ErrorMessage{ID: -1, Code: row.code, Text: "text"}))
			j.at.now = j.deadline
			j.expired(j.at)
			if j.end != Failed || j.fail.Reason != row.want {
				t.Errorf("code %d from server %d ends %q by %q, want %q", row.code, v, j.end, j.fail.Reason, row.want)
			}
		}
	}
}

// A Gateway whose framing is lost after its version answers something: it is not
// silent, and the error it sent before explains more than the bytes after it.
func TestLostFramingIsNoSilence(t *testing.T) {
	garbage := []byte("HTTP/1.1 400 Bad Request\r\n\r\n")
	for _, row := range []struct {
		name    string
		before  []byte
		leaves  bool
		started bool
		end     End
		want    events.FailReason
	}{
		{"right behind the version", nil, false, false, Failed, events.BadVersion},
		{"after startAPI", nil, false, true, Failed, events.BadVersion},
		{"in the middle of ready", wire.AppendNextValidID(nil, 176, 1), false, true, Failed, events.BadVersion},
		{"after 326", wire.AppendError(nil, 176, wire.ErrorMessage{ID: -1, Code: 326}), false, true, Failed, events.ClientIDInUse},
		{"after an error, to a client that has left", wire.AppendError(nil, 176, wire.ErrorMessage{ID: -1, Code: 502}), true, true, Abandoned, ""},
		{"to a client that has left", nil, true, true, Failed, events.BadVersion},
		{"behind ready, where nobody looks", readyFrames(176), false, true, Ready, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJudge(nil)
			j.gets(versionReply(176))
			if row.started {
				j.fromClient(j.at, startAPI(176))
			}
			if row.leaves {
				j.gets(row.before)
				j.left = &leave{j.stage, events.FIN} // impatient, not because of the error
				j.gets(garbage)
			} else {
				j.gets(append(row.before, garbage...))
			}
			if j.end != row.end || j.fail.Reason != row.want {
				t.Errorf("it ends %q by %q, want %q by %q", j.end, j.fail.Reason, row.end, row.want)
			}
		})
	}
}

// finish lets time pass until the handshake is decided, which takes at most one
// budget for each of its three stages.
func (j *judge) finish(t *testing.T) {
	t.Helper()
	for range 3 {
		if j.end != "" {
			break
		}
		j.at.now = j.deadline
		j.expired(j.at)
	}
	ends := 0
	for _, p := range j.drain() {
		switch d := p.(type) {
		case events.AttemptSucceeded, events.AttemptAbandoned:
			ends++
		case events.AttemptFailed:
			ends++
			if silent := d.Reason == events.AcceptedNoBytes || d.Reason == events.VersionNoReady; silent && d.WaitedMS < d.LimitMS {
				t.Errorf("silent after %d of %d ms", d.WaitedMS, d.LimitMS)
			}
			if d.Reason == events.AcceptedNoBytes && d.GatewayBytes != 0 {
				t.Errorf("no bytes, and %d came", d.GatewayBytes)
			}
		}
	}
	if ends != 1 || j.end == "" {
		t.Errorf("%d ends, %q; want one", ends, j.end)
	}
}

// FuzzGatewayBytes: whatever a Gateway sends, in whatever cuts, whenever the client
// leaves, the handshake has one end, and a client gets a beginning of it or nothing.
func FuzzGatewayBytes(f *testing.F) {
	for _, v := range []int{176, 203, 213} {
		f.Add(append(versionReply(v), readyFrames(v)...), v, byte(7), byte(0))
		f.Add(append(versionReply(v), wire.AppendError(nil, v, wire.ErrorMessage{ID: -1, Code: 326})...), v, byte(3), byte(9))
	}
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 176, byte(1), byte(2))
	f.Fuzz(func(t *testing.T, data []byte, version int, cut, leaves byte) {
		j := newJudge(nil)
		var got []byte
		started := false
		step := 0
		for b := data; len(b) > 0 && j.end == ""; step++ {
			n := min(max(int(cut), 1), len(b))
			got = append(got, j.gets(b[:n])...)
			b = b[n:]
			if j.stage == events.StageVersioned && !started && j.left == nil && j.end == "" {
				started = true
				j.fromClient(j.at, startAPI(j.version))
			}
			if step == int(leaves) && j.end == "" {
				j.clientLeft(j.at, events.FIN)
			}
			j.pass(time.Millisecond)
		}
		if version%2 == 0 && j.end == "" {
			j.gatewayClosed(j.at, events.RST)
		}
		j.finish(t)
		if !bytes.HasPrefix(data, got) {
			t.Errorf("the client gets %q of %q", got, data)
		}
	})
}

// FuzzClientBytes: the same for what a client sends: first the hello, then the rest.
func FuzzClientBytes(f *testing.F) {
	hello := wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})
	for _, v := range []int{176, 203, 213} {
		f.Add(append(bytes.Clone(hello), startAPI(v)...), v, byte(5))
	}
	f.Add([]byte("\x16\x03\x01\x02\x00"), 176, byte(1))
	f.Fuzz(func(t *testing.T, data []byte, version int, cut byte) {
		var p wire.HelloParser
		b := data
		for len(b) > 0 && p.State() == wire.HelloNeedMore {
			n, _ := p.Feed(b[:min(max(int(cut), 1), len(b))])
			if n == 0 && p.State() == wire.HelloNeedMore {
				t.Fatal("the parser takes nothing and wants more")
			}
			b = b[n:]
		}
		if p.State() != wire.HelloComplete {
			return
		}
		j := newJudge(nil)
		j.hello = p.Hello()
		j.gets(versionReply(version))
		for len(b) > 0 && j.end == "" {
			n := min(max(int(cut), 1), len(b))
			j.fromClient(j.at, b[:n])
			b = b[n:]
		}
		if j.stage == events.StageStarted {
			j.gets(readyFrames(j.version))
			if j.end != Ready {
				t.Errorf("startAPI and both answers came, and it ends %q", j.end)
			}
		}
		j.finish(t)
	})
}
