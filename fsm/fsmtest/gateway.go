package fsmtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
)

// gateway is what is said of the Gateway as a whole, and what an operator does.
// It returns nothing for words that begin with the name of an attempt.
func (w *Writer) gateway(d *events.Draft, words []string) (events.Payload, error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "observed": // observed gateway 100 1 [wedged [4samples] [29s]] [stop|claim]; observed other|unknown|no [stop|claim]
		return w.observed(d, words[1:])
	case "down": // the recorder's own
		return events.GatewayDown{Reason: events.DownReason(arg(1)), Count: 1, Limit: 1}, nil
	case "stop":
		return events.RestartRequired{Policy: "p", Reason: events.DownSilent, Enforced: true, Carried: arg(1) == "carried"}, nil
	case "denied": // denied COUNT: programs that the stop has turned away at our port
		d.Cause = w.stop
		n, err := number(arg(1))
		if n == nil || err != nil {
			return nil, fmt.Errorf("want denied and how many: %w", err)
		}
		return events.AttemptDenied{Policy: "p", Reason: events.HoldStopped, Count: *n}, nil
	case "told": // somebody is told of the last stop
		d.Cause = w.stop
		return events.AlertDelivered{Channel: "command", Tries: 1}, nil
	case "blocked":
		return events.TapBlocked{Text: "the port is taken"}, nil
	case "closed":
		return events.TapClosed{WaitMS: 1000}, nil
	case "reopened":
		return events.TapReopened{}, nil
	case "claim":
		d.Source = "/operator/cli"
		return events.RestartClaimed{By: "kim", Reason: "restarted it", Override: arg(1) == "override"}, nil
	case "restarted":
		return events.RestartObserved{PID: 200, StartedMS: 2}, nil
	case "release":
		return events.RestartAcknowledged{Basis: events.Basis(arg(1)), By: "kim"}, nil
	case "reject":
		return events.RestartRejected{Why: events.Rejection(arg(1)), By: "kim"}, nil
	case "contradict": // contradict [ends]
		return events.GatewayContradicted{Ends: arg(1) == "ends"}, nil
	case "delay": // delay 2s [client=7]
		span, err := time.ParseDuration(arg(1))
		if err != nil {
			return nil, err
		}
		_, client, _ := strings.Cut(arg(2), "=")
		id, err := number(client)
		return events.RetryScheduled{ClientID: id, DelayMS: span.Milliseconds(), Failures: 1}, err
	case "disconnect": // disconnect [7] [force] [told|asked]: an operator asks, a runner tells or asks
		d.Source = "/operator/cli"
		id, err := number(arg(1))
		q := events.DisconnectRequested{By: "kim", Reason: "maintenance", ClientID: id, Force: slices.Contains(words, "force"), Asked: slices.Contains(words, "asked")}
		if q.Asked || slices.Contains(words, "told") {
			d.Source = runner
		}
		return q, err
	case "disconnected":
		return events.DisconnectPermitted{}, nil
	case "report":
		if arg(1) == "down" {
			d.Source = runner
			why := events.DownReported
			if arg(2) != "" {
				why = events.DownReason(arg(2))
			}
			return events.GatewayDown{Reason: why}, nil
		}
	}
	return nil, nil
}

func (w *Writer) observed(d *events.Draft, words []string) (events.Payload, error) {
	d.Source = "/watch"
	o := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}
	for i, word := range words {
		switch word {
		case "gateway", "other":
			o.Owner = events.Owner(word)
		case "unknown":
			o.Listening = events.ListeningUnknown
		case "no":
			o.Listening = events.ListeningNo
		case "wedged": // for 30 s in 7 samples, if no other word says otherwise
			o.WedgedPort, o.WedgedSamples, o.WedgedMS, o.WedgedBytes, o.WedgedState = 50123, 7, 30_000, 17, events.SocketEstablished
		case "4samples":
			o.WedgedSamples = 4
		case "29s":
			o.WedgedMS = 29_000
		case "stop":
			d.Cause = w.stop
		case "claim":
			d.Cause = w.claim
		default:
			n, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("want gateway, other, unknown, no, wedged, 4samples, 29s, stop, claim or a number: %w", err)
			}
			if i == 1 {
				o.PID = n
			} else {
				o.StartedMS = n
			}
		}
	}
	return o, nil
}

// number reads an optional client id.
func number(word string) (*int64, error) {
	if word == "" || word == "force" {
		return nil, nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	return &n, err
}
