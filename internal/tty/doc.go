// Package tty is what both programs know of the terminal that a person sits at: whether
// there is one, how wide it is, whether it shows colours, in which zone its times are
// read, what is shown while something takes long, and who shows what is longer than the
// screen. And it has the flags and the completion script that both programs have alike.
//
// # What it guarantees
//
//   - Where there is no terminal nothing is drawn, coloured or paged
//     (TestNobodyToShowProgressTo, TestColours, TestWhereThereIsNoTerminal).
//   - NO_COLOR and TERM=dumb are kept to, and --color is stronger (TestColours).
//   - A time is read as people write it, and what cannot be read says how (TestWhen,
//     TestZones).
//   - What takes less than half a second draws nothing, and what was drawn is taken away
//     (TestProgress).
//   - What fits on the screen is never paged, and nothing is lost between the two
//     (TestWhatFitsIsNotPaged, TestWhatDoesNotFitIsPaged).
//   - A value that a flag does not take is answered with those it takes (TestChoice).
//
// # What it refuses to do
//
// It writes no result and decides no exit code. It reads no environment but what it is
// for: NO_COLOR, TERM and the pager's.
package tty
