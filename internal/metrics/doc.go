// Package metrics is what Prometheus reads of a recorder: what the fold of each gateway
// says now, and what was counted while it was written.
//
// Every metric begins with ibrecorder_, beside those of the Go runtime and of the
// process. What the state counts (attempts, dials, stops) counts since the beginning of
// the log, and so over restarts of the recorder. Everything else counts since the process
// began, which a Prometheus server takes for a reset.
//
// # What it guarantees
//
//   - The page is as testdata/ has it, and promtool finds nothing wrong with it
//     (TestThePage, TestPromtoolHasNoObjection).
//   - What is counted is what is in the log: an event whose append failed is not
//     (TestOnlyWhatIsInTheLogIsCounted).
//   - No label has an account id, a client id or free text: names of gateways and
//     channels come from the configuration, everything else from closed sets
//     (TestNoLabelHasWhatSomebodySent).
//   - A log that does not answer costs a page its sizes, half a second, and nothing else
//     (TestALogThatHangs).
//
// # What it refuses to do
//
// It stands in nobody's way: bytes that are relayed are counted where they are relayed
// anyway, and one event costs about two microseconds beside the append of some hundred
// (BenchmarkRecorded). It decides nothing, and serves nothing by itself.
package metrics
