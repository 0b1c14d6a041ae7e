// Command long writes a long recorded stream of one gateway to standard output, for
// whoever measures or shrinks one: days of sessions, nightly restarts, stops and
// releases. The same flags give the same bytes.
//
//	go run ./internal/streams/long --events 1000000 > million.ndjson
//	go run ./internal/streams/long --events 20000 --violate > broken.ndjson
package main
