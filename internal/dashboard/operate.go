package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
)

// maxForm bounds what a form may send, in bytes.
const maxForm = 8 << 10

// form is the page on which an operator speaks.
type form struct {
	Gateway, To   string
	Reason        string // as it was typed
	Override      bool
	Wrong         string // what was wrong with the form; "" at first
	Mood          mood
	Symbol, Word  string
	Why, Version  string
	Stopped, Open bool // there is something to release; the page may
}

// chosen is the gateway of a route; the answer is given if there is none.
func (b *Board) chosen(w http.ResponseWriter, r *http.Request) *follower {
	f := b.find(r.PathValue("gateway"))
	if f == nil {
		b.say(w, http.StatusNotFound, message{Title: "No such gateway", Text: fmt.Sprintf("This recorder guards no gateway %q.", report.Plain(r.PathValue("gateway"))), Back: "/"})
	}
	return f
}

func (b *Board) resumeForm(w http.ResponseWriter, r *http.Request) {
	if f := b.chosen(w, r); f != nil {
		b.showResume(w, r, f, http.StatusOK, form{})
	}
}

// showResume shows the form, with what is wrong with what was sent.
func (b *Board) showResume(w http.ResponseWriter, r *http.Request, f *follower, status int, x form) {
	s, err := f.gateway.Status(r.Context())
	if err != nil {
		b.say(w, http.StatusServiceUnavailable, message{Title: "The recorder could not say how the gateway is", Text: report.Plain(err.Error()) + ".", Back: "/"})
		return
	}
	x.Gateway, x.To, x.Version = f.gateway.Name(), r.URL.Path, b.cfg.Version
	x.Mood, x.Word, _ = headline(s, liveOf(s.Sessions))
	x.Symbol, x.Why, x.Stopped, x.Open = signs[x.Mood], report.Plain(s.Why), s.Stop != nil, b.cfg.Authorize != nil
	b.write(w, status, "resume.tmpl", x)
}

// resume puts an operator's word to the policy and shows what came of it. The token
// comes in the form and from nowhere else: a browser adds none by itself, so no other page
// can send what this takes.
func (b *Board) resume(w http.ResponseWriter, r *http.Request) {
	f := b.chosen(w, r)
	if f == nil {
		return
	}
	by, x, ok := b.operator(w, r, f)
	if !ok {
		return
	}
	name := f.gateway.Name()
	rec, err := f.gateway.Resume(r.Context(), httpapi.Claim{By: by, Reason: x.Reason, Override: x.Override})
	if err != nil {
		b.say(w, http.StatusServiceUnavailable, message{Title: "Not resumed", Text: report.Plain(err.Error()) + ".", Hint: "recorder resume " + name + " --reason TEXT", Back: "/"})
		return
	}
	switch d := rec.Data.(type) {
	case events.RestartAcknowledged:
		m := message{Mood: good, Title: name + " is released", Back: "/"}
		m.Text = fmt.Sprintf("Event #%d says so, by the word of %s. ", rec.Seq, by)
		switch d.Basis {
		case events.BasisObserved:
			m.Text = fmt.Sprintf("Event #%d says so: the recorder has seen the restart. ", rec.Seq)
		case events.BasisOverride:
			m.Text = fmt.Sprintf("Event #%d says so: %s released it without a restart. ", rec.Seq, by)
		}
		m.Text += "It is on trial now: a few attempts, one at a time, and the first program that becomes ready opens the gate."
		b.say(w, http.StatusOK, m)
	case events.RestartRejected:
		b.say(w, http.StatusConflict, rejection(name, rec.Seq, d.Why))
	default:
		b.say(w, http.StatusInternalServerError, message{Title: "Not resumed", Text: fmt.Sprintf("The recorder answers with %s.", rec.Kind()), Back: "/"})
	}
}

// rejection says why a claim was refused, and what to do.
func rejection(name string, seq uint64, why events.Rejection) message {
	m := message{Title: name + " is not released", Back: "/", Text: fmt.Sprintf("Event #%d says why: %s.", seq, why)}
	switch why {
	case events.RejectedUnchanged:
		m.Text = fmt.Sprintf("Event #%d says why: the process that listened when the gate stopped still listens, so the Gateway was not restarted.", seq)
		m.Hint = "Restart it and resume again. For a cure without a restart, resume with the override."
	case events.RejectedNotListening:
		m.Text = fmt.Sprintf("Event #%d says why: nothing listens on the Gateway's port yet.", seq)
		m.Hint = "Start the Gateway, log in, and resume again."
	case events.RejectedNotStopped:
		m.Text = fmt.Sprintf("Event #%d says why: the gate is not stopped, so there is nothing to release.", seq)
	}
	return m
}

// operator reads a form, and whose it is. If it is not ok the answer was given.
func (b *Board) operator(w http.ResponseWriter, r *http.Request, f *follower) (by string, x form, ok bool) {
	if b.cfg.Authorize == nil {
		b.say(w, http.StatusForbidden, message{Title: "Nobody may operate from this page", Text: "No token with the scope operate is configured.",
			Hint: "recorder token new NAME --scope operate", Back: "/"})
		return "", x, false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience))
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if large, is := errors.AsType[*http.MaxBytesError](err); is {
		b.say(w, http.StatusRequestEntityTooLarge, message{Title: "The form is too large", Text: fmt.Sprintf("It has more than %d bytes.", large.Limit), Back: "/"})
		return "", x, false
	}
	if err != nil {
		b.say(w, http.StatusBadRequest, message{Title: "The form cannot be read", Text: report.Plain(err.Error()) + ".", Back: "/"})
		return "", x, false
	}
	x.Reason, x.Override = strings.TrimSpace(r.PostForm.Get("reason")), r.PostForm.Get("override") == "yes"
	by, err = b.cfg.Authorize(strings.TrimSpace(r.PostForm.Get("token")))
	switch {
	case err != nil:
		x.Wrong = report.Plain(err.Error())
		b.showResume(w, r, f, http.StatusForbidden, x)
		return "", x, false
	case x.Reason == "":
		x.Wrong = "A reason is missing: say what was done."
		b.showResume(w, r, f, http.StatusBadRequest, x)
		return "", x, false
	}
	return by, x, true
}
