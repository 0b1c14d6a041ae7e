// Package store is the durable log of the recorder: one history per gateway,
// kept by an embedded NATS JetStream server in a folder of its own, and the same
// in memory for tests.
//
// The folder holds
//
//	lock                one process at a time
//	store.format        version of this layout, name of the server
//	jetstream/          what the server keeps; a stream per part of a gateway's log
//	mark/<gateway>.json the high-water mark: what the log must still hold
//	snapshot/<gateway>.json a cache: what a recorder has made of the log so far
//	base/<gateway>.json what it had made of the parts that were archived
//	quarantine/         logs that were set aside, whole, with their checkpoints and snapshot
//
// # What it guarantees
//
//   - An event whose Append returned nil is on disk, and a killed process loses
//     none (TestKillLosesNothingAcknowledged, TestEveryAppendIsSynced).
//   - A log has one writer. A second process is refused at once
//     (TestASecondProcessGetsAClearError); one that got past the lock is refused
//     by the expected sequence (TestAppendChecksTheExpectedSequence). It only waits for
//     whoever copies the folder (TestARecorderWaitsForWhoeverCopiesTheFolder).
//   - Append can be repeated until its outcome is known, however late, and never
//     appends twice (TestAnAppendIsNeverThereTwice).
//   - Nothing leaves a log by itself: no deletion, no purge, no age
//     (TestTheStreamKeepsEverythingAndHasLimits,
//     TestDenyDeleteAndPurgeCannotBeTurnedOff). A stream that was changed so that it
//     would forget is refused (TestALogWhoseStreamWasChangedIsRefused).
//   - A log is rolled: its newest part is sealed, and sequence and chain go on in the next
//     one. All parts are one history to whoever reads, follows or handles it
//     (TestALogOfManyPartsKeepsTheContract, TestPartsAreReadAsOneHistory,
//     TestAReaderGoesOnOverARollThatComesMeanwhile,
//     TestAHandlerDoesNotMeetARolledPartTwice). A roll that a crash cuts off is finished by
//     the next start (TestARollThatACrashCutsOffIsFinishedByTheNextStart), one whose answers
//     are lost by the next event (TestALogGoesOnBehindASealThatNobodyHeardOf), and a part that
//     is missing, damaged or in the wrong place is refused
//     (TestAPartIsPutOnlyWhereItBelongs).
//   - Rolled parts can be archived, which makes room: a part leaves the log only after its
//     file was read back and what a start needs of it is kept
//     (TestAnArchiveMakesRoomAndLosesNothing, TestAnArchivedLogIsOpenedAgain). A crash leaves
//     it in the log or in the file (TestAnArchiveThatACrashCutsOffIsFinishedByTheNext). What
//     somebody has to be told yet stays (TestWhatIsNotArchived).
//   - A full log refuses, keeps what it has, and goes on when there is room
//     (TestFullStreamRefusesAndKeepsWhatItHas,
//     TestAFullLogTakesEventsAgainWhenItsDiskHasRoom). A disk that refuses a write is
//     named to whoever appends (TestADiskThatRefusesAWriteIsNamedAndLosesNothing), and
//     one that others have filled is not written to (TestADiskThatOthersFillIsNotWrittenTo).
//   - The server is not trusted with damaged files, because it deletes a stream
//     for a file it cannot read, and cuts a log at a flipped byte and uses the
//     numbers again (nats-server 2.15.2). Every file and every record's checksum
//     is checked before it starts
//     (TestAnUnreadableBlockIsRefusedAndNothingIsDeleted,
//     TestAFileWithoutRightsIsRefusedAndNothingIsDeleted,
//     TestAFlippedByteIsFoundBeforeTheServerStarts). Only what a crash tears off
//     the end, which nobody was told is safe, may be missing
//     (TestATornLastRecordIsNoDamage).
//   - A log that is shorter or other than its high-water mark, or gone, is
//     refused, and nothing is deleted (TestALogThatContradictsItsMarkIsRefused).
//   - A stopped folder is examined where it is, without a server, a copy or a change
//     (TestAFolderIsExaminedWithoutATouch), and never while a recorder has it
//     (TestAFolderInUseIsNotExamined).
//   - What is set aside is kept whole, and the next log learns that it must start
//     stopped if the old one was, or if nobody can tell
//     (TestQuarantineSetsTheLogAsideAndANewOneBegins, TestARolledLogIsSetAsideWhole).
//   - A snapshot is there whole, or an error says that it is not; nothing of a log
//     depends on it (TestASnapshotIsKeptWholeOrNotAtAll).
//   - A reader gets every event once and in order, or an error that says which is
//     missing (TestTheLogOnDiskKeepsTheContract,
//     TestAMessageThatIsNotTheNextEventEndsEveryReader,
//     TestEvidenceIsReadFromACopyAndNeverTouched). It outlives a broken connection
//     (TestReadersGoOnWhenTheConnectionBreaks).
//   - A long read takes the events out of the server's own files, checksums and all,
//     and asks the server for what it cannot find there
//     (TestTheFilesAndTheServerReadTheSame,
//     TestAByteThatFlipsUnderARunningRecorderEndsTheReader).
//   - A handler gets every event at least once and in order, also after a kill
//     (TestConsumeGoesOnAfterAKill).
//   - Nothing listens on a port (TestServerOpensNoPort), and nobody without the
//     key of this run gets in (TestNobodyConnectsWithoutTheKey). With a Door one port
//     on loopback does (TestOnlyTheDoorListens), for whoever has a key that was
//     configured (TestNobodyComesThroughTheDoorWithoutAKeyOfARunner) and for the
//     subjects that it may use (TestARunnerHasTheRightsThatItWasGiven). The logs and
//     what could change them are out of its reach even if every subject is allowed
//     (TestTheLogIsOutOfReachOfWhoeverComesThroughTheDoor). What one of them makes the
//     server say and keep is bounded (TestAGuestCannotFloodTheLogOfTheServer,
//     TestAGuestThatDoesNotReadIsCutOff, TestGuestsLeaveRoomForTheRecorder,
//     TestARunnerHasNoMoreThanItsShareOfConnections).
//   - What the server warns of comes out of Store.Err
//     (TestWarningsOfTheServerComeOut).
//
// # What it does not guarantee
//
// The position of Consume is not synced: after a crash a handler sees events
// again. That a sync is issued before the ack is the server's promise under the
// option that TestEveryAppendIsSynced looks for. A disk that refuses a write although
// it seemed to have room (ErrDisk) ends what the server takes, until it is started
// again. A disk that lies about syncs, and somebody who changes
// the log, the hash chain in it and the mark beside it alike, are not found here.
//
// # What it refuses to do
//
// It does not know what an event means, and does not check the hash chain while
// it reads: events.Chain does. It repairs nothing and deletes no log. It never
// starts a server on a folder that is only to be examined: OpenCopy does that on
// a copy.
//
// store imports events, internal/flock, internal/diskfile and NATS; to examine a copy it
// computes the checksums of the server's blocks itself, with minio/highwayhash.
package store
