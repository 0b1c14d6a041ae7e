// Package daemon is one recorder process: a data folder, and for each gateway its
// log, loop, tap, watch, built-in session and subscriber, wired together.
//
// # What it guarantees
//
//   - It starts whole or not at all: what was opened before something failed is
//     closed again, and the error says what to do (TestWhatKeepsItFromStarting).
//   - It stops in order within two seconds: relays first, so that what they report
//     last is in the log, then recorder.stopped, then the log
//     (TestItStopsInOrder). Nothing is collected meanwhile
//     (TestNothingIsCollectedWhileARunEnds).
//   - One recorder guards a Gateway, whatever the folders: a second one does not
//     start (TestOneRecorderGuardsAGateway). On another host, or where programs have
//     temporary files of their own, it is not seen.
//   - Where the Gateway's own process can be read, its restart releases a stop and
//     nobody types anything (TestARestartIsSeenByItself); where it never can be, the
//     status says so (TestWhatCannotBeWatchedSaysSo).
//   - The folder, its key and its socket are for its owner alone
//     (TestTheFolderIsTheOwnersAlone).
//   - What a run has recorded is signed at its end (TestTheEndOfARunIsSigned), or, if it
//     was killed, at the first event of the next one (TestAfterAKillTheNextRunSigns). What
//     keeps it from signing keeps it from nothing else (TestARecorderThatCannotSignRecords).
//   - Whoever watches it has an answer at once, whatever the Gateway and the log do: a
//     stopped gate is healthy (TestAStoppedGateIsHealthy), a full log is alive and not
//     ready (TestAFullLogIsAliveAndNotReady).
//   - At the Gateway there is never a connect without a permit in the log, and
//     none while it is stopped, whenever the process is killed (TestKilledAtEveryStep).
//   - However programs storm and however the Gateway fails, it sees no more connects than
//     permits and never two for one, a 326 reaches every program, and the process gives
//     back all goroutines, descriptors and sockets that it took (TestAStorm,
//     TestTheLibraryInAStorm; their flag -storm says how many attempts).
//
// # What it refuses to do
//
// It decides nothing, and reads no configuration: internal/config does.
package daemon
