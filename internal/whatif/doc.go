// Package whatif asks a recorded history what another policy would have done.
//
// The two policies are called A, which was in force, and B, which is asked about. What
// is recorded is a product of both the Gateway and A: had B decided otherwise, the rest
// would have happened at other times, or not at all. So every answer says how far it is
// SOUND, which means that it follows from the log and from nothing else. What is not is
// marked as recorded under A. How a history would have ended under B is a third
// question; it takes a model of the Gateway and of its clients, and is not answered.
//
// # Comparison: what would B say?
//
// The recorded events are folded twice, once as they are and once with B in the place
// of every policy.loaded, and both policies are asked before each event, at its time.
// A difference is where they do not decide the same, or not at the same time. The
// recorded decisions stand either way, so each difference is an answer about the state
// that A has led to. It is SOUND up to the first one. In an imported history nobody
// decided, so whatever B decides is a difference.
//
// # Mask: which attempts would not have been made?
//
// B runs as the loop does, over the recorded facts: it folds them and decides by itself.
// A recorded attempt that was permitted when B's gate is stopped would not have been
// made; it and what it caused (by attempt, connection and cause) drop out of what B
// sees. An attempt that had begun before the stop goes on.
//
//   - Avoided, SOUND: those that began after B's first stop that A did not make, and
//     before the first event that may release it or hide a release: a claim, an observed
//     restart or another process at the port, a release by A, a gap. Whatever else would
//     have changed, nobody dials in between.
//   - Later: those that B holds after that, if everything else is as recorded.
//   - If A and B differ in something else before B's stop (A stops and B does not; a
//     permit comes later, or more than a second earlier; somebody whom A turned away is
//     let in; an attempt would have met another budget), nothing is SOUND from there on.
//     An attempt that A gave up after longer than B waits is silent for B as well, only
//     earlier; that is no such difference if it is what stops B.
//   - For a stop of B's nobody read the listener. The last reading before it, if it
//     named the Gateway's own process, is taken for the one that the loop would have made.
//   - Nothing is drawn: a wait of B's that A did not schedule as well has no jitter. B
//     keeps the mode of its file; enforce, if it names none.
//   - In an imported history the premise is that the programs had connected through the
//     recorder. A restart, claimed or observed, or a gap ends a stop there, because nobody
//     was there to decide that. In a recorded one, who went around the recorder goes
//     around it again.
//
// A stop of B's is needless if, in the recorded history, the next attempt that began
// after it and of which it is known that it succeeded or failed became ready, and up to
// then no restart was claimed, observed or acknowledged, no other process was read at
// the port, and there is no gap. An attempt of unknown end, or abandoned, is passed over.
//
// The time to a stop is from the beginning of the first attempt that it rests on.
//
// # What it guarantees
//
//   - A policy that is asked about its own log would have done what it did
//     (TestAPolicyAgreesWithItsOwnLog).
//   - The attempts avoided are those that one counts by hand
//     (TestAvoidedIsWhatOneCountsByHand), and those of each incident's expect.txt, which
//     come from the judge's stop and not from this package. Where the rule allows a stop
//     and does not demand it the policy stops and the judge does not: one incident has
//     that (TestAvoidedAgreesWithTheIncidents).
//   - Each way in which an answer is not SOUND is noticed (TestWhatIsSoundAndWhatIsNot).
//   - Where two policies decide differently is found (TestDecisionsDiffer).
//
// # What it refuses to do
//
// It knows no clock and draws nothing: the same stream has the same answer everywhere.
// It keeps the names of the attempts that drop out, and the ids of their events, and
// nothing else that grows with the stream.
package whatif
