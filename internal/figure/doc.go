// Package figure is what the pictures of a report and of the dashboard have in common:
// how a state looks, and how a history of any length fits into a few hundred columns.
//
// # What it guarantees
//
//   - Every state that a fold can be in has a look, and the class of a look is one of
//     six (TestEveryStateHasALook).
//   - A column shows what lasted longest in it, but something bad however short it was
//     (TestNothingBadIsTooShort).
//
// # What it refuses to do
//
// It draws nothing and knows no time: columns are counted, and whoever has a scale says
// where a span lies.
package figure
