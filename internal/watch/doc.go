// Package watch reads what can be known of a Gateway without connecting to it:
// whether its port is listening, and whose the listener is.
//
// It never opens a connection to the API port. A connect that is closed again
// leaves a socket in CLOSE_WAIT at the Gateway, and enough of those are the very
// fault that this program is about (gnzsnz/ib-gateway-docker issue 336).
//
// # What it guarantees
//
//   - What could not be read is "unknown" and says why; it is never guessed
//     (TestWhatCannotBeKnownIsUnknown).
//   - A listener is read without a connect (TestAListenerIsSeenWithoutAConnect).
package watch
