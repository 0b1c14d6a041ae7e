package channel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"ibrecorder/internal/notice"
)

// eventOf is the CloudEvent that a program gets, and its kind: the stored bytes of what
// is told of, or one of the type ibrecorder.notice.v1 where nothing in the log is.
func eventOf(n notice.Notice) (event []byte, kind string) {
	if len(n.Record.Raw) > 0 {
		return n.Record.Raw, string(n.Record.Kind())
	}
	type data struct {
		Kind     notice.Kind     `json:"kind"`
		Severity notice.Severity `json:"severity"`
		Incident string          `json:"incident,omitempty"`
		Ends     bool            `json:"ends"`
		Title    string          `json:"title"`
		Body     []string        `json:"body,omitempty"`
		Steps    []string        `json:"steps,omitempty"`
		Since    time.Time       `json:"since,omitzero"`
	}
	return encode(struct {
		SpecVersion     string    `json:"specversion"`
		ID              string    `json:"id"`
		Source          string    `json:"source"`
		Type            string    `json:"type"`
		Subject         string    `json:"subject,omitempty"`
		Time            time.Time `json:"time,omitzero"`
		DataContentType string    `json:"datacontenttype"`
		Data            data      `json:"data"`
	}{
		"1.0", n.Key, "/recorder", "ibrecorder.notice.v1", n.Gateway, n.Time.UTC(), "application/json",
		data{n.Kind, n.Severity, n.Incident, n.Ends, n.Title, n.Body, n.Steps, n.Since.UTC()},
	}), "notice"
}

// encode is JSON on one line. What it is given has texts, numbers, times and no more.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("channel: a notice is always JSON: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
