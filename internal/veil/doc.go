// Package veil hides what of an event says who, where and in which words, so that a
// log can be shown to somebody who may know what happened and not to whom.
//
// A veiled line is an event like any other: every verb of replay reads it, and the
// judge gives the same verdict. What is hidden is replaced by a commitment to it:
//
//	salt       = HMAC-SHA256(key of the log, value)
//	commitment = SHA-256(salt, value)
//
// and prev by the hash of the veiled line before it, so that veiled lines are a chain
// of their own. The leaves of a log's tree (package checkpoint) are veiled lines: one
// signed root holds for the stored lines, with the salts, and for the veiled ones alone.
//
// # What it guarantees
//
//   - Every field of every kind is classified as shown or hidden, and a new one has to
//     be (TestEveryFieldIsClassified).
//   - Nothing that is hidden stands in a veiled line (TestNothingHiddenIsLeft), and a
//     veiled line is an event in its one canonical form (TestAVeiledEventIsAnEvent).
//   - Equal values have equal commitments, other values others, whatever the field: who
//     asked, who answered, which attempt, which process can still be told apart. So the
//     judge and the fold say the same of a veiled stream
//     (TestTheVerdictOfAVeiledStreamIsTheSame).
//   - Whoever has the stored lines and the salts makes the same veiled lines without the
//     key (TestTheSaltsAreEnough). A line in which something is not hidden is refused as
//     veiled (TestALineThatShowsTooMuchIsNotVeiled).
//
// # What it gives away
//
// Which values are equal, in one veiled stream and between two of the same gateway and
// data folder. How often each occurs, when, and the length of nothing. To whoever was
// given the stored lines and their salts: the commitments of those values in any veiled
// stream of the log. To whoever can write into the log, as a runner does by its reports,
// and is given a veiled stream: whether a value that they guessed and reported is one that
// is hidden elsewhere in it. What is shown is shown: kinds, times, codes, byte counts, start times
// of processes, ports, the gateway's name, the recorder's own ids.
//
// The commitment of a process id has 52 bits, for it must be a number: enough to tell
// processes apart and to hide which one, and not to bind whoever has the key. A checkpoint
// commits to the stored bytes as well, and that binds.
//
// # What it refuses to do
//
// It has no clock, no randomness and no file; whoever uses it brings the key.
package veil
