// Package alert tells a subscriber that a restart is required, and that it is over.
//
// The subscriber of today is a command: it runs once for each stop and once for
// its end, with the event, as it is stored, on its standard input.
//
// # What it guarantees
//
//   - Each stop is told once, also across restarts of the recorder. The cursor is
//     in the log: alert.delivered with the told event as its cause. The position
//     of the durable consumer is only where to look from, because it is not synced
//     (TestToldOnceAcrossRuns, TestARunThatDiedBeforeItsAckTellsNothingTwice).
//     Only a recorder that dies while the command runs, or before the outcome is in
//     the log, runs it again; one that merely cannot write it down does not
//     (TestAnOutcomeThatTheLogDoesNotTakeIsNotToldAgain).
//   - A command that fails is run again, later each time, twelve times in all; each
//     failure is recorded, the last one as final (TestACommandThatFails).
//   - It delays nobody: the loop does not wait for a channel, and a channel ends by
//     itself (internal/channel).
//   - Whoever was told of a stop is told of its end. What was over before anybody
//     could be told is not news (TestWhatIsOverIsNotNews, TestAStopThatEndsBeforeAnybodyCouldBeTold,
//     TestAStopThatBeganAndEndedWhileTheChannelWasBusyIsNotNews).
//
// # What it refuses to do
//
// It decides nothing and opens nothing. It passes the event on as it is stored:
// what must not leave was taken out before it was recorded.
package alert
