package httpapi

import (
	"context"
	"errors"
	"iter"

	"ibrecorder/events"
)

// Gateway is what the server needs of one gateway's recorder. Its methods are
// called by many goroutines at once. An error that is a *Problem goes to the
// caller as it is, one that wraps ErrStopping as 503, any other as 500.
type Gateway interface {
	// Name is the gateway's, as events.CheckGatewayName wants it.
	Name() string
	// Status is what is known now.
	Status(ctx context.Context) (Status, error)
	// Head asks the log for the sequence of its last event.
	Head(ctx context.Context) (uint64, error)
	// Submit appends a fact from outside. It is durable when it returns; a draft
	// whose ID is in the log already gives the record that is there.
	Submit(ctx context.Context, d events.Draft) (events.Record, error)
	// Resume puts a claim to the policy and returns its decision: a
	// restart.acknowledged or a restart.rejected.
	Resume(ctx context.Context, c Claim) (events.Record, error)
	// Disconnect puts a request to the guard and returns what came of it: a
	// disconnect.completed or a disconnect.blocked.
	Disconnect(ctx context.Context, q Disconnect) (events.Record, error)
	// Standing says whether somebody may dial now. It is in no log and reserves nothing,
	// and its Granted has no permit.
	Standing(ctx context.Context) (Answer, error)
	// Permit asks for a permit for a runner that dials by itself.
	Permit(ctx context.Context, source, attempt string, q events.AttemptRequested) (Answer, error)
	// GiveBack ends an attempt of source that was permitted and is not made, as abandoned.
	// ErrNoPermit if it has none.
	GiveBack(ctx context.Context, source, attempt string) (events.Record, error)
	// Ack writes down that an operator has seen the alert in force: its
	// alert.acknowledged, or that of who did so before. A *Problem if none is.
	Ack(ctx context.Context, a Ack) (events.Record, error)
	// Read yields the events from..to, both included; from 0 is 1, to 0 the head.
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	// Tail yields what is there from sequence from on and then what comes; the
	// last pair is always an error.
	Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error]
}

// Claim is an operator's word that the Gateway was restarted.
type Claim struct {
	// By is the operator. It must not be empty.
	By string `json:"by"`
	// Reason is theirs.
	Reason string `json:"reason"`
	// Override asks for a release without a restart.
	Override bool `json:"override"`
}

// Ack says that an operator has seen an alert. It opens nothing.
type Ack struct {
	// By is the operator. It must not be empty.
	By string `json:"by"`
	// Note is their remark.
	Note string `json:"note,omitempty"`
}

// Disconnect is a request to end sessions.
type Disconnect struct {
	// By is who asks. It must not be empty.
	By string `json:"by"`
	// Reason is theirs.
	Reason string `json:"reason"`
	// ClientID selects one session; nil means all of the gateway.
	ClientID *int64 `json:"client_id,omitempty"`
	// Force asks to override the guard.
	Force bool `json:"force"`
	// ForceEnv is IBKR_FORCE_DISCONNECT as the caller had it.
	ForceEnv string `json:"force_env,omitempty"`
}

// note is the body of a POST to notes.
type note struct {
	By   string `json:"by"`
	Text string `json:"text"`
}

// stored is what a POST is answered with when an event was appended.
type stored struct {
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
	// Event holds the stored bytes, which may be hashed.
	Event rawJSON `json:"event"`
}

// What a call can end with; a *Problem matches those that have a status.
var (
	// ErrStopping: the recorder is about to end (503).
	ErrStopping = errors.New("the recorder is stopping")
	// ErrUnknownGateway: the recorder guards no gateway of that name (404).
	ErrUnknownGateway = errors.New("no such gateway")
	// ErrNoPermit: the attempt has no permit, or its end is known (404).
	ErrNoPermit = errors.New("no such permit")
	// ErrRefused: the policy decided against it; the *Problem has the decision (409).
	ErrRefused = errors.New("refused")
	// ErrUnreachable: no recorder answers on the socket.
	ErrUnreachable = errors.New("no recorder is running")
)
