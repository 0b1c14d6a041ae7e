package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"ibrecorder/internal/report"
)

// reportPolicy is what a report's own head says: it has its style in it, and nothing else.
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// incident makes the report of an incident from the log. That reads the whole log, so one
// is made at a time, and whoever leaves meanwhile ends it.
func (b *Board) incident(w http.ResponseWriter, r *http.Request) {
	f := b.chosen(w, r)
	if f == nil {
		return
	}
	stop, err := strconv.ParseUint(r.PathValue("stop"), 10, 64)
	if err != nil || stop == 0 {
		b.say(w, http.StatusNotFound, message{Title: "No such incident", Text: fmt.Sprintf("%q is not the number of an event.", report.Plain(r.PathValue("stop")))})
		return
	}
	select {
	case b.reports <- struct{}{}:
		defer func() { <-b.reports }()
	case <-r.Context().Done():
		return
	}
	all, err := report.Incidents(f.gateway.Read(r.Context(), 1, 0))
	if err != nil {
		b.unread(w, r, err)
		return
	}
	found, err := report.ChooseIncident(all, stop)
	if err != nil {
		b.say(w, http.StatusNotFound, message{Title: "No such incident", Text: report.Plain(err.Error()) + "."})
		return
	}
	source := b.cfg.Folder
	if source == "" {
		source = "the running recorder"
	}
	d, err := report.Compose(f.gateway.Read(r.Context(), 1, found.Range.To), report.Subject{
		Source: source, Range: found.Range, Stop: found.Stops[0], Version: b.cfg.Version, Flags: []string{"--gateway", f.gateway.Name()},
	})
	if err != nil {
		b.unread(w, r, err)
		return
	}
	var page bytes.Buffer
	if err := report.WriteHTML(&page, d, report.Style{Zone: b.cfg.Zone}); err != nil {
		b.unread(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", reportPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
	_, _ = w.Write(page.Bytes())
}

// unread says that a log could not be read, to whoever is still there.
func (b *Board) unread(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	b.cfg.Logger.Error("a report could not be made", "error", err)
	b.say(w, http.StatusInternalServerError, message{Title: "The report could not be made", Text: report.Plain(err.Error()) + ".", Hint: "replay verify says more about a log that cannot be read."})
}
