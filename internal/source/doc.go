// Package source finds the stream of events that a user means: a file of NDJSON,
// an evidence bundle, standard input, an incident folder, the data folder of a recorder
// that is stopped, or one that runs.
//
// # What it guarantees
//
//   - Evidence is not touched. A data folder is read from a copy, a running
//     recorder over its socket, everything else is opened for reading
//     (TestADataFolderIsReadFromACopy).
//   - The same events come out of every place, with the bytes under which they
//     are stored (TestEveryPlaceGivesTheSameBytes), and may be read again: what
//     comes from a pipe is kept in a file without a name.
//   - A stream that breaks off ends with an error, and never looks whole
//     (TestAStreamThatBreaksOffEndsWithAnError).
//   - Reading ahead changes nothing but the time it takes, and leaves no goroutine
//     behind (TestAheadIsTheSameStream in store, BenchmarkVerify in internal/report).
//   - What keeps a place from being opened says what to type instead
//     (TestWhatCannotBeOpened).
//
// # What it refuses to do
//
// It does not check the chain, nor what a bundle has signed, and judges nothing. It skips no line that it cannot
// read, and mends none.
package source
