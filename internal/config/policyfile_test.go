package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/streams"

	"github.com/google/go-cmp/cmp"
)

func TestAPolicyInItsThreeForms(t *testing.T) {
	want := policy.Lenient()
	want.SilentLimit, want.ClosedLimit = 2, 5
	for _, c := range []struct {
		name, file string
		mode       events.Mode
	}{
		{"a whole configuration", "data: ~/x\nmode: observe\npolicy:\n  preset: lenient\n  silent_limit: 2\n  closed_limit: 5\n", events.Observe},
		{"its policy section by itself", "preset: lenient\nsilent_limit: 2\nclosed_limit: 5\n", events.Enforce},
		{"the policy of a test stream", "preset: lenient\nmode: enforce\noverride:\n  silent_limit: 2\n  closed_limit: 5\nunknown:\n  - nothing\n", events.Enforce},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parsePolicy("p.yaml", []byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(events.PolicyLoaded{Preset: "lenient", Hash: policy.Hash(want), Mode: c.mode, Params: want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakesInAPolicy(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"nothing at all", "# a remark\n", "there is no policy in it"},
		{"a key of a test stream in a configuration", "policy:\n  override: {silent_limit: 2}\n", `unknown key "override", nearest is`},
		{"an unknown value", "silent_limits: 2\n", `unknown key "silent_limits", nearest is silent_limit`},
		{"an unknown value under override", "override:\n  silentlimit: 2\n", `unknown key "silentlimit", nearest is silent_limit`},
		{"a preset under override", "override:\n  preset: lenient\n", `unknown key "preset"`},
		{"a value set twice", "silent_limit: 2\noverride: {silent_limit: 3}\n", "silent_limit is set twice"},
		{"a value out of range", "silent_limit: 0\n", "p.yaml:1: silent_limit is 0, want 1 to 100"},
		{"an unknown mode", "mode: watch\n", `mode "watch", want enforce or observe`},
		{"an unknown preset", "preset: strict\n", `no preset "strict"`},
		{"a list of nothing known", "unknown: none\n", "want a list of what nobody knows"},
		{"a list", "- silent_limit: 2\n", "want keys and values in policy"},
		{"a text for override", "override: many\n", "want keys and values in override"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parsePolicy("p.yaml", []byte(c.file))
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want one of ErrInvalid that says %q", err, c.want)
			}
		})
	}
	if _, err := ReadPolicy(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, ErrInvalid) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// The policies of the test streams read the same here as where the streams are made.
func TestThePoliciesOfTheStreams(t *testing.T) {
	found, err := filepath.Glob("../../testdata/streams/*/policy.yaml")
	if err != nil || len(found) < 10 {
		t.Fatalf("%d policies, %v", len(found), err)
	}
	for _, path := range found {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := streams.ParsePolicy(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadPolicy(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-streams +config):\n%s", path, diff)
		}
	}
}
