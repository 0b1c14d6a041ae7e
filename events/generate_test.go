package events

import (
	"flag"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write schema/ and docs/events.md anew from the Go source")

// everyKind runs a property as a subtest of each kind.
func everyKind(t *testing.T, prop func(*rapid.T, Info)) {
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue { // 100 each would be 5000 for all
		if err := checks.Value.Set("20"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	for _, info := range Kinds() {
		t.Run(string(info.Kind), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { prop(t, info) })
		})
	}
}

// drawEvent draws a valid event of one kind: any value that its Go types carry.
func drawEvent(t *rapid.T, info Info) Event {
	optional := func(name string) string {
		if rapid.Bool().Draw(t, "has "+name) {
			return drawToken(t, name)
		}
		return ""
	}
	e := Event{
		ID: drawToken(t, "id"), Source: drawMatching(t, "source", `/([A-Za-z0-9_.:-][A-Za-z0-9_./:-]{0,40})?`), Gateway: drawGateway(t), Time: drawTime(t),
		Seq: drawDecimal(t, "seq", 1), Boot: drawToken(t, "boot"), Mono: int64(drawDecimal(t, "mono", 0)),
		Conn: optional("conn"), Attempt: optional("attempt"), Epoch: drawDecimal(t, "epoch", 0), Cause: optional("cause"),
		Data: drawPayload(t, info),
	}
	if rapid.Bool().Draw(t, "no mono") {
		e.Mono = NoMono
	}
	if rapid.Bool().Draw(t, "has sourcetime") {
		e.SourceTime = drawMatching(t, "sourcetime", `[ !#-\[\]-~]{1,128}`)
	}
	copy(e.Prev[:], rapid.SliceOfN(rapid.Byte(), len(e.Prev), len(e.Prev)).Draw(t, "prev"))
	return e
}

func drawMatching(t *rapid.T, label, pattern string) string {
	return rapid.StringMatching(pattern).Filter(func(s string) bool { return !hasAccountID(s) }).Draw(t, label)
}

func drawToken(t *rapid.T, label string) string {
	return drawMatching(t, label, `[A-Za-z0-9_:/][A-Za-z0-9_./:-]{0,40}|[a-z.]{2,128}`)
}

func drawGateway(t *rapid.T) string { return drawMatching(t, "gateway", `[a-z][a-z0-9-]{0,31}`) }

func drawDecimal(t *rapid.T, label string, least uint64) uint64 {
	return rapid.Uint64Range(least, maxDecimal).Draw(t, label)
}

func drawTime(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "no time") {
		return time.Time{}
	}
	first := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	nanos := rapid.SampledFrom([]int64{0, 1, 10, 120_000_000, 481_902_337, 999_999_999}).Draw(t, "nanos")
	return time.Unix(rapid.Int64Range(first, last).Draw(t, "seconds"), nanos).UTC()
}

// drawText draws a free text, often one that tries the codec.
func drawText(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.StringN(0, -1, 80),
		rapid.SampledFrom([]string{"", "\x00", "\x1f\x7f", `"`, `\`, `\u0041`, "\b\t\n\f\r", "\u2028\u2029", "\U0010FFFF", "\uFFFD", "é", "</script>&",
			strings.Repeat("a", maxText), strings.Repeat("é", maxText/2), strings.Repeat("\x01", maxText)}),
	).Filter(func(s string) bool { return !hasAccountID(s) }).Draw(t, label)
}

func drawInt(t *rapid.T, label string) int64 {
	return rapid.OneOf(rapid.Int64Range(-maxInt, maxInt), rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{-maxInt, maxInt})).Draw(t, label)
}

func drawPayload(t *rapid.T, info Info) Payload {
	v := reflect.New(info.plan.typ).Elem()
	for i := range info.plan.fields {
		f := &info.plan.fields[i]
		if f.optional && rapid.Bool().Draw(t, "no "+f.name) {
			continue
		}
		fv := f.in(v)
		switch f.op {
		case opString:
			fv.SetString(drawText(t, f.name))
		case opSet:
			fv.SetString(rapid.SampledFrom(f.set).Draw(t, f.name))
		case opBool:
			fv.SetBool(rapid.Bool().Draw(t, f.name))
		case opInt:
			fv.SetInt(drawInt(t, f.name))
		case opUint:
			fv.SetUint(rapid.Uint64Range(0, maxInt).Draw(t, f.name))
		case opIntPtr:
			n := drawInt(t, f.name)
			fv.Set(reflect.ValueOf(&n))
		case opList:
			n := rapid.OneOf(rapid.IntRange(1, 4), rapid.Just(maxList)).Draw(t, f.name+" entries")
			list := make([]string, n)
			for i := range list {
				list[i] = drawToken(t, f.name)
			}
			fv.Set(reflect.ValueOf(list))
		}
	}
	return v.Interface().(Payload)
}

// sample is a failed attempt as a recorder in use writes it, about 600 bytes.
func sample() Event {
	client := int64(7)
	return Event{
		ID: "kqzmbtwhxa-live-48213", Source: "/tap", Gateway: "live",
		Time: time.Date(2026, 3, 2, 9, 15, 27, 481902337, time.UTC),
		Seq:  48213, Boot: "kqzmbtwhxa", Mono: 93847561203, Conn: "kqzmbtwhxa-c12", Attempt: "kqzmbtwhxa-a9", Epoch: 3,
		Cause: "kqzmbtwhxa-live-48205", Prev: HashOf([]byte("before")),
		Data: AttemptFailed{Reason: AcceptedNoBytes, Stage: StageConnected, ClientID: &client, By: Recorder, How: FIN,
			WaitedMS: 10000, LimitMS: 10000, ClientBytes: 23, ElapsedUS: 10004211},
	}
}

func mustEncode(tb rapid.TB, e Event) []byte {
	tb.Helper()
	raw, err := Encode(e)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
