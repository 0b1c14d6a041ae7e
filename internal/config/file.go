package config

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds a file in bytes: a longer one is not a configuration.
const maxFile = 1 << 20

// entry is one value that was set, and where.
type entry struct {
	path    string
	value   any // string, int64 or bool, as its key has it
	origin  string
	excerpt string // the place, for one from a file
}

// file reads a configuration file. It walks the syntax tree itself: a decoder
// stops at the first mistake, viper does not know lines, and both turn one type
// into another without a word.
type file struct {
	path    string
	env     string // the variable it is the value of; empty for a file
	lines   []string
	entries []entry
	problems
}

func readFile(path string) ([]entry, problems) {
	b, wrong := content(path)
	if wrong != nil {
		return nil, wrong
	}
	return parseFile(path, b)
}

// content reads a file that can be a configuration by its size.
func content(path string) (b []byte, wrong problems) {
	in, err := os.Open(path)
	if err != nil {
		wrong.add("file "+path, "%v; for one to start from: recorder config show", errors.Unwrap(err))
		return nil, wrong
	}
	defer in.Close()
	b, err = io.ReadAll(io.LimitReader(in, maxFile+1))
	switch {
	case err != nil:
		wrong.add("file "+path, "%v", errors.Unwrap(err))
	case len(b) > maxFile:
		wrong.add("file "+path, "more than %d bytes, this is no configuration", maxFile)
	}
	return b, wrong
}

// parseFile reads the text of a file.
func parseFile(path string, b []byte) ([]entry, problems) {
	f := file{path: path, lines: strings.Split(string(b), "\n")}
	f.parse(b)
	return f.entries, f.problems
}

func (f *file) parse(b []byte) {
	if doc := f.document(b); doc != nil {
		f.configuration(doc)
	}
}

// document is the one document of a file, nil if there is none or it cannot be read.
func (f *file) document(b []byte) ast.Node {
	tree, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey()) // walk finds those, and what else there is
	if y, ok := errors.AsType[yaml.Error](err); ok && y.GetToken() != nil {
		f.at(y.GetToken(), "%s", y.GetMessage())
		return nil
	}
	if err != nil {
		f.add("file "+f.path, "%v", err)
		return nil
	}
	var docs []ast.Node
	for _, d := range tree.Docs {
		if d.Body != nil && d.Body.Type() != ast.NullType && d.Body.Type() != ast.CommentType {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) > 1 {
		f.at(start(docs[1]), "a second document; one file is one configuration")
	}
	if len(docs) == 0 {
		return nil
	}
	return docs[0]
}

// configuration reads a document as one.
func (f *file) configuration(doc ast.Node) {
	f.mapping(doc, "", top, func(name string, at *token.Token, value ast.Node) bool {
		switch name {
		case "gateways":
			f.named(at, value, list{"gateways", "a gateway", "gateways.*.", perGateway, events.CheckGatewayName})
		case "http":
			f.http(value)
		case "policy":
			f.mapping(value, "policy.", top, nil)
		case "alerts":
			f.mapping(value, "alerts.", top, func(name string, at *token.Token, value ast.Node) bool {
				switch name {
				case "channels":
					f.channels(at, value)
				case "dead_man":
					f.mapping(value, "alerts.dead_man.", top, nil)
				default:
					return false
				}
				return true
			})
		case "nats":
			f.mapping(value, "nats.", top, func(name string, _ *token.Token, value ast.Node) bool {
				if name == "runners" {
					f.runners(value)
				}
				return name == "runners"
			})
		default:
			return false
		}
		return true
	})
}

// mapping reads the keys of n whose paths begin with prefix. What takes takes is
// not looked at further.
func (f *file) mapping(n ast.Node, prefix string, keys []key, take func(name string, at *token.Token, value ast.Node) bool) {
	known := map[string]key{}
	for _, k := range keys {
		if name, under := strings.CutPrefix(k.path, prefix); under {
			name, _, _ = strings.Cut(name, ".")
			known[name] = k
		}
	}
	for _, name := range lists[prefix] {
		known[name] = key{}
	}
	seen := map[string]bool{}
	for at, value := range f.pairs(n, prefix) {
		name := at.Value
		k, ok := known[name]
		switch {
		case !ok:
			near := nearest(name, slices.Sorted(maps.Keys(known)))
			if _, secret := known[name+"_file"]; secret {
				near = name + "_file"
			}
			f.at(at, "unknown key %.64q, nearest is %s", name, near)
			continue
		case seen[name]:
			f.at(at, "%s is set twice", name)
			continue
		}
		seen[name] = true
		if take != nil && take(name, at, value) {
			continue
		}
		if v, ok := f.scalar(k, at, value); ok {
			f.entries = append(f.entries, entry{prefix + name, v, f.origin(at), f.excerpt(at)})
		}
	}
}

// pairs yields the keys and values of a mapping.
func (f *file) pairs(n ast.Node, prefix string) iter.Seq2[*token.Token, ast.Node] {
	return func(yield func(*token.Token, ast.Node) bool) {
		m, ok := n.(ast.MapNode)
		if !ok {
			where := map[string]string{"": "a configuration", "policy.": "policy", "policy.override.": "override", "gateways.*.": "a gateway", "nats.": "nats", "nats.runners.": "runners",
				"http.": "http", "http.tokens.*.": "a token", "alerts.": "alerts", "alerts.dead_man.": "dead_man", "alerts.channels.*.": "a channel"}[prefix]
			f.at(n.GetToken(), "want keys and values in %s, not %s", where, named(n))
			return
		}
		for it := m.MapRange(); it.Next(); {
			if _, plain := it.Key().(*ast.StringNode); !plain {
				f.at(it.Key().GetToken(), "want a word for a key, not %s", named(it.Key()))
				continue
			}
			if !yield(it.Key().GetToken(), it.Value()) {
				return
			}
		}
	}
}

