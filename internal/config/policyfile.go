package config

import (
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/policy"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ReadPolicy reads the policy of a file, for whoever asks about one that is not in
// force. The file is a configuration (its policy and its mode are read, and all of it
// must be right), the policy section of one by itself, or the policy.yaml of a test
// stream, which has the values that differ from the preset under override, and under
// unknown what nobody knows. The mode is enforce unless the file says otherwise.
//
// The error is a Problems with everything that is wrong, as of Load.
func ReadPolicy(path string) (events.PolicyLoaded, error) {
	b, wrong := content(path)
	if err := wrong.err(); err != nil {
		return events.PolicyLoaded{}, err
	}
	return parsePolicy(path, b)
}

func parsePolicy(path string, b []byte) (events.PolicyLoaded, error) {
	f := file{path: path, lines: strings.Split(string(b), "\n")}
	doc := f.document(b)
	switch {
	case doc == nil:
		if f.problems == nil {
			f.add("file "+path, "there is no policy in it; write for example: preset: lenient")
		}
	case f.whole(doc):
		f.configuration(doc)
	default:
		f.section(doc)
	}
	if err := f.err(); err != nil {
		return events.PolicyLoaded{}, err
	}
	all := []entry{{path: "mode", value: string(defaultMode), origin: "default"}, {path: "policy.preset", value: defaultPreset, origin: "default"}}
	c, of := merge(append(all, f.entries...))
	var ps problems
	k := check{of, &ps}
	k.mode(c.Mode)
	k.policy(c.Policy)
	if err := ps.err(); err != nil {
		return events.PolicyLoaded{}, err
	}
	return policy.Load(c.Policy.Preset, c.Policy.Params, c.Mode)
}

// whole reports whether a document is a whole configuration: it has a key that a policy
// has not.
func (f *file) whole(doc ast.Node) bool {
	m, ok := doc.(ast.MapNode)
	if !ok {
		return false
	}
	for it := m.MapRange(); it.Next(); {
		name := it.Key().GetToken().Value
		if name == "gateways" || name == "nats" || name == "policy" {
			return true
		}
		if name != "mode" && slices.ContainsFunc(top, func(k key) bool { return k.path == name }) {
			return true
		}
	}
	return false
}

// section reads a document as a policy by itself.
func (f *file) section(doc ast.Node) {
	keys := append(slices.Clone(top), key{path: "policy.mode", kind: text}, key{path: "policy.override"}, key{path: "policy.unknown"})
	f.mapping(doc, "policy.", keys, func(name string, at *token.Token, value ast.Node) bool {
		switch name {
		case "override":
			f.override(value)
		case "unknown":
			if _, list := value.(*ast.SequenceNode); !list {
				f.at(at, "want a list of what nobody knows in unknown, not %s", named(value))
			}
		default:
			return false
		}
		return true
	})
	for i := range f.entries {
		e := &f.entries[i]
		if e.path == "policy.mode" {
			e.path = "mode"
		}
		first := slices.IndexFunc(f.entries, func(o entry) bool { return o.path == e.path })
		if first < i {
			f.problems = append(f.problems, &Problem{e.origin, strings.TrimPrefix(e.path, "policy.") + " is set twice", e.excerpt})
		}
	}
}

// override reads the values that differ from the preset.
func (f *file) override(value ast.Node) {
	var keys []key
	for _, name := range paramNames {
		keys = append(keys, key{path: "policy.override." + name, kind: whole})
	}
	n := len(f.entries)
	f.mapping(value, "policy.override.", keys, nil)
	for i := range f.entries[n:] {
		f.entries[n+i].path = strings.Replace(f.entries[n+i].path, "override.", "", 1)
	}
}
