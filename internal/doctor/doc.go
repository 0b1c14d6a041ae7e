// Package doctor says what is wrong with a recorder's surroundings, and the command
// that mends it: the configuration, the data folder and its logs, the recorder that
// runs or does not, the clock, the Gateway, the tap's port, the alerts, the rights.
//
// Examine is pure: facts in, findings out. Gather reads the facts, from the recorder's
// socket, the socket tables and the file system.
//
// # What it guarantees
//
//   - The same facts give the same findings, in the same order, and every one that is
//     not ok says what to do (TestFindings, TestEveryFindingSaysWhatToDo).
//   - Gathering writes nothing, starts no server on the data folder, and connects to
//     no Gateway: the simulated one counts (TestGatheringTouchesNothing).
//   - A channel is looked at and not told: whether its secrets can be read, and what the
//     running recorder says of it (TestAChannelIsLookedAtAndNotTold, TestFindings).
//   - What cannot be read is skipped with the reason, and is no failure
//     (TestFindings).
//   - The running recorder is believed before the configuration, and a difference is said
//     (TestTheRecorderIsBelievedBeforeTheConfiguration).
//   - A probe is one attempt like any other, through the running recorder's port, and
//     none while the gate is stopped or the Gateway leaves connections unaccepted
//     (TestWhenNoProbeIsMade). It says what it saw and what the recorder's log calls it,
//     never an account id, and leaves in order, also when it is interrupted (TestAProbe,
//     TestAProbeThatIsInterruptedLeavesInOrder).
//
// # What it refuses to do
//
// It mends nothing, asks for no rights that it has not, and runs no command of the
// configuration's.
package doctor
