// Package backup puts a data folder into one file, and makes a data folder of such a file.
//
// The file is a tar of what cannot be made again: the events of every log as NDJSON, the
// keys, the marks, the checkpoints, and what was made of archived events. It begins with a
// word of what it is, and ends with the list of the logs in it, without which it is not
// whole.
//
// # What it guarantees
//
//   - A backup is whole or not there, and was read back, chain and all, before it gets its
//     name (TestABackupIsWholeOrNotThere). It may be taken while the recorder runs: each log
//     is cut at one event, and nothing else in it is newer than that
//     (TestABackupOfARunningRecorder).
//   - What is restored has the same events, and a recorder goes on behind them; what was
//     archived before stays so (TestARestoredFolderGoesOn).
//   - Nothing is overwritten: a folder that has something is refused, and so is a file
//     (TestNothingIsOverwritten). What is written goes into no file of others, and what is
//     restored nowhere but into the folder (TestABackupIsWrittenIntoNobodyElsesFile,
//     TestABackupThatLeadsElsewhereIsRefused). A file that is damaged or cut off makes no folder
//     (TestADamagedBackupIsRefused).
//
// # What it does not guarantee
//
// What happened after the backup is not in it: a restored gate stands where it stood then.
// The parts of a log become one, logs in quarantine are left out, and so are snapshots,
// which are caches. A backup has the keys of the folder: whoever has it can sign as the
// recorder does.
//
// backup imports events, internal/diskfile, internal/snapshot, internal/source and store.
package backup
