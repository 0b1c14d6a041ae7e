package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
)

// maxForm bounds what a form may send, in bytes.
const maxForm = 8 << 10

// deed is what an operator can do by a form: it changes something, so it has a page of its
// own, which nothing renews while somebody types.
type deed struct {
	verb, means, label, leave string
	resumes                   bool
	// nothing says why there is nothing to do; "" if there is.
	nothing func(httpapi.Status) string
	// do does it, and says what came of it.
	do func(b *Board, r *http.Request, f *follower, by string, x form) (int, message, error)
}

// command is what does the same on the host.
func (d *deed) command(gateway string) string {
	if d.resumes {
		return "recorder resume " + gateway + " --reason TEXT"
	}
	return "recorder ack " + gateway
}

var (
	resuming = deed{
		verb: "Resume", label: "What was done", leave: "Leave it stopped", resumes: true,
		means: "Resume only after the Gateway was restarted and is logged in. Attempts then begin again, a few and one at a time.",
		nothing: func(s httpapi.Status) string {
			if s.Stop == nil {
				return "The gate is not stopped: there is nothing to release."
			}
			return ""
		},
		do: (*Board).resume,
	}
	acknowledging = deed{
		verb: "Acknowledge", label: "A remark, if there is one", leave: "Back",
		means: "This says that you have seen the alert. No reminder follows, the end is told all the same, and nothing is opened by it.",
		nothing: func(s httpapi.Status) string {
			switch {
			case s.Alert == nil:
				return "No alert is in force."
			case s.Alert.By != "":
				return "The alert is acknowledged already, by " + report.Plain(s.Alert.By) + "."
			}
			return ""
		},
		do: (*Board).acknowledge,
	}
)

// form is the page on which an operator speaks.
type form struct {
	Gateway, To, Version      string
	Verb, Means, Label, Leave string
	Command, Nothing          string
	Resumes, Open             bool
	Mood                      mood
	Symbol, Word, Why         string
	Reason                    string // as it was typed
	Override                  bool
	Wrong                     string // what was wrong with what was sent; "" at first
}

// chosen is the gateway of a route; the answer is given if there is none.
func (b *Board) chosen(w http.ResponseWriter, r *http.Request) *follower {
	f := b.find(r.PathValue("gateway"))
	if f == nil {
		b.say(w, http.StatusNotFound, message{Title: "No such gateway", Text: fmt.Sprintf("This recorder guards no gateway %q.", report.Plain(r.PathValue("gateway")))})
	}
	return f
}

// asks shows the form of a deed.
func (b *Board) asks(d *deed) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if f := b.chosen(w, r); f != nil {
			b.form(w, r, f, d, http.StatusOK, form{})
		}
	}
}

// form shows a form, with what was typed and what is wrong with it.
func (b *Board) form(w http.ResponseWriter, r *http.Request, f *follower, d *deed, status int, x form) {
	s, err := f.gateway.Status(r.Context())
	if err != nil {
		b.say(w, http.StatusServiceUnavailable, message{Title: "The recorder could not say how the gateway is", Text: report.Plain(err.Error()) + "."})
		return
	}
	x.Gateway, x.To, x.Version, x.Open = f.gateway.Name(), r.URL.Path, b.cfg.Version, b.open()
	x.Verb, x.Means, x.Label, x.Leave, x.Resumes, x.Nothing = d.verb, d.means, d.label, d.leave, d.resumes, d.nothing(s)
	x.Command = d.command(x.Gateway)
	x.Mood, x.Word, _ = headline(s, liveOf(s.Sessions))
	x.Symbol, x.Why = signs[x.Mood], report.Plain(s.Why)
	b.write(w, status, "form.tmpl", x)
}

// open says whether anybody can operate from the page.
func (b *Board) open() bool { return b.cfg.Authorize != nil && (b.cfg.Open == nil || b.cfg.Open()) }

