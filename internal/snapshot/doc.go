// Package snapshot is what the fold and the judge have made of a log up to one
// event, so that a start need not read it from the first one.
//
// A snapshot is a cache. It decides nothing that the log does not: it is used by the
// build that wrote it and by no other, only if the log still holds the event that it
// names, and whoever doubts it reads the log from the first event
// (replay verify --from-genesis).
//
// # What it guarantees
//
//   - A fold and a judge that go on from a snapshot come to the state and the verdict
//     of those that began with the first event (TestGoingOnFromASnapshotIsGoingOn).
//   - One of another build, fold, rule set or gateway, and one whose state is not what
//     its hash says, is refused with the reason (TestASnapshotThatDoesNotFitIsRefused).
//   - Recompute finds a state or a judge that the events do not give, and a snapshot of
//     another log (TestRecomputeFindsWhatTheEventsDoNotGive).
//   - The base of a log whose first part was archived is no cache: every build of the same
//     fold and the same rules goes on from it, and comes to what the whole log gives
//     (TestALogWhoseBeginningWasArchivedComesToTheSame). Without it, or with another's, a log
//     that does not begin with event 1 is refused (TestALogWithoutItsBaseIsRefused).
//
// # What it refuses to do
//
// It has no file and no clock: store keeps it, and recorder says when.
package snapshot
