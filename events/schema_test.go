package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// obj is a JSON object that keeps the order of its members.
type obj []property

type property struct {
	key   string
	value any
}

func (o obj) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

var noAccount = ref("account")

// envelope describes the attributes, in canonical order; data is added by schemaOf.
var envelope = []struct {
	name     string
	required bool
	doc      string
	schema   obj
}{
	{"specversion", true, "The version of CloudEvents.", obj{{"const", "1.0"}}},
	{"id", true, "Unique in the log. The recorder's own is boot-gateway-seq; a reporter's is kept as it came, because it is what deduplicates.", ref("token")},
	{"source", true, "Who saw it: a path such as /tap, /session, /watch, /runner/robo-1, /operator/cli or /recorder.",
		obj{{"type", "string"}, {"pattern", `^/([A-Za-z0-9_.:-][A-Za-z0-9_./:-]{0,126})?$`}, {"not", noAccount}}},
	{"type", true, "The kind and the version of its payload.", nil},
	{"subject", true, "The name of the gateway.", obj{{"type", "string"}, {"pattern", `^[a-z][a-z0-9-]{0,31}$`}, {"not", noAccount}}},
	{"time", false, "The wall clock in UTC, for people; order and durations come from seq and mono. Absent when unknown.", obj{{"type", "string"}, {"format", "date-time"},
		{"pattern", `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{0,8}[1-9])?Z$`}, {"not", obj{{"const", "0001-01-01T00:00:00Z"}}}}},
	{"datacontenttype", true, "Always JSON.", obj{{"const", "application/json"}}},
	{"seq", true, "The position in the gateway's log: from 1, without a gap. Decimal digits.", obj{{"type", "string"}, {"pattern", `^[1-9][0-9]{0,17}$`}}},
	{"boot", true, "One run of the recorder; \"import\" for what no recorder saw.", ref("token")},
	{"mono", false, "Nanoseconds since that boot, in decimal digits. Absent when unknown.", ref("decimal")},
	{"conn", false, "One client connection.", ref("token")},
	{"attempt", false, "The connect attempt it belongs to.", ref("token")},
	{"epoch", true, "How many releases came before: everything between two releases shares one. Decimal digits.", ref("decimal")},
	{"cause", false, "The id of the event that led to this one.", ref("token")},
	{"sourcetime", false, "The time as an outside reporter printed it: a claim.", obj{{"type", "string"}, {"pattern", `^[ !#-\[\]-~]{1,128}$`}, {"not", noAccount}}},
	{"prev", true, "The SHA-256 of the stored event before this one; zeros at seq 1.", obj{{"type", "string"}, {"pattern", `^[0-9a-f]{64}$`}}},
}

func ref(name string) obj { return obj{{"$ref", "#/$defs/" + name}} }

// schemaOf makes the JSON Schema of a kind from its Go type and its comments.
func schemaOf(src *source, info Info) obj {
	var properties obj
	var required []string
	for _, a := range envelope {
		s := a.schema
		if a.name == "type" {
			s = obj{{"const", info.Type()}}
		}
		properties = append(properties, property{a.name, described(a.doc, s)})
		if a.required {
			required = append(required, a.name)
		}
	}
	data := dataSchema(src, info.plan)
	properties = append(properties, property{"data", data})
	return obj{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "urn:ibrecorder:event:" + string(info.Kind) + ":v1"},
		{"title", string(info.Kind)},
		{"description", src.types[info.plan.typ.Name()]},
		{"type", "object"},
		{"properties", properties},
		{"required", append(required, "data")},
		{"additionalProperties", false},
		{"$defs", obj{
			{"account", obj{{"description", "Something like an IB account id."}, {"pattern", accountPattern}}},
			{"token", obj{{"description", "An identifier, without anything like an account id."}, {"type", "string"}, {"pattern", `^[A-Za-z0-9_./:-]{1,128}$`}, {"not", noAccount}}},
			{"decimal", obj{{"type", "string"}, {"pattern", `^(0|[1-9][0-9]{0,17})$`}}},
			{"text", obj{{"description", "At most 1024 bytes of UTF-8, without anything like an account id."}, {"type", "string"}, {"maxLength", maxText}, {"not", noAccount}}},
		}},
	}
}

func described(doc string, s obj) obj { return append(obj{{"description", doc}}, s...) }

func dataSchema(src *source, p *plan) obj {
	properties, required := obj{}, []string{}
	for i := range p.fields {
		f := &p.fields[i]
		properties = append(properties, property{f.name, described(src.meaning(p, f), fieldSchema(f))})
		if !f.optional {
			required = append(required, f.name)
		}
	}
	return obj{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}}
}

// meaning is the comment on a field, and on the values of its closed set.
func (src *source) meaning(p *plan, f *field) string {
	lines := []string{src.docOf(p, f)}
	if f.op == opSet {
		for _, c := range src.constants[p.typ.FieldByIndex(f.index).Type.Name()] {
			lines = append(lines, c.value+": "+c.doc)
		}
	}
	return strings.Join(lines, "\n")
}

// fieldSchema says which values a field has when it is present. An optional one
// that is zero is left out, so zero is not among them.
func fieldSchema(f *field) obj {
	integer := obj{{"type", "integer"}, {"minimum", -maxInt}, {"maximum", maxInt}}
	switch f.op {
	case opString:
		if f.optional {
			return append(ref("text"), property{"minLength", 1})
		}
		return ref("text")
	case opSet:
		return obj{{"enum", f.set}}
	case opBool:
		if f.optional {
			return obj{{"const", true}}
		}
		return obj{{"type", "boolean"}}
	case opUint:
		integer[1].value = 0
	case opList:
		return obj{{"type", "array"}, {"items", ref("token")}, {"minItems", 1}, {"maxItems", maxList}}
	}
	if f.optional && f.op != opIntPtr {
		integer = append(integer, property{"not", obj{{"const", 0}}})
	}
	return integer
}

func TestSchemasAreFresh(t *testing.T) {
	src := mustSource(t)
	want := map[string][]byte{}
	for _, info := range Kinds() {
		raw, err := schemaOf(src, info).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := json.Indent(&b, raw, "", "  "); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
		want[schemaFile(info)] = b.Bytes()
	}
	goldens(t, "schema/*.json", want)
}

func TestSchemaIsKnownForEveryKind(t *testing.T) {
	if *update {
		t.Skip("what -update wrote is embedded by the next build")
	}
	for _, info := range Kinds() {
		raw, err := Schema(info.Kind)
		if err != nil || !bytes.Contains(raw, []byte(`"const": "`+info.Type()+`"`)) {
			t.Errorf("%s: %s, %v", info.Kind, raw, err)
		}
	}
	if _, err := Schema("dial.begun"); !errors.Is(err, ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
}
