// Package shrink makes a stream in which a rule is broken as small as it can be while
// the same event still breaks the same rule for the same reasons. What is left is what
// somebody has to read, and a test.
//
// # In this order
//
// The stream is cut at the breach. What is neither of the runs of the recorder nor of the
// connections that have a part in it goes, with what was decided because of that; then
// what lies between two equal states; then ever smaller pieces down to single events
// (delta debugging, Zeller and Hildebrandt 2002). At last every wait becomes as short as
// it can be, and numbers and texts that prove nothing go. What is left is numbered and
// chained anew.
//
// # What it guarantees
//
//   - What comes out is whole and is judged as the stream was: the same rule is broken by
//     the same event because of the same events, no assumption fails that held, and no
//     rule is broken that was kept (TestWhatIsLeftIsTheSameBreach). So no permit stands
//     there without its request, and no decision without its reason: RS6 is among the rules.
//   - Without any one event that is left this would not be so (TestNoEventCanBeSpared),
//     unless the bound of evaluations was met, and then the result says so
//     (TestABoundIsToldOf).
//   - The run of the recorder that has the earliest reason is enough, or else it says that
//     it is not (TestFromTheRunOfTheBreach, TestABreachMayNeedWhatCameBefore).
//   - The same stream gives the same bytes (TestTheSameStreamGivesTheSameBytes).
//   - Every event that is left is one of the stream, with its id and its name for the
//     attempt; Origins says which (TestWhatIsLeftIsTheSameBreach).
//
// # What it changes in an event
//
// The sequence, the link and the epoch, which follow from what is left. A cause or a piece
// of evidence that is gone is no longer named, and recorder.started tells of the run and
// the unfinished attempts before it that are left. Times become shorter; texts, counts of
// bytes and microseconds go. Nothing else.
//
// # What it refuses to do
//
// It does not find the smallest stream there is, only one that no single event can be
// taken from. It shrinks nothing in which no rule is broken, and no finding that proves
// nothing: one of observe mode, or one behind a broken chain.
package shrink
