// Package compat is the evidence with real clients: each thing that a Gateway was seen
// to do, met by each client that can be had, through a whole recorder, and what the
// client and the recorder make of it. It has tests only, and nothing imports it.
//
// # What it guarantees
//
//   - The recorder names what the Gateway did, and stops for what must stop it and for
//     nothing else, whatever the client believes: for the clients in Go
//     (TestTheRecorderNamesWhatTheGatewayDid), and for those in JavaScript where they
//     are installed.
//
//   - The Gateway sees no more connects than there are permits, and the judge finds that
//     the rule holds: in each of these runs.
//
//   - docs/compatibility.md has a row for each behaviour of the simulator and each client
//     (TestTheDocumentIsWhole). It is written by
//
//     npm ci --prefix internal/compat/testdata/node
//     go test ./internal/compat -run Compatibility -update -timeout 60m
//
// # What it is not
//
// A client's belief is what it tells a program that uses it as its documentation says. It
// is written down and not judged: the libraries are not ours to mend. The Gateway is
// simulated.
//
// scmhub/ibapi has data races in a healthy connect and can end its process, so all of
// this is built without the race detector and every client runs in a process of its own.
package compat
