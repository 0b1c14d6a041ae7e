// Package clitest is for the tests of the two programs: it holds what their verbs print with
// -o json against the document that promises it (docs/cli-json.md), and their scripts
// against the verbs and flags that there are.
//
// # What it guarantees
//
//   - Every field of every document is described, by the comment on the Go field that it
//     comes from; one without a comment is an error (TestTheTextOfAContract,
//     TestAFieldWithoutACommentIsFound). So the document cannot drift from the types.
//   - What a verb really printed has no field that is not described, and misses none that
//     is promised (TestAContractIsHeld).
//   - A verb or a flag that no script types is found (TestUntyped).
//
// # What it refuses to do
//
// No product code may import it: its name ends in test.
package clitest