// list is a list of things that have names, which are a part of their paths.
type list struct {
	name   string // of the list
	one    string // what one is, with its article
	prefix string // of the paths, with * for the name
	keys   []key
	check  func(name string) error
}

// channels reads those of alerts.
func (f *file) channels(at *token.Token, n ast.Node) {
	f.named(at, n, list{"channels", "a channel", "alerts.channels.*.", perChannel, checkChannel})
}

// named reads such a list.
func (f *file) named(at *token.Token, n ast.Node, of list) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		f.at(at, "want a list in %s, each beginning with \"- name: NAME\", not %s", of.name, named(n))
		return
	}
	seen := map[string]bool{}
	for _, item := range seq.Values {
		one := file{path: f.path, env: f.env, lines: f.lines}
		one.mapping(item, of.prefix, of.keys, nil)
		i := slices.IndexFunc(one.entries, func(e entry) bool { return e.path == of.prefix+"name" })
		f.problems = append(f.problems, one.problems...)
		if i < 0 {
			if len(one.problems) == 0 {
				f.at(start(item), "%s without a name; write \"- name: NAME\"", of.one)
			}
			continue
		}
		name := one.entries[i].value.(string)
		err := of.check(name)
		if seen[name] {
			_, kind, _ := strings.Cut(of.one, " ")
			err = fmt.Errorf("%s %s is listed twice", kind, name)
		}
		if err != nil {
			f.problems = append(f.problems, &Problem{one.entries[i].origin, err.Error(), one.entries[i].excerpt})
			continue
		}
		seen[name] = true
		for _, e := range one.entries {
			e.path = strings.Replace(e.path, "*", name, 1)
			f.entries = append(f.entries, e)
		}
	}
}

// runners reads the names and keys of runners.
func (f *file) runners(n ast.Node) {
	seen := map[string]bool{}
	for at, value := range f.pairs(n, "nats.runners.") {
		switch err := checkRunner(at.Value); {
		case err != nil:
			f.at(at, "%v", err)
		case seen[at.Value]:
			f.at(at, "runner %s is set twice", at.Value)
		default:
			seen[at.Value] = true
			if v, ok := f.scalar(key{kind: text}, at, value); ok {
				f.entries = append(f.entries, entry{path: natsRunner(at.Value), value: v, origin: f.origin(at)})
			}
		}
	}
}

// scalar is the value of k.
func (f *file) scalar(k key, at *token.Token, n ast.Node) (any, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		if k.kind == text {
			return v.Value, true
		}
	case *ast.LiteralNode:
		if k.kind == text {
			return v.Value.Value, true
		}
	case *ast.BoolNode:
		if k.kind == boolean {
			return v.Value, true
		}
	case *ast.IntegerNode:
		// Read from what is written: YAML takes 010 for eight.
		digits := n.GetToken().Value
		i, err := strconv.ParseInt(digits, 10, 64)
		if k.kind == whole && err == nil && strconv.FormatInt(i, 10) == digits {
			return i, true
		}
	}
	if seq, ok := n.(*ast.SequenceNode); ok && k.kind == steps {
		return f.steps(k, at, seq)
	}
	what := named(n)
	switch n.Type() {
	case ast.IntegerType, ast.FloatType, ast.BoolType:
		if k.kind == text {
			what += "; put it in quotes"
		}
	}
	f.at(at, "want %s in %s, not %s", k.kind, at.Value, what)
	return nil, false
}

// steps reads a list of texts of one line each.
func (f *file) steps(k key, at *token.Token, seq *ast.SequenceNode) (any, bool) {
	var all []string
	for _, item := range seq.Values {
		one, ok := item.(*ast.StringNode)
		if !ok || strings.TrimSpace(one.Value) == "" || strings.Contains(one.Value, "\n") {
			f.at(start(item), "want texts of one line in %s, not %s", at.Value, named(item))
			return nil, false
		}
		all = append(all, one.Value)
	}
	return strings.Join(all, "\n"), true
}

// named says what n is to a reader who does not know YAML's words.
func named(n ast.Node) string {
	switch n.Type() {
	case ast.NullType:
		return "nothing"
	case ast.IntegerType:
		return "the number " + n.GetToken().Value
	case ast.FloatType, ast.InfinityType, ast.NanType:
		return "the fraction " + n.GetToken().Value
	case ast.BoolType:
		return n.GetToken().Value
	case ast.StringType:
		return fmt.Sprintf("the text %.40q", n.GetToken().Value)
	case ast.LiteralType:
		return "text"
	case ast.MappingType, ast.MappingValueType:
		return "keys and values"
	case ast.SequenceType:
		return "a list"
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType:
		return "an anchor or alias, which are not read here"
	case ast.TagType:
		return "a tag, which are not read here"
	}
	return "this"
}

// at adds a problem with its place.
func (f *file) at(t *token.Token, format string, args ...any) {
	p := &Problem{Origin: f.origin(t), Text: fmt.Sprintf(format, args...), Excerpt: f.excerpt(t)}
	if f.env == "" {
		p.Origin += fmt.Sprintf(":%d", t.Position.Column)
	}
	f.problems = append(f.problems, p)
}

// origin is where t stands.
func (f *file) origin(t *token.Token) string {
	if f.env != "" {
		return "env " + f.env
	}
	return fmt.Sprintf("file %s:%d", f.path, t.Position.Line)
}

// start is where n begins: the token of a mapping is that of its first colon.
func start(n ast.Node) *token.Token {
	if m, ok := n.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			return it.Key().GetToken()
		}
	}
	return n.GetToken()
}
