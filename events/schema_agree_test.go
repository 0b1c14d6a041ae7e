package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// TestSchemasDescribeTheGoTypes holds the schemas and the codec against each
// other in both directions, and under spoiling. The schema side is read as
// written, without knowledge of the Go types.
func TestSchemasDescribeTheGoTypes(t *testing.T) {
	if *update {
		t.Skip("what -update wrote is embedded by the next build")
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schemas, drawers := map[Kind]*jsonschema.Schema{}, map[Kind]drawer{}
	for _, info := range Kinds() {
		raw, err := Schema(info.Kind)
		if err != nil {
			t.Fatal(err)
		}
		written := parseJSON(t, raw)
		url := written["$id"].(string)
		if err := compiler.AddResource(url, written); err != nil {
			t.Fatal(err)
		}
		drawers[info.Kind] = drawer{root: written}
		if schemas[info.Kind], err = compiler.Compile(url); err != nil {
			t.Fatal(err)
		}
	}
	everyKind(t, func(t *rapid.T, info Info) {
		schema, from := schemas[info.Kind], drawers[info.Kind]
		raw := mustEncode(t, drawEvent(t, info))
		if err := schema.Validate(parseJSON(t, raw)); err != nil {
			t.Fatalf("what Go encodes the schema refuses: %v\n%s", err, raw)
		}
		instance := from.draw(t, "event", from.root).(map[string]any)
		if err := schema.Validate(instance); err != nil {
			t.Fatalf("the test drew what the schema refuses: %v\n%v", err, instance)
		}
		if err := accepts(instance); err != nil {
			t.Fatalf("what the schema accepts Go refuses: %v\n%v", err, instance)
		}
		how := from.spoil(t, instance)
		if schema.Validate(instance) == nil {
			t.Fatalf("%s: the schema accepts %v", how, instance)
		}
		if accepts(instance) == nil {
			t.Fatalf("%s: Go accepts %v", how, instance)
		}
	})
}

func parseJSON(t rapid.TB, raw []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// accepts brings an event into canonical form and decodes it. The order of keys
// is free; that nothing but the order changed is checked too.
func accepts(instance map[string]any) error {
	raw, err := json.Marshal(instance)
	if err != nil {
		return err
	}
	o, err := parseObject(raw)
	if err != nil {
		return err
	}
	e, err := o.event()
	if err != nil {
		return err
	}
	line, err := Encode(e)
	if err != nil {
		return err
	}
	if _, err := Decode(line); err != nil {
		return err
	}
	again, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err == nil && !reflect.DeepEqual(again, any(instance)) {
		err = fmt.Errorf("it changed to %s", line)
	}
	return err
}

// drawer draws instances of a schema from its JSON.
type drawer struct{ root map[string]any }

// resolve merges what $ref names into the schema that has it.
func (d drawer) resolve(schema map[string]any) map[string]any {
	name, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	out := maps.Clone(d.root["$defs"].(map[string]any)[strings.TrimPrefix(name, "#/$defs/")].(map[string]any))
	maps.Copy(out, schema)
	delete(out, "$ref")
	return out
}

func (d drawer) draw(t *rapid.T, path string, schema map[string]any) any {
	schema = d.resolve(schema)
	if c, ok := schema["const"]; ok {
		return c
	}
	if set, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(set).Draw(t, path)
	}
	switch schema["type"] {
	case "object":
		out := map[string]any{}
		properties := schema["properties"].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			if slices.Contains(schema["required"].([]any), any(key)) || rapid.Bool().Draw(t, "has "+path+"."+key) {
				out[key] = d.draw(t, path+"."+key, properties[key].(map[string]any))
			}
		}
		return out
	case "array":
		n := rapid.Int64Range(number64(schema["minItems"]), number64(schema["maxItems"])).Draw(t, path)
		out := make([]any, n)
		for i := range out {
			out[i] = d.draw(t, path, schema["items"].(map[string]any))
		}
		return out
	case "boolean":
		return rapid.Bool().Draw(t, path)
	case "integer":
		n := rapid.Int64Range(number64(schema["minimum"]), number64(schema["maximum"])).Filter(func(n int64) bool {
			return !d.isNot(schema, json.Number(fmt.Sprint(n)))
		}).Draw(t, path)
		return json.Number(fmt.Sprint(n))
	default:
		return d.drawString(t, path, schema)
	}
}

func (d drawer) drawString(t *rapid.T, path string, schema map[string]any) string {
	var g *rapid.Generator[string]
	if pattern, ok := schema["pattern"].(string); ok {
		g = rapid.StringMatching(pattern)
	} else {
		least := 0
		if n, ok := schema["minLength"]; ok {
			least = int(number64(n))
		}
		// Go counts bytes: the one bound that a schema cannot express.
		g = rapid.StringN(least, int(number64(schema["maxLength"])), maxText)
	}
	return g.Filter(func(s string) bool {
		_, err := time.Parse(time.RFC3339Nano, s)
		return !d.isNot(schema, s) && (schema["format"] != "date-time" || err == nil)
	}).Draw(t, path)
}

// isNot reports whether a value is what the schema's "not" excludes.
func (d drawer) isNot(schema map[string]any, value any) bool {
	not, ok := schema["not"].(map[string]any)
	if !ok {
		return false
	}
	not = d.resolve(not)
	if pattern, ok := not["pattern"].(string); ok {
		return regexp.MustCompile(pattern).MatchString(value.(string))
	}
	return not["const"] == value
}

func number64(v any) int64 {
	n, err := v.(json.Number).Int64()
	if err != nil {
		panic(err)
	}
	return n
}

// spoil breaks an instance in one way and says in which.
func (d drawer) spoil(t *rapid.T, instance map[string]any) string {
	object, schema, where := instance, d.root, ""
	if rapid.Bool().Draw(t, "in data") {
		object, where = instance["data"].(map[string]any), "data."
		schema = schema["properties"].(map[string]any)["data"].(map[string]any)
	}
	required := schema["required"].([]any)
	if len(required) == 0 {
		object["unknown"] = "x"
		return "one field more in " + where
	}
	key := rapid.SampledFrom(required).Draw(t, "field").(string)
	field := d.resolve(schema["properties"].(map[string]any)[key].(map[string]any))
	_, closed := field["enum"]
	switch way := rapid.SampledFrom([]string{"without", "null in", "another type in", "another value in", "one more than"}).Draw(t, "way"); way {
	case "without":
		delete(object, key)
		return way + " " + where + key
	case "null in":
		object[key] = nil
		return way + " " + where + key
	case "another value in":
		if _, constant := field["const"]; constant || closed {
			object[key] = "another"
			return way + " " + where + key
		}
		fallthrough
	case "another type in":
		if _, isString := object[key].(string); isString {
			object[key] = json.Number("1")
		} else {
			object[key] = "1"
		}
		return "another type in " + where + key
	default:
		object["unknown"] = "x"
		return way + " " + where + key
	}
}
