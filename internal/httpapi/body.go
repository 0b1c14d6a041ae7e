package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// maxBody bounds what one POST may send, in bytes: as long as the longest event.
const maxBody = 64 << 10

// patience is how long a peer may take to send a body, and to take what is written
// to it. The peer is on the same machine.
const patience = 10 * time.Second

// readBody reads a body of at most maxBody, within patience.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	rc := http.NewResponseController(w)
	// The errors are those of a writer that knows no deadlines, as in a test.
	_ = rc.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if p := ProblemOf(err); p.Status == http.StatusRequestEntityTooLarge {
			return nil, p
		}
		return nil, malformed.with("the body did not arrive: "+err.Error(), "")
	}
	// Lifted again: the server watches the connection for a client that leaves, and
	// would take the deadline for one.
	_ = rc.SetReadDeadline(time.Time{})
	return b, nil
}

// readStrict reads a flat JSON object into dst, a pointer to a struct. Unknown and
// repeated fields are errors, and so is a name in other letters, all of which
// encoding/json lets through.
func readStrict(w http.ResponseWriter, r *http.Request, dst any) error {
	// One that others may send without being asked, such as text/plain, is how a page of
	// somebody else would send a command.
	if given := r.Header.Get("Content-Type"); given != "" {
		if media, _, err := mime.ParseMediaType(given); err != nil || media != "application/json" {
			return wrongMedia.with(fmt.Sprintf("Content-Type %q", given), "want application/json")
		}
	}
	b, err := readBody(w, r)
	if err != nil {
		return err
	}
	known := fieldsOf(dst)
	bad := func(format string, args ...any) error {
		return malformed.with(fmt.Sprintf(format, args...), "want a JSON object with "+strings.Join(known, ", "))
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return bad("the body is no JSON object")
	}
	var seen []string
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return bad("byte %d: %v", dec.InputOffset(), err)
		}
		name, _ := t.(string)
		switch {
		case !slices.Contains(known, name):
			return bad("unknown field %q", name)
		case slices.Contains(seen, name):
			return bad("field %q twice", name)
		}
		seen = append(seen, name)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return bad("field %s: %v", name, err)
		}
		if bytes.Equal(value, []byte("null")) {
			return bad("field %s is null; leave it out", name)
		}
	}
	err = json.Unmarshal(b, dst) // refuses what is cut off, and what follows the object
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bad("field %s: want %s, not %s", wrong.Field, wrong.Type, wrong.Value)
	}
	if err != nil {
		return bad("%v", err)
	}
	return nil
}

// fieldsOf lists the JSON names of the struct that dst points to.
func fieldsOf(dst any) []string {
	t := reflect.TypeOf(dst).Elem()
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
