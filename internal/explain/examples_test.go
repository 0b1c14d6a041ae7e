package explain

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
)

const tree = "testdata/streams"

// streamNames are the test streams, the synthetic ones first, because they are short
// and have times, and the damaged ones last.
func streamNames(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"SYN-*", "INC-*", "FOUND-*", "bad/*"} {
		found, err := filepath.Glob(filepath.Join("../..", tree, pattern, "events.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, err := filepath.Rel("../..", filepath.Dir(f))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, filepath.ToSlash(rel))
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d streams", len(all))
	}
	return all
}

// shows collects the first command for each page.
type shows map[string]string

func (s shows) add(group, code, command string) {
	if key := group + " " + code; code != "" && s[key] == "" {
		s[key] = command
	}
}

// stream finds what one stream has to show.
func (s shows) stream(t *testing.T, name string) {
	in, err := os.Open(filepath.Join("../..", name, "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	fold, state := fsm.NewFolder(), fsm.Initial()
	bad := path.Dir(name) != tree
	for rec, err := range events.ReadNDJSON(in) {
		if err != nil {
			if !bad {
				t.Fatal(err)
			}
			break
		}
		if bad {
			continue
		}
		e := rec.Event
		state = fold.Apply(state, e)
		s.event(e, fmt.Sprintf("replay timeline %s --from %d --to %d", name, max(e.Seq, 4)-3, e.Seq))
		at := fmt.Sprintf("replay state %s --at %d", name, e.Seq)
		s.add("gate", string(state.Gate), at)
		s.add("gateway", string(state.API), at)
		for _, x := range state.Sessions {
			s.add("session", string(x.Phase), at)
		}
	}
	v := verdict(t, name)
	verify := "replay verify " + name
	for _, r := range v.Rules {
		if !bad && len(r.Findings) > 0 {
			s.add("rule", r.ID, verify)
		}
	}
	for _, r := range v.Assumptions {
		if len(r.Findings) > 0 {
			s.add("assumption", r.ID, verify)
		}
	}
}

// kept finds the rules that no stream breaks: there is one that keeps them. One in which
// the gate stops shows more.
func (s shows) kept(t *testing.T, name string, stops bool) {
	v := verdict(t, name)
	rules := slices.Concat(v.Rules, v.Assumptions)
	if stops && !slices.ContainsFunc(rules, func(r rule.Result) bool { return r.ID == "RS9" && r.Checked > 0 }) {
		return
	}
	for _, r := range rules {
		if e, _ := report.Lookup(r.ID); r.Checked > 0 {
			s.add(string(e.Kind), r.ID, "replay verify "+name)
		}
	}
}

// verdict is what verify makes of a stream.
func verdict(t *testing.T, name string) rule.Verdict {
	t.Helper()
	in, err := os.Open(filepath.Join("../..", name, "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	return report.Verify(events.ReadNDJSON(in)).Verdict
}

func (s shows) event(e events.Event, command string) {
	add := func(group, code string) { s.add(group, code, command) }
	switch d := e.Data.(type) {
	case events.AttemptFailed:
		add("attempt.failed", string(d.Reason))
		if d.Stage != events.StageNone {
			add("stage", string(d.Stage))
		}
		if d.Code != 0 {
			add("code", fmt.Sprint(d.Code))
		}
	case events.AttemptUnknown:
		add("attempt.unknown", string(d.Reason))
	case events.AttemptAbandoned:
		add("stage", string(d.Stage))
	case events.AttemptDenied:
		add("hold", string(d.Reason))
	case events.ClientHeld:
		add("hold", string(d.Reason))
	case events.GatewayDown:
		add("gateway.down", string(d.Reason))
	case events.SessionLost:
		add("session.lost", string(d.Reason))
	case events.SessionDegraded:
		add("code", fmt.Sprint(d.Code))
	case events.SessionRestored:
		add("code", fmt.Sprint(d.Code))
	case events.RestartRejected:
		add("restart.rejected", string(d.Why))
	case events.RestartAcknowledged:
		add("restart.acknowledged", string(d.Basis))
	case events.ClientRejected:
		add("client.rejected", string(d.Reason))
	case events.RecorderGap:
		add("recorder.gap", string(d.Reason))
	case events.PolicyLoaded:
		add("mode", string(d.Mode))
	case events.GatewayNotice:
		if d.Origin == events.OriginWire {
			add("code", fmt.Sprint(d.Code))
		}
	}
}

// examplesText is examples.txt: for each page that a stream can show, the first
// command that does.
func examplesText(t *testing.T) string {
	s := shows{}
	names := streamNames(t)
	for _, name := range names {
		s.stream(t, name)
	}
	for _, stops := range []bool{true, false} {
		for _, name := range names {
			s.kept(t, name, stops)
		}
	}
	var b strings.Builder
	for _, p := range Pages() {
		if command := s[p.key()]; command != "" {
			fmt.Fprintf(&b, "%s\t%s\n", p.key(), command)
		}
	}
	return b.String()
}
