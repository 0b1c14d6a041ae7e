// Package client is for trading programs in Go that dial IB Gateway by themselves and
// ask the recorder before they do. A program that connects through the recorder's port
// needs nothing of it: there the recorder asks, and sees, for itself.
//
// A runner connects over NATS, with a name and a key (recorder nats key NAME), to a
// recorder that has nats.listen and nats.runners in its configuration. It may
//
//   - ask for a permit (Permit, Wait): a lease for one dial, or a *RestartRequiredError,
//     or a *HeldError;
//   - say how the attempt went (Lease.End), and report other facts (Publish);
//   - ask before it ends a session (Disconnect), which a handshake that is under way
//     forbids with a *BlockedError;
//   - read the log, what is there and what comes (Watch).
//
// Programs in other languages do the same with requests on the subjects that the
// recorder answers:
//
//	ibrecorder.permit.<gateway>.<name>      {"attempt":"a-1"}
//	ibrecorder.disconnect.<gateway>.<name>  {"client_id":7,"reason":"done"}
//	ibrecorder.intake.<gateway>.<name>      a report as recorder emit sends it, or an array of them
//	ibrecorder.read.<gateway>.<name>        {"from":1}
//	ibrecorder.ev.<gateway>.>               events as they come, to subscribe
//
// with _INBOX.<name> as the prefix of their inboxes. The repository's
// internal/natsapi/doc.go has every field, and client/example/runner a whole program.
//
// # What it guarantees
//
//   - An attempt has one permit, however often it is asked for, and there is none while
//     a restart is required (TestAPermit, TestARestartIsRequired).
//   - Whoever asks to end a session is refused in the middle of a handshake, unless it
//     is forced (TestDisconnect), and ends nobody's by asking
//     (TestWhatTheTapSeesAndARunnerReportsIsOneAttempt).
//   - What Publish returned for is in the log, once: also if the recorder was restarted
//     meanwhile (TestItOutlivesARestartOfTheRecorder, TestABatch).
//   - Watch yields stored bytes in order and without a gap, also across such a restart
//     (TestItOutlivesARestartOfTheRecorder), and an error if it is not one history.
//   - A runner that connects through the recorder's port and reports the same attempt
//     with its local port is counted once
//     (TestWhatTheTapSeesAndARunnerReportsIsOneAttempt).
//   - Who has another name or key, or a seed that others can read, is told so at once
//     (TestWhoMayConnect).
//
// # What it refuses to do
//
// It dials no Gateway, and does not hold a program that dials without a permit: the
// recorder names that a bypass. It keeps nothing on disk: what ctx ends before it is
// stored is the caller's to send again, with the same ID.
package client
