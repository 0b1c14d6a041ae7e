package mutant

// mutant is one fault.
type mutant struct {
	name     string
	file     string // from the root of the module
	old, new string // old occurs once
	what     string // what is wrong then, as a sentence
}

// mutants are faults that somebody could make, in the order of the packages from the
// inside to the outside. Each breaks a promise that the README or a doc.go gives.
var mutants = []mutant{
	{
		"latch-forgotten", "fsm/fold.go",
		"\ts.Boot = e.Boot\n\ts.Mono = max(e.Mono, 0)\n",
		"\ts.Boot = e.Boot\n\tif s.Gate == Stopped {\n\t\ts.Gate = Open\n\t}\n\ts.Mono = max(e.Mono, 0)\n",
		"A restart of the recorder opens a stopped gate.",
	},
	{
		"delay-ends-with-the-run", "fsm/fold.go",
		"\tif s.Delay.MS > 0 {\n\t\ts.Delay.From = now\n\t}\n",
		"\ts.Delay = Wait{}\n",
		"A delay that was pending when the recorder ended is over.",
	},
	{
		"stop-not-carried", "fsm/count.go",
		"if d.OldStopped && s.Gate != Stopped {", "if d.OldStopped && s.Gate == Stopped {",
		"A log that is set aside takes its stop with it.",
	},
	{
		"denied-not-counted", "fsm/count.go",
		"\ts.Totals.Denied += n\n", "",
		"Who was turned away is in no total.",
	},
	{
		"probation-not-counted", "fsm/fold.go",
		"\t\ts.Trial.Used++\n", "\t\ts.Trial.Used += 0\n",
		"A release lets any number of silent attempts through.",
	},
	{
		"unknown-uses-up-nothing", "fsm/attempt.go",
		"\t\ts.end(e, i, true)\n", "\t\ts.end(e, i, false)\n",
		"An attempt of the probation that the recorder did not live to see end is free.",
	},
	{
		"success-ends-no-row", "fsm/attempt.go",
		"s.Row, s.Delay, s.Pending.Failure = Run{}, Wait{}, \"\"", "s.Delay, s.Pending.Failure = Wait{}, \"\"",
		"Silent attempts are counted on over a success.",
	},
	{
		"no-ready-is-no-silence", "fsm/classify.go",
		"case events.AcceptedNoBytes, events.VersionNoReady, events.ReportedTimeout:", "case events.AcceptedNoBytes, events.ReportedTimeout:",
		"A Gateway that answers the hello and never gets ready is tried for ever.",
	},
	{
		"settle-not-waited", "fsm/stop.go",
		"s.Trial = Trial{On: true, Released: s.Mono}", "s.Trial = Trial{On: true}",
		"The first attempt after a release does not wait until the Gateway is up.",
	},
	{
		"limit-off-by-one", "internal/policy/decide.go",
		"return limit > 0 && n >= limit }", "return limit > 0 && n > limit }",
		"The gate stops one attempt too late.",
	},
	{
		"dials-while-stopped", "internal/policy/decide.go",
		"\tcase s.Gate == fsm.Stopped:\n\t\treturn events.HoldStopped, 0\n", "\tcase s.Gate == fsm.Stopped && len(s.Waiting) == 0:\n\t\treturn events.HoldStopped, 0\n",
		"While the gate is stopped, whoever waits may dial.",
	},
	{
		"two-at-once", "internal/policy/decide.go",
		"case s.Gate == fsm.Attempting || s.Busy():", "case s.Gate == fsm.Attempting && len(s.Waiting) > 1:",
		"Who asks alone does not wait for the attempt that is under way.",
	},
	{
		"release-without-evidence", "internal/policy/decide.go",
		"case identified(known) && identified(after) && !another(known, after):", "case identified(known) && identified(after) && known == after:",
		"A claim that the Gateway was restarted is believed although its process is the same.",
	},
	{
		"clock-is-a-restart", "internal/policy/decide.go",
		"case before.Socket != \"\" && before.Socket == after.Socket, apart == 0:", "case apart == 0:",
		"Whoever sets the clock restarts the Gateway: its start time moves.",
	},
	{
		"spacing-not-kept", "internal/policy/decide.go",
		"until = max(until, fsm.After(s.Trial.LastEnd, p.ProbationSpacingMS))", "until = max(until, s.Trial.LastEnd)",
		"The second attempt after a release follows the first at once.",
	},
	{
		"crash-leaves-attempts-open", "internal/policy/decide.go",
		"if !x.Ended && x.Boot != s.Boot && x.Lease.MS == 0 {", "if !x.Ended && x.Boot != s.Boot && x.Lease.MS == 0 && x.Stage != events.StageNone {",
		"An attempt that was permitted and not dialled when the recorder died is never closed.",
	},
	{
		"backoff-does-not-grow", "internal/policy/decide.go",
		"\t\twait *= 2\n", "\t\twait += i - i\n",
		"Every wait is as short as the first.",
	},
	{
		"jitter-drawn-again", "internal/recorder/loop.go",
		"\t\t\tr.DelayMS += r.JitterMS\n", "\t\t\tr.DelayMS += g.cfg.Jitter(d.JitterMS)\n",
		"The jitter that is recorded is not the one that is waited.",
	},
	{
		"permit-before-durable", "internal/recorder/loop.go",
		"\t\tg.cfg.Step(\"decide \" + string(d.Data.Kind()))\n",
		"\t\tif _, ok := d.Data.(events.AttemptPermitted); ok {\n\t\t\tg.answer(d.Attempt, Answer{Permit: \"early\"})\n\t\t}\n\t\tg.cfg.Step(\"decide \" + string(d.Data.Kind()))\n",
		"A program is dialled for before its permit is on disk.",
	},
	{
		"epoch-not-raised", "internal/recorder/loop.go",
		"\t\tepoch++ // a release is the first event of its epoch\n", "\t\tepoch += 0\n",
		"A release begins no epoch.",
	},
	{
		"mark-not-synced-at-a-stop", "internal/recorder/loop.go",
		"case events.GatewayDown, events.RestartRequired, events.RestartAcknowledged,", "case events.RestartAcknowledged,",
		"If the log is lost within a second of a stop, nobody remembers the stop.",
	},
	{
		"breach-not-recorded", "internal/recorder/loop.go",
		"\t\tif f.Observed {\n", "\t\tif f.Observed || f.Bypassed {\n",
		"Who goes around the recorder is found offline only.",
	},
	{
		"port-open-while-stopped", "internal/recorder/act.go",
		"\t\tif d.Enforced {\n\t\t\tg.shut()\n\t\t}\n", "",
		"At a stop the tap goes on listening.",
	},
	{
		"run-begins-open", "internal/recorder/gateway.go",
		"\tif g.state.Gate == fsm.Stopped && g.enforced() {\n\t\tg.shut()\n\t}\n", "",
		"A run that begins stopped does not shut its relays.",
	},
	{
		"reports-confused", "internal/recorder/intake.go",
		"err == nil && (rec.Source != d.Source || rec.Kind() != d.Data.Kind()) {", "err == nil && rec.Kind() != d.Data.Kind() {",
		"A report is dropped because another reporter used its id.",
	},
	{
		"sequence-not-expected", "store/append.go",
		"jetstream.ExpectedLastSeqHeader: {strconv.FormatUint(rec.Seq-1, 10)},", "\"ibrecorder-after\": {strconv.FormatUint(rec.Seq-1, 10)},",
		"Two writers may append to one log.",
	},
	{
		"append-not-synced", "store/server.go",
		"SyncAlways:             !cfg.unsynced,", "SyncAlways:             false,",
		"An event is acknowledged before it is on disk.",
	},
	{
		"other-log-accepted", "store/mark.go",
		"case m.Seq > 0 && at != m.Hash:", "case m.Seq > 0 && at != m.Hash && head.Seq == m.Seq:",
		"A log that somebody has rewritten, and made longer, is opened.",
	},
	{
		"lost-answer-is-a-conflict", "store/append.go",
		"\tcase rec.Seq == head.Seq && rec.ID == head.ID && rec.Hash() == head.Hash:\n\t\treturn true, nil\n", "",
		"An append whose answer was lost ends the recorder when it is repeated.",
	},
	{
		"dial-outlives-the-stop", "internal/tap/shut.go",
		"\tended.dials.Wait() // nobody adds to a spell that is over\n", "",
		"A stop does not wait for a dial that is under way.",
	},
	{
		"permit-outlives-the-stop", "internal/tap/shut.go",
		"\tif t.calledOff(c) {\n\t\treturn false\n\t}\n\tt.conns[c] = place{phase: p}\n",
		"\tif t.conns[c].phase == finished {\n\t\treturn false\n\t}\n\tt.conns[c] = place{phase: p}\n",
		"A connect that comes up at the moment of a stop is used.",
	},
}
