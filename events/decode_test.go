package events

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// canonical is an event that the cases below spoil in one way each.
const canonical = `{"specversion":"1.0","id":"run-live-7","source":"/tap","type":"ibrecorder.recorder.gap.v1","subject":"live",` +
	`"time":"2026-03-02T09:15:27.5Z","datacontenttype":"application/json","seq":"7","boot":"run","mono":"12","conn":"c1","epoch":"0",` +
	`"prev":"00000000000000000000000000000000000000000000000000000000000000ff","data":{"reason":"overflow","lost":3,"text":"é\n"}}`

func TestDecodeRefuses(t *testing.T) {
	swap := func(from, to string) string {
		if strings.Count(canonical, from) != 1 {
			t.Fatalf("%q is not once in the canonical event", from)
		}
		return strings.Replace(canonical, from, to, 1)
	}
	note := func(text string) string { return swap(`"text":"é\n"`, `"text":`+text) }
	list := func(value string) string {
		return strings.NewReplacer(`recorder.gap.v1`, `gateway.down.v1`, `"reason":"overflow","lost":3,"text":"é\n"`, `"reason":"silent","evidence":`+value).Replace(canonical)
	}
	for _, c := range []struct {
		name  string
		line  string
		class error
		says  string // must be in the message: the field, and the hint
	}{
		{"nothing", ``, ErrSyntax, "byte 0: not a JSON object: unexpected end"},
		{"an array", `[]`, ErrSyntax, "want {"},
		{"a string", `"x"`, ErrSyntax, "want {"},
		{"null", `null`, ErrSyntax, "want {"},
		{"half an event", canonical[:100], ErrSyntax, "unexpected end"},
		{"an event without its last brace", canonical[:len(canonical)-1], ErrSyntax, "unexpected end"},
		{"two events", canonical + canonical, ErrSyntax, "after top-level value"},
		{"a trailing comma", canonical[:len(canonical)-1] + `,}`, ErrSyntax, "byte"},
		{"a key without quotes", swap(`"id":`, `id:`), ErrSyntax, "byte"},
		{"bytes that are not UTF-8", note("\"\xff\""), ErrSyntax, "not UTF-8"},
		{"a raw control character", note("\"\x01\""), ErrSyntax, fmt.Sprintf("byte %d", strings.Index(canonical, "é"))},
		{"an unknown escape", note(`"\x41"`), ErrSyntax, "in string escape code"},
		{"a longer event than may be", canonical + strings.Repeat(" ", MaxBytes), ErrTooLong, "at most 65536"},

		{"an unknown kind", swap(`recorder.gap`, `recorder.gab`), ErrUnknownKind, "field type: unknown kind: type \"ibrecorder.recorder.gab.v1\", nearest are ibrecorder.recorder.gap.v1"},
		{"another version of a kind", swap(`gap.v1`, `gap.v2`), ErrUnknownKind, "field type"},
		{"another version of CloudEvents", swap(`"1.0"`, `"1.1"`), ErrNotAllowed, `field specversion: value not allowed: "1.1", want "1.0"`},
		{"another content type", swap(`application/json`, `text/plain`), ErrNotAllowed, "field datacontenttype"},

		{"no id", swap(`"id":"run-live-7",`, ``), ErrMissingField, "field id"},
		{"no data", swap(`,"data":{"reason":"overflow","lost":3,"text":"é\n"}`, ``), ErrMissingField, "field data"},
		{"no field that is required", swap(`"lost":3,`, ``), ErrMissingField, "field data.lost"},
		{"an unknown attribute", swap(`"conn":"c1"`, `"con":"c1"`), ErrUnknownField, "field con: unknown field: nearest are conn"},
		{"an unknown field", swap(`"lost"`, `"last"`), ErrMissingField, "field data.lost"},
		{"one field more", swap(`"lost":3`, `"lost":3,"lostt":3`), ErrUnknownField, "field data.lostt: unknown field: nearest are lost"},
		{"a field in capitals", swap(`"text"`, `"Text"`), ErrUnknownField, "field data.Text: unknown field: nearest are text"},
		{"an attribute twice", swap(`"conn":"c1"`, `"conn":"c1","conn":"c1"`), ErrDuplicateKey, "field conn"},
		{"an attribute twice, once with an escape", swap(`"conn":"c1"`, `"conn":"c1","\u0063onn":"c1"`), ErrDuplicateKey, "field conn"},
		{"a field twice", swap(`"lost":3`, `"lost":3,"lost":3`), ErrDuplicateKey, "field data.lost"},

		{"a number as attribute", swap(`"seq":"7"`, `"seq":7`), ErrWrongType, "field seq: wrong type: 7, want a string"},
		{"null as attribute", swap(`"conn":"c1"`, `"conn":null`), ErrWrongType, "field conn"},
		{"an array as data", swap(`{"reason":"overflow","lost":3,"text":"é\n"}`, `[]`), ErrSyntax, "field data"},
		{"a string where a number belongs", swap(`"lost":3`, `"lost":"3"`), ErrWrongType, `field data.lost: wrong type: "3", want an integer`},
		{"a fraction", swap(`"lost":3`, `"lost":3.0`), ErrWrongType, "field data.lost"},
		{"an exponent", swap(`"lost":3`, `"lost":3e0`), ErrWrongType, "field data.lost"},
		{"null as number", swap(`"lost":3`, `"lost":null`), ErrWrongType, "field data.lost"},
		{"a number as text", note(`3`), ErrWrongType, "field data.text"},
		{"an object as text", note(`{"a":1}`), ErrWrongType, "field data.text"},
		{"a text as list", list(`"a"`), ErrWrongType, "field data.evidence"},
		{"null in a list", list(`["a",null]`), ErrWrongType, "field data.evidence"},
		{"a number in a list", list(`["a",1]`), ErrWrongType, "field data.evidence"},

		{"a value outside its closed set", swap(`"overflow"`, `"flood"`), ErrNotAllowed, `field data.reason: value not allowed: "flood", want one of overflow, store, unrecorded`},
		{"2^53", swap(`"lost":3`, `"lost":9007199254740992`), ErrNotAllowed, "field data.lost"},
		{"-2^53", swap(`"lost":3`, `"lost":-9007199254740992`), ErrNotAllowed, "field data.lost"},
		{"2^64", swap(`"lost":3`, `"lost":18446744073709551616`), ErrWrongType, "field data.lost"},
		{"a negative number that counts from 0", strings.NewReplacer(`recorder.gap.v1`, `recorder.started.v1`, `"reason":"overflow","lost":3,"text":"é\n"`,
			`"version":"1","previous":"none","old_seq":-1`).Replace(canonical), ErrWrongType, "field data.old_seq: wrong type: -1, want an integer from 0"},
		{"a text of 1025 bytes", note(`"` + strings.Repeat("x", 1025) + `"`), ErrTooLong, "field data.text"},
		{"a list of 65", list(`["a"` + strings.Repeat(`,"a"`, 64) + `]`), ErrTooLong, "field data.evidence"},
		{"a list entry that is no identifier", list(`["a b"]`), ErrNotAllowed, "field data.evidence: entry 1"},
		{"a text with an account id", note(`"of DU1234567"`), ErrUnredacted, "field data.text"},
		{"an account id behind an escape", note(`"of \u0044U1234567"`), ErrUnredacted, "field data.text"},
		{"a list with an account id", list(`["U1234567"]`), ErrUnredacted, "field data.evidence"},
		{"an attribute with an account id", swap(`"c1"`, `"U1234567"`), ErrUnredacted, "field conn"},
		{"a gateway with an account id", swap(`"live"`, `"u1234567"`), ErrGatewayName, "field subject"},

		{"an empty attribute", swap(`"conn":"c1"`, `"conn":""`), ErrNotAllowed, "field conn: value not allowed: empty"},
		{"an attribute with a space", swap(`"c1"`, `"c 1"`), ErrNotAllowed, "field conn"},
		{"a source that is no path", swap(`"/tap"`, `"tap"`), ErrNotAllowed, "field source"},
		{"a source that is an authority", swap(`"/tap"`, `"//tap:x"`), ErrNotAllowed, "field source"},
		{"sequence 0", swap(`"seq":"7"`, `"seq":"0"`), ErrNotAllowed, "field seq"},
		{"a negative sequence", swap(`"seq":"7"`, `"seq":"-7"`), ErrNotAllowed, "field seq"},
		{"a sequence with a plus", swap(`"seq":"7"`, `"seq":"+7"`), ErrNotAllowed, "field seq"},
		{"a sequence of 19 digits", swap(`"seq":"7"`, `"seq":"1000000000000000000"`), ErrNotAllowed, "field seq"},
		{"a negative mono", swap(`"mono":"12"`, `"mono":"-1"`), ErrNotAllowed, "field mono"},
		{"a short hash", swap(`00ff`, `ff`), ErrNotAllowed, "field prev"},
		{"a hash in capitals", swap(`00ff`, `00FF`), ErrNotAllowed, "field prev"},

		{"a time without zone", swap(`27.5Z`, `27.5`), ErrNotAllowed, "field time"},
		{"a time with a space", swap(`02T09`, `02 09`), ErrNotAllowed, "field time"},
		{"second 60", swap(`15:27.5Z`, `15:60Z`), ErrNotAllowed, "field time"},
		{"hour 24", swap(`T09:`, `T24:`), ErrNotAllowed, "field time"},
		{"month 0", swap(`2026-03`, `2026-00`), ErrNotAllowed, "field time"},
		{"February 30", swap(`2026-03-02`, `2026-02-30`), ErrNotAllowed, "field time"},
		{"February 29 of a common year", swap(`2026-03-02`, `2026-02-29`), ErrNotAllowed, "field time"},
		{"a time in another zone", swap(`27.5Z`, `27.5+00:00`), ErrNotCanonical, `here stands "+00:00`},
		{"a time with a needless zero", swap(`27.5Z`, `27.50Z`), ErrNotCanonical, "byte"},
		{"a time with ten digits", swap(`27.5Z`, `27.0000000005Z`), ErrNotCanonical, "byte"},
		{"a time with a comma", swap(`27.5Z`, `27,5Z`), ErrNotCanonical, "byte"},
		{"an hour of one digit", swap(`T09:`, `T9:`), ErrNotCanonical, "byte"},
		{"the zero time, which is never written", swap(`2026-03-02T09:15:27.5Z`, `0001-01-01T00:00:00Z`), ErrNotCanonical, "byte"},

		{"a space", swap(`"lost":3`, `"lost": 3`), ErrNotCanonical, "byte"},
		{"a newline at the end", canonical + "\n", ErrNotCanonical, "byte"},
		{"a space before it", " " + canonical, ErrNotCanonical, "byte 0"},
		{"attributes in another order", swap(`"specversion":"1.0","id":"run-live-7"`, `"id":"run-live-7","specversion":"1.0"`), ErrNotCanonical, `byte 2: not in canonical form: here stands "id`},
		{"fields in another order", swap(`"reason":"overflow","lost":3`, `"lost":3,"reason":"overflow"`), ErrNotCanonical, "want \"reason"},
		{"an optional text that is present and empty", note(`""`), ErrNotCanonical, "byte"},
		{"an optional list that is present and empty", list(`[]`), ErrNotCanonical, "byte"},
		{"minus zero", swap(`"lost":3`, `"lost":-0`), ErrNotCanonical, "byte"},
		{"a leading zero", swap(`"lost":3`, `"lost":03`), ErrSyntax, "after object key:value pair"},
		{"a leading zero in a sequence", swap(`"seq":"7"`, `"seq":"07"`), ErrNotCanonical, "byte"},
		{"a letter as an escape", note(`"\u0041"`), ErrNotCanonical, "byte"},
		{"é as an escape", note(`"\u00e9"`), ErrNotCanonical, "byte"},
		{"a newline in the long form", note(`"\u000a"`), ErrNotCanonical, "byte"},
		{"an escape with capital digits", note(`"\u001F"`), ErrNotCanonical, "byte"},
		{"an escaped solidus", note(`"\/"`), ErrNotCanonical, "byte"},
		{"a pair of surrogates as escapes", note(`"\ud83d\ude00"`), ErrNotCanonical, "byte"},
		{"a lone surrogate", note(`"\ud83d"`), ErrNotCanonical, "byte"},
		{"an escape in a key", swap(`"lost"`, `"l\u006fst"`), ErrNotCanonical, "byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Decode([]byte(c.line))
			var at *DecodeError
			switch {
			case err == nil:
				t.Fatalf("accepted as %+v", e)
			case !errors.As(err, &at) || !errors.Is(err, c.class):
				t.Fatalf("got %v\nwant a DecodeError with %v", err, c.class)
			case !strings.Contains(err.Error(), c.says):
				t.Fatalf("the message\n%v\ndoes not say\n%s", err, c.says)
			}
		})
	}
	if _, err := Decode([]byte(canonical)); err != nil {
		t.Fatalf("the unspoiled event: %v", err)
	}
}

// An operator finds the place by the offset.
func TestAnErrorPointsAtTheValue(t *testing.T) {
	for _, value := range []string{`"seq":"0"`, `"conn":"c 1"`, `"lost":9007199254740992`, `"reason":"flood"`, `"text":3`} {
		key, _, _ := strings.Cut(value, ":")
		before, rest, _ := strings.Cut(canonical, key+":")
		after := rest[strings.IndexAny(rest, ",}"):]
		_, err := Decode([]byte(before + value + after))
		var at *DecodeError
		if !errors.As(err, &at) || at.Offset != len(before)+len(key)+1 {
			t.Errorf("%s: got %v, want byte %d", value, err, len(before)+len(key)+1)
		}
	}
}

func TestNewGivesTheZeroPayloadOrTheNearestKinds(t *testing.T) {
	for _, info := range Kinds() {
		if p, err := New(info.Kind); err != nil || p.Kind() != info.Kind {
			t.Errorf("New(%s) = %v, %v", info.Kind, p, err)
		}
	}
	if _, err := New("dail.started"); !errors.Is(err, ErrUnknownKind) || !strings.Contains(err.Error(), "nearest are dial.started") {
		t.Errorf("got %v", err)
	}
}
