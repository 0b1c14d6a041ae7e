package events

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every output is a function of decoded events, so that both decoders give the same
// events of every stream in the tree means that they give the same outputs.
func TestBothDecodersAgreeOnEveryStream(t *testing.T) {
	paths, err := filepath.Glob("../testdata/streams/*/events.ndjson")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no streams: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			var fast Event
			if !decodeFast(string(line), &fast) {
				t.Fatalf("%s: the fast decoder refuses %s", path, line)
			}
			slow, err := decodeReference(line)
			if err != nil {
				t.Fatalf("%s: %v\n%s", path, err, line)
			}
			if diff := cmp.Diff(fast, slow); diff != "" {
				t.Errorf("%s (-fast +reference):\n%s\n%s", path, diff, line)
			}
		}
	}
}
