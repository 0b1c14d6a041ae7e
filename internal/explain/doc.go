// Package explain has a page for each word that the recorder says: every rule and
// assumption, every reason, every state, every message number that it knows. A page
// says what it means, why it matters, how it is known, what to do, and with which
// command to see one.
//
// The text of rules and assumptions is the catalogue that verify judges by. All of it is in
// docs/explain.md too, which a test writes.
//
// # What it guarantees
//
//   - Nothing is missing, and no page explains what does not exist
//     (TestEveryWordOfTheVocabularyHasAPage, TestEveryCodeThatTheRecorderKnowsHasAPage,
//     TestEveryPageIsWhole).
//   - An example is the first place in the test streams that has it, found by reading
//     all of them (TestTheExamplesAreFresh), and shows it when it is typed
//     (TestTheExamplesShowWhatTheyExplain in cmd/replay).
//   - The document says the same (TestTheDocumentIsFresh), and a page fits a terminal
//     (TestAPageFitsATerminal).
//   - One word may have several meanings; as it is written decides, and a group
//     (TestFind).
//
// # What it refuses to do
//
// It knows no stream, and says nothing of what happened in one.
package explain
