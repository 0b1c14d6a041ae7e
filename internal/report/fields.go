package report

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// fields is a JSON document as paths and values, in its own order.
type fields struct {
	names  []string
	values map[string]string
}

func (f *fields) value(name string) string { return f.values[name] }

// differ returns the paths whose values are not the same in both: in the order of
// other, then what only f has.
func (f *fields) differ(other fields) []string {
	var out []string
	for _, name := range other.names {
		if was, known := f.values[name]; !known || was != other.values[name] {
			out = append(out, name)
		}
	}
	for _, name := range f.names {
		if _, known := other.values[name]; !known {
			out = append(out, name)
		}
	}
	return out
}

// flatten reads the canonical JSON of a state. A list of sessions or requests is
// keyed by their attempts, so that one that ends does not shift the others; any
// other list is one value.
func flatten(document []byte) fields {
	f := fields{values: map[string]string{}}
	if err := f.read("", document); err != nil {
		panic(fmt.Sprintf("report: a state is valid JSON: %v", err))
	}
	return f
}

func (f *fields) read(path string, raw json.RawMessage) error {
	switch raw[0] {
	case '{':
		return f.object(path, raw)
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		if len(list) == 0 || list[0][0] != '{' {
			break
		}
		for i, item := range list {
			var key struct{ Attempt string }
			if err := json.Unmarshal(item, &key); err != nil {
				return err
			}
			if key.Attempt == "" {
				key.Attempt = fmt.Sprint(i + 1)
			}
			if err := f.read(path+"["+key.Attempt+"]", item); err != nil {
				return err
			}
		}
		return nil
	}
	if _, twice := f.values[path]; !twice {
		f.names = append(f.names, path)
	}
	f.values[path] = string(raw)
	return nil
}

func (f *fields) object(path string, raw json.RawMessage) error {
	in := json.NewDecoder(bytes.NewReader(raw))
	if _, err := in.Token(); err != nil {
		return err
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return err
		}
		name := fmt.Sprint(key)
		if path != "" {
			name = path + "." + name
		}
		if err := f.read(name, value); err != nil {
			return err
		}
	}
	return nil
}
