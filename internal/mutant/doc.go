// Package mutant has tests only: it breaks the recorder on purpose, in one place at a
// time, and writes down which of the checks notice.
//
// A mutant is a line of a table: a file, a text that occurs once in it, and another one.
// It is compiled with go test -overlay, so no file changes. A layer is one go test, as
// anybody runs it. The table in docs/verification.md is every mutant against every layer:
//
//	go test ./internal/mutant -run TestMutants -update -timeout 5h
//
// takes an hour or two on two cores; -mutants and -layers are regular expressions that
// choose some of them, and what is not run stays in the table as it was.
//
// # What it refuses
//
//   - A mutant that does not compile, or fits nowhere any more
//     (TestEveryMutantFitsItsFile).
//   - A layer that fails without any mutant: it would catch everything (TestMutants).
//   - A mutant that no layer notices: a test is missing (TestMutants).
//   - A table in the document that is not that of the code (TestTheDocumentHasTheseRows).
//
// What a layer's output means is told by TestWhatALayerSays.
package mutant
