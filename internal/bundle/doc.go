// Package bundle is the evidence bundle: one file with the events of a log, what was
// signed of them, what makes it checkable, and what the events say, for somebody who has
// nothing but the file and a public key.
//
// It is a zip, so that what is in it can be looked at without this program. The first
// member is called mimetype and is not compressed, so a bundle is known by its first bytes.
// The others are
//
//	README.txt          what this is and how to check it
//	header.json         what the bundle says of itself (Header)
//	events.ndjson       the events, one a line: as stored, or veiled (package veil)
//	salts.txt           of a bundle that is not redacted: what it takes to make the leaves
//	heads.txt           of the same: what it takes to check the stored bytes
//	checkpoint/<n>.note what the recorder signed (package checkpoint)
//	key.txt             the public key, for whoever has no better one
//	verdict.json, …     what the events say, made from them; see cmd/replay
//
// # What it guarantees
//
//   - The same contents make the same bytes, with one version of this program
//     (TestTheSameContentsAreTheSameBytes).
//   - Each way to forge a bundle is found, and has a sentence of its own
//     (TestForgeries in cmd/replay). With nothing but the key inside it proves that it is in
//     itself consistent, and nothing about who signed (Exam.Given).
//   - A redacted bundle and one that shows everything are checked against the same
//     signatures (TestARedactedBundleHasTheSameSignatures in cmd/replay).
//   - Reading one needs bounded memory, whatever its bytes are: members have a longest
//     size, names occur once, and events are read as they come (FuzzOpen,
//     TestWhatIsNoBundle).
//
// # What it refuses to do
//
// It judges no event and writes no document: internal/report does. A member that it does
// not know it leaves alone, and whoever verifies says that nobody has checked it.
package bundle
