// Package alert is who is told what, and when: of a stop, of its end, and of what else
// somebody must know of at night.
//
// A Clerk follows the log of a gateway and writes down what people are to be told: an
// alert is raised, reminded of, resolved. What is due is a function of its Ledger, which
// is a fold of the log, and of the time. A Subscriber for each channel reads what was
// written, and tells it: what is told was recorded first, and is told whoever is killed
// in between.
//
// # What it guarantees
//
//   - A stop is one message on each channel, and so is its end, also across restarts of
//     the recorder. The cursor is in the log: alert.delivered with the alert as its
//     cause. The position of the durable consumer is only where to look from, because it is not synced
//     (TestToldOnceAcrossRuns, TestARunThatDiedBeforeItsAckTellsNothingTwice).
//     It does not matter which run tells (TestItDoesNotMatterWhichRunTells). Only a recorder that dies while a channel is told, or that ends or is reloaded then and the
//     channel takes more than half a second, or before the outcome is in the log, tells it again, under the same key (TestAReceiverThatIsDownForAnHourAndARecorderThatIsKilledFiveTimes);
//     one that merely cannot write it down does not
//     (TestAnOutcomeThatTheLogDoesNotTakeIsNotToldAgain).
//   - A channel that fails is tried again for a day, later each time, at the end once a
//     minute (TestAChannelThatFailsIsTriedForADay), unless it says that it never will take
//     it (TestWhatWillNotBeTakenLaterEitherIsGivenUp) or when to come again
//     (TestAReceiverThatAsksToBeLeftAloneIs). After five minutes the others are told of it,
//     once (TestAChannelThatFailsIsToldThroughTheOthers).
//   - It gets its messages in the order of the log, but that a stop does not wait behind what
//     it does not take, for longer than it asks for (TestAStopIsNotKeptWaitingBehindWhatAChannelDoesNotTake,
//     TestAStopDoesNotWaitBehindTheEndOfAnother, TestWhatOvertakesWaitsAsLongAsTheReceiverWants).
//   - Whoever was told of what has an end is told of its end. What was over before anybody
//     could be told is not news (TestWhatIsOverIsNotNews, TestAStopThatEndsBeforeAnybodyCouldBeTold,
//     TestAStopThatBeganAndEndedWhileTheChannelWasBusyIsNotNews), and neither is a reminder
//     of what somebody has just been told (TestAReminderThatWasOvertakenIsNotTold).
//   - A stop is reminded of every half hour, eight times at most, until somebody
//     acknowledges or it ends (TestAStopIsRemindedOfUntilSomebodyAcknowledges), whatever
//     becomes of the recorder (TestAnAcknowledgementOfAnotherRunCounts,
//     TestARecorderThatIsKilledAgainAndAgainRemindsAllTheSame).
//   - An outage is told when it lasts, once, and its end; in a window in which it is
//     expected, when that is over. One that becomes a stop stays one incident (TestOutages,
//     TestAnOutageBeginsAnewWithARunThatHasToldNobody).
//   - A breach is told once for each author and rule in a stop, and counted otherwise
//     (TestBreaches), and to a channel that is new only those of the last day
//     (TestANewChannelIsNotToldOfEveryBreachThatThereWas); a log that is nearly full, once, again when it comes to
//     its reserve, and when there is room (TestALogThatIsNearlyFullIsToldOnce).
//   - A day of all that has as many messages as it should (TestADayWithThirtyIncidents).
//   - A log that takes nothing is told without it, once in a run and after each reload, and so is a stop that is
//     not in it, under the key that its alert has later (TestWhatTheLogDoesNotTakeIsToldWithoutIt).
//   - A recorder that cannot start is told to each channel once a day, and when it runs again
//     (TestARecorderThatCannotStartIsToldOnceADay,
//     TestAChannelThatFailsDoesNotChangeWhatTheOthersAreToldOfAStart).
//   - What was archived meanwhile keeps nobody from being told of a stop or its end (TestAStopWhoseBeginWasArchivedIsToldToBeOver).
//   - A service is pinged while the recorder is well, and told when it is not
//     (TestADeadManIsToldThatTheRecorderLives, TestAPingThatIsNotTakenIsSeen).
//   - It delays nobody: the loop does not wait for a channel, and a channel ends by
//     itself (internal/channel).
//
// # What it refuses to do
//
// It decides nothing and opens nothing: an acknowledgement ends reminders alone. It passes
// the event on as it is stored: what must not leave was taken out before it was recorded.
package alert
