// Package fsm rebuilds the state of a gateway from its events.
//
// Three machines describe it: the gate (may anyone dial), the gateway (is its
// API layer alive) and a session for each client connection. Each is one table;
// the looplab machine that executes it, the diagram in the documentation and the
// tests are made from that table. Around the machines stands the fold, a pure
// function from a state and an event to the next state.
//
// # What it guarantees
//
//   - Apply is total: it never fails and never panics on a decoded event. What is
//     impossible in a state is counted in that state as an anomaly, because logs
//     of real gateways contain impossible things (TestFoldIsTotal).
//   - The gate is opened and stopped by decisions alone. Facts move counters; the
//     one thing a fact does to the gate is that the end of a permitted attempt
//     frees the slot which that permit took (TestFactsNeverOpenOrStopTheGate).
//   - Every pair of state and trigger is a transition, ignored on purpose, or an
//     anomaly on purpose (TestEveryCellIsDecided), and looplab agrees with the
//     table on every pair (TestLooplabAgreesWithTheTable).
//   - What one client id does wrong is kept of it alone, for a bounded number of them
//     (TestClientsThatWaitAlone, TestTheClientsAreBounded).
//   - The same events give the same state and the same Hash, at any speed, on any
//     host, in one piece or resumed at any sequence (TestFoldIsDeterministic).
//
// # What it refuses to do
//
// It decides nothing: whether a stop is due is internal/policy's answer, whether
// the rule was kept internal/rule's. It reads no clock; time is what events say.
//
// looplab/fsm v1.0.3 is used as a function: SetState, Event with a background
// context, Current. Its callbacks run after it has unlocked and a cancelled
// context wedges it for ever (looplab/fsm issue 115), so neither is used. It is
// asked about every pair when a Machine is built and its answers are kept, so a
// Machine and a Folder do not change and may be shared.
package fsm
