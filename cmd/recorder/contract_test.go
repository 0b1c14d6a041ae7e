package main

import (
	"sync"
	"testing"

	"ibrecorder/internal/clitest"
	"ibrecorder/internal/config"

	"github.com/rogpeppe/go-internal/testscript"
)

// answers are what the verbs print with -o json, beside those that print one stored event.
var answers = []clitest.Answer{
	{Verb: "recorder status", Value: statusAnswer{}, Note: "A gateway is what `GET /v1/gateways/{name}` answers."},
	{Verb: "recorder events", Value: eventsAnswer{}, Note: "`-o csv` has the columns " + clitest.Columns(eventColumns) + ". `detail` is in words, and what it says may be said otherwise in another version."},
	{Verb: "recorder doctor", Value: doctorAnswer{}},
	{Verb: "recorder alert list", Value: channelsAnswer{}},
	{Verb: "recorder alert test", Value: triedAnswer{}},
	{Verb: "recorder config show", Value: config.Shown{}},
	{Verb: "recorder config reload", Value: reloadAnswer{}},
	{Verb: "recorder log roll", Value: rollAnswer{}},
	{Verb: "recorder log archive", Value: archiveAnswer{}},
	{Verb: "recorder log backup", Value: backupAnswer{}},
	{Verb: "recorder log restore", Value: backupAnswer{}},
	{Verb: "recorder log quarantine", Value: quarantineAnswer{}},
	{Verb: "recorder log key", Value: keyAnswer{}},
	{Verb: "recorder nats key", Value: madeKey{}},
	{Verb: "recorder token new", Value: madeToken{}},
	{Verb: "recorder sim", Value: simAnswer{}, Note: "Printed when it ends."},
	{Verb: "recorder version", Value: versionAnswer{}},
}

// contract is read in the process of the tests alone, whose folder the source is in.
var contract = sync.OnceValue(func() *clitest.Contract { return clitest.MustRead("recorder", answers) })

func TestTheContract(t *testing.T) {
	contract().Hold(t, "../../docs/cli-json.md", *update)
	scripts, err := clitest.Scripts("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range contract().Unheld(scripts) {
		t.Errorf("no script holds what %s prints against its contract: after one with -o json add the line: contract %s", verb, verb)
	}
}

// keeps holds what the last command printed against the contract of a verb.
func keeps(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 1, "contract PROGRAM VERB...")
	contract().Keep(ts, args)
}

func TestEveryVerbAndFlagIsTyped(t *testing.T) {
	scripts, err := clitest.Scripts("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range clitest.Untyped(newRoot(), []string{"recorder", "ibgateway"}, scripts) {
		t.Errorf("no script types %s", missing)
	}
	if missing := clitest.Unwanted(scripts, "recorder", exitFine, exitNegative, exitUsage, checkUnknown, exitUnreachable); missing != nil {
		t.Errorf("no script wants the exit codes %v", missing)
	}
}
