// Package rule is the judge: it reads a stream of events and says whether the
// retry-stop rule held, was violated, or cannot be judged.
//
// It is a second implementation of the rule, from the same text and by nobody who
// had seen the first. It looks neither at the state machines nor at the policy
// that decides; both could be wrong in the same place, and then they would agree
// with each other and not with this. It imports events and the standard library.
//
// # The verdict
//
// VIOLATED if a rule was broken, by the recorder or by somebody who went around
// it (Finding.Bypassed); else INCONCLUSIVE if an assumption does not hold or there
// was nothing to read; else HOLDS. What is found in observe mode is what would
// have been: it is listed and violates nothing. The mode is that of the policy in force
// and never what a decision says of itself: a decision of another mode is a breach.
//
// A finding counts only if its own evidence is complete. Two things see to that:
//
//   - At a recorder.gap, at a hole, at a broken link and at an anchor later than 1
//     every monitor forgets what the missing events could have changed. A gap can
//     hide facts and not decisions, for the recorder does nothing that it has not
//     written; so a stop stands across a gap. A gap in a history that was written
//     down later can hide a release as well. The recorder writes recorder.gap
//     before it decides anything else, otherwise decisions stand there without
//     their reason.
//   - From a broken chain on nothing proves a breach, and neither does the event
//     before the break, whose bytes are the disputed ones: what is found there is
//     listed as disputed. What was found before stands.
//
// # Whom it believes
//
// The log says who wrote each event, and a kind is believed of its own writer alone
// (A3): otherwise a report would be a permit. What an attempt is said to have ended by
// is held against what the tap saw, and a release against what was read.
//
// # Reading the rule
//
// Where its text can be read in two ways, the judge accuses nobody who kept either.
// A row of failures therefore has two lengths: the one that every reading counts,
// by which a stop is late (RS2), and the one that some reading counts, by which it
// is needless (RS9). How each case is read stands in the catalogue and, as
// examples, in the table of TestRules.
//
// # What it guarantees
//
//   - Each rule has streams that keep it and streams that break it, with the event
//     and the reasons that the finding must name (TestRules,
//     TestEveryRuleIsKeptAndBroken); each assumption likewise (TestAssumptions).
//   - A recorder that keeps the rule is not accused
//     (TestARecorderThatKeepsTheRuleIsNotAccused), whatever is missing
//     (TestNoAccusationComesFromAMissingPast, TestNoAccusationComesFromAGap).
//   - More events never turn VIOLATED into anything else, unless they show that the
//     chain is broken (TestNoPrefixIsBetterThanTheWhole).
//   - A fork and its origin do not touch each other (TestAForkGoesItsOwnWay).
//   - A judge that was encoded and decoded goes on as the first one would have
//     (TestAJudgeGoesOnFromASnapshot, TestASnapshotHasEveryFieldOfTheJudge).
//   - An ordinary event allocates nothing (TestAnOrdinaryEventAllocatesNothing), and
//     memory does not grow with the stream (TestAStormIsBounded,
//     TestWaitingClientsAreBounded).
//
// # What it refuses to do
//
// No clock, no randomness, no files: the same stream has the same verdict
// everywhere. It does not repair a stream, reorder it or skip what it cannot read.
// It does not judge the cap on failures in a window, the cool-down of a client id, or
// whether a recorded decision is the one that the policy would compute (internal/audit
// does, as RS6); of the wait of one client it judges that it is not shorter.
package rule
