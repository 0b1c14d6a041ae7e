package streams

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

func TestDamagedStreams(t *testing.T) {
	// What must come of each stands here and not only in its expect.txt, so that
	// -update cannot make a wrong outcome the expected one.
	want := map[string]error{
		"01-half-a-line-at-the-end": events.ErrSyntax,
		"02-duplicate-key":          events.ErrDuplicateKey,
		"03-unknown-kind":           events.ErrUnknownKind,
		"04-over-64-kib":            events.ErrTooLong,
		"08-wrong-type":             events.ErrWrongType,
		"09-unredacted-account":     events.ErrUnredacted,
		"13-http":                   events.ErrSyntax,
		"14-gzip":                   events.ErrSyntax,
		"15-zeroed-page":            events.ErrSyntax,
		"17-carriage-returns":       events.ErrNotCanonical,
	}
	failed := map[string]string{
		"05-broken-link":              "A2",
		"06-hole":                     "A1",
		"07-event-of-another-gateway": "A1",
		"10-clock-goes-back":          "A4",
		"11-gap":                      "A6",
		"12-no-policy":                "A5",
		"16-empty":                    "",
		"18-no-start-of-a-run":        "A6",
		// Behind the break the policy is not trusted either, and the run still decides.
		"19-permit-while-stopped-behind-a-broken-link": "A2 A5",
	}
	seen := map[string]string{}
	for _, d := range DamagedStreams() {
		t.Run(d.Name, func(t *testing.T) {
			var base []byte
			if d.Base != "" {
				f, err := Load(filepath.Join(root, d.Base))
				if err != nil {
					t.Fatal(err)
				}
				base = NDJSON(f.Records)
			}
			raw, err := d.Bytes(base)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(root, "bad", d.Name)
			golden(t, filepath.Join(path, "events.ndjson"), raw)
			v, err := rule.Check(events.ReadNDJSON(bytes.NewReader(raw)))
			text := d.text(v, err)
			golden(t, filepath.Join(path, "expect.txt"), []byte(text))

			refused, isRefused := want[d.Name]
			assumptions, isFailed := failed[d.Name]
			switch {
			case isRefused:
				if !errors.Is(err, refused) || !errors.Is(err, rule.ErrStream) {
					t.Errorf("error %v, want one of %v", err, refused)
				}
			case !isFailed:
				t.Fatal("no outcome stands here for it")
			case err != nil || v.Outcome != rule.Inconclusive:
				t.Errorf("%s, %v, want INCONCLUSIVE", v.Outcome, err)
			default:
				for _, a := range v.Assumptions {
					if (a.Total > 0) != strings.Contains(assumptions, a.ID) {
						t.Errorf("%s has %d findings, and %q is what is damaged", a.ID, a.Total, assumptions)
					}
				}
			}
			if strings.Contains(text, "DU0000000") {
				t.Error("the account comes out")
			}
			reason := text[strings.Index(text, "\n")+1:]
			if other := seen[reason]; other != "" {
				t.Errorf("it has the reason of %s:\n%s", other, reason)
			}
			seen[reason] = d.Name
		})
	}
	entries, err := os.ReadDir(filepath.Join(root, "bad"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(DamagedStreams()) {
		t.Errorf("bad/ has %d folders, and the table %d", len(entries), len(DamagedStreams()))
	}
}
