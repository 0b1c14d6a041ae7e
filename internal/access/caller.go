package access

import "context"

// Scope is what a caller may do. Each of them may read as well.
type Scope string

const (
	// Nothing is needed for what anybody may have.
	Nothing Scope = ""
	// Read is for looking: states, events, metrics.
	Read Scope = "read"
	// Ingest is for runners: reports of what they did, and permits.
	Ingest Scope = "ingest"
	// Operate is for people: releases, acknowledgements, disconnects, notes.
	Operate Scope = "operate"
)

// Scopes are those that a token can have.
var Scopes = []Scope{Ingest, Read, Operate}

// Caller is who asks.
type Caller struct {
	// Name is that of the token; empty for the owner and for who has none.
	Name string
	// Scope is that of the token.
	Scope Scope
	// Owner is the user of the recorder, who comes through the socket and may do all.
	Owner bool
}

// Operator is the source of what c says as an operator. By is a word that anybody can give;
// this is whose token or socket it came with.
func (c Caller) Operator() string {
	if c.Name == "" {
		return "/operator/" + Socket
	}
	return "/operator/" + c.Name
}

// Socket is who comes through the socket, and so no name for a token.
const Socket = "cli"

// May says whether c may do what needs a scope.
func (c Caller) May(s Scope) bool {
	return c.Owner || s == Nothing || c.Scope == s || s == Read && c.Scope != Nothing
}

type callerKey struct{}

// With is ctx with who asks.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Of is who asks, or who may do nothing if nobody has looked.
func Of(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
