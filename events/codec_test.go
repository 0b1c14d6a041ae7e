package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEveryKindSurvivesARoundTrip(t *testing.T) {
	everyKind(t, func(t *rapid.T, info Info) {
		e := drawEvent(t, info)
		raw, err := Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(raw) || bytes.ContainsRune(raw, '\n') {
			t.Fatalf("not one line of JSON: %q", raw)
		}
		for name, decode := range map[string]func([]byte) (Event, error){"Decode": Decode, "decodeReference": decodeReference} {
			got, err := decode(raw)
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, raw)
			}
			if diff := cmp.Diff(e, got); diff != "" {
				t.Fatalf("%s changed the event (-encoded +decoded):\n%s", name, diff)
			}
		}
		if !decodeFast(string(raw), new(Event)) {
			t.Fatalf("only the slow decoder accepts %s", raw)
		}
	})
}

func TestAnEventSharesNoMemoryWithItsBytes(t *testing.T) {
	want := sample()
	raw := mustEncode(t, want)
	got, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = 'x'
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writing over the bytes changed the event:\n%s", diff)
	}
}

// Decoding uses memory again; nothing may be seen of the event before.
func TestARefusedEventLeavesNothingBehind(t *testing.T) {
	bare := sample()
	bare.Data = AttemptFailed{Reason: Refused, Stage: StageDial}
	full, want := mustEncode(t, sample()), mustEncode(t, bare)
	for cut := range full {
		if _, err := Decode(full[:cut]); err == nil {
			t.Fatalf("accepted %s", full[:cut])
		}
		if got := mustDecode(t, want); !cmp.Equal(got, bare) {
			t.Fatalf("after %s:\n%s", full[:cut], cmp.Diff(bare, got))
		}
	}
}

func TestManyGoroutinesMayDecode(t *testing.T) {
	var all sync.WaitGroup
	for worker := range int64(4) {
		want := sample()
		want.Data = AttemptFailed{Reason: Refused, Stage: StageDial, LimitMS: worker + 1, ClientID: &worker}
		raw := mustEncode(t, want)
		all.Go(func() {
			for range 500 {
				if got, err := Decode(raw); err != nil || !cmp.Equal(got, want) {
					t.Errorf("%v\n%s", err, cmp.Diff(want, got))
					return
				}
			}
		})
	}
	all.Wait()
}

