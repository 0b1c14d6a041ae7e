// Package simulation has tests only: a week of a Gateway's life, and a recorder that
// lives through it, in seconds. The loop, the tap and the store are the real ones, the
// log is that of the embedded JetStream on a real folder; the Gateway is internal/gwsim,
// the network is in memory, and time is that of a testing/synctest bubble, which passes
// when nobody has anything to do.
//
// # What a week has
//
// A seed makes a script of it (TestAScriptIsItsSeed): nightly restarts and a login on
// Sunday; a Gateway that falls silent, in one of several ways, until somebody restarts
// it; IB's servers lost and found, farms, breaks, programs that share a client id, leave
// early or never say who they are; a runner that dials by itself with a lease; a disk
// that is full, answers of the log that are lost, a clock that is set, a port that
// somebody else has; operators who claim what is not so. The recorder is ended in order
// and killed: before an append, between an append and its fold, before a decision is
// written, and between that and the act. What a kill leaves is the folder as it was at
// that moment.
//
// # What is held against it
//
//   - No connect reaches the Gateway without a permit that is durable by then, and none
//     while the gate is stopped, whoever was killed meanwhile.
//   - At each start and at the end the log is one chain, the offline judge says HOLDS,
//     what was acknowledged is there as it was, and the state of the run before is the
//     fold of it. The recorder's own judge has found nothing either.
//   - Every stop was released, or stands. A Gateway that works is used: the sessions are
//     not only those of the first day.
//   - Each step at which the recorder can be killed was such a step in one week, for the
//     stop, the release, the permit and the delay.
//
// TestAWeek is all of that for one seed. More and others:
//
//	go test ./internal/simulation -run TestAWeek -week.seed=7 -weeks=52 -timeout=1h
//
// A week that fails leaves its log and its script, and says what replays it.
//
// # What it does not show
//
// Time is deterministic, the order in which goroutines run is not: a seed gives the same
// week, and not the same bytes. A FIN and an RST that TCP would tell apart, sockets,
// processes and signals are for internal/daemon to show. That a bubble can hold the
// embedded server is a property of its version (TestTheServerLivesInABubble).
package simulation
