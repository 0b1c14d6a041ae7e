package events

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var testRedactor = NewRedactor([]byte("sixteen bytes or more"))

// Texts as IB, its client libraries and their users write them.
func TestTextHidesEveryAccountID(t *testing.T) {
	r := testRedactor
	for _, c := range []struct {
		name     string
		text     string
		accounts []string
	}{
		{"an error of the Gateway", `Error 321, reqId 9: Error validating request.-'cG' : cause - Invalid account code 'U1234567'.`, []string{"U1234567"}},
		{"a paper account", `Client 7 is bound to DU1234567`, []string{"DU1234567"}},
		{"an advisor's and a pooled account", `F7654321, I1234567; DF7654321; DI123456`, []string{"F7654321", "I1234567", "DF7654321", "DI123456"}},
		{"a managed accounts list", `accounts: DU1234567,DU1234568,U1234569,`, []string{"DU1234567", "DU1234568", "U1234569"}},
		{"a frame as Python prints its bytes", `b'15\x001\x00DU1234567\x00'`, []string{"DU1234567"}},
		{"a frame as it is", "15\x001\x00U1234567,U7654321\x00", []string{"U1234567", "U7654321"}},
		{"behind an escaped newline", `timeout\nU1234567 gone`, []string{"U1234567"}},
		{"a sub-account", `allocated to U1234567A and U1234567AB3.`, []string{"U1234567A", "U1234567AB3"}},
		{"a model of an account", `U1234567/growth`, []string{"U1234567"}},
		{"small letters", `account=u1234567&mode=du7654321`, []string{"u1234567", "du7654321"}},
		{"mixed letters", `Du1234567 dU7654321`, []string{"Du1234567", "dU7654321"}},
		{"the whole text", `U1234567`, []string{"U1234567"}},
		{"at the start and at the end", `U1234567 to DU1234567`, []string{"U1234567", "DU1234567"}},
		{"twice", `U1234567 and U1234567`, []string{"U1234567"}},
		{"in brackets, quotes and paths", `("U1234567") [U7654321] <DU123456> C:\Jts\DU1234567\launcher.log {I55555}`, []string{"U1234567", "U7654321", "DU123456", `DU1234567`, "I55555"}},
		{"in a file name", `/home/anna/Jts/ibgateway_u1234567_20260302.log`, []string{"u1234567"}},
		{"glued to a word", `accountU1234567: no permissions`, []string{"U1234567"}},
		{"beside other letters", `Ü U1234567é`, []string{"U1234567"}},
		{"5 and 9 digits", `U12345 U123456789`, []string{"U12345", "U123456789"}},
		{"in an address", `U1234567@ibkr.example`, []string{"U1234567"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			slices.SortFunc(c.accounts, func(a, b string) int { return len(b) - len(a) }) // DU1234567 before U1234567
			var pairs []string
			for _, a := range c.accounts {
				pairs = append(pairs, a, r.Key(a))
			}
			want := strings.NewReplacer(pairs...).Replace(c.text)
			got := r.Text(c.text)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if again := r.Text(got); again != got {
				t.Errorf("a second time it gives %s", again)
			}
		})
	}
}

func TestTextLeavesTheRestAlone(t *testing.T) {
	for _, text := range []string{
		"", "connect timed out", "Error 1100: Connectivity between IBKR and Trader Workstation has been lost.",
		"Error 10141, clientId 326, port 4002, pid 1234567", "U.S. stocks, FOP, IBKR ATS, DUK, FUT ES 202606, UTC 20260302",
		"U1234", "U1234567890", "i18n, f1, u2, d3, du-1234567", "order 123456789 is U", "0x1f12345678, 4f1234567",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "f1234567890123456789012345678901234567890123456789012345678901ab",
		testRedactor.Key("U1234567"), "kqzmbtwhxa-live-48213", "U1234567ABCD is no sub-account", "\x00\x1f\"\\\u2028",
	} {
		if got := testRedactor.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAKeyIsKeyed(t *testing.T) {
	a, b := NewRedactor([]byte("one key of 16 bytes")), NewRedactor([]byte("another key of 16 bytes"))
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.StringMatching(`D?[UFI][0-9]{5,9}`).Draw(t, "account")
		other := rapid.StringMatching(`D?[UFI][0-9]{5,9}`).Filter(func(s string) bool { return s != account }).Draw(t, "other")
		key := a.Key(account)
		switch {
		case len(key) != 15 || !isToken(key) || hasAccountID(key) || strings.ContainsAny(key, "0123456789"):
			t.Fatalf("the key of %s is %s", account, key)
		case key != a.Key(account) || key != a.Key(strings.ToLower(account)):
			t.Fatalf("one account has two keys")
		case key == a.Key(other):
			t.Fatalf("%s and %s share the key %s", account, other, key)
		case key == b.Key(account):
			t.Fatalf("%s has the key %s in two folders", account, key)
		}
	})
}

