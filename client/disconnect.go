package client

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"ibrecorder/events"
)

// ForceEnv names the variable that overrides the disconnect guard for whole programs:
// 1, true or yes. It is recorded as it was seen.
const ForceEnv = "IBKR_FORCE_DISCONNECT"

// Disconnect is a question: may the runner end its session of this client id?
type Disconnect struct {
	ClientID int64
	// Reason is recorded; it must be there.
	Reason string
	// Force overrides the guard, as ForceEnv does.
	Force bool
}

// BlockedError says that a handshake is under way: a Gateway whose clients vanish there
// may stop accepting.
type BlockedError struct {
	Gateway string
	Stage   events.Stage // how far the handshake has come
	Seq     uint64       // of the disconnect.blocked in the log
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s: a handshake is under way (%s, event %d); wait until it is over, or force it with %s=1", e.Gateway, e.Stage, e.Seq, ForceEnv)
}

// Disconnect asks before a runner ends its session, which it may close once this
// returns nil. It closes nothing: only an operator ends the sessions of others (recorder
// disconnect). A *BlockedError says that a handshake is in the way.
func (c *Client) Disconnect(ctx context.Context, d Disconnect) error {
	if err := c.disconnect(ctx, d); err != nil {
		return fmt.Errorf("disconnect client %d: %w", d.ClientID, err)
	}
	return nil
}

func (c *Client) disconnect(ctx context.Context, d Disconnect) error {
	body, err := json.Marshal(struct {
		ClientID int64  `json:"client_id"`
		Reason   string `json:"reason"`
		Force    bool   `json:"force,omitempty"`
		ForceEnv string `json:"force_env,omitempty"`
	}{d.ClientID, d.Reason, d.Force, os.Getenv(ForceEnv)})
	if err != nil {
		return err
	}
	msg, _, err := c.ask(ctx, "ibrecorder.disconnect.", body)
	if err != nil {
		return err
	}
	var answer struct {
		Blocked events.Stage `json:"blocked"`
		Seq     uint64       `json:"seq"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return fmt.Errorf("an answer that cannot be read: %w", err)
	}
	if answer.Blocked != "" {
		return &BlockedError{Gateway: c.cfg.Gateway, Stage: answer.Blocked, Seq: answer.Seq}
	}
	return nil
}
