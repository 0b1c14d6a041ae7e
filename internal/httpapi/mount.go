package httpapi

import (
	"net/http"

	"ibrecorder/internal/access"
)

// Mount is something else that is served on the port beside the API: a page, metrics.
// The guard has looked at a request before it comes there, access.Of tells who asks, and
// the headers against other pages' meddling are set; a handler may replace them.
type Mount struct {
	// Pattern is as http.ServeMux has it, such as "GET /metrics" or "GET /{$}". It must
	// not be the API's, which is below /v1.
	Pattern string
	// Scope is what a caller needs, access.Nothing for what anybody may have. On loopback
	// everybody may read.
	Scope access.Scope
	// Handler answers.
	Handler http.Handler
}

// mount serves m. Its own answers are not the API's, but a refusal is.
func (h *handler) mount(m Mount) {
	h.mux.HandleFunc(m.Pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := allow(r, m.Scope); err != nil {
			h.fail(w, err)
			return
		}
		m.Handler.ServeHTTP(w, r)
	})
}
