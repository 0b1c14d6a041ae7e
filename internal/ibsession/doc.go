// Package ibsession is the built-in runner: it keeps one scmhub/ibapi session
// connected, always through a tap of its own.
//
// scmhub/ibapi v0.10.47 is never given the Gateway's address. It has no timeout,
// so a silent Gateway would block it for ever; after a failed write it dials again
// by itself, without a handshake; a client that failed once is poisoned; and a
// connection that ends while it connects can kill the process. So each attempt has a
// fresh client and a fresh one-shot tap on loopback: the tap dials, with the recorder's
// permit and budgets; it alone says what happened; it resets what the library dials by
// itself; and it tells the library of no end before that has connected
// (tap.Config.Connected), which rules the fatal case out.
//
// # What it guarantees
//
//   - It connects at server versions with text, mixed and protobuf messages, and
//     connects again after a loss (TestTheLibraryConnects).
//   - It does not try while the gate is stopped, calls off a dial that a stop meets,
//     and tries when it is released (TestAStopHoldsIt, TestAStopCallsItsDialOff).
//   - A failure that is only its own, such as a client id in use, waits half a
//     minute before the next attempt; the others wait as the recorder's policy
//     says (TestItsOwnFailuresWait). One that the judge refused in the
//     policy's place waits as long as its own (TestWhatTheJudgeRefusesIsNotAskedForAllTheTime); while the
//     log is nearly full it waits longer each time (TestALogThatIsNearlyFullIsAskedLessAndLess). A wait that the policy has for its id is waited
//     out without an attempt (TestItWaitsForItsSchedule).
//   - A Gateway that drops each session, or is not running while nobody is held, is
//     not stormed (TestAGatewayThatDropsEachSessionIsNotStormed,
//     TestObserveModeDoesNotStormAGatewayThatIsNotRunning).
//   - A session whose Gateway stops answering is reported as mute
//     (TestAMuteSession).
//   - Nothing is left behind when Run returns, but what the library itself leaks
//     on loopback.
//
// The library has data races of its own in a healthy connect. Tests that run it
// are built without the race detector, and in a child process, because its worst
// failure cannot be recovered from.
//
// # What it refuses to do
//
// No orders, no data: it asks for the current time and nothing else. It judges
// nothing by the library's callbacks but the answer to that.
package ibsession
