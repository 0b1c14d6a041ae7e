// Package flock locks files between processes, on each system with its own means: what
// the folder of a log and the address of a Gateway are guarded by.
//
// # What it guarantees
//
//   - A lock that somebody else has is ErrHeld at once, and nothing waits
//     (TestALockThatIsHeldIsRefusedAtOnce).
//   - The system releases it when its process ends, however it ends, or the file is
//     closed: a file that was left means nothing (TestALockEndsWithItsFile).
//   - Whatever stands in the file can be read while it is locked
//     (TestALockedFileCanBeRead).
//
// # What it refuses to do
//
// It creates and removes no file. On Windows it is compiled, and nobody has run it.
package flock
