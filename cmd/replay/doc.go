// Command replay reads a log of the recorder and says what happened in it: whether
// the retry-stop rule held (verify), in which order (timeline), how things stood
// at a moment (state), the stored events themselves (export), and with all that proves
// them for somebody else (pack). It finds what a breach needs (shrink), where two streams
// part (diff), and what another policy would have done (whatif), and puts all of it on one
// page for people who were not there (report). It takes a file, an
// evidence bundle, standard input, an incident folder, or the data folder of a recorder,
// stopped or running, and changes none of them. What a program has logged where there was
// no recorder becomes such a stream by import. A policy it proves before there is a log
// (check-policy).
//
// # What it guarantees
//
//   - Results are on standard output, everything else on standard error, and the
//     exit code is the answer: 0 fine or holds, 1 no, 2 usage, 3
//     inconclusive, 4 recorder unreachable, 130 interrupted (testdata/script).
//   - A stream that is not whole never reads as whole: what could be read is told,
//     where it ends or has a hole is named, and so is what is wrong with its place;
//     the exit code is 3 (damaged.txtar).
//   - Every place a stream can be read from gives the same answer (places.txtar).
//   - A bundle is held against what the recorder has signed, and each way to forge one is
//     named (TestForgeries, TestATornBundleSaysSo); a redacted one has the same signatures
//     (TestARedactedBundleHasTheSameSignatures), and packing twice gives the same bytes
//     (TestPackingTwiceGivesTheSameBytes).
//   - A report is written whole or not at all, for its owner alone (report.txtar).
//   - What check-policy finds wrong with a policy is a log that verify condemns
//     (TestACounterexampleIsALog).
//   - -o json is a documented, additive contract, docs/cli-json.md: exportJSON, importJSON,
//     shrinkJSON, and the types of internal/report whose names end in JSON, explore.JSON, and
//     the Document of internal/report (TestTheContract, contract.txtar, json.txtar).
//   - Of nothing there is no answer, and exit code 3 in every verb (empty.txtar).
//   - What is longer than a terminal goes through a pager, tables fit its width, and colours
//     are as somebody wants them (terminal.txtar). A shell that completes a word is told no
//     error (complete.txtar).
//   - Every verb and every flag is typed by a script (TestEveryVerbAndFlagIsTyped).
//
// # What it refuses to do
//
// It dials no Gateway, starts nothing on a folder that holds evidence, mends
// nothing and judges nothing that a log cannot show.
package main
