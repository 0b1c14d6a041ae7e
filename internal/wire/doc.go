// Package wire knows the bytes that a trading program and the IB Gateway
// exchange while they connect: the hello, the length-prefixed frames, and the
// few messages that make or break a handshake.
//
// It decodes what it is given and encodes what it is asked for. It owns no
// socket, reads no clock, keeps no log, and looks at nothing but the handshake
// and connectivity messages: orders, quotes and balances pass through the
// Scanner, or the leaner Skimmer, as a length and an opaque prefix.
//
// # The handshake
//
//	client                                   server
//	API\0 + frame("v100..225")        ->
//	                                  <-     frame("176\0<time>\0")
//	startAPI (client id)              ->
//	                                  <-     managedAccounts and nextValidId, in either order
//
// Every message after the magic is a frame: a big-endian uint32 length, which
// does not count itself, and that many bytes. What is in a frame depends on the
// server version and, from 201 on, on the message id in it:
//
//	below 201   text: NUL-terminated fields, the first one is the message id
//	from 201    a raw big-endian uint32 message id, then text fields
//	id >= 200   the same raw id plus 200, then a protobuf message
//
// Servers 201 to 212 mix the last two, so ParseMessage decides for each message
// by its id and never by the version alone.
//
// # Guarantees
//
//   - Any split of the same bytes gives the same hello and the same frames:
//     FuzzHello, FuzzFrames.
//   - No input makes a parser panic or read outside what it was given:
//     FuzzHello, FuzzFrames, FuzzDecodeMessage.
//   - A Scanner holds a bounded prefix of a frame and never the whole of it, and
//     allocates nothing for a frame: TestScannerAllocatesNothing.
//   - A Skimmer finds the codes that a Scanner and ErrorMessage find, and allocates
//     nothing: FuzzSkimmer, TestSkimmerAllocatesNothing.
//   - The encoders produce the bytes that unmodified client libraries were seen
//     to send and to accept: TestVectors. Their protobuf form is what the
//     generated code of a client library reads and writes:
//     TestProtobufAgreesWithGeneratedCode.
package wire
