// Package httpapi is the recorder's API, server and client: intake of reports, permits,
// the operator's words, and queries, as JSON over HTTP on a unix socket in the data
// folder, and on a port.
//
//	GET  /v1/gateways                    the names, a JSON array
//	GET  /v1/gateways/{name}             a Status
//	GET  /v1/gateways/{name}/events      application/x-ndjson, the stored bytes; ?from=&to=, or ?from=&follow=1;
//	                                     or, if it is accepted, text/event-stream; ?from=&kind=
//	POST /v1/gateways/{name}/events      a report, or a batch, in a mode of CloudEvents; 201 {seq, id, event}
//	GET  /v1/events                      text/event-stream of all gateways; ?from=1&kind=
//	POST /v1/events                      reports about the gateways in their subjects
//	GET  /v1/gateways/{name}/permit      may somebody dial; 204, 423 if not, with why, since and next
//	POST /v1/gateways/{name}/permit      {attempt, client_id, timeout_ms}; 200 {attempt, permit, lease_ms, epoch}, 423
//	DELETE /v1/gateways/{name}/permit/{attempt}  a permit that is not used; 200 {seq, id, event}
//	POST /v1/gateways/{name}/resume      a Claim; 200 {seq, id, event}, 409 if it was rejected
//	POST /v1/gateways/{name}/ack         an Ack; 200 {seq, id, event}, 409 if there is nothing to acknowledge
//	POST /v1/gateways/{name}/disconnect  a Disconnect; 200 {seq, id, event}, 409 if it was blocked
//	POST /v1/gateways/{name}/notes       {by, text}; 201 {seq, id, event}
//	POST /v1/gateways/{name}/log/roll, log/archive   on the socket alone (TestWhatIsTheOwnersIsNotOnThePort)
//	GET  /v1/openapi.yaml                all of this, with every field
//
// An error is application/problem+json: 400 malformed, 401 and 403 on the port, 404 no such
// gateway, 405, 409 with the decision, 413 above 64 KiB, 415, 423, 429, 500, 503 while the
// recorder stops.
//
// # What it guarantees
//
//   - Every route answers as testdata/ has it, errors too (TestRoutes), and as openapi.yaml
//     says, which has every route, and every status of each (TestEveryRouteIsDocumented,
//     TestTheServiceDoesWhatTheDocumentSays).
//   - A stored event is answered, streamed and received as the bytes in the log
//     (TestStoredBytesArriveUnchanged, TestEventsAreStreamed).
//   - A stream that broke off never looks whole (TestABrokenStreamNeverLooksWhole); one of
//     server-sent events goes on at the place of its reader (TestAStreamBreaksAndComesAgain).
//   - A report cannot borrow the name of the recorder's own senses, nor act for an
//     operator (TestRoutes); on the port it has the name of its token (TestIntake). However
//     it is sent, what is stored is a fact (FuzzIntake).
//   - On the port everybody may read on loopback, what writes needs a token of its scope,
//     and a page of somebody else reads and writes nothing (TestThePortAsksWhoComes).
//   - What one source sends too much of is answered 429, and nobody else is
//     (TestASourceHasAQuota).
//   - Who reads slowly holds up nobody (TestASlowListenerHoldsUpNobody), a thousand who
//     listen cost about 30 KiB each (TestAThousandListen), and more than 1024 are refused
//     (TestOnlySoManyListen).
//   - Only the user of the recorder reaches the socket; one that a killed recorder
//     left is replaced, and nothing else is (TestTheSocketIsPrivate,
//     TestWhatIsAtTheSocketsPlace).
//   - It ends in less than a second whatever its clients do, and answers under way
//     are finished if they can be (TestItEndsWithinASecond).
//   - A peer that sends or takes nothing for ten seconds is cut off
//     (TestAStuckPeerIsCutOff, TestAListenerThatTakesNothingIsCutOff).
//   - No answer repeats an account id (TestNoAnswerRepeatsAnAccountID).
//   - "No recorder runs" is told apart from every other error, and says what to
//     type (TestNobodyAnswers).
//
// # What it refuses to do
//
// It decides nothing: what a claim or a request is worth, the policy says. On the socket
// it has no authentication but the rights of the file. It sees the recorder through one
// interface. What else is served on the port, a page or metrics, is a Mount of others.
package httpapi
