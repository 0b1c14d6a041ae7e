package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"ibrecorder/internal/access"
	"ibrecorder/internal/httpapi"
)

//go:embed page
var files embed.FS

// pages are the templates. They are part of the program, so a mistake in one is found
// by any test.
var pages = template.Must(template.ParseFS(files, "page/*.tmpl"))

// contentPolicy lets a browser load what this package has, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Mounts are what the Board serves, for the port. Whoever may read sees it; what a form
// changes has its token in the form.
func (b *Board) Mounts() []httpapi.Mount {
	out := []httpapi.Mount{
		{Pattern: "GET /{$}", Scope: access.Read}, {Pattern: "GET /static/{file}", Scope: access.Nothing}, {Pattern: "GET /live", Scope: access.Read},
		{Pattern: "GET /incidents/{gateway}/{stop}", Scope: access.Read},
		{Pattern: "GET /gateways/{gateway}/resume", Scope: access.Read}, {Pattern: "POST /gateways/{gateway}/resume", Scope: access.Nothing},
		{Pattern: "GET /gateways/{gateway}/ack", Scope: access.Read}, {Pattern: "POST /gateways/{gateway}/ack", Scope: access.Nothing},
	}
	for i := range out {
		out[i].Handler = b
	}
	return out
}

func (b *Board) routes() *http.ServeMux {
	mux := http.NewServeMux()
	answers := []http.HandlerFunc{b.index, static, b.live, b.incident, b.asks(&resuming), b.takes(&resuming), b.asks(&acknowledging), b.takes(&acknowledging)}
	for i, m := range b.Mounts() {
		mux.HandleFunc(m.Pattern, answers[i])
	}
	return mux
}

// ServeHTTP answers what is in Mounts.
func (b *Board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Not no-referrer: with that a browser says of a form that its Origin is "null" (Fetch,
	// 3.2), and whoever checks the Origin could not tell our own form from another page's.
	h.Set("Referrer-Policy", "same-origin")
	b.mux.ServeHTTP(w, r)
}

func (b *Board) index(w http.ResponseWriter, r *http.Request) {
	a, err := b.ask(r.URL.Query())
	if err != nil {
		b.say(w, http.StatusBadRequest, message{Title: "This address means nothing here", Text: err.Error() + "."})
		return
	}
	b.write(w, http.StatusOK, "page.tmpl", b.page(r.Context(), a))
}

// message is a page with one thing to say.
type message struct {
	Mood        mood
	Title, Text string
	Hint        string // what to type, or to do
	Version     string
}

func (b *Board) say(w http.ResponseWriter, status int, m message) {
	if m.Mood == "" {
		m.Mood = bad
	}
	m.Version = b.cfg.Version
	b.write(w, status, "message.tmpl", m)
}

// write makes a page whole before it sends it.
func (b *Board) write(w http.ResponseWriter, status int, name string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		b.cfg.Logger.Error("the page could not be made", "page", name, "error", err)
		http.Error(w, "the page could not be made; the recorder's own log says more", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // nothing can be said to a peer that does not take it
}

// types are those of what is served beside pages; nothing else of the folder is.
var types = map[string]string{
	"dashboard.css": "text/css; charset=utf-8", "dashboard.js": "text/javascript; charset=utf-8",
	"ok.svg": "image/svg+xml", "none.svg": "image/svg+xml", "try.svg": "image/svg+xml", "wait.svg": "image/svg+xml", "bad.svg": "image/svg+xml", "stale.svg": "image/svg+xml",
}

func static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kind, known := types[name]
	if !known {
		http.NotFound(w, r)
		return
	}
	content, err := fs.ReadFile(files, "page/"+name)
	if err != nil {
		http.Error(w, fmt.Sprintf("%s is missing in this build", name), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(content)
}
