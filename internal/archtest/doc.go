// Package archtest holds the shape of the source tree. It has tests only, and
// nothing imports it.
//
// # What it guarantees
//
//   - A package imports what the table of packages allows it and nothing else,
//     and a package that is not in the table fails
//     (TestEveryPackageImportsWhatItMay).
//   - The core (events, fsm, internal/policy, internal/rule) is pure: no clock,
//     randomness, environment, network, files, logging, goroutines or channels, no
//     variable that changes, and no order of a map that could reach an output
//     (TestTheCoreIsPure).
//   - Every package says what it is in doc.go, and every test named there exists
//     (TestEveryPackageIsDocumentedAndItsTestsExist).
//   - No file names the machine it was written on or the registry that served it
//     (TestNoFileNamesAMachine).
//
// Each of these is shown to find what it looks for
// (TestAForbiddenImportIsFound, TestImpurityIsFound, TestADocumentWithoutItsTestsIsFound,
// TestANameOfAMachineIsFound).
//
// # What it does not see
//
// Imports under the build constraints of another system, test files (they may
// import anything), and impurity behind a function value, behind a second name for
// a map or a slice, or inside a library that the core may import.
package archtest
