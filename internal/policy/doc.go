// Package policy is the retry-stop rule as a pure function: Decide looks at the
// state of a gateway and says the next thing that must be written down.
//
// The rule, in short. An attempt that was accepted and met silence proves that
// the Gateway's API layer is dead, and that each further connect makes it worse.
// After SilentLimit of those in a row the gate stops, and nobody dials until an
// operator, or an observed restart, releases it; then a few attempts, one at a
// time, must show that it works.
//
// # What it guarantees
//
//   - Decide is total and pure: any state, any time, the same answer
//     (TestDecideIsTotal).
//   - While a stop stands no decision permits a dial in enforce mode
//     (TestNothingIsPermittedWhileStopped).
//   - Each decision, once folded, is not made again: a loop that appends and
//     folds decisions comes to rest (TestDecisionsComeToRest).
//   - More failures never shorten a delay (TestDelayIsMonotone), and a client that
//     fails by its own doing keeps nobody else waiting (TestOneClientAlone,
//     TestTheWaitOfOneIsNobodyElses).
//   - The judge, which is written from the same text and has not seen this, finds
//     no breach in what it decides, whatever clients, runners, operators and
//     crashes do (TestTheJudgeFindsNothing).
//
// # What it refuses to do
//
// It draws no randomness: where jitter is due it says how much may be drawn, and
// the loop draws once and records it. It keeps no state of its own: the constants
// it uses are those that the log says are in force.
package policy
