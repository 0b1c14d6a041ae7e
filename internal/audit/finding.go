package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// Class is how the record and the policy differ.
type Class string

const (
	// Missing: a decision was due and is not there.
	Missing Class = "missing"
	// Extra: a decision is there and was not due.
	Extra Class = "extra"
	// Different: the decision is there, and is another one.
	Different Class = "different"
)

// Decision is one as a person or a program reads it.
type Decision struct {
	Kind    events.Kind    `json:"kind"`              // of the decision
	Attempt string         `json:"attempt,omitempty"` // that it is about
	Conn    string         `json:"conn,omitempty"`    // that it is about
	Cause   string         `json:"cause,omitempty"`   // id of the fact that asks for it
	Data    events.Payload `json:"data"`              // its fields, as in events.md
}

// UnmarshalJSON reads what encoding/json writes of a decision.
func (d *Decision) UnmarshalJSON(b []byte) error {
	type plain Decision
	in := struct {
		*plain
		Data json.RawMessage `json:"data"`
	}{plain: (*plain)(d)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	zero, err := events.New(d.Kind)
	if err != nil {
		return err
	}
	data := reflect.New(reflect.TypeOf(zero))
	if err := json.Unmarshal(in.Data, data.Interface()); err != nil {
		return err
	}
	d.Data = data.Elem().Interface().(events.Payload)
	return nil
}

// Finding is one place at which the record and the policy differ.
type Finding struct {
	Class Class
	// Seq is the event at which it shows; Because is the one after which the decision was
	// due, 0 for none. Index is its place in the stream, from 0.
	Seq, Because uint64
	Index        int
	// Recorded is nil for what is missing, Recomputed for what is too much.
	Recorded, Recomputed *Decision
	// Observed says that the recorder was in observe mode.
	Observed bool
	// Text is one sentence.
	Text string
}

// maxFindings is how many findings are kept.
const maxFindings = 100

// Result is what an audit found.
type Result struct {
	// Checked is how many recorded decisions were compared.
	Checked int
	// Total is how many findings there are, of which Findings holds the first 100.
	Total    int
	Findings []Finding
	// Skipped is how many recorded decisions were not compared, and Why the first reason.
	Skipped int
	Why     string
}

func (a *Audit) add(f Finding) {
	if f.Class == Missing {
		d := f.Recomputed
		key := owed{d.Kind, d.Attempt, d.Conn, d.Cause}
		if key == a.told { // it is missing once, however long the log goes on without it
			return
		}
		a.told = key
	}
	a.result.Total++
	if len(a.result.Findings) < maxFindings {
		a.result.Findings = append(a.result.Findings, f)
	}
}

func (a *Audit) found(e *events.Event, c Class) Finding {
	return Finding{Class: c, Seq: e.Seq, Because: a.seq, Index: a.index, Observed: a.state.Policy.Mode == events.Observe}
}

func (a *Audit) missing(e *events.Event, d policy.Decision, instead string) Finding {
	f := a.found(e, Missing)
	f.Recomputed = &Decision{d.Data.Kind(), d.Attempt, d.Conn, d.Cause, d.Data}
	f.Text = fmt.Sprintf("RECOMPUTED %s, due after #%d; RECORDED: it is missing, %s at #%d", f.Recomputed, a.seq, instead, e.Seq)
	return f
}

func (a *Audit) extra(e *events.Event, d policy.Decision) Finding {
	f := a.found(e, Extra)
	f.Recorded = recorded(e)
	f.Text = fmt.Sprintf("RECORDED %s at #%d; RECOMPUTED: nothing", f.Recorded, e.Seq)
	if d.Data != nil {
		f.Recomputed = &Decision{d.Data.Kind(), d.Attempt, d.Conn, d.Cause, d.Data}
		f.Text = fmt.Sprintf("RECORDED %s at #%d, one too many; RECOMPUTED: only %s", f.Recorded, e.Seq, f.Recomputed)
	}
	return f
}

func (a *Audit) different(e *events.Event, d policy.Decision) Finding {
	f := a.found(e, Different)
	f.Recorded, f.Recomputed = recorded(e), &Decision{d.Data.Kind(), d.Attempt, d.Conn, d.Cause, d.Data}
	had, want := f.Recorded.fields(), f.Recomputed.fields()
	var names []string
	for _, name := range slices.Concat(had.names, want.names) {
		if !slices.Contains(names, name) && !bytes.Equal(had.values[name], want.values[name]) {
			names = append(names, name)
		}
	}
	f.Text = fmt.Sprintf("RECORDED %s with %s at #%d; RECOMPUTED with %s", name(f.Recorded), had.only(names), e.Seq, want.only(names))
	if d.JitterMS > 0 {
		f.Text += fmt.Sprintf(" and up to %d ms of jitter", d.JitterMS)
	}
	return f
}

func recorded(e *events.Event) *Decision {
	return &Decision{e.Kind(), e.Attempt, e.Conn, e.Cause, e.Data}
}

// name is a decision without what it says.
func name(d *Decision) string {
	if d.Attempt == "" {
		return string(d.Kind)
	}
	return fmt.Sprintf("%s of attempt %s", d.Kind, d.Attempt)
}

// String is a decision on one line.
func (d *Decision) String() string {
	f := d.fields()
	names := slices.DeleteFunc(slices.Clone(f.names), func(n string) bool { return n == "policy" || n == "conn" || n == "cause" || n == "evidence" })
	if len(names) == 0 {
		return name(d)
	}
	return name(d) + " (" + f.only(names) + ")"
}

// fields are the parts of a decision in their order: what it is about, then its payload.
type fields struct {
	names  []string
	values map[string][]byte
}

func (d *Decision) fields() fields {
	f := fields{values: map[string][]byte{}}
	add := func(name string, value []byte) { f.names, f.values[name] = append(f.names, name), value }
	for _, p := range [][2]string{{"conn", d.Conn}, {"cause", d.Cause}} {
		if p[1] != "" {
			add(p[0], []byte(p[1]))
		}
	}
	text, err := json.Marshal(d.Data)
	if err != nil {
		panic(fmt.Sprintf("audit: a payload has only strings, numbers and lists: %v", err))
	}
	in := json.NewDecoder(bytes.NewReader(text))
	_, _ = in.Token() // the brace of an object that was just written
	for in.More() {
		name, _ := in.Token()
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			panic(fmt.Sprintf("audit: %s: %v", text, err))
		}
		add(name.(string), value)
	}
	return f
}

// only names some of the fields with their values.
func (f fields) only(names []string) string {
	var out []string
	for _, n := range names {
		value := "nothing"
		if v, set := f.values[n]; set {
			value = strings.Trim(string(v), `"`)
		}
		out = append(out, n+" "+value)
	}
	return strings.Join(out, ", ")
}