// A run and a hash must survive, or events would lose what joins them.
func TestIdentifiersOfTheRecorderAreNoAccounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		boot := rapid.StringMatching(`[a-z]{10}`).Draw(t, "boot")
		hash := HashOf([]byte(rapid.String().Draw(t, "bytes"))).String()
		for _, id := range []string{boot, boot + "-live-123456789", boot + "-c123456", boot + "-a1234567", hash} {
			if hasAccountID(id) {
				t.Fatalf("%s counts as an account", id)
			}
		}
	})
}

func TestTextIsCut(t *testing.T) {
	x := strings.Repeat
	for _, c := range []struct {
		name, text, want string
	}{
		{"at 1 KiB", x("x", 2000), x("x", 1024)},
		{"not below", x("x", 1024), x("x", 1024)},
		{"before a character that would be halved", x("x", 1023) + "é", x("x", 1023)},
		{"before one of four bytes", x("x", 1021) + "😀", x("x", 1021)},
		{"after one that fits", x("x", 1020) + "😀" + "yz", x("x", 1020) + "😀"},
		{"after account ids were replaced, which makes it longer", x("U1234567 ", 100), x(testRedactor.Key("U1234567")+" ", 64)},
		{"so that no longer word turns into an account id", x(" ", 1015) + "U1234567890", x(" ", 1015)},
		{"so that no longer suffix does", x(" ", 1015) + "U1234567abcdef", x(" ", 1015)},
		{"after what is no UTF-8 was replaced", x("\xff", 2000), "\uFFFD"},
	} {
		if got := testRedactor.Text(c.text); got != c.want || len(got) > 1024 || !utf8.ValidString(got) {
			t.Errorf("%s: got %d bytes %q, want %d bytes", c.name, len(got), got, len(c.want))
		}
	}
}

// spoil puts an account id into every text of a draft: from draw, which is told
// whether the place takes identifiers only.
func spoil(d *Draft, draw func(token bool) string) {
	d.ID, d.Source, d.Conn, d.Attempt, d.Cause, d.SourceTime = draw(true), "/x/"+draw(true), draw(true), draw(true), draw(true), draw(true)
	info, _ := infoOf(d.Data)
	v := reflect.New(info.plan.typ).Elem()
	v.Set(reflect.ValueOf(d.Data))
	for i := range info.plan.fields {
		switch f := &info.plan.fields[i]; f.op {
		case opString:
			f.in(v).SetString(draw(false))
		case opList:
			f.in(v).Set(reflect.ValueOf([]string{"x", draw(true)}))
		}
	}
	d.Data = v.Interface().(Payload)
}

func TestNoAccountIDIsEverEncoded(t *testing.T) {
	tokenBefore := []string{"", "/", "-", "_", "x:", strings.Repeat("U12345-", 17)}
	textBefore := append([]string{" ", "'", "\"", "\x00", `\n-`, "é", "(", strings.Repeat("U12345 ", 140)}, tokenBefore...)
	tokenBehind := []string{"", "-", "/x", "_2026", "A"}
	textBehind := append([]string{" ", ",", "'", "b2 ", "é"}, tokenBehind...)
	everyKind(t, func(t *rapid.T, info Info) {
		e := drawEvent(t, info)
		d, s := Draft{Data: e.Data}, Stamp{Gateway: e.Gateway, Time: e.Time, Seq: e.Seq, Boot: e.Boot, Mono: e.Mono, Epoch: e.Epoch, Prev: e.Prev}
		var accounts []string
		spoil(&d, func(token bool) string {
			before, behind := textBefore, textBehind
			if token {
				before, behind = tokenBefore, tokenBehind
			}
			account := rapid.StringMatching(`[Dd]?[UuFfIi][0-9]{5,9}`).Draw(t, "account")
			accounts = append(accounts, account)
			return rapid.SampledFrom(before).Draw(t, "before") + account + rapid.SampledFrom(behind).Draw(t, "behind")
		})
		raw, err := Encode(testRedactor.Event(d, s))
		if err != nil {
			t.Fatalf("%v\nof %+v", err, d)
		}
		for _, a := range accounts {
			if strings.Contains(string(raw), a) {
				t.Fatalf("%s stands in %s", a, raw)
			}
		}
	})
}

