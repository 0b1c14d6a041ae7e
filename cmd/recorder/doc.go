// Command recorder records and guards the connections between trading programs and
// IB Gateway or TWS. A verb reads its flags, asks a running recorder (or starts
// one), and prints the answer.
//
// # What it guarantees
//
// Each is a script that runs the program as an operator types it, started by
// TestVerbs or TestOwnSession.
//
//   - Results are on standard output, everything else on standard error, and the
//     exit code is the answer: 0 fine, 1 no (stopped, refused, blocked), 2 usage or
//     configuration, 4 no recorder answers, 130 interrupted (help, status, resume).
//   - What is wrong says what to type next, with the data folder if it was named; a
//     word that is none is answered with the nearest one (help, status).
//   - After a silent handshake nobody reaches the Gateway, across restarts of the
//     recorder, until it is released; the subscriber is told once of each (silent).
//   - A second recorder on a folder changes nothing there, and Ctrl-C leaves
//     recorder.stopped as the last event (run).
//   - A damaged log is refused, unchanged, until it is set aside, and a stop goes
//     over into the log after it (log).
//   - A test message goes through every channel, without a recorder, and what came of it is
//     said without a secret; with a secret that cannot be used nothing starts (alert).
//   - The doctor changes nothing, and the Gateway sees of it only what --probe asks for
//     (doctor).
//   - A report is the same from the command line and over the socket; an account id
//     in it is neither stored nor printed (emit).
//   - -o json and -o ndjson print an event as it is stored (emit, events); every other
//     document is what docs/cli-json.md promises (TestTheContract).
//   - check answers in one line with the codes of Nagios, whatever is wrong, and nothing that
//     is not known reads as OK (check, TestCheckGrades); healthcheck answers within three
//     seconds (healthcheck).
//   - What is longer than a terminal goes through a pager, and colours and times are as
//     somebody wants them (terminal). A shell that completes a word is never kept waiting, and
//     is told no error (complete).
//   - Every verb and every flag is typed by a script (TestEveryVerbAndFlagIsTyped).
//   - The demo is real but for the Gateway, its log is judged to hold, and a demo
//     that was interrupted leaves nothing behind (demo, interrupted).
//
// # What it refuses to do
//
// It decides nothing and dials no Gateway: the recorder does, behind its gate. It
// takes no secret as an argument. Reading a log that no recorder runs on, beyond
// status, is for replay.
package main
