// Package streamtest writes streams as a recorder would have written them, for
// the tests and benchmarks of whatever reads streams: every event has its time,
// its cause and its place in the chain, so that the judge finds nothing wrong
// unless a test asks for it (TestAQuietDayHolds in internal/report).
//
// It knows no clock and draws nothing: the same calls give the same bytes.
package streamtest
