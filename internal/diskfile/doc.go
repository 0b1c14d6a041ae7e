// Package diskfile writes small files so that a crash leaves the old one or the new one,
// whole: marks, keys, snapshots and checkpoints beside a log.
//
// # What it guarantees
//
//   - What is at a path is all of what was written there before, or all of what was
//     written now; a write that fails changes nothing (TestAWriteThatFailsLeavesTheOldFile,
//     TestWhatACrashLeftIsReplaced).
//   - A file is for its owner alone, and nobody's link is followed while it is written
//     (TestAFileIsTheOwnersAlone).
//   - What was sealed is read back as it was or not at all (TestAFlippedBitIsSeen).
//
// # What it refuses to do
//
// It does not guard against a second writer of the same path: a folder has one
// recorder, and store has its lock.
package diskfile
