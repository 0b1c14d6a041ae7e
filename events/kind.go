package events

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Kind names what happened, as "group.verb". The CloudEvents type of an event is
// "ibrecorder." + kind + ".v" + version.
type Kind string

// Payload is the data of one kind. All payloads are plain structs of strings,
// closed sets, numbers, booleans and lists of identifiers; the codec rejects at start-up
// any type that has something else.
type Payload interface{ Kind() Kind }

// Class says who may produce a kind.
type Class string

const (
	// Fact is something seen, said or done. It never stops the gate nor releases it; the
	// end of a permitted attempt frees its slot. Some facts the policy decides too: see
	// Decides of internal/audit.
	Fact Class = "fact"
	// Decision may be written by the recorder's loop alone.
	Decision Class = "decision"
)

// Info describes a kind.
type Info struct {
	Kind    Kind
	Class   Class
	Version int  // of the payload; the "v1" in the CloudEvents type
	Outside bool // an outside reporter may send it
	plan    *plan
	typ     string // what Type returns, ready made
}

const typePrefix = "ibrecorder."

// Type returns the CloudEvents type, for example "ibrecorder.dial.started.v1".
func (i Info) Type() string {
	return typePrefix + string(i.Kind) + ".v" + strconv.Itoa(i.Version)
}

// Group is the part of the kind before the dot.
func (k Kind) Group() string {
	group, _, _ := strings.Cut(string(k), ".")
	return group
}

// kinds is filled once by the package's variable initialisation and never again:
// catalogue order is the order of the documentation.
var (
	kinds  = catalogue()
	byKind = index(func(i Info) string { return string(i.Kind) })
	byType = index(Info.Type)
)

func index(key func(Info) string) map[string]*Info {
	m := make(map[string]*Info, len(kinds))
	for i := range kinds {
		k := key(kinds[i])
		if m[k] != nil {
			panic("events: duplicate kind " + k)
		}
		m[k] = &kinds[i]
	}
	return m
}

// Kinds returns every kind in the order of the catalogue.
func Kinds() []Info { return append([]Info(nil), kinds...) }

// Lookup returns the description of a kind.
func Lookup(k Kind) (Info, bool) {
	if i := byKind[string(k)]; i != nil {
		return *i, true
	}
	return Info{}, false
}

// infoOf returns the description of a payload's kind. A pointer to a payload
// type has its methods and is none of ours.
func infoOf(data Payload) (*Info, error) {
	if data == nil {
		return nil, fieldError{"data", ErrMissingField}
	}
	t := reflect.TypeOf(data)
	if t.Kind() != reflect.Struct {
		return nil, fieldError{"data", fmt.Errorf("%w: it is a %s, want a payload type itself", ErrUnknownKind, t)}
	}
	info := byKind[string(data.Kind())]
	if info == nil || info.plan.typ != t {
		return nil, fieldError{"data", fmt.Errorf("%w %q", ErrUnknownKind, shown(string(data.Kind())))}
	}
	return info, nil
}

// New returns the zero payload of a kind.
func New(k Kind) (Payload, error) {
	i := byKind[string(k)]
	if i == nil {
		return nil, fmt.Errorf("%w %q: nearest are %s", ErrUnknownKind, shown(string(k)), nearest(string(k), byKind))
	}
	return reflect.New(i.plan.typ).Elem().Interface().(Payload), nil
}

func kind[P Payload](class Class, outside bool) Info {
	var zero P
	i := Info{Kind: zero.Kind(), Class: class, Version: 1, Outside: outside, plan: planOf[P]()}
	i.typ = i.Type()
	return i
}

func fact[P Payload]() Info     { return kind[P](Fact, false) }
func report[P Payload]() Info   { return kind[P](Fact, true) }
func decision[P Payload]() Info { return kind[P](Decision, false) }

// catalogue lists every kind that something emits.
func catalogue() []Info {
	return []Info{
		fact[RecorderStarted](),
		fact[RecorderStopped](),
		fact[RecorderGap](),
		fact[RecorderRoom](),
		fact[PolicyLoaded](),

		fact[ClientOpened](),
		fact[ClientHello](),
		fact[ClientClosed](),
		fact[ClientHeld](),
		fact[ClientRejected](),

		fact[TapBlocked](),
		fact[TapClosed](),
		fact[TapReopened](),

		report[AttemptRequested](),
		decision[AttemptPermitted](),
		decision[AttemptDenied](),
		report[AttemptSucceeded](),
		report[AttemptFailed](),
		report[AttemptAbandoned](),
		report[AttemptUnknown](),

		fact[DialStarted](),
		fact[DialConnected](),
		fact[DialFailed](),
		fact[HandshakeVersion](),
		fact[HandshakeAPIStarted](),
		fact[HandshakeReady](),
		fact[HandshakeTimedOut](),

		report[SessionEstablished](),
		report[SessionDegraded](),
		report[SessionRestored](),
		report[SessionMute](),
		fact[SessionUnwatched](),
		report[SessionLost](),
		report[SessionClosed](),

		report[DisconnectRequested](),
		decision[DisconnectPermitted](),
		report[DisconnectBlocked](),
		report[DisconnectForced](),
		fact[DisconnectDeferred](),
		report[DisconnectCompleted](),

		fact[GatewayNotice](),
		fact[GatewayObserved](),
		report[GatewayDown](),
		decision[GatewayContradicted](),

		decision[RestartRequired](),
		fact[RestartClaimed](),
		fact[RestartObserved](),
		decision[RestartAcknowledged](),
		decision[RestartRejected](),

		decision[RetryScheduled](),

		fact[AlertRaised](),
		fact[AlertReminded](),
		fact[AlertAcknowledged](),
		fact[AlertResolved](),
		fact[AlertDelivered](),
		fact[AlertFailed](),

		decision[RuleViolated](),
		report[OperatorNoted](),
	}
}
