package main

import (
	"sync"
	"testing"

	"ibrecorder/internal/clitest"
	"ibrecorder/internal/explore"
	"ibrecorder/internal/report"

	"github.com/rogpeppe/go-internal/testscript"
)

// answers are what the verbs print with -o json.
var answers = []clitest.Answer{
	{Verb: "replay verify", Value: report.VerifyJSON{}},
	{Verb: "replay timeline", Value: report.TimelineJSON{}, Note: "`-o ndjson` prints a row on a line each, and nothing else. `-o csv` has the columns " + clitest.Columns(timelineColumns) + ", which are the fields of a row; what is absent there is empty."},
	{Verb: "replay state", Value: report.StateJSON{}},
	{Verb: "replay whatif", Value: report.WhatIfJSON{}},
	{Verb: "replay diff", Value: report.SideBySideJSON{}},
	{Verb: "replay report", Value: report.Document{}},
	{Verb: "replay shrink", Value: shrinkJSON{}},
	{Verb: "replay export", Value: exportJSON{}, Note: "With `-w FILE`; without it the events themselves are printed, a line each ([events.md](events.md))."},
	{Verb: "replay import", Value: importJSON{}, Note: "With `-w FILE`; without it the events themselves are printed, a line each ([events.md](events.md))."},
	{Verb: "replay pack", Value: packJSON{}},
	{Verb: "replay explain", Value: explainJSON{}},
	{Verb: "replay check-policy", Value: explore.JSON{}},
}

// contract is read in the process of the tests alone, whose folder the source is in.
var contract = sync.OnceValue(func() *clitest.Contract { return clitest.MustRead("replay", answers) })

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
	usage(ts, neg, args, 2, "contract PROGRAM VERB...")
	contract().Keep(ts, args)
}

func TestEveryVerbAndFlagIsTyped(t *testing.T) {
	scripts, err := clitest.Scripts("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range clitest.Untyped(newRoot(&terminal{}, nil), []string{"replay"}, scripts) {
		t.Errorf("no script types %s", missing)
	}
	if missing := clitest.Unwanted(scripts, "replay", exitFine, exitNo, exitUsage, exitInconclusive, exitUnreachable); missing != nil {
		t.Errorf("no script wants the exit codes %v", missing)
	}
}
