package streams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"ibrecorder/events"
)

// draft makes the event that "kind [attempt] [name=value ...]" spells. A name is
// conn, cause, or a field of the kind's payload; a value is a number, a truth
// value, a list in brackets, a text in quotes, or a word. The cause is a kind, for
// the writer to resolve. boot comes back by itself, because the loop stamps it.
func draft(what string) (d events.Draft, boot string, err error) {
	words, err := split(what)
	if err != nil {
		return d, "", err
	}
	data, err := events.New(events.Kind(words[0]))
	if err != nil {
		return d, "", fmt.Errorf("%w: %w", ErrFacts, err)
	}
	words = words[1:]
	if len(words) > 0 && !strings.Contains(words[0], "=") {
		d.Attempt, words = words[0], words[1:]
	}
	fields := map[string]json.RawMessage{}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		switch {
		case !ok || value == "":
			return d, "", fmt.Errorf("%w: %q, want name=value", ErrFacts, word)
		case name == "conn":
			d.Conn = value
		case name == "cause":
			d.Cause = value
		case name == "boot":
			boot = value
		default:
			fields[name] = literal(value)
		}
	}
	object, err := json.Marshal(fields)
	if err != nil {
		return d, "", fmt.Errorf("%w: %s: %w", ErrFacts, what, err)
	}
	into := reflect.New(reflect.TypeOf(data))
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into.Interface()); err != nil {
		return d, "", fmt.Errorf("%w: %s: %w", ErrFacts, what, err)
	}
	d.Data = into.Elem().Interface().(events.Payload)
	return d, boot, nil
}

// literal is value as JSON: as it stands if it is JSON already, else as a string.
func literal(value string) json.RawMessage {
	if items, ok := strings.CutPrefix(value, "["); ok {
		list := strings.Split(strings.TrimSuffix(items, "]"), ",")
		out, _ := json.Marshal(list) // strings can always be marshalled
		return out
	}
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	return json.RawMessage(strconv.Quote(value))
}

// split cuts at spaces that are not in quotes.
func split(s string) (words []string, err error) {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		end := strings.IndexAny(s, ` "`)
		switch {
		case end < 0:
			end = len(s)
		case s[end] == '"':
			quoted, err := strconv.QuotedPrefix(s[end:])
			if err != nil {
				return nil, fmt.Errorf("%w: a text without its closing quote: %s", ErrFacts, s)
			}
			end += len(quoted)
		}
		words, s = append(words, s[:end]), s[end:]
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("%w: an event without a kind", ErrFacts)
	}
	return words, nil
}
