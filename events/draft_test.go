package events

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const reported = `{"specversion":"1.0","id":"r-1","source":"/runner/robo-1","type":"ibrecorder.attempt.failed.v1","subject":"live",` +
	`"time":"2026-03-02T10:15:27+01:00","attempt":"a1","data":{"reason":"reported_timeout","stage":"none","client_id":0,"limit_ms":10000,"text":"TimeoutError()"}}`

func TestDecodeDraft(t *testing.T) {
	zero := int64(0)
	want := Draft{ID: "r-1", Source: "/runner/robo-1", Attempt: "a1", SourceTime: "2026-03-02T10:15:27+01:00",
		Data: AttemptFailed{Reason: ReportedTimeout, Stage: StageNone, ClientID: &zero, LimitMS: 10000, Text: "TimeoutError()"}}
	swap := strings.NewReplacer
	for _, c := range []struct {
		name   string
		report string
	}{
		{"in the order of the documentation", reported},
		{"with white space, over several lines", swap(`,`, " ,\r\n\t", `:{`, ` : {`).Replace(reported) + "\n"},
		{"with the payload's fields in another order", swap(`"reason":"reported_timeout",`, ``, `"text":"Time`, `"reason":"reported_timeout","text":"Time`).Replace(reported)},
		{"with the attributes in another order", `{"subject":"live",` + swap(`"subject":"live",`, ``).Replace(reported)[1:]},
		{"with needless escapes", swap(`TimeoutError`, `\u0054imeoutError`, `/runner/`, `\/runner\/`).Replace(reported)},
		{"with a content type", `{"datacontenttype":"application/json",` + reported[1:]},
		{"with an optional field that is empty", swap(`"stage":"none"`, `"stage":"none","code":0`).Replace(reported)},
	} {
		t.Run(c.name, func(t *testing.T) {
			gateway, got, err := DecodeDraft([]byte(c.report))
			if err != nil || gateway != "live" {
				t.Fatalf("gateway %q, %v", gateway, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeDraftRefuses(t *testing.T) {
	plus := func(member string) string { return `{` + member + `,` + reported[1:] }
	swap := func(from, to string) string { return strings.Replace(reported, from, to, 1) }
	for _, c := range []struct {
		name   string
		report string
		class  error
		says   string
	}{
		{"a sequence", plus(`"seq":"1"`), ErrReserved, "field seq: not a reporter's to say: the recorder stamps it"},
		{"a boot", plus(`"boot":"b"`), ErrReserved, "field boot"},
		{"a monotonic time", plus(`"mono":"1"`), ErrReserved, "field mono"},
		{"a hash", plus(`"prev":"x"`), ErrReserved, "field prev"},
		{"an epoch", plus(`"epoch":"1"`), ErrReserved, "field epoch"},
		{"a source time, which the recorder makes of the time", plus(`"sourcetime":"x"`), ErrReserved, "field sourcetime"},
		{"a reserved attribute of a wrong type", plus(`"seq":1`), ErrReserved, "field seq"},
		{"no id", swap(`"id":"r-1",`, ``), ErrMissingField, "field id"},
		{"no subject", swap(`"subject":"live",`, ``), ErrMissingField, "field subject"},
		{"no data", swap(reported[strings.Index(reported, `,"data"`):], `}`), ErrMissingField, "field data"},
		{"a bad gateway", swap(`"live"`, `"Live Gateway"`), ErrGatewayName, "field subject"},
		{"an id with a space", swap(`"r-1"`, `"r 1"`), ErrNotAllowed, "field id"},
		{"a source that is no path", swap(`"/runner`, `"runner`), ErrNotAllowed, "field source: value not allowed: \"runner/robo-1\", want a path such as /runner/robo-1"},
		{"a time without a zone", swap(`+01:00"`, `"`), ErrNotAllowed, "field time"},
		{"a time with more digits than can be kept", swap(`27+01`, `27.`+strings.Repeat("0", 128)+`+01`), ErrTooLong, "field time"},
		{"an unknown attribute", plus(`"atempt":"a1"`), ErrUnknownField, "nearest are attempt"},
		{"an unknown field", swap(`"limit_ms"`, `"limitms"`), ErrUnknownField, "field data.limitms: unknown field: nearest are limit_ms"},
		{"a missing field", swap(`"stage":"none",`, ``), ErrMissingField, "field data.stage"},
		{"an integer that not every reader keeps", swap(`10000`, `9007199254740992`), ErrNotAllowed, "field data.limit_ms"},
		{"a value outside its closed set", swap(`reported_timeout`, `timeout`), ErrNotAllowed, "field data.reason"},
		{"an unknown kind", swap(`attempt.failed`, `attempt.fialed`), ErrUnknownKind, "nearest are ibrecorder.attempt.failed.v1"},
		{"a key twice", plus(`"id":"r-1"`), ErrDuplicateKey, "field id"},
		{"a lease", `{"specversion":"1.0","id":"r","source":"/r","type":"ibrecorder.attempt.requested.v1","subject":"live","attempt":"a","data":{"lease_ms":60000}}`,
			ErrReserved, "ask for a permit"},
		{"a request to disconnect that asks for an answer", `{"specversion":"1.0","id":"r","source":"/r","type":"ibrecorder.disconnect.requested.v1","subject":"live","data":{"by":"r","reason":"done","force":false,"asked":true}}`,
			ErrReserved, "ask for a disconnect"},
		{"too many bytes", reported + strings.Repeat(" ", MaxBytes), ErrTooLong, "at most 65536"},
		{"two reports", reported + reported, ErrSyntax, "after top-level value"},
		{"too much evidence", `{"specversion":"1.0","id":"r","source":"/r","type":"ibrecorder.gateway.down.v1","subject":"live","data":{"reason":"reported","evidence":["a"` +
			strings.Repeat(`,"a"`, maxList) + `]}}`, ErrTooLong, "field data.evidence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, d, err := DecodeDraft([]byte(c.report))
			var at *DecodeError
			if !errors.Is(err, c.class) || !errors.As(err, &at) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %+v, %v\nwant %v that says %s", d, err, c.class, c.says)
			}
		})
	}
}

// asReport is what an outside reporter would send to have e in the log: its
// attributes without what the loop stamps, in no particular order.
func asReport(t rapid.TB, e Event) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(mustEncode(t, e), &all); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(all, func(key string, _ json.RawMessage) bool {
		switch key {
		case "seq", "boot", "mono", "prev", "epoch", "sourcetime":
			return true
		}
		return false
	})
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOnlyKindsForOutsideComeFromOutside(t *testing.T) {
	everyKind(t, func(t *rapid.T, info Info) {
		e := drawEvent(t, info)
		_, d, err := DecodeDraft(asReport(t, e))
		q, _ := e.Data.(AttemptRequested)
		ends, _ := e.Data.(DisconnectRequested)
		switch {
		case q.LeaseMS != 0, ends.Asked: // asking has a door of its own
			if !errors.Is(err, ErrReserved) {
				t.Fatalf("got %+v, %v, want %v", d, err, ErrReserved)
			}
		case info.Outside && (err != nil || d.Data.Kind() != info.Kind):
			t.Fatalf("got %+v, %v", d, err)
		case !info.Outside && !errors.Is(err, ErrReserved):
			t.Fatalf("got %v, want %v", err, ErrReserved)
		}
		if info.Outside && info.Class == Decision {
			t.Fatal("a decision is not a reporter's to make")
		}
	})
}
