// Package logfile makes a stream of events of what a program has written into its log:
// the history of a connection that no recorder saw. It knows the phrases of ib_async and
// ib_insync, of the worker, the connection manager, the guard, the runner and the
// watchdog of the program whose incidents are under testdata/streams, and of IBC, in the
// usual forms of Python's logging.
//
// The stream is imported like those: boot "import", no monotonic time, no decision, a
// policy at its head that is there to judge by and was never in force.
//
// # What it guarantees
//
//   - Each phrase has a row that says what becomes of it, and the lines of one attempt
//     are joined (TestWhatLinesBecome), in every form that a line comes in
//     (TestFormsOfALine), whatever the file is like (TestFilesAsTheyAre).
//   - A TimeoutError is a silence only if nothing explains it: the library says it as
//     well when the Gateway has closed, or has sent an error (TestWhatLinesBecome).
//   - Nothing of a line gets into an event but numbers, its time, and words of a fixed
//     list: no account, no name, no text of an exception (TestNothingElseOfALineIsKept).
//   - docs/import.md lists the phrases (TestDocumentationIsFresh).
//   - What is not understood is counted and listed, by likeness and without anything but
//     plain words, and makes no event (TestWhatIsNotUnderstoodIsListed).
//   - Whatever a file holds, it does not fail for that, nor makes more of its lines than
//     they can say (FuzzImport). Memory does not grow with the file
//     (TestOpenAttemptsAreBounded).
//   - Processes that share a log, and print their id, are read as if each had a log of its
//     own (TestSharedLogsOfProcesses).
//   - A time is known only if its zone is, by the line or by whoever imports it, and if
//     the clocks showed it once (TestTimes). A wait is the difference of two printed
//     times unless a clock was set between them (TestWaits).
//   - The same files and options give the same bytes, and what they hold is judged as the
//     incident is that they tell of (TestSampleLogs).
//
// # What it refuses to do
//
// It guesses nothing. A line that may be about several attempts is taken for the oldest
// of them, and what is said of that one has a source that ends in /inferred; so has the
// end of a timeout of which only two printed times tell how long it was. A connect that
// ends as the log says nothing of is of unknown end.
//
// It does not sort: files are read in the order in which they are given, and lines in
// the order in which they stand.
package logfile
