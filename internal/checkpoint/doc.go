// Package checkpoint signs what a log holds, so that somebody who has the public key and
// nothing else can tell later that no event was changed, dropped or put in.
//
// A checkpoint is a signed note (golang.org/x/mod/sumdb/note, ed25519) whose text is a C2SP
// tlog-checkpoint: the origin, how many events, the root of the tree over them, and one
// line more, which commits to the stored bytes of the last one:
//
//	ibrecorder/live/1f0c3a5b7d9e2468
//	290
//	qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=
//	stored 7d5c...
//
//	— ibrecorder Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//
// The tree is that of RFC 6962, and its leaves are veiled lines (package veil), so that one
// signature holds for a bundle that shows everything and for one that hides who and where.
// The origin ends in the hash of the first veiled line: what was set aside and began anew
// is another log.
//
// The folder holds
//
//	signing.key         the private key, made at the first run
//	public.key          the public one, which recorder log key shows
//	veil.key            the secret of the salts
//	<gateway>/tree      the tree at the last checkpoint, from which a start goes on
//	<gateway>/<n>.note  the checkpoint of the first n events; the newest 400 are kept
//
// # What it guarantees
//
//   - The root is the one that golang.org/x/mod/sumdb/tlog computes (TestTheRootIsThatOfTlog),
//     whether the tree was built at once or from its kept form (TestATreeGoesOnFromWhatWasKept).
//   - A checkpoint that was changed, torn or signed by somebody else is refused, and the
//     error says which (TestWhatIsNoCheckpoint).
//   - A notary that was away reads what it missed, and signs nothing if the log is not the
//     one that it signed before, or if what came since is not one unbroken chain
//     (TestANotaryReadsWhatItMissed, TestANotarySignsNoOtherHistory,
//     TestANotarySignsNoBrokenChain).
//   - It signs at the end of a run, once a day, every 50 000 events, and at the beginning of a
//     run what a crash left unsigned (TestWhenANotarySigns). What it cannot write ends nothing but the signing, and is
//     logged (TestANotaryThatCannotWriteStopsNobody).
//   - A key that was lost is never replaced in silence (TestAKeyThatWasLostIsNotReplacedInSilence).
//   - The folder is bounded (TestOldCheckpointsGiveWay), its files are 0600 and there whole or
//     not at all.
//
// # What it refuses to do
//
// An Audit does not check the hash chain of the log, which the judge does. A checkpoint
// proves that the log is the one that was signed and not that what it says is true, and
// whoever has the private key can sign anything.
package checkpoint
