package access

import (
	"strings"
	"testing"
)

func TestSecrets(t *testing.T) {
	one, two := NewSecret(), NewSecret()
	if one == two || len(one) != len(prefix)+43 {
		t.Errorf("drew %d and %d letters, the same: %v", len(one), len(two), one == two)
	}
	for _, s := range []string{one, two} {
		if err := CheckSecret(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "ibr_", one[1:], one[:len(one)-1], one + "A", strings.ToUpper(one), " " + one} {
		if err := CheckSecret(s); err == nil || len(s) > 8 && strings.Contains(err.Error(), s) {
			t.Errorf("%q: %v, want a refusal that does not repeat it", s, err)
		}
	}
	sum, err := ParseSum(SumOf(one).String())
	if err != nil || sum != SumOf(one) {
		t.Errorf("the sum reads back as %s, %v", sum, err)
	}
	for _, s := range []string{"", "00", one, strings.ToUpper(SumOf(one).String()), SumOf(one).String() + "00"} {
		if _, err := ParseSum(s); err == nil {
			t.Errorf("%q was taken for a sum", s)
		}
	}
	known := Tokens{{"robo-1", Ingest, SumOf(one)}, {"ann", Operate, SumOf(two)}}
	for secret, want := range map[string]Caller{one: {Name: "robo-1", Scope: Ingest}, two: {Name: "ann", Scope: Operate}} {
		if got, ok := known.Find(secret); !ok || got != want {
			t.Errorf("found %+v, %v, want %+v", got, ok, want)
		}
	}
	if known := known[:1]; !known.Has(Ingest) || !known.Has(Read) || known.Has(Operate) {
		t.Errorf("of one that may report: reports %v, reads %v, operates %v", known.Has(Ingest), known.Has(Read), known.Has(Operate))
	}
	for _, s := range []string{"", NewSecret(), SumOf(one).String()} {
		if got, ok := known.Find(s); ok {
			t.Errorf("%q is %+v", s, got)
		}
	}
}

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		caller Caller
		may    string
	}{
		{Caller{}, ""},
		{Caller{Name: "grafana", Scope: Read}, "read"},
		{Caller{Name: "robo-1", Scope: Ingest}, "ingest read"},
		{Caller{Name: "ann", Scope: Operate}, "read operate"},
		{Caller{Owner: true}, "ingest read operate"},
	} {
		var may []string
		for _, s := range Scopes {
			if c.caller.May(s) {
				may = append(may, string(s))
			}
		}
		if got := strings.Join(may, " "); got != c.may {
			t.Errorf("%+v may %q, want %q", c.caller, got, c.may)
		}
		if !c.caller.May(Nothing) {
			t.Errorf("%+v may not have what anybody may", c.caller)
		}
	}
}

func TestNobodyLooked(t *testing.T) {
	for _, s := range Scopes {
		if Of(t.Context()).May(s) {
			t.Errorf("who was not looked at may %s", s)
		}
	}
	ctx := With(t.Context(), Caller{Name: "robo-1", Scope: Ingest})
	if got := Of(ctx); got.Name != "robo-1" || !got.May(Ingest) {
		t.Errorf("got %+v", got)
	}
}
