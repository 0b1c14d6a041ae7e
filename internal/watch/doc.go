// Package watch reads what can be known of a Gateway without connecting to it:
// whether its port is listening, whose the listener is and since when that process
// runs, how many connections wait in the listener's queue, and how many sockets on
// the port are in which state. On Linux it reads the socket tables of its own network
// namespace (proc_pid_net(5)); elsewhere it has what gopsutil tells, without counts.
//
// It never opens a connection to the API port. A connect that is closed again
// leaves a socket in CLOSE_WAIT at the Gateway, and enough of those are the very
// fault that this program is about (gnzsnz/ib-gateway-docker issue 336).
//
// # What it guarantees
//
//   - What could not be read is "unknown" and says why; it is never guessed
//     (TestWhatCannotBeKnownIsUnknown).
//   - A listener is read without a connect (TestAListenerIsSeenWithoutAConnect).
//   - A Gateway that was restarted is another process with another socket
//     (TestARestartedGatewayIsAnotherProcessAndSocket), and one whose acceptor hangs
//     shows by its counts (TestAnAcceptorThatHangsShows).
//   - The descriptors of other processes are searched only for a socket that the last
//     reading did not have, and in vain once a minute at most
//     (TestAnOwnerThatWasNotFoundIsNotSearchedForEachTime).
//   - Watching records changes alone, and each reason for not knowing once
//     (TestOnlyChangesAreRecorded).
//
// # What it refuses to do
//
// It decides nothing: whether a change is a restart is for internal/policy, and what
// the counts prove is for whoever reads the log.
package watch
