// Package events is the vocabulary of the recorder: what can happen between a
// trading program and an IB Gateway, as typed, immutable values.
//
// An event is a CloudEvents 1.0 object in JSON with one canonical byte form.
// The stored message, an export, a test stream and the live feed are the same
// bytes, so a hash taken anywhere is the hash taken everywhere.
//
// # What it guarantees
//
//   - One event, one encoding: Decode accepts exactly what Encode produces
//     (FuzzDecode). Reordered fields, spare white space, an optional field that
//     is present but empty: all are refused with the position and the reason
//     (TestDecodeRefuses).
//   - The fast decoder and the diagnosing one agree on every input
//     (FuzzDecodeAgrees).
//   - Every kind has a JSON Schema; what Go encodes the schema accepts, and what
//     the schema accepts Go decodes once it is in canonical form
//     (TestSchemasDescribeTheGoTypes). The one exception: a schema counts the
//     1024 of a text in characters, Go in bytes.
//   - Every event is a valid CloudEvent to the official SDK
//     (TestEveryKindIsACloudEvent).
//   - No account id reaches an event: a Redactor replaces them while a Draft
//     becomes an Event (TestNoAccountIDIsEverEncoded), and Encode refuses what
//     one forgot (TestEncodeGuardsEveryText). No error names one either
//     (TestNoErrorEchoesAnAccountID).
//   - No report stops the loop: what DecodeDraft accepts and a Redactor stamps
//     can be encoded (FuzzDecodeDraft, TestTheLongestEventOfEveryKindFits).
//   - Order and duration come from seq and mono, never from time
//     (TestElapsedIsKnownWithinOneRunOnly).
//   - docs/events.md and the schemas say what the code says
//     (TestDocumentationIsFresh, TestSchemasAreFresh).
//
// # What it refuses to do
//
// It holds no clock, draws no randomness, opens no file and keeps no global
// state that changes, but for memory that decoding uses again. It does not judge:
// which events may follow which is the business of fsm, and whether the rule held
// that of internal/rule.
//
// Everything may import events; events imports the standard library alone.
package events
