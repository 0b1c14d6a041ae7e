package fsmtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
)

const (
	runner  = "/runner/robo-1"
	another = "/runner/robo-2"
)

// attempt is what is said of one attempt: [report|other|direct] NAME VERB [ARGUMENT...].
func (w *Writer) attempt(words []string) (events.Draft, error) {
	d := events.Draft{Source: "/tap"}
	direct := words[0] == "direct"
	if words[0] == "report" || direct {
		d.Source = runner
		words = words[1:]
	} else if words[0] == "other" {
		d.Source, words = another, words[1:]
	}
	if len(words) < 2 {
		return d, fmt.Errorf("want a name and a verb, or one of boot, gap, policy, observed, down, stop, claim, restarted, release, reject, contradict, delay, disconnect, disconnected")
	}
	d.Attempt, d.Conn = words[0], "c"+words[0]
	if d.Source != "/tap" {
		d.Conn = ""
	}
	options := map[string]string{}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		options[name] = value
	}
	arg := ""
	if len(words) > 2 {
		arg = words[2]
	}
	var err error
	if d.Data, err = w.wire(&d, words[1], arg); d.Data != nil || err != nil {
		return d, err
	}
	switch words[1] {
	case "request":
		if direct { // the recorder asks for the runner that will dial
			d.Source = "/recorder"
		}
		q := events.AttemptRequested{} // request [port=PORT]
		if port, perr := number(options["port"]); port != nil {
			q.LocalPort, err = *port, perr
		}
		d.Data = q
	case "lease": // lease [for=60s]: its runner asks for a permit, and dials itself
		q := events.AttemptRequested{LeaseMS: 60_000}
		if span := options["for"]; span != "" {
			var of time.Duration
			of, err = time.ParseDuration(span)
			q.LeaseMS = of.Milliseconds()
		}
		d.Data = q
	case "permit": // permit [against=stopped] [probation=1]
		d.Source = "/recorder"
		p := events.AttemptPermitted{Policy: "p", Enforced: options["against"] == "", Against: events.HoldReason(options["against"])}
		if n, nerr := number(options["probation"]); n != nil {
			p.Probation, err = *n, nerr
		}
		d.Data = p
	case "deny":
		d.Source = "/recorder"
		d.Data = events.AttemptDenied{Policy: "p", Reason: events.HoldStopped, Count: 1}
	case "held":
		d.Source = "/recorder"
		d.Data = events.ClientHeld{Reason: events.HoldReason(arg)}
	case "fail": // fail REASON [limit=30s] [code=326]
		f := events.AttemptFailed{Reason: events.FailReason(arg), Stage: w.stage(d.Attempt)}
		if limit := options["limit"]; limit != "" {
			var span time.Duration
			span, err = time.ParseDuration(limit)
			f.LimitMS = span.Milliseconds()
		}
		if code := options["code"]; code != "" && err == nil {
			f.Code, err = strconv.ParseInt(code, 10, 64)
		}
		d.Data = f
	case "ok":
		d.Data = events.AttemptSucceeded{}
	case "abandon": // abandon [answered]
		d.Data = events.AttemptAbandoned{Stage: w.stage(d.Attempt), Answered: arg == "answered"}
	case "unknown":
		d.Data = events.AttemptUnknown{Reason: events.UnknownReported}
		if d.Source == "/tap" {
			d.Source, d.Data = "/recorder", events.AttemptUnknown{Reason: events.UnknownUnused}
			if arg != "" { // unknown lease_expired
				d.Conn, d.Data = "", events.AttemptUnknown{Reason: events.UnknownReason(arg)}
			}
		}
	case "block":
		d.Source, d.Data = "/recorder", events.DisconnectBlocked{Stage: w.stage(d.Attempt)}
	case "force":
		if d.Source == "/tap" {
			d.Source = "/recorder"
		}
		d.Data = events.DisconnectForced{Stage: w.stage(d.Attempt)}
	default:
		return d, fmt.Errorf("no verb %q", words[1])
	}
	return d, err
}

// wire is what the tap sees, and what sessions do.
func (w *Writer) wire(d *events.Draft, verb, arg string) (events.Payload, error) {
	switch verb {
	case "open":
		if arg == "" { // open [PORT]
			arg = "50000"
		}
		return events.ClientOpened{Peer: "127.0.0.1:" + arg}, nil
	case "hello":
		return events.ClientHello{MinVersion: 100, MaxVersion: 225}, nil
	case "gone":
		return events.ClientClosed{By: events.Client, How: events.FIN}, nil
	case "dial":
		w.stages[d.Attempt], d.Cause = events.StageDial, w.permit[d.Attempt]
		return events.DialStarted{Address: "127.0.0.1:4002"}, nil
	case "up":
		w.stages[d.Attempt] = events.StageConnected
		return events.DialConnected{LocalPort: 50001}, nil
	case "version":
		w.stages[d.Attempt] = events.StageVersioned
		return events.HandshakeVersion{ServerVersion: 203}, nil
	case "start": // start CLIENT
		w.stages[d.Attempt] = events.StageStarted
		id, err := number(arg)
		return events.HandshakeAPIStarted{ClientID: id}, err
	case "ready":
		w.stages[d.Attempt] = events.StageReady
		return events.HandshakeReady{Accounts: 1}, nil
	case "late":
		return events.HandshakeTimedOut{Stage: w.stage(d.Attempt)}, nil
	case "defer":
		return events.DisconnectDeferred{Stage: w.stage(d.Attempt), How: events.FIN}, nil
	case "established":
		return events.SessionEstablished{}, nil
	case "degraded":
		return events.SessionDegraded{Code: 1100}, nil
	case "restored":
		return events.SessionRestored{Code: 1102}, nil
	case "mute":
		return events.SessionMute{WaitedMS: 60_000}, nil
	case "unwatched":
		return events.SessionUnwatched{}, nil
	case "lost":
		return events.SessionLost{Reason: events.LostFIN}, nil
	case "closed":
		return events.SessionClosed{By: events.Client, How: events.FIN}, nil
	}
	return nil, nil
}

func (w *Writer) stage(attempt string) events.Stage {
	if s, ok := w.stages[attempt]; ok {
		return s
	}
	return events.StageNone
}
