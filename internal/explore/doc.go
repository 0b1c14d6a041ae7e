// Package explore looks at everything that can happen under a policy: it walks the
// product of the fold, the decision and the judge, with programs, a Gateway, runners,
// operators and crashes of the recorder around them that may do anything they can, in
// any order, and says whether something bad can be reached.
//
// It runs the real fold (fsm.Folder.Apply), the real decision (policy.Decide) and the
// real judge (rule.Judge), and no model of them. What is made up is the world around:
// a Cast. The walk is breadth first, so what it finds is a shortest way, and that way
// is a log: one that replay verify judges like any other.
//
// # What it checks
//
//   - Nothing bad can be reached: no finding of the judge that is the recorder's own, no
//     event that the fold calls impossible, and decisions that come to rest.
//   - Ready can be reached from everywhere. A policy that never permits, or stops for
//     ever, breaks no rule and is caught by this.
//   - Every row of the three tables was exercised, or stands in a list with the reason.
//
// # What it guarantees
//
//   - The policies that the recorder has are safe, all of them explored to the end
//     (TestThePresetsAreSafe), and so is what a file may ask for (TestAGridOfPolicies).
//   - A fault in the decision or in the fold is found, with a way to it that the judge
//     condemns as a log (TestFaultsAreFound).
//   - States that count as one do the same: paths through the abstraction, played as logs
//     with a fold and a judge of their own, have the same decisions and the same verdict
//     (TestPathsThroughTheAbstraction).
//   - Nothing of the fold and of the judge goes unnoticed into what counts as the same
//     state: a field that the plan does not name is a panic (TestThePlanNamesEveryField).
//   - The same input has the same result, on any number of processors
//     (TestTheResultDependsOnNothingElse).
//
// # What it refuses to do
//
// It says nothing about what the casts leave out; Bounds lists it, and every output
// prints it. It draws no jitter: a wait is as short as the policy allows.
package explore
