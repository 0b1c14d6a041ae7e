// Package httpapi is the recorder's local API, server and client: intake of
// reports, the operator's words, and queries, as JSON over HTTP on a unix socket
// in the data folder.
//
//	GET  /v1/gateways                    the names, a JSON array
//	GET  /v1/gateways/{name}             a Status
//	GET  /v1/gateways/{name}/events      application/x-ndjson, the stored bytes; ?from=&to=, or ?from=&follow=1
//	POST /v1/gateways/{name}/events      a report, as events.DecodeDraft reads it; 201 {seq, id, event}
//	POST /v1/gateways/{name}/resume      a Claim; 200 {seq, id, event}, 409 if it was rejected
//	POST /v1/gateways/{name}/disconnect  a Disconnect; 200 {seq, id, event}, 409 if it was blocked
//	POST /v1/gateways/{name}/notes       {by, text}; 201 {seq, id, event}
//
// An error is application/problem+json: 400 malformed, 404 no such gateway, 405,
// 409 with the decision, 413 above 64 KiB, 500, 503 while the recorder stops.
//
// # What it guarantees
//
//   - Every route answers as testdata/ has it, errors too (TestRoutes).
//   - A stored event is answered, streamed and received as the bytes in the log
//     (TestStoredBytesArriveUnchanged).
//   - A stream that broke off never looks whole (TestABrokenStreamNeverLooksWhole).
//   - A report cannot borrow the name of the recorder's own senses, nor act for an
//     operator (TestRoutes).
//   - Only the user of the recorder reaches the socket; one that a killed recorder
//     left is replaced, and nothing else is (TestTheSocketIsPrivate,
//     TestWhatIsAtTheSocketsPlace).
//   - It ends in less than a second whatever its clients do, and answers under way
//     are finished if they can be (TestItEndsWithinASecond).
//   - A peer that sends or takes nothing for ten seconds is cut off
//     (TestAStuckPeerIsCutOff).
//   - No answer repeats an account id (TestNoAnswerRepeatsAnAccountID).
//   - "No recorder runs" is told apart from every other error, and says what to
//     type (TestNobodyAnswers).
//
// # What it refuses to do
//
// It decides nothing: what a claim or a request is worth, the policy says. It has
// no authentication but the rights of the socket; whoever serves Handler on a port
// must add one, and check Host, Origin and Content-Type. It imports events, and
// sees the recorder through one interface.
package httpapi