// What a Redactor makes of a draft must always be encodable, so the bounds of the
// fields together have to stay below MaxBytes.
func TestTheLongestEventOfEveryKindFits(t *testing.T) {
	token := "/" + strings.Repeat("x", maxToken-1)
	for _, info := range Kinds() {
		v := reflect.New(info.plan.typ).Elem()
		for i := range info.plan.fields {
			f := &info.plan.fields[i]
			fv := f.in(v)
			long := int64(-maxInt)
			switch f.op {
			case opString: // a control character takes 6 bytes in JSON
				fv.SetString(strings.Repeat("\x01", maxText))
			case opSet:
				for _, s := range f.set {
					if len(s) > fv.Len() {
						fv.SetString(s)
					}
				}
			case opInt:
				fv.SetInt(long)
			case opUint:
				fv.SetUint(maxInt)
			case opIntPtr:
				fv.Set(reflect.ValueOf(&long))
			case opList:
				list := make([]string, maxList)
				for i := range list {
					list[i] = token
				}
				fv.Set(reflect.ValueOf(list))
			}
		}
		e := Event{
			ID: token, Source: token, Gateway: strings.Repeat("g", 32), Time: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
			Seq: maxDecimal, Boot: token, Mono: maxDecimal, Conn: token, Attempt: token, Epoch: maxDecimal, Cause: token,
			SourceTime: strings.Repeat("~", maxToken), Data: v.Interface().(Payload),
		}
		raw, err := Encode(e)
		if err != nil {
			t.Errorf("%s: %v", info.Kind, err)
			continue
		}
		if _, err := Decode(raw); err != nil {
			t.Errorf("%s: %v", info.Kind, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	plus := func(change func(*Event)) Event {
		e := sample()
		change(&e)
		return e
	}
	note := func(text string) Event {
		return plus(func(e *Event) { e.Data = OperatorNoted{By: "anna", Text: text} })
	}
	for _, c := range []struct {
		name  string
		event Event
		field string
		class error
	}{
		{"no payload", plus(func(e *Event) { e.Data = nil }), "data", ErrMissingField},
		{"a pointer to a payload", plus(func(e *Event) { e.Data = &RecorderStopped{} }), "data", ErrUnknownKind},
		{"a payload of a type that only claims a kind", plus(func(e *Event) { e.Data = impostor{} }), "data", ErrUnknownKind},
		{"no id", plus(func(e *Event) { e.ID = "" }), "id", ErrNotAllowed},
		{"an id with a space", plus(func(e *Event) { e.ID = "a b" }), "id", ErrNotAllowed},
		{"an id of 129 bytes", plus(func(e *Event) { e.ID = strings.Repeat("x", 129) }), "id", ErrNotAllowed},
		{"an account as id", plus(func(e *Event) { e.ID = "run-U1234567" }), "id", ErrUnredacted},
		{"a source that is no path", plus(func(e *Event) { e.Source = "tap" }), "source", ErrNotAllowed},
		{"a gateway in capitals", plus(func(e *Event) { e.Gateway = "Live" }), "subject", ErrGatewayName},
		{"a gateway named after an account", plus(func(e *Event) { e.Gateway = "gw-u1234567" }), "subject", ErrGatewayName},
		{"sequence 0", plus(func(e *Event) { e.Seq = 0 }), "seq", ErrNotAllowed},
		{"a sequence of 19 digits", plus(func(e *Event) { e.Seq = 1e18 }), "seq", ErrNotAllowed},
		{"a negative mono", plus(func(e *Event) { e.Mono = -2 }), "mono", ErrNotAllowed},
		{"local time", plus(func(e *Event) { e.Time = e.Time.In(time.FixedZone("CET", 3600)) }), "time", ErrNotAllowed},
		{"the year 10000", plus(func(e *Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), "time", ErrNotAllowed},
		{"a source time with a quote", plus(func(e *Event) { e.SourceTime = `"` }), "sourcetime", ErrNotAllowed},
		{"an account as source time", plus(func(e *Event) { e.SourceTime = "DU1234567" }), "sourcetime", ErrUnredacted},
		{"text of 1025 bytes", note(strings.Repeat("x", 1025)), "data.text", ErrTooLong},
		{"text that is not UTF-8", note("\xff"), "data.text", ErrNotAllowed},
		{"half of a surrogate pair as bytes", note("\xed\xa0\x80"), "data.text", ErrNotAllowed},
		{"an account in a text", note("account U1234567"), "data.text", ErrUnredacted},
		{"a value outside its closed set", plus(func(e *Event) { e.Data = RecorderStopped{Reason: "bored"} }), "data.reason", ErrNotAllowed},
		{"an empty closed set", plus(func(e *Event) { e.Data = RecorderStopped{} }), "data.reason", ErrNotAllowed},
		{"2^53", plus(func(e *Event) { e.Data = RecorderGap{Reason: GapStore, Lost: 1 << 53} }), "data.lost", ErrNotAllowed},
		{"-2^53", plus(func(e *Event) { e.Data = RecorderGap{Reason: GapStore, Lost: -1 << 53} }), "data.lost", ErrNotAllowed},
		{"2^64-1", plus(func(e *Event) { e.Data = RecorderStarted{Previous: PreviousNone, OldSeq: 1<<64 - 1} }), "data.old_seq", ErrNotAllowed},
		{"65 entries", plus(func(e *Event) { e.Data = GatewayDown{Reason: DownSilent, Evidence: make([]string, 65)} }), "data.evidence", ErrTooLong},
		{"an entry that is no identifier", plus(func(e *Event) {
			e.Data = GatewayDown{Reason: DownSilent, Evidence: []string{"a", "b c"}}
		}), "data.evidence", ErrNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := Encode(c.event)
			if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.field+": ") {
				t.Errorf("got %s, %v\nwant %v in field %s", raw, err, c.class, c.field)
			}
		})
	}
}

type impostor struct{}

func (impostor) Kind() Kind { return RecorderStopped{}.Kind() }

func TestElapsedIsKnownWithinOneRunOnly(t *testing.T) {
	at := func(boot string, mono int64) Event { return Event{Boot: boot, Mono: mono} }
	for _, c := range []struct {
		name  string
		a, b  Event
		ns    int64
		known bool
	}{
		{"two moments of one run", at("a", 5), at("a", 12), 7, true},
		{"backwards", at("a", 12), at("a", 5), -7, true},
		{"two runs", at("a", 5), at("b", 12), 0, false},
		{"imported first", at("a", NoMono), at("a", 12), 0, false},
		{"imported second", at("a", 5), at("a", NoMono), 0, false},
	} {
		if ns, known := Elapsed(c.a, c.b); ns != c.ns || known != c.known {
			t.Errorf("%s: %d %v, want %d %v", c.name, ns, known, c.ns, c.known)
		}
	}
}
