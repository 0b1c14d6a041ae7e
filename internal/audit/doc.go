// Package audit holds the decisions that a log records against those that the policy
// computes from the state at the same place (RS6). It folds the stream as the loop did,
// asks policy.Decide at each step, and names what is recorded RECORDED and what is
// computed RECOMPUTED.
//
// # The three ways to differ
//
//   - Missing: a decision was due, and the log goes on with something that the loop would
//     have written after it.
//   - Extra: a decision stands there that the policy does not make.
//   - Different: it makes one of that kind for that attempt, and another one.
//
// # Where it judges nobody
//
// What the log cannot show is read in favour of the recorder. A decision may be later
// than time made it due, because the loop sleeps or a disk is slow; the policy is asked at
// every moment between the event before and the decision at which its answer changes. What
// is drawn at random is accepted up to what may be drawn. A run that was killed owes
// nothing. What the judge refused in the place of the policy (HoldRule) is not the
// policy's, nor is the count of those whom a port turned away.
//
// It does not judge a history that no recorder saw, nor anything behind a start that is
// not in the stream or a hole: there the state is not known. Nor a run whose policy or fold
// are of another version than these, nor the rest of one whose clock went back. The result
// says how many decisions that were.
//
// # What it guarantees
//
//   - What a loop writes is never accused: not in random walks
//     (TestWhatTheLoopDecidesIsWhatThePolicyDecides in internal/policy), in the recorded streams
//     (TestEveryRecordedStreamIsClean in internal/streams), by a real loop
//     (TestOnlineAndOfflineFindTheSameInDisorder in internal/recorder) or when that is killed at
//     every step (TestKilledAtEveryStep in internal/daemon).
//   - One decision that is left out, put in or changed is found, and named for what it is
//     (TestFindings, TestOneChangedDecisionIsFound in internal/policy).
//   - What is not compared is counted, with the reason (TestWhatCannotBeJudgedIsSaid).
//   - One pass, and memory that does not grow with the stream: the state is bounded, and
//     so are the findings that are kept (TestFindingsAreBounded).
//
// # What it refuses to do
//
// It does not say whether a decision was right: that is internal/rule's, which knows
// neither the fold nor the policy.
package audit
