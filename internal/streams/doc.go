// Package streams makes the test streams under testdata/streams from what a
// person wrote down, and reads them back.
//
// A folder holds one stream. Of the first two sorts two of its files are written by
// hand and are all that its events come from: facts.txt, the account of what happened,
// and policy.yaml, the rule to judge it by. From them come events.ndjson, in stored
// bytes, and expect.txt, what the fold and the judge make of it. README.md says
// what a correct reading must find, and why.
//
// A stream is of one of three sorts.
//
//   - Imported: real incidents that no recorder saw. Boot is "import", there is
//     no monotonic time, and there is no decision, because no loop was there to
//     make one; the policy is the one to judge by. Who did something is a source
//     outside the recorder. What the account does not say but implies carries
//     "/inferred" at the end of its source, and what was only chosen to be able to
//     judge carries "/assumed".
//   - Recorded: synthetic streams as the recorder would write them. facts.txt says
//     what the sensors saw, and internal/policy makes the decisions between.
//   - Found: taken from somebody's log by replay shrink, in a folder that is named
//     FOUND-…. There is no facts.txt: events.ndjson is the source, and README.md names
//     the log by the hash of its last event. policy.yaml is the policy of its last
//     policy.loaded.
//
// Beside the folders there is a long recorded stream of any length, Days, for whoever
// measures or shrinks one (go run ./internal/streams/long). Nobody wrote down what
// happens in it: a seed decides.
//
// # What it guarantees
//
//   - The same facts give the same bytes (TestFactsGiveTheStoredBytes), an
//     unbroken chain from 1 (TestEveryStreamIsAChain), and no event that facts.txt
//     and policy.yaml do not name but the decisions of a recorded stream.
//   - Each stream has the verdict that its README.md states, and the state that
//     its expect.txt states (TestEveryStreamIsJudgedAsItsReadmeSays). A stream that
//     holds does not when the rule is broken in it
//     (TestTheRuleBrokenInAStreamThatHolds), and what a README says of another
//     reading is so (TestOtherReadings).
//   - Folding in one piece, through the log in memory and through the log on disk
//     gives one state at every sequence (TestOneStateWhicheverWay), and so does
//     resuming at any (TestOneStateFromEveryCut).
//   - Each damaged stream is refused, or found inconclusive, for its own reason
//     (TestDamagedStreams).
//   - Ordinary days hold, whatever the seed, and their decisions are the policy's (TestOrdinaryDaysHold), the same seed gives the
//     same bytes (TestTheSameSeedGivesTheSameDays), and a rule that is to be broken is
//     broken once, and no other (TestARuleIsBrokenOnce).
//   - A stream that was found comes back from its folder as it was saved
//     (TestAFoundStreamIsATestAtOnce).
//   - Each incident says how many minutes earlier somebody would have been told, that
//     nobody would, or that it is not known (TestEveryFolderIsComplete).
//   - No folder is without its README.md, and policy.loaded is policy.yaml
//     (TestEveryFolderIsComplete, TestTheListOfStreamsIsFresh).
//
// # What it refuses to do
//
// It refuses a decision in an imported history, a source there that the fold would
// take for the recorder's own, a fact without a mark, and a documented fact without
// a citation (TestFactsAreRefused). policy.yaml is read strictly
// (TestPolicyIsReadStrictly). It completes nothing: a time that is not known
// is left out.
package streams
