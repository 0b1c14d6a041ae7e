package events

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const docsIntro = `# Events

This file is written by ` + "`go test ./events -update`" + ` from the Go types and their comments.

An event is one thing that happened between a trading program and an IB Gateway, or one decision of the recorder about it.
It is a [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md) object in JSON, on one line.
A stored message, an export, a test stream and the live feed are the same bytes; the hash of an event is the SHA-256 of these bytes as stored,
without a newline, and never of a re-encoding. That is why there is one form only: attributes and fields in the order of the tables below,
no white space, an optional field that is empty left out, strings escaped as in RFC 8785. The decoder refuses anything else.

Integers stay within ±(2^53-1). A text has at most 1024 bytes of UTF-8, a list at most 64 identifiers, an event at most 65536 bytes.
An identifier is 1 to 128 of ` + "`A-Z a-z 0-9 - _ . / :`" + `. Nothing that looks like an IB account id may stand anywhere: before an event is written each is
replaced by a keyed hash such as ` + "`acct-bqolchnamn`" + `, comparable within one data folder.

A **fact** was seen, said or done; it never stops the gate nor releases it, and the end of a permitted attempt frees its slot.
A **decision** comes from the recorder's loop alone.
What an outside reporter may send is marked so. A report is the same JSON in any order of keys, without ` + "`seq`, `boot`, `mono`, `epoch`, `prev` and `sourcetime`" + `,
which the recorder stamps: the reporter's ` + "`time`" + ` becomes ` + "`sourcetime`" + `, a claim. ` + "`datacontenttype`" + ` may be left out. Texts in it are redacted and cut.

Each kind has a JSON Schema in [events/schema](../events/schema).
`

func TestDocumentationIsFresh(t *testing.T) {
	src := mustSource(t)
	var b strings.Builder
	b.WriteString(docsIntro)
	b.WriteString("\n## The envelope\n\nEvery attribute is a string.\n\n| attribute | required | meaning |\n|---|---|---|\n")
	for _, a := range envelope {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.name, yes(a.required), cell(a.doc))
	}
	b.WriteString("| `data` | yes | The payload, an object; see the kinds. |\n\n## The kinds\n\n| kind | class | from outside | |\n|---|---|---|---|\n")
	for _, info := range Kinds() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", info.Kind, anchor(string(info.Kind)), info.Class, yes(info.Outside), cell(src.types[info.plan.typ.Name()]))
	}
	group, sets := "", []reflect.Type{}
	for _, info := range Kinds() {
		if info.Kind.Group() != group {
			group = info.Kind.Group()
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		b.WriteString(docOfKind(t, src, info))
		for i := range info.plan.fields {
			f := &info.plan.fields[i]
			if typ := info.plan.typ.FieldByIndex(f.index).Type; f.op == opSet && !slices.Contains(sets, typ) {
				sets = append(sets, typ)
			}
		}
	}
	b.WriteString("\n## Closed sets\n")
	for _, typ := range sets {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| value | meaning |\n|---|---|\n", setName(typ), src.types[typ.Name()])
		for _, c := range src.constants[typ.Name()] {
			fmt.Fprintf(&b, "| `%s` | %s |\n", c.value, cell(c.doc))
		}
	}
	goldens(t, "../docs/events.md", map[string][]byte{"../docs/events.md": []byte(b.String())})
}

func docOfKind(t *testing.T, src *source, info Info) string {
	var b strings.Builder
	from := "the recorder alone"
	if info.Outside {
		from = "also from outside reporters"
	}
	fmt.Fprintf(&b, "\n### %s\n\nA %s, from %s. %s\n\n| field | type | required | meaning |\n|---|---|---|---|\n", info.Kind, info.Class, from, src.types[info.plan.typ.Name()])
	for i := range info.plan.fields {
		f := &info.plan.fields[i]
		typ := map[op]string{opString: "text", opBool: "boolean", opInt: "integer", opUint: "integer from 0", opIntPtr: "integer", opList: "list of identifiers"}[f.op]
		if f.op == opSet {
			set := setName(info.plan.typ.FieldByIndex(f.index).Type)
			typ = "[" + set + "](#" + anchor(set) + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, typ, yes(!f.optional), cell(src.docOf(info.plan, f)))
	}
	fmt.Fprintf(&b, "\n```json\n%s\n```\n", mustEncode(t, example(info)))
	return b.String()
}

// example is an event of a kind with every field filled, as a reader may meet it.
func example(info Info) Event {
	e := sample()
	e.Source = map[string]string{"dial": "/tap", "client": "/tap", "handshake": "/tap", "session": "/session", "gateway": "/watch", "operator": "/operator/cli"}[info.Kind.Group()]
	if e.Source == "" {
		e.Source = "/recorder"
	}
	if g := info.Kind.Group(); g == "recorder" || g == "policy" || g == "restart" || g == "operator" || g == "alert" {
		e.Conn, e.Attempt = "", ""
	}
	hash := HashOf([]byte("policy")).String()
	texts := map[string]string{"policy": hash, "hash": hash, "old_hash": hash, "by": "anna", "version": "1.0.0", "preset": "handoff", "rule": "RS1", "channel": "command", "incident": "main-48131",
		"address": "127.0.0.1:4001", "peer": "127.0.0.1:50312", "options": "+PACEAPI", "process": "java", "socket": "48213", "first_bytes": "474554202f204854",
		"force_env": "1", "previous_boot": "mwtrzsgbpe", "reason": "the Gateway window was frozen", "text": "connect timed out"}
	numbers := map[string]int64{"client_id": 7, "server_version": 178, "min_version": 100, "max_version": 178, "local_port": 50312, "code": 1100, "pid": 4711, "old_pid": 4242,
		"started_ms": 1772442927000, "old_started_ms": 1772356527000, "jitter_percent": 20}
	v := reflect.New(info.plan.typ).Elem()
	for i := range info.plan.fields {
		f := &info.plan.fields[i]
		n, known := numbers[f.name]
		if !known {
			n = 2
		}
		if !known && (strings.HasSuffix(f.name, "_ms") || strings.HasSuffix(f.name, "_us")) {
			n = 10000
		}
		switch fv := f.in(v); f.op {
		case opString:
			fv.SetString(texts[f.name])
		case opSet:
			fv.SetString(f.set[0])
		case opBool:
			fv.SetBool(true)
		case opInt:
			fv.SetInt(n)
		case opUint:
			fv.SetUint(uint64(n))
		case opIntPtr:
			fv.Set(reflect.ValueOf(&n))
		case opList:
			entry := e.Cause
			if f.name == "account_keys" {
				entry = testRedactor.Key("U1234567")
			}
			fv.Set(reflect.ValueOf([]string{entry}))
		}
	}
	e.Data = v.Interface().(Payload)
	return e
}

// setName is the name of a closed set in words: FailReason is "fail reason".
func setName(t reflect.Type) string {
	var b strings.Builder
	for i, r := range t.Name() {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// anchor is what renderers of Markdown make of a heading.
func anchor(heading string) string {
	return strings.NewReplacer(".", "", " ", "-").Replace(heading)
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func TestEveryExampleFillsEveryField(t *testing.T) {
	for _, info := range Kinds() {
		v := reflect.ValueOf(example(info).Data)
		for i := range info.plan.fields {
			if f := &info.plan.fields[i]; isZero(f, f.in(v)) {
				t.Errorf("%s.%s has no example value", info.Kind, f.name)
			}
		}
	}
}
