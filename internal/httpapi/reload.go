package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
)

// Reloaded is what came of reading the configuration again.
type Reloaded struct {
	// Applied are the keys whose values are in force now and were not before.
	Applied []string `json:"applied"`
	// Restart are the keys whose values come into force with a restart.
	Restart []string `json:"restart"`
}

// reloadPath is not below /v1: what it does is about the process and no gateway.
const reloadPath = "/-/reload"

// ReloadMount lets whoever may operate have the configuration read again. It answers a
// Reloaded, or 422 with what is wrong: everything is as it was, or the detail says what is not.
func ReloadMount(reload func(context.Context) (Reloaded, error)) Mount {
	redactor := events.NewRedactor([]byte(rand.Text()))
	return Mount{Pattern: "POST " + reloadPath, Scope: access.Operate, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * patience))
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		came, err := reload(r.Context())
		if err != nil {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = enc.Encode(Problem{Type: "urn:ibrecorder:problem:configuration", Title: "the configuration was not taken over, or not all of it",
				Status: http.StatusUnprocessableEntity, Detail: redactor.Text(err.Error())})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = enc.Encode(came)
	})}
}

// Reload has the recorder read its configuration again. A *Problem says what is wrong
// with it.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	var came Reloaded
	err := c.call(ctx, "reload the configuration", http.MethodPost, reloadPath, []byte("{}"), &came)
	return came, err
}
