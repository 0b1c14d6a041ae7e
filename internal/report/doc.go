// Package report writes what a stream shows, for people and for programs: the
// verdict on the rule, the timeline, the state at a moment, what another policy would
// have done, two streams side by side, and the report of an incident: a Document, composed
// from a stream and written as a page, as Markdown or as JSON. Everything here is a
// function from records to text; nothing is opened, and no clock is asked.
//
// # What it guarantees
//
//   - A sentence first, the table second, the next command third, the same for the
//     same stream everywhere (TestGoldens).
//   - A verdict is HOLDS only of a whole stream from a sound place
//     (TestNothingHoldsOfWhatIsNotWhole).
//   - A violation shows the first event after which things stood wrong already, and
//     who did it (TestAViolationPointsAtTheFirstWrongState, TestEveryTrailIsWhole).
//   - What another policy would have done is told with how far it is SOUND
//     (TestWhatIfGoldens, TestWhatIfJSONIsStrict).
//   - Every kind of event is told in words (TestEveryKindHasWords).
//   - The picture above a timeline fits a terminal however long the stream is, and
//     no stop is too short to be seen in it (TestThePictureShowsWhatMatters).
//   - What a timeline leaves out it counts: every event of the stream is either
//     told or in a count (TestTheTimelineLosesNothing).
//   - Durations come from the monotonic clock of one run, and are left out where
//     there is none (golden forgotten, golden account).
//   - What changed between two states names the first event that changed it
//     (TestCompareNamesTheFirstEventThatChangedAField).
//   - The JSON is the canonical state, and its hash is that of the fold
//     (TestTheStateInJSONIsTheCanonicalOne).
//   - A report is the same for the same stream and zone, in each of its forms
//     (TestReportGoldens), and every event of its span is in a row or in a count
//     (TestAReportLosesNoEvent).
//   - Its verdict is that of verify with the command that it names
//     (TestTheVerdictIsOfEverythingBefore).
//   - A page is one file without a script that fetches nothing
//     (TestAPageAsksForNothing); a browser shows it on a phone without a sideways
//     scroll, in both themes with enough contrast, and without a word in its console
//     (TestInABrowser).
//   - No text of an event is markup, changes the direction of a line, or hides
//     (TestNoTextOfAnEventIsMarkup, FuzzNoTextOfAnEventIsMarkup).
//   - It stays small (TestAPageOfTenThousandEventsStaysSmall, TestAReportIsBounded),
//     and no stop is too short for its picture (TestNoStopIsTooShortForThePicture).
//   - Colours say nothing that a word does not (TestColoursAddNothing).
//
// # What it refuses to do
//
// It judges nothing itself: internal/rule does, fsm folds, and internal/whatif asks.
package report
