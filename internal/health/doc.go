// Package health says whether a recorder works: whether its loops turn, and whether its
// logs take what they write. What the Gateway does is no part of it, or a service manager
// would restart the recorder because the Gateway is sick: a stopped gate is healthy.
//
// # What it guarantees
//
//   - A loop that did not go round for Bound is found, whatever else works
//     (TestWhatIsAlive). A log that takes nothing keeps no loop from going round: to end
//     the process would end the sessions that still relay.
//   - Ready is only what can record: every log takes events, and nothing that was seen
//     waits for one (TestWhatIsReady).
//   - It waits for nobody: an answer is made of what the loops have left behind.
//
// # What it refuses to do
//
// It restarts nothing. Who asks does: a service manager, an orchestrator, a monitor.
package health
