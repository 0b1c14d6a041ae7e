package streams

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// find makes a found stream of the first n events of a folder.
func find(t *testing.T, name string, n int) Found {
	f := Found{Records: load(t, name).Records[:n], Rule: "RS1", What: "something happened.", Events: 4711, Head: events.HashOf([]byte("a log")), How: "Somehow."}
	for i := range f.Records {
		f.Origins = append(f.Origins, uint64(100+i))
	}
	return f
}

func TestAFoundStreamIsATestAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "FOUND-99-x")
	found := find(t, "SYN-03-stopped-and-released", 20)
	if err := found.Save(dir); err != nil {
		t.Fatal(err)
	}
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(NDJSON(found.Records)), string(NDJSON(f.Records))); diff != "" || !f.Found || f.Facts.Gateway != "syn-03" || !f.Facts.Recorded {
		t.Errorf("found %t, gateway %s, recorded %t, events (-saved +loaded)\n%s", f.Found, f.Facts.Gateway, f.Facts.Recorded, diff)
	}
	r, err := Read(f.Records)
	if err != nil {
		t.Fatal(err)
	}
	if expect, err := os.ReadFile(filepath.Join(dir, "expect.txt")); err != nil || string(expect) != r.Text() {
		t.Errorf("expect.txt is not what the stream gives (-file +stream), %v\n%s", err, cmp.Diff(string(expect), r.Text()))
	}
	text := readme(t, f)
	for _, want := range []string{"# FOUND-99-x\n", "**" + string(r.Verdict.Outcome) + "**: RS1 at #20: something happened.\n", found.Head.String(), "4711 events", "| 20 | 119 | attempt.denied |", foundHeadings[2]} {
		if !strings.Contains(text, want) {
			t.Errorf("README.md does not say %q:\n%s", want, text)
		}
	}
	for name, want := range map[string]fs.FileMode{".": 0o700, "events.ndjson": 0o600, "README.md": 0o600, "policy.yaml": 0o600, "expect.txt": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %o", name, info.Mode(), err, want)
		}
	}
	if err := found.Save(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("saved once more: %v, want that the folder is there", err)
	}
}

func TestWhatIsNoFoundStream(t *testing.T) {
	if err := find(t, "SYN-03-stopped-and-released", 1).Save(filepath.Join(t.TempDir(), "FOUND-1")); !errors.Is(err, ErrFound) {
		t.Errorf("without a policy: %v, want ErrFound", err)
	}
	forged := find(t, "SYN-03-stopped-and-released", 20)
	forged.Records[1].Data = events.PolicyLoaded{Preset: "handoff", Hash: "0", Mode: events.Enforce, Params: policy.Handoff()}
	if err := forged.Save(filepath.Join(t.TempDir(), "FOUND-2")); !errors.Is(err, ErrFound) {
		t.Errorf("a policy with another hash: %v, want ErrFound", err)
	}
	dir := filepath.Join(t.TempDir(), "INC-99-lost-its-facts")
	if err := find(t, "SYN-03-stopped-and-released", 20).Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "FOUND-") {
		t.Errorf("a folder whose facts.txt is gone: %v, want that it is missing", err)
	}
}

// Whatever policy a log has, the policy.yaml that is written for it reads as that.
func TestAnyPolicyHasItsFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"handoff", "lenient", "demo"}).Draw(t, "preset")
		params, err := policy.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.ValueOf(&params).Elem()
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			v.Field(rapid.IntRange(0, v.NumField()-1).Draw(t, "field")).SetInt(rapid.Int64Range(1, 100).Draw(t, "value"))
		}
		loaded, err := policy.Load(name, params, rapid.SampledFrom([]events.Mode{events.Enforce, events.Observe}).Draw(t, "mode"))
		if err != nil {
			t.Skip("no valid policy")
		}
		text, err := policyText(loaded)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if back, err := ParsePolicy(text); err != nil || back != loaded {
			t.Errorf("%v (-loaded +file)\n%s\n%s", err, cmp.Diff(loaded, back), text)
		}
	})
}
