package events

import (
	"embed"
	"fmt"
	"strconv"
)

// schemas are written by TestSchemasAreFresh -update from the Go types.
//
//go:embed schema/*.json
var schemas embed.FS

// Schema returns the JSON Schema (draft 2020-12) of a kind: of the whole event,
// with its data. It speaks of values. That the bytes are canonical, and that a
// text of 1024 characters has no more bytes, is for Decode to say.
func Schema(k Kind) ([]byte, error) {
	i := byKind[string(k)]
	if i == nil {
		return nil, fmt.Errorf("%w %q: nearest are %s", ErrUnknownKind, shown(string(k)), nearest(string(k), byKind))
	}
	return schemas.ReadFile(schemaFile(*i))
}

func schemaFile(i Info) string {
	return "schema/" + string(i.Kind) + ".v" + strconv.Itoa(i.Version) + ".json"
}
