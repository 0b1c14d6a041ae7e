package httpapi

import (
	_ "embed"
	"net/http"
)

// openAPI describes the API; docs/openapi.yaml is a copy.
//
//go:embed openapi.yaml
var openAPI []byte

func (h *handler) document(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, err := w.Write(openAPI)
	return err
}
