package channel

import (
	"encoding/json"
	"errors"
	"strings"
)

// errNotUnderstood is of an answer that says it went well, and is not what this receiver
// says then: a login page of a network, or somebody else's server.
var errNotUnderstood = errors.New("it answered with something that is not its kind of answer; is the address right?")

// whole refuses an answer that is cut off: it proves nothing.
func whole(a Answer) error {
	if !a.Whole {
		return errors.New("its answer is cut off, or has no end")
	}
	return nil
}

// object reads a JSON object.
func object(a Answer, into any) error {
	if err := whole(a); err != nil {
		return err
	}
	if json.Unmarshal(a.Body, into) != nil {
		return errNotUnderstood
	}
	return nil
}

// sentence is the error text of a JSON object, by the names that receivers have for it;
// empty if there is none.
func sentence(body []byte) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		var alone string // Alertmanager answers with a JSON string
		if json.Unmarshal(body, &alone) == nil {
			return alone
		}
		return ""
	}
	var all []string
	for _, name := range []string{"description", "error", "message", "detail", "title"} {
		var s string
		if json.Unmarshal(fields[name], &s) == nil && s != "" {
			all = append(all, s)
			break
		}
	}
	var more []string
	if json.Unmarshal(fields["errors"], &more) == nil {
		all = append(all, more...)
	}
	return strings.Join(all, "; ")
}
