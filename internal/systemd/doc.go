// Package systemd tells the service manager that started the process how it is, by
// sd_notify(3): that it is ready, what it does, that it still works, that it reads its
// configuration again, that it ends.
//
// # What it guarantees
//
//   - A manager hears that the process works only while it does: each WATCHDOG=1 is the
//     answer to a question that was just asked (TestTheWatchdogIsFedByWhatWorks).
//   - What it is told is what systemd reads (TestWhatIsTold), from the real program too
//     (cmd/recorder, the script systemd).
//   - A manager that does not listen costs nothing but a line in the log
//     (TestNobodyListens).
//
// # What it refuses to do
//
// Without NOTIFY_SOCKET it does nothing. It knows no gateway: who calls it says what is
// told.
package systemd
