package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ibrecorder/events"
)

const (
	// batchDrafts and batchBytes bound one request, below what the recorder takes.
	batchDrafts = 64
	batchBytes  = 768 << 10
)

// Stored is where a report is in the log.
type Stored struct {
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
}

// Publish reports facts and returns when all of them are durable, in their order. A
// draft without an ID gets one, and one without a SourceTime the time of the call. What
// is not answered is sent again, with the same IDs, until ctx ends: it is stored once,
// also across a restart of the recorder. Whoever wants to go on with it after ctx has
// ended sets the IDs. A *Problem says what the recorder does not take.
func (c *Client) Publish(ctx context.Context, drafts ...events.Draft) ([]Stored, error) {
	var all []Stored
	now := time.Now().UTC().Format(time.RFC3339Nano)
	var batch []json.RawMessage
	size := 0
	send := func() error {
		stored, err := c.send(ctx, batch)
		all = append(all, stored...)
		batch, size = batch[:0], 0
		return err
	}
	for _, d := range drafts {
		raw, err := c.report(d, now)
		if err != nil {
			return all, err
		}
		if len(batch) == batchDrafts || size+len(raw) > batchBytes {
			if err := send(); err != nil {
				return all, err
			}
		}
		batch, size = append(batch, raw), size+len(raw)
	}
	if len(batch) == 0 {
		return all, nil
	}
	return all, send()
}

func (c *Client) send(ctx context.Context, batch []json.RawMessage) ([]Stored, error) {
	body := append(append([]byte{'['}, bytes.Join(asBytes(batch), []byte{','})...), ']')
	msg, _, err := c.ask(ctx, "ibrecorder.intake.", body)
	if err != nil {
		return nil, fmt.Errorf("publish %d reports: %w", len(batch), err)
	}
	var answer struct {
		Stored []Stored `json:"stored"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return nil, fmt.Errorf("publish %d reports: an answer that cannot be read: %w", len(batch), err)
	}
	if len(answer.Stored) != len(batch) {
		return answer.Stored, fmt.Errorf("publish %d reports: %d were stored", len(batch), len(answer.Stored))
	}
	return answer.Stored, nil
}

func asBytes(batch []json.RawMessage) [][]byte {
	out := make([][]byte, len(batch))
	for i, raw := range batch {
		out[i] = raw
	}
	return out
}

// report is d as the recorder takes it.
func (c *Client) report(d events.Draft, now string) (json.RawMessage, error) {
	info, known := events.Info{}, false
	if d.Data != nil {
		info, known = events.Lookup(d.Data.Kind())
	}
	if !known || !info.Outside {
		return nil, fmt.Errorf("publish: %T is not a runner's to report; docs/events.md lists what is", d.Data)
	}
	source := "/runner/" + c.cfg.Name
	if d.Source != "" && d.Source != source {
		return nil, fmt.Errorf("publish %s: its source is %s, and this runner is %s", info.Kind, d.Source, source)
	}
	if d.ID == "" {
		d.ID = newID()
	}
	if d.SourceTime == "" {
		d.SourceTime = now
	}
	raw, err := json.Marshal(struct {
		SpecVersion string         `json:"specversion"`
		ID          string         `json:"id"`
		Source      string         `json:"source"`
		Type        string         `json:"type"`
		Subject     string         `json:"subject"`
		Time        string         `json:"time"`
		Conn        string         `json:"conn,omitempty"`
		Attempt     string         `json:"attempt,omitempty"`
		Cause       string         `json:"cause,omitempty"`
		Data        events.Payload `json:"data"`
	}{"1.0", d.ID, source, info.Type(), c.cfg.Gateway, d.SourceTime, d.Conn, d.Attempt, d.Cause, d.Data})
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", info.Kind, err)
	}
	if len(raw) > events.MaxBytes {
		return nil, fmt.Errorf("publish %s: %d bytes, at most %d", info.Kind, len(raw), events.MaxBytes)
	}
	return raw, nil
}

func newID() string { return "r-" + strings.ToLower(rand.Text()) }
