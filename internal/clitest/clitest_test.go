package clitest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

type sample struct {
	Schema int `json:"schema_version"`
	// Name is who it is.
	Name string `json:"name"`
	// Since is when.
	Since time.Time      `json:"since,omitzero"`
	Parts []part         `json:"parts"`           // what it has
	Sizes map[string]int `json:"sizes,omitempty"` // by name
	embedded
}

type embedded struct {
	// Odd says so.
	Odd bool `json:"odd"`
}

type part struct {
	// First and Last are numbers.
	First int `json:"first"`
	Last  int `json:"last"`
}

// contractOfSample has its comments given, because those of a test are no comments of a product.
func contractOfSample(t *testing.T) *Contract {
	t.Helper()
	docs := &comments{read: map[string]map[string]string{"internal/clitest": {
		"sample.Name": "Who it is.", "sample.Since": "When.", "sample.Parts": "What it has.", "sample.Sizes": "By name.", "embedded.Odd": "Odd.",
		"part.First": "A number.", "part.Last": "A number.",
	}}}
	s, err := shapeOf(reflect.TypeOf(sample{}), docs)
	if err != nil {
		t.Fatal(err)
	}
	return &Contract{program: "x", verbs: []string{"x y"}, notes: []string{""}, shapes: map[string]*shape{"x y": s}}
}

func TestAContractIsHeld(t *testing.T) {
	c := contractOfSample(t)
	const good = `{"schema_version":1,"name":"a","since":"2026-03-02T00:00:00Z","parts":[{"first":1,"last":2}],"sizes":{"b":3},"odd":true}`
	for _, x := range []struct{ name, output, want string }{
		{"all of it", good, ""},
		{"without what may be absent", `{"schema_version":1,"name":"a","parts":[],"odd":false}`, ""},
		{"a list that is null", `{"schema_version":1,"name":"a","parts":null,"odd":false}`, ""},
		{"a field that nobody describes", strings.Replace(good, `"odd"`, `"even":1,"odd"`, 1), "even is not in the contract"},
		{"one in a list", strings.Replace(good, `"first":1`, `"first":1,"frist":1`, 1), "parts[].frist is not in the contract"},
		{"a field that is promised and missing", strings.Replace(good, `"name":"a",`, "", 1), "name is missing, and the contract says that it is always there"},
		{"another type", strings.Replace(good, `"a"`, `7`, 1), "name is float64, and the contract says string"},
		{"a list that is none", strings.Replace(good, `[{"first":1,"last":2}]`, `{}`, 1), "parts is map[string]interface {}, and the contract says a list"},
		{"a value in an object of names", strings.Replace(good, `{"b":3}`, `{"b":"3"}`, 1), "sizes.* is string, and the contract says integer"},
		{"a time of another zone", strings.Replace(good, `00:00:00Z`, `00:00:00+01:00`, 1), `since is "2026-03-02T00:00:00+01:00", and the contract says a time, RFC 3339 in UTC`},
		{"no JSON", "table", "it is no JSON: invalid character 'a' in literal true (expecting 'r')"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := strings.Join(c.Check("x y", []byte(x.output)), "; "); got != x.want {
				t.Errorf("%q, want %q", got, x.want)
			}
		})
	}
	if got := c.Check("x z", []byte(good)); len(got) != 1 || !strings.Contains(got[0], `there is no contract for "x z"`) {
		t.Errorf("a verb that there is not: %q", got)
	}
}

func TestTheTextOfAContract(t *testing.T) {
	const want = "## x y\n\n| field | type | what it is |\n|---|---|---|\n" +
		"| `schema_version` | integer | 1. It changes only if a field is taken away or changes its meaning. |\n" +
		"| `name` | string | Who it is. |\n| `since` | time, may be absent | When. |\n" +
		"| `parts` | list of object | What it has. |\n| `parts[].first` | integer | A number. |\n| `parts[].last` | integer | A number. |\n" +
		"| `sizes` | object of integer, may be absent | By name. |\n| `odd` | boolean | Odd. |\n\n"
	if diff := cmp.Diff(want, contractOfSample(t).Text()); diff != "" {
		t.Error(diff)
	}
}

func TestAFieldWithoutACommentIsFound(t *testing.T) {
	type bare struct{ Field json.RawMessage }
	if _, err := shapeOf(reflect.TypeOf(bare{}), &comments{root: "../.."}); err == nil || !strings.Contains(err.Error(), "bare.Field has no comment") {
		t.Errorf("%v", err)
	}
}

func TestComments(t *testing.T) {
	found, err := fieldComments("../httpapi")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Status.Gateway":  "its name.",
		"Totals.Releases": "Stops counts stops, Releases their ends.",
		"Stop.Reason":     "what proved that the Gateway is down.",
	} {
		if found[name] != want {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
}

func TestUntyped(t *testing.T) {
	root := &cobra.Command{Use: "tool"}
	root.PersistentFlags().String("color", "", "")
	run := &cobra.Command{Use: "run", Run: func(*cobra.Command, []string) {}}
	run.Flags().StringP("output", "o", "", "")
	run.Flags().Bool("force", false, "")
	log := &cobra.Command{Use: "log"}
	log.AddCommand(&cobra.Command{Use: "key", Run: func(*cobra.Command, []string) {}})
	root.AddCommand(run, log)
	for _, c := range []struct {
		name, scripts string
		want          []string
	}{
		{"nothing is typed", "", []string{"tool --color", "tool log", "tool log key", "tool run", "tool run --force", "tool run --output"}},
		{"verbs", "exec tool run\nexits 2 tool log key\nexec tool log", []string{"tool --color", "tool run --force", "tool run --output"}},
		{"flags, long and short", "exec tool run --force=true -o json --color x\nexec tool log\nexec tool log key", nil},
		{"in a shell", "exec sh -c 'tool run --force | tool run --output x'\nexec tool log; tool log key", []string{"tool --color"}},
		{"a flag behind the end of a command is none of it", "exec tool run > out --force", []string{"tool --color", "tool log", "tool log key", "tool run --force", "tool run --output"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Untyped(root, []string{"tool"}, c.scripts)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{"Gate", "Gate is OPEN or STOPPED.", "OPEN or STOPPED."},
		{"Alerts", "Alerts are the channels", "the channels."},
		{"Events", "// no Go name", "// no Go name."},
		{"First", "Events is how many; First and\nLast are sequences, 0 for none.", "First and Last are sequences, 0 for none."},
		{"Outcome", "", ""},
	} {
		if got := sentence(c.name, c.doc); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.name, c.doc, got, c.want)
		}
	}
}

func TestUnwanted(t *testing.T) {
	if got := Unwanted("exits 0 tool run\nexits 2 tool --x\nexits 3 other", "tool", 0, 1, 2, 3); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("%v, want 1 and 3", got)
	}
}