// Encode is the second line of defence, should somebody forget the Redactor.
func TestEncodeGuardsEveryText(t *testing.T) {
	for _, info := range Kinds() {
		for i := range info.plan.fields {
			f := &info.plan.fields[i]
			v := reflect.New(info.plan.typ).Elem()
			for j := range info.plan.fields { // a valid payload but for one field
				if g := &info.plan.fields[j]; g.op == opSet {
					g.in(v).SetString(g.set[0])
				}
			}
			switch f.op {
			case opString:
				f.in(v).SetString("of U1234567")
			case opList:
				f.in(v).Set(reflect.ValueOf([]string{"U1234567"}))
			default:
				continue
			}
			e := sample()
			e.Data = v.Interface().(Payload)
			if _, err := Encode(e); !errors.Is(err, ErrUnredacted) || !strings.Contains(err.Error(), "data."+f.name+": ") {
				t.Errorf("%s.%s: %v", info.Kind, f.name, err)
			}
		}
	}
	for name, set := range map[string]func(*Event, string){
		"id": func(e *Event, s string) { e.ID = s }, "source": func(e *Event, s string) { e.Source = s },
		"boot": func(e *Event, s string) { e.Boot = s }, "conn": func(e *Event, s string) { e.Conn = s },
		"attempt": func(e *Event, s string) { e.Attempt = s }, "cause": func(e *Event, s string) { e.Cause = s },
		"sourcetime": func(e *Event, s string) { e.SourceTime = s },
	} {
		e := sample()
		set(&e, "/DU1234567")
		if _, err := Encode(e); !errors.Is(err, ErrUnredacted) || !strings.Contains(err.Error(), name+": ") || hasAccountID(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoErrorEchoesAnAccountID(t *testing.T) {
	for _, spoiled := range []string{
		strings.Replace(canonical, `"lost":3`, `"lost":"U1234567"`, 1),
		strings.Replace(canonical, `"lost":3`, `"lost":3,"U1234567":1`, 1),
		strings.Replace(canonical, `"lost":3`, `"lost":3,"U1234567":1,"U1234567":1`, 1),
		strings.Replace(canonical, `"overflow"`, `"U1234567"`, 1),
		strings.Replace(canonical, `"live"`, `"u1234567"`, 1),
		strings.Replace(canonical, `"/tap"`, `"U1234567 "`, 1),
		strings.Replace(canonical, `recorder.gap.v1`, `U1234567`, 1),
		strings.Replace(canonical, `2026-03-02T09:15:27.5Z`, `U1234567`, 1),
		strings.Replace(canonical, `"7"`, `"U1234567"`, 1),
		strings.Replace(canonical, `"c1"`, `"U1234567"`, 1),
		strings.Replace(canonical, `"1.0"`, `"U1234567"`, 1),
		strings.Replace(canonical, `00000000`, `U1234567`, 1),
		strings.Replace(canonical, `"mono"`, `"U1234567"`, 1),
	} {
		_, err := Decode([]byte(spoiled))
		_, _, draftErr := DecodeDraft([]byte(spoiled))
		for _, err := range []error{err, draftErr} {
			if err == nil || hasAccountID(err.Error()) {
				t.Errorf("%s: %v", spoiled, err)
			}
		}
	}
}

func TestADraftWithoutPayloadIsRefusedAndNoPanic(t *testing.T) {
	if _, err := Encode(testRedactor.Event(Draft{Source: "/x"}, Stamp{Gateway: "live", Seq: 1, Boot: "b"})); !errors.Is(err, ErrMissingField) {
		t.Errorf("got %v", err)
	}
}

func TestAnEventOfTheRecorderIsNamedAfterItsPlace(t *testing.T) {
	e := testRedactor.Event(Draft{Source: "/recorder", Data: RecorderStopped{Reason: StoppedBySignal}}, Stamp{Gateway: "live", Seq: 12, Boot: "b"})
	if e.ID != "b-live-12" {
		t.Errorf("id %q", e.ID)
	}
}
