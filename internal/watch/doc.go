// Package watch reads what can be known of a Gateway without connecting to it:
// whether its port is listening, whose the listener is and since when that process
// runs, how many connections wait in the listener's queue, and how many sockets on
// the port are in which state. On Linux it reads the socket tables of the network
// namespace that has the address, its own or another of this host (proc_pid_net(5));
// elsewhere it has what gopsutil tells, without counts.
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
//   - Who is connected to the port is read likewise, each connection once, with the
//     program if it is of this host and may be read
//     (TestAConnectionToTheGatewayIsFoundOnceAndWhereItsProgramIs,
//     TestAProgramThatIsConnectedIsNamed).
//   - Watching records changes alone, and each reason for not knowing once
//     (TestOnlyChangesAreRecorded).
//   - That an acceptor hangs is told only of the Gateway's own, when one and the same
//     connection was unaccepted and unread in every sample of a whole budget, by the
//     monotonic clock (TestAnAcceptorHangsIfOneConnectionWaitsForAWholeBudget,
//     TestASeriesBeginsAnew). Whose connection it is does not matter.
//   - A Gateway in another network namespace is read like one in ours, if that can be
//     only one (TestAGatewayInAnotherNamespaceIsRead, TestAnAddressInTwoNamespacesIsNobodys).
//   - A right that is missing is said, and the rest is read without it
//     (TestWhoeverMayNotSeeTheOwnerSaysSo).
//
// # What it refuses to do
//
// It decides nothing: whether a change is a restart, and whether a wait is long enough
// to stop for, is for internal/policy. What the other counts prove is for whoever reads
// the log.
package watch
