package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/internal/report"
)

// dossier is what the documents of a bundle are made from: its lines, and what the judge
// says of them.
type dossier struct {
	verdict report.Verification
	stream  iter.Seq2[events.Record, error]
}

// packed is how a bundle is called in its own documents: they must not depend on the
// name that somebody gives the file.
const packed = "FILE.ibrec"

// documents are the members of a bundle that are made from its events, and made again by
// whoever verifies it. Nothing in them may depend on the place, the time or the zone.
var documents = []struct {
	name  string
	write func(io.Writer, dossier) error
}{
	{"policy.json", writePolicies},
	{verdictFile, func(w io.Writer, d dossier) error { return report.WriteVerifyJSON(w, d.verdict) }},
	{"verdict.txt", func(w io.Writer, d dossier) error {
		return report.WriteVerify(w, d.verdict, report.Style{Zone: time.UTC})
	}},
	{"timeline.txt", func(w io.Writer, d dossier) error {
		if d.verdict.Verdict.Events > longTimeline {
			_, err := fmt.Fprintf(w, "The bundle has %d events; ask for a part of them: replay timeline %s --from N --to M\n", d.verdict.Verdict.Events, packed)
			return err
		}
		_, broken, err := report.WriteTimeline(w, d.stream, report.Range{}, false, report.Style{Zone: time.UTC})
		return errors.Join(broken, err)
	}},
	{"report.html", func(w io.Writer, d dossier) error {
		page, broken := report.Compose(d.stream, report.Subject{Source: packed, Version: version()})
		if broken != nil {
			return broken
		}
		return report.WriteHTML(w, page, report.Style{Zone: time.UTC})
	}},
}

const verdictFile = "verdict.json"

// longTimeline is how many events a timeline is written of that nobody asked for.
const longTimeline = 100_000

// documentsOf writes them all.
func documentsOf(d dossier) (out []bundle.Document, err error) {
	d.verdict.Source, d.verdict.Evidence = packed, nil
	for _, doc := range documents {
		var b bytes.Buffer
		if err := doc.write(&b, d); err != nil {
			return nil, fmt.Errorf("write %s: %w", doc.name, err)
		}
		if b.Len() > bundle.MaxDocument {
			return nil, fmt.Errorf("write %s: it has %d bytes, at most %d", doc.name, b.Len(), bundle.MaxDocument)
		}
		out = append(out, bundle.Document{Name: doc.name, Text: b.Bytes()})
	}
	return out, nil
}

// policyJSON is one entry of policy.json: the rule in force from an event on.
type policyJSON struct {
	Seq uint64 `json:"seq"`
	events.PolicyLoaded
}

func writePolicies(w io.Writer, d dossier) error {
	all := []policyJSON{}
	for rec, err := range d.stream {
		if err != nil {
			return err
		}
		if p, ok := rec.Data.(events.PolicyLoaded); ok {
			all = append(all, policyJSON{rec.Seq, p})
		}
	}
	return report.WriteJSON(w, all)
}

// errDocument: a document in a bundle says something else than its events do.
var errDocument = errors.New("does not say what the events say")

// checkDocuments makes the documents of a bundle again and holds them against it. What
// another version of this program wrote may look otherwise, and then only what the
// verdict comes to is compared; unchecked are the others.
func checkDocuments(b *bundle.Bundle, d dossier) (problems []error, unchecked []string, err error) {
	want, err := documentsOf(d)
	if err != nil {
		return nil, nil, err
	}
	known := map[string][]byte{}
	for _, doc := range want {
		known[doc.Name] = doc.Text
	}
	for _, name := range b.Documents() {
		text, known := known[name]
		got, err := b.Member(name)
		switch {
		case err != nil:
			problems = append(problems, err)
		case known && bytes.Equal(text, got):
		case name == verdictFile:
			problems = append(problems, compareVerdicts(got, text, b.Header.MadeBy == version())...)
		case known && b.Header.MadeBy == version():
			problems = append(problems, fmt.Errorf("%s %w", name, errDocument))
		default:
			unchecked = append(unchecked, name)
		}
	}
	return problems, unchecked, nil
}

// compareVerdicts says what differs between the verdict in a bundle and the one that its
// events give.
func compareVerdicts(got, want []byte, exact bool) []error {
	var has, is report.VerifyJSON
	if err := json.Unmarshal(got, &has); err != nil {
		return []error{fmt.Errorf("%s %w: %w", verdictFile, errDocument, err)}
	}
	if err := json.Unmarshal(want, &is); err != nil {
		return []error{err}
	}
	switch {
	case has.Outcome != is.Outcome:
		return []error{fmt.Errorf("%s %w: it says %s, and they give %s", verdictFile, errDocument, has.Outcome, is.Outcome)}
	case has.Head != is.Head, has.Events != is.Events:
		return []error{fmt.Errorf("%s %w: it is about %d others with the head %.12s", verdictFile, errDocument, has.Events, has.Head)}
	case exact:
		return []error{fmt.Errorf("%s %w, though the outcome is the same", verdictFile, errDocument)}
	}
	return nil
}
