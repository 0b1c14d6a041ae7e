// Package natsapi answers runners over NATS: reports, permits, and the log to read. It
// is what the package client asks.
//
// A runner is a program with a key of its own and a name, [a-z][a-z0-9-]{0,31}, that is
// a part of every subject it may publish to. So who it is says the server, and not the
// message:
//
//	ibrecorder.intake.<gateway>.<runner>   a report, as events.DecodeDraft reads it, or a
//	                                       JSON array of at most 64; {"stored":[{"seq","id"}]}
//	ibrecorder.permit.<gateway>.<runner>   {"attempt", "client_id"?, "timeout_ms"?}; one of
//	                                       {"granted":{"permit","lease_ms","epoch"}},
//	                                       {"held":{"reason","retry_after_ms"?}},
//	                                       {"restart_required":{"since","seq","reason","next"}}
//	ibrecorder.disconnect.<gateway>.<runner>
//	                                       {"client_id","reason","force"?,"force_env"?};
//	                                       {"seq"}, with "blocked" if a handshake forbids it
//	ibrecorder.read.<gateway>.<runner>     {"from"}; stored bytes, a line each, of one page;
//	                                       empty at the end of the log
//	ibrecorder.ev.<gateway>.<kind>         each event's stored bytes, once it is durable; to subscribe
//
// All but the last are requests, answered to the runner's own inbox, _INBOX.<runner>.>.
// An error is a Problem as package httpapi has them, with its status in the header
// Nats-Service-Error-Code; 503 can be tried again as it is. A page has the last
// sequence of the log in the header Ibrecorder-Head. At most 16 requests of a runner are
// under way at a time, and at most 64 connections of all runners are open, of one
// runner eight for longer than a second.
//
// # What it guarantees
//
//   - What is answered as stored is durable, and an id that is sent again is stored once
//     (TestIntake).
//   - Who asks to end its session is told whether a handshake forbids it (TestHangUp),
//     and nobody's is ended by that.
//   - A runner is /runner/<its name> and nobody else: it can neither write another
//     source, nor use the subjects of another runner, nor read what another is answered,
//     nor let the recorder's answer speak for it (TestARunnerCanOnlyBeItself).
//   - It can neither change nor delete the log, nor ask JetStream for anything
//     (TestARunnerCannotTouchTheLog).
//   - A log that takes nothing is an answer that can be tried again
//     (TestALogThatTakesNothing).
//   - Pages and the live subject have stored bytes in order (TestReadAndFollow).
//   - What sends too much is told when there is room again, and nobody else is
//     (TestARunnerThatSendsTooMuch).
//   - It ends in a second, whatever is under way (TestItEndsInASecond).
//
// # What it refuses to do
//
// It decides nothing and keeps no state but how many requests are under way. What does
// not ask for an answer is not taken: nobody would learn that it was lost.
package natsapi
