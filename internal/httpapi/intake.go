package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"
)

// insiders are the first parts of the sources that only the recorder writes with:
// the fold believes them, so a report must not borrow one. An operator's word has
// routes of its own.
var insiders = []string{"tap", "session", "watch", "recorder", "operator"}

// outsider refuses a source that is not a reporter's.
func outsider(source string) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if slices.Contains(insiders, first) {
		return malformed.with(fmt.Sprintf("source %q is the recorder's own", source),
			"a reporter is /runner/NAME; an operator's word goes to resume, disconnect or notes")
	}
	return nil
}

// maxBatch bounds the reports of one request.
const maxBatch = 64

// drafted is a report that can be stored.
type drafted struct {
	gateway Gateway
	draft   events.Draft
}

// place is where an event of a batch is.
type place struct {
	Gateway string `json:"gateway"`
	Seq     uint64 `json:"seq"`
	ID      string `json:"id"`
}

// submit stores reports about one gateway; submitAny about the gateways that they name.
func (h *handler) submit(w http.ResponseWriter, r *http.Request, g Gateway) error {
	return h.intake(w, r, g.Name())
}

func (h *handler) submitAny(w http.ResponseWriter, r *http.Request) error {
	return h.intake(w, r, "")
}

// intake stores the reports of a request in their order. Nothing is stored if one of
// them cannot be understood. One report is answered with its event, a batch with where
// its events are.
func (h *handler) intake(w http.ResponseWriter, r *http.Request, gateway string) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	reports, batch, err := unpack(r.Header, body)
	if err != nil {
		return err
	}
	var all []drafted
	for i, raw := range reports {
		d, err := h.draft(r, gateway, raw)
		if err != nil && batch {
			p := *ProblemOf(err)
			p.Detail = fmt.Sprintf("report %d: %s", i+1, p.Detail)
			err = &p
		}
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	if err := h.spend(w, all[0].draft.Source, len(all)); err != nil {
		return err
	}
	places := []place{}
	for _, d := range all {
		rec, err := d.gateway.Submit(r.Context(), d.draft)
		if err != nil && batch {
			p := *ProblemOf(err)
			p.Detail = fmt.Sprintf("report %s, after %d that are stored: %s", d.draft.ID, len(places), p.Detail)
			err = &p
		}
		if err != nil {
			return err
		}
		if !batch {
			h.answer(w, http.StatusCreated, storedOf(rec))
			return nil
		}
		places = append(places, place{d.gateway.Name(), rec.Seq, rec.ID})
	}
	h.answer(w, http.StatusCreated, struct {
		Stored []place `json:"stored"`
	}{places})
	return nil
}

// draft reads one report, about the gateway of the route if it has one.
func (h *handler) draft(r *http.Request, gateway string, raw []byte) (drafted, error) {
	name, d, err := events.DecodeDraft(raw)
	if err != nil {
		return drafted{}, malformed.with(err.Error(), "want a CloudEvent 1.0 in JSON, as docs/events.md has it")
	}
	if gateway != "" && name != gateway {
		return drafted{}, malformed.with(fmt.Sprintf("subject is %q and the route is that of %q", name, gateway), "post it to /v1/gateways/"+name+"/events")
	}
	if err := outsider(d.Source); err != nil {
		return drafted{}, err
	}
	if _, err := speaksAs(r, d.Source); err != nil {
		return drafted{}, err
	}
	g, err := h.gateway(name)
	return drafted{g, d}, err
}

// unpack takes the reports out of a request in one of the three modes of the HTTP
// protocol binding of CloudEvents 1.0. A body that is called plain JSON is one in
// structured mode, unless there are ce- headers.
func unpack(head http.Header, body []byte) (reports []json.RawMessage, batch bool, err error) {
	media, _, err := mime.ParseMediaType(head.Get("Content-Type"))
	if head.Get("Content-Type") == "" {
		media, err = "application/json", nil // the socket asks for none
	}
	switch {
	case err != nil:
	case media == "application/cloudevents-batch+json":
		if err := json.Unmarshal(body, &reports); err != nil {
			return nil, true, malformed.with("the batch: "+err.Error(), "want a JSON array of CloudEvents")
		}
		if n := len(reports); n == 0 || n > maxBatch {
			return nil, true, malformed.with(fmt.Sprintf("%d reports in one batch", n), fmt.Sprintf("want 1 to %d", maxBatch))
		}
		return reports, true, nil
	case media == "application/cloudevents+json":
		return []json.RawMessage{body}, false, nil
	case media == "application/json" && head.Get("Ce-Specversion") == "":
		return []json.RawMessage{body}, false, nil
	case media == "application/json":
		one, err := assemble(head, body)
		return []json.RawMessage{one}, false, err
	}
	return nil, false, wrongMedia.with(fmt.Sprintf("Content-Type %q", head.Get("Content-Type")),
		"want application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce- headers")
}

// assemble makes the structured form of a report in binary mode: the attributes are in
// headers, the body is the data. What they say is checked where the structured form is.
func assemble(head http.Header, data []byte) ([]byte, error) {
	if !json.Valid(data) { // otherwise it could close the object and go on with attributes
		return nil, malformed.with("the body is no JSON", "in binary mode it is the data of the event")
	}
	all := map[string]json.RawMessage{"data": data}
	for name, values := range head {
		attribute, ok := strings.CutPrefix(strings.ToLower(name), "ce-")
		if !ok {
			continue
		}
		if len(values) > 1 {
			return nil, malformed.with(fmt.Sprintf("header ce-%s is given %d times", attribute, len(values)), "")
		}
		if attribute == "data" || attribute == "datacontenttype" {
			return nil, malformed.with("header ce-"+attribute, "the data is the body, and its type is the Content-Type")
		}
		text, err := unquoted(values[0])
		if err != nil {
			return nil, malformed.with(fmt.Sprintf("header ce-%s: %v", attribute, err), "")
		}
		raw, err := json.Marshal(text)
		if err != nil {
			return nil, err
		}
		all[attribute] = raw
	}
	one, err := json.Marshal(all)
	if err != nil {
		return nil, malformed.with("the body: "+err.Error(), "")
	}
	return one, nil
}

// unquoted undoes the percent-encoding of a ce- header.
func unquoted(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		c, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
		if err != nil || i+2 >= len(s) {
			return "", errors.New("a % without two digits behind it")
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

// spend takes n reports from what a source may send. Without enough the answer is 429,
// and says when there will be.
func (h *handler) spend(w http.ResponseWriter, source string, n int) error {
	if h.quota == nil {
		return nil
	}
	wait := h.quota.Take(source, n)
	if wait == 0 {
		return nil
	}
	w.Header().Set("Retry-After", seconds(wait))
	return tooMany.with(fmt.Sprintf("%s sends more than it may", source), "send it again, as it is, in "+seconds(wait)+" s")
}

// append answers 201 with the event as it is stored.
func (h *handler) append(w http.ResponseWriter, r *http.Request, g Gateway, d events.Draft) error {
	rec, err := g.Submit(r.Context(), d)
	if err != nil {
		return err
	}
	h.answer(w, http.StatusCreated, storedOf(rec))
	return nil
}

func storedOf(rec events.Record) stored {
	return stored{Seq: rec.Seq, ID: rec.ID, Event: rawJSON(rec.Raw)}
}
