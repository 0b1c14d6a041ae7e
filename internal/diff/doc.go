// Package diff compares two streams by what their events mean: which kind, told by
// whom, for which reason. Two runs never have the same ids, times and sequences, and
// that is no difference.
//
// # What it guarantees
//
//   - Two streams are the same if and only if their events mean the same in the same
//     order, whatever their ids, times, sequences, names and counts of bytes
//     (TestOnlyMeaningCounts).
//   - What is aligned is whole: the parts that differ and the events that are alike make
//     up both streams, and no other alignment has more that is alike
//     (TestTheAlignmentIsWholeAndLongest).
//   - Memory is twelve bytes for each event. Where more than the given number of events
//     differ, nothing is aligned behind the first divergence, and it says so
//     (TestWhatIsTooLongIsNotAligned).
//   - Time in a state is counted within a run, by its monotonic clock
//     (TestTimeInEachState).
//
// # What it refuses to do
//
// It judges nothing, and does not say which of the two is right.
package diff
