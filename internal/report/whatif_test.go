package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"ibrecorder/events"
	rules "ibrecorder/internal/policy"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/internal/whatif"
)

func presets(t *testing.T) []whatif.Policy {
	t.Helper()
	var all []whatif.Policy
	for _, name := range []string{"handoff", "lenient"} {
		params, err := rules.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := rules.Load(name, params, events.Enforce)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, whatif.Policy{Name: name, Flag: "--preset", Loaded: loaded})
	}
	return all
}

// asked puts a stream to both presets.
func asked(t *testing.T, lines []byte) (first events.Event, masks []*whatif.Mask, comparisons []*whatif.Comparison) {
	for _, p := range presets(t) {
		m, c := whatif.NewMask(p), whatif.NewComparison(p)
		for rec, err := range ndjson(lines) {
			if err != nil {
				t.Fatal(err)
			}
			if first.Seq == 0 {
				first = rec.Event
			}
			m.Step(rec.Event)
			c.Step(rec.Event)
		}
		m.End()
		c.End()
		masks, comparisons = append(masks, m), append(comparisons, c)
	}
	return first, masks, comparisons
}

func TestWhatIfGoldens(t *testing.T) {
	style := Style{Zone: newYork(t)}
	for _, s := range []struct {
		name, says string
		lines      []byte
	}{
		{"night", "the recorded policy counted to three", streamtest.Night("live").NDJSON()},
		{"forgotten", "the recorder broke its own policy", streamtest.Forgotten("live").NDJSON()},
		{"account", "nobody was there to decide", account()},
		{"part", "the beginning is missing", bytes.Join(bytes.SplitAfter(streamtest.Night("live").NDJSON(), []byte("\n"))[20:], nil)},
	} {
		t.Run(s.name+": "+s.says, func(t *testing.T) {
			first, masks, comparisons := asked(t, s.lines)
			var b bytes.Buffer
			if err := WriteMask(&b, s.name+".ndjson", first, masks, style); err != nil {
				t.Fatal(err)
			}
			golden(t, s.name+".mask.txt", b.Bytes())
			b.Reset()
			if err := WriteComparison(&b, s.name+".ndjson", first, comparisons, style); err != nil {
				t.Fatal(err)
			}
			golden(t, s.name+".decisions.txt", b.Bytes())
		})
	}
}

func TestWhatIfJSONIsStrict(t *testing.T) {
	first, masks, comparisons := asked(t, streamtest.Night("live").NDJSON())
	for _, c := range []struct {
		mode  string
		write func(*bytes.Buffer) error
	}{
		{"mask", func(b *bytes.Buffer) error { return WriteMaskJSON(b, "night.ndjson", first, masks, nil) }},
		{"decisions", func(b *bytes.Buffer) error { return WriteComparisonJSON(b, "night.ndjson", first, comparisons, nil) }},
	} {
		var b bytes.Buffer
		if err := c.write(&b); err != nil {
			t.Fatal(err)
		}
		var doc WhatIfJSON
		in := json.NewDecoder(&b)
		in.DisallowUnknownFields()
		if err := in.Decode(&doc); err != nil || doc.Mode != c.mode || len(doc.Mask)+len(doc.Decisions) != 2 || doc.Schema != Schema || len(doc.Next) == 0 {
			t.Errorf("%s, read back: %v, %+v", c.mode, err, doc)
		}
		for i, m := range doc.Mask {
			if want := masks[i].Result; m.Avoided != want.Avoided || m.Stops != want.Total || len(m.FirstStops) != len(want.Stops) || m.Name != masks[i].Policy.Name {
				t.Errorf("%s: %+v of %+v", m.Name, m, want)
			}
		}
	}
}