// takes does a deed. The token comes in the form and from nowhere else: a browser adds none
// by itself, so no other page can send what this takes.
func (b *Board) takes(d *deed) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := b.chosen(w, r)
		if f == nil {
			return
		}
		by, x, ok := b.operator(w, r, f, d)
		if !ok {
			return
		}
		r = r.WithContext(access.With(r.Context(), access.Caller{Name: by, Scope: access.Operate}))
		status, m, err := d.do(b, r, f, by, x)
		if err != nil {
			p := httpapi.ProblemOf(err)
			status, m = p.Status, message{Title: d.verb + " " + f.gateway.Name() + ": not done", Text: report.Plain(p.Detail) + ".", Hint: report.Plain(p.Hint)}
		}
		b.say(w, status, m)
	}
}

// operator reads a form, and whose it is. If it is not ok the answer was given.
func (b *Board) operator(w http.ResponseWriter, r *http.Request, f *follower, d *deed) (by string, x form, ok bool) {
	if !b.open() {
		b.say(w, http.StatusForbidden, message{Title: "Nobody may operate from this page", Text: "No token with the scope operate is configured.",
			Hint: "recorder token new NAME --scope operate"})
		return "", x, false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience))
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if large, is := errors.AsType[*http.MaxBytesError](err); is {
		b.say(w, http.StatusRequestEntityTooLarge, message{Title: "The form is too large", Text: fmt.Sprintf("It has more than %d bytes.", large.Limit)})
		return "", x, false
	}
	if err != nil {
		b.say(w, http.StatusBadRequest, message{Title: "The form cannot be read", Text: report.Plain(err.Error()) + "."})
		return "", x, false
	}
	x.Reason, x.Override = strings.TrimSpace(r.PostForm.Get("reason")), r.PostForm.Get("override") == "yes"
	by, err = b.cfg.Authorize(strings.TrimSpace(r.PostForm.Get("token")))
	switch {
	case err != nil:
		x.Wrong = report.Plain(err.Error())
		b.form(w, r, f, d, http.StatusForbidden, x)
		return "", x, false
	case x.Reason == "" && d.resumes:
		x.Wrong = "A reason is missing: say what was done."
		b.form(w, r, f, d, http.StatusBadRequest, x)
		return "", x, false
	}
	return by, x, true
}

func (b *Board) resume(r *http.Request, f *follower, by string, x form) (int, message, error) {
	name := f.gateway.Name()
	rec, err := f.gateway.Resume(r.Context(), httpapi.Claim{By: by, Reason: x.Reason, Override: x.Override})
	if err != nil {
		return 0, message{}, err
	}
	switch d := rec.Data.(type) {
	case events.RestartAcknowledged:
		text := fmt.Sprintf("Event #%d says so, by the word of %s. ", rec.Seq, by)
		switch d.Basis {
		case events.BasisObserved:
			text = fmt.Sprintf("Event #%d says so: the recorder has seen the restart. ", rec.Seq)
		case events.BasisOverride:
			text = fmt.Sprintf("Event #%d says so: %s released it without a restart. ", rec.Seq, by)
		}
		text += "It is on trial now: a few attempts, one at a time, and the first program that becomes ready opens the gate."
		return http.StatusOK, message{Mood: good, Title: name + " is released", Text: text}, nil
	case events.RestartRejected:
		return http.StatusConflict, rejection(name, rec.Seq, d.Why), nil
	}
	return 0, message{}, fmt.Errorf("resume %s: the recorder answers with %s", name, rec.Kind())
}

// rejection says why a claim was refused, and what to do.
func rejection(name string, seq uint64, why events.Rejection) message {
	m := message{Title: name + " is not released", Text: fmt.Sprintf("Event #%d says why: %s.", seq, why)}
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

func (b *Board) acknowledge(r *http.Request, f *follower, by string, x form) (int, message, error) {
	rec, err := f.gateway.Ack(r.Context(), httpapi.Ack{By: by, Note: x.Reason})
	if err != nil {
		return 0, message{}, err
	}
	d, ok := rec.Data.(events.AlertAcknowledged)
	if !ok {
		return 0, message{}, fmt.Errorf("acknowledge %s: the recorder answers with %s", f.gateway.Name(), rec.Kind())
	}
	text := fmt.Sprintf("Event #%d says that %s has seen it. No reminder follows. Nothing is opened by it: a stop still needs a restart, and somebody who resumes.", rec.Seq, report.Plain(d.By))
	return http.StatusOK, message{Mood: doubt, Title: "The alert of " + f.gateway.Name() + " is acknowledged", Text: text}, nil
}
