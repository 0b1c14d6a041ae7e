package httpapi

import (
	"fmt"
	"net/http"

	"ibrecorder/events"
	"ibrecorder/internal/access"
)

func (h *handler) resume(w http.ResponseWriter, r *http.Request, g Gateway) error {
	var c Claim
	if err := readStrict(w, r, &c); err != nil {
		return err
	}
	if c.By == "" || c.Reason == "" {
		return malformed.with("by or reason is missing", "say who resumes, and what was done")
	}
	rec, err := g.Resume(r.Context(), c)
	if err != nil {
		return err
	}
	switch d := rec.Data.(type) {
	case events.RestartAcknowledged:
		h.answer(w, http.StatusOK, storedOf(rec))
		return nil
	case events.RestartRejected:
		return rejection(g.Name(), d, rec)
	}
	return fmt.Errorf("resume %s: the recorder answers with %s", g.Name(), rec.Kind())
}

// rejection says why a claim was refused and what to type next.
func rejection(gateway string, d events.RestartRejected, rec events.Record) *Problem {
	p := refused.with(fmt.Sprintf("resume %s: refused, %s", gateway, d.Why), "")
	switch d.Why {
	case events.RejectedUnchanged:
		p.Detail = fmt.Sprintf("resume %s: the Gateway was not restarted: the process that listened when the gate stopped still listens", gateway)
		p.Hint = fmt.Sprintf("restart it, then: recorder resume %s --reason TEXT; for a cure without a restart: recorder resume %s --override --reason TEXT", gateway, gateway)
	case events.RejectedNotListening:
		p.Detail = fmt.Sprintf("resume %s: nothing listens on the Gateway's port yet", gateway)
		p.Hint = fmt.Sprintf("start the Gateway, log in, then: recorder resume %s --reason TEXT", gateway)
	case events.RejectedNotStopped:
		p.Detail = fmt.Sprintf("resume %s: the gate is not stopped, there is nothing to release", gateway)
		p.Hint = "to see what it does: recorder status"
	}
	p.Event = rawJSON(rec.Raw)
	return p
}

func (h *handler) ack(w http.ResponseWriter, r *http.Request, g Gateway) error {
	var a Ack
	if err := readStrict(w, r, &a); err != nil {
		return err
	}
	if a.By == "" {
		return malformed.with("by is missing", "say who has seen it")
	}
	rec, err := g.Ack(r.Context(), a)
	if err != nil {
		return err
	}
	h.answer(w, http.StatusOK, storedOf(rec))
	return nil
}

func (h *handler) disconnect(w http.ResponseWriter, r *http.Request, g Gateway) error {
	var q Disconnect
	if err := readStrict(w, r, &q); err != nil {
		return err
	}
	if q.By == "" || q.Reason == "" {
		return malformed.with("by or reason is missing", "say who asks, and why")
	}
	rec, err := g.Disconnect(r.Context(), q)
	if err != nil {
		return err
	}
	switch d := rec.Data.(type) {
	case events.DisconnectCompleted:
		h.answer(w, http.StatusOK, storedOf(rec))
		return nil
	case events.DisconnectBlocked:
		p := refused.with(fmt.Sprintf("disconnect %s: a handshake is under way (%s), and a Gateway whose clients vanish there may stop accepting", g.Name(), d.Stage),
			fmt.Sprintf("wait until recorder status shows it READY or gone, or: recorder disconnect %s --force --reason TEXT", g.Name()))
		p.Event = rawJSON(rec.Raw)
		return p
	}
	return fmt.Errorf("disconnect %s: the recorder answers with %s", g.Name(), rec.Kind())
}

func (h *handler) note(w http.ResponseWriter, r *http.Request, g Gateway) error {
	var n note
	if err := readStrict(w, r, &n); err != nil {
		return err
	}
	if n.By == "" || n.Text == "" {
		return malformed.with("by or text is missing", "say who notes what")
	}
	return h.append(w, r, g, events.Draft{Source: access.Of(r.Context()).Operator(), Data: events.OperatorNoted{By: n.By, Text: n.Text}})
}
