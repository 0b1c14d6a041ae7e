// Package channel brings a notice to people and programs: by Slack, Telegram, ntfy,
// PagerDuty, Alertmanager, mail, a webhook of anybody's, or a command.
//
// All of HTTP goes out through one Sender, and a Hook is what one receiver wants, as data:
// an address, what is sent, and which answer says that it was taken. When somebody is
// told, and what becomes of a failure, is the business of internal/alert.
//
// # What it guarantees
//
//   - Nothing counts as told that was not taken: an answer that is cut off, a page where
//     JSON is expected, and a good status with a refusal in it are errors
//     (TestEveryHookAgainstReceiversThatMisbehave, TestMailAgainstServersThatMisbehave). A
//     webhook and Alertmanager say so by their status alone.
//   - An error says whether the same will be taken later, and when
//     (TestEveryHookAgainstReceiversThatMisbehave, TestRetryAfterAsADate,
//     TestTelegramSaysHowLongToWaitInItsAnswer).
//   - It ends in time, whatever the other side does, and soon after the run does
//     (TestTheEndOfTheRunEndsARequest, TestMailEndsInTime, TestACommandThatHangsIsEnded); what
//     is nearly done then may finish (TestARequestThatIsNearlyDoneIsNotCutShortByTheEndOfTheRun,
//     TestACommandThatIsNearlyDoneIsNotCutShortByTheEndOfTheRun).
//   - What a receiver gets is what its service documents, whatever stands in a notice
//     (TestAnOutageOnEveryChannel, TestNastyTextsOnEveryChannel). A stop, its reminders and
//     its end are one thing to those that count (TestAStopAndItsEndAreOneThingToWhoeverCounts).
//   - No error has a secret, an address beyond its host, or an account id, and no message
//     has an account id (TestNoErrorHasASecretOrAnAccount, TestRedact,
//     TestNastyTextsOnEveryChannel). A password goes over TLS alone (TestMailIsTaken).
//
// # What it refuses to do
//
// It follows no redirect, trusts no certificate that the system does not, and sends no
// secret in the clear to another host (TestWhatIsNoAddress). It tries once: who tries again
// remembers it in the log. It passes an event on as it is stored: what must not leave was
// taken out before it was recorded.
package channel
