// Package recorder is the loop: one for each gateway. It stamps what comes in,
// appends it, folds it, lets the judge look at it, asks the policy what is due,
// appends that decision, and only then acts on it.
//
// # What it guarantees
//
//   - No effect without a durable decision, and no decision without a durable
//     input: a client's answer, a closed listener, an ended session come after the
//     event that decided them is on disk
//     (TestNothingHappensBeforeItsDecisionIsDurable). That it holds when the process
//     is killed at any step is for internal/daemon to show, where there are sockets.
//   - The state is the fold of the log and of nothing else. A new run starts from
//     what the log says; what the last one left open is closed as unknown, and a
//     stop stands (TestANewRunGoesOnWhereTheLogEnds). It may go on from a snapshot of its
//     own build, and comes to the same (TestAStartGoesOnFromASnapshot), wherever it was
//     killed (TestOnlineAndOfflineFindTheSameInDisorder).
//   - Order: what one goroutine hands over is recorded in that order. A log that
//     does not answer keeps everything waiting and loses nothing; nobody dials
//     meanwhile, and the view says so (TestALogThatDoesNotAnswer). Only an operator's
//     word lapses when they stop waiting for it (TestAWordLapses). Only what moves neither the
//     gate nor a session is ever dropped, and then recorder.gap says how much
//     (TestWhatIsDroppedIsCounted). With a client.opened goes the port by which a report of
//     its program is known to be about an attempt of ours; it can be dropped all the same,
//     because who connects in a loop must not fill the memory while the log stands still.
//   - A restart that whoever watches has seen releases without a word from anybody
//     (TestARestartThatIsSeenReleases), and a reading that is older than the last one
//     in the log is left out (TestAReadingThatAnotherOvertookIsLeftOut).
//   - Programs that a stop turns away at the port are counted at a bounded rate, and
//     before the release that ends it; the view knows of all of them
//     (TestWhomAStopTurnsAwayIsCounted). Their denial is the stop: it is durable, and
//     nothing is dialled for them. A run that is killed loses what it has counted and
//     not told, which is a minute's at most.
//   - While the Gateway does not listen, which a refused dial and a reading say alike,
//     the relays' ports are closed too, for the wait after that dial at most
//     (TestThePortIsClosedWhileTheGatewayDoesNotListen).
//   - A port that cannot be had again after a release is an event, once, and so is
//     that it can (TestATapThatCannotReopenIsTriedUntilItCan).
//   - The relays are told which client ids wait by themselves once that is durable, and
//     at the start of a run (TestTheRelaysAreToldWhoWaits); in observe mode never
//     (TestInObserveModeNoClientIsHeld).
//   - A log that is nearly full keeps what is left for stops, releases, operators and what
//     is connected: nobody is permitted to dial, the ports are closed, and reports are
//     refused. The log says when that begins and ends, and the policy knows of it from there
//     (TestALogThatIsNearlyFullKeepsWhatIsLeft, TestALevelIsLeftLowerThanItWasEntered); in
//     observe mode nobody is held (TestInObserveModeAFullLogHoldsNobody).
//   - A report is recorded once, whoever repeats it, and no reporter's mistake ends
//     the loop (TestReports).
//   - A runner that dials by itself asks for a lease and is answered at once
//     (TestALease). One that does not say in time how it went frees the slot
//     (TestALeaseThatIsNotUsedExpires). How often it asks does not fill the log
//     (TestWhoAsksForALeaseAgainAndAgainFillsNoLog), and none is given to nobody
//     (TestAnAnswerThatNobodyWaitsForIsNoLease).
//   - No permit is written that the judge would find to break the rule, whatever the
//     policy decides: who asked is told so, and the log says which rule
//     (TestTheInterlockRefusesWhatAFaultyPolicyPermits, TestTheInterlockRefusesALease,
//     TestAPermitForNobodyIsLeftOut).
//   - A breach of the rule is recorded right behind the event that is one, as the
//     offline judge would find it (TestABypassIsRecorded); by the next run if a crash kept
//     it out of the log (TestAFindingThatACrashKeptOutOfTheLogIsRecordedByTheNextRun,
//     TestTheSecondOfTwoFindingsIsNotForgotten).
//   - The high-water mark knows of a stop, and of its end, before anything else happens
//     (TestAStopIsMarkedAtOnce).
//   - What is waited is what the log says (TestTheJitterIsDrawnOnce).
//   - Whether the loop turns can be seen without asking it (TestWhetherTheLoopTurns): a log
//     that takes nothing does not keep it from that, an append that never comes back does.
//   - No wait depends on the clock that people set (TestAClockThatIsSet).
//   - Its last event is recorder.stopped (TestTheEndOfARunIsRecorded). The log has for it
//     what the relays leave of somewhat less than two seconds, and one second at least
//     (TestTheLastEventHasTheTimeThatTheRelaysLeave).
//
// # What it refuses to do
//
// It owns no socket, file or process: it is handed a log, a sensor and relays. It
// does not decide: internal/policy does. It never repairs a log; when another
// writer appended to it, the loop ends.
package recorder
