package report

import (
	"fmt"
	"strings"
)

// title says in a line how it ended.
func title(d *Document, stopped bool) string {
	name := "Gateway " + d.Gateway
	if d.Gateway == "" {
		return "Nothing could be read"
	}
	switch n := len(d.Stops); {
	case n == 0 && stopped:
		return name + ": stopped before this report begins, and still stopped"
	case n == 0:
		all, ready := attempted(d)
		return fmt.Sprintf("%s: %s, %s ready, no stop", name, count(int(all), "attempt"), group(int(ready)))
	case stopped:
		return fmt.Sprintf("%s: still stopped at #%d", name, d.Last)
	case n == 1 && d.Stops[0].Recovered == 0:
		return name + ": stopped, released, and nobody connected yet"
	case n == 1:
		if ns := total(&d.Stops[0]); ns != nil {
			return name + ": stopped, and back after " + span(*ns)
		}
		return name + ": stopped, and back"
	default:
		return fmt.Sprintf("%s: %s", name, count(n, "stop"))
	}
}

// total is from the first sign of a stop to the program that was connected again.
func total(s *Stop) *int64 {
	if s.ReleaseNS == nil || s.RecoverNS == nil {
		return nil
	}
	ns := *s.ReleaseNS + *s.RecoverNS
	if s.DetectNS != nil {
		ns += *s.DetectNS
	}
	return &ns
}

// figures are what a reader asks first. Those of several stops are the longest of each.
func figures(d *Document) []Figure {
	var out []Figure
	longest := func(name, none string, of func(*Stop) (*int64, uint64)) {
		f := Figure{Name: name, Value: none}
		var most *int64
		for i := range d.Stops {
			ns, seq := of(&d.Stops[i])
			switch {
			case ns != nil && (most == nil || *ns > *most):
				most = ns
			case ns == nil && seq != 0:
				f.Note = "one is not known: the recorder was restarted in between"
			}
		}
		if most != nil {
			f.Value = span(*most)
		}
		if len(d.Stops) > 1 && most != nil && f.Note == "" {
			f.Note = fmt.Sprintf("the longest of %d stops", len(d.Stops))
		}
		out = append(out, f)
	}
	if len(d.Stops) > 0 {
		longest("to detect", "not known", func(s *Stop) (*int64, uint64) { return s.DetectNS, 0 })
		longest("to alert", "no alert", func(s *Stop) (*int64, uint64) { return s.AlertNS, s.Alerted })
		longest("to release", "not yet", func(s *Stop) (*int64, uint64) { return s.ReleaseNS, s.Released })
		longest("to recover", "not yet", func(s *Stop) (*int64, uint64) { return s.RecoverNS, s.Recovered })
		var reasons []string
		var denied int64
		for _, s := range d.Stops {
			if word := downs[s.Reason]; len(reasons) == 0 || reasons[len(reasons)-1] != word {
				reasons = append(reasons, word)
			}
			denied += s.Denied
		}
		cause := Figure{Name: "cause", Value: strings.ReplaceAll(string(d.Stops[0].Reason), "_", " "), Note: reasons[0]}
		if len(reasons) > 1 {
			cause.Note = "first: " + cause.Note
		}
		out = append(out, cause, Figure{Name: "held back", Value: count(int(denied), "attempt"), Note: "while the gate was stopped"})
		return out
	}
	all, ready := attempted(d)
	length := Figure{Name: "length", Value: "not known"}
	if d.LengthNS != nil {
		length.Value = span(*d.LengthNS)
	}
	return append(out, length, Figure{Name: "events", Value: group(d.Events)}, Figure{Name: "attempts", Value: group(int(all)), Note: group(int(ready)) + " became ready"},
		Figure{Name: "stops", Value: "none"})
}

func attempted(d *Document) (all, ready int64) {
	for _, p := range d.Programs {
		all, ready = all+p.Attempts, ready+p.Ready
	}
	return all, ready
}
