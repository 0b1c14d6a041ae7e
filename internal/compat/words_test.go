//go:build !race

package compat_test

const head = `
# Compatibility

What a Gateway does, what each client that can be had believes of it, and what the
recorder says. Every row is a run of a whole recorder (tap, log on disk, state machines,
policy) between an unmodified client in a process of its own and the simulated Gateway;
what the recorder says was read from its log afterwards, and the judge found in each run
that the rule holds and that the Gateway saw no more connects than there are permits.
"Right" means that the recorder named what the simulator played, or why nothing reached
it, and stopped or did not stop as the rule wants it.

This file is written, never edited. The first command needs Node.js 20 or later and npm;
without them the rows of the clients in JavaScript say that they were not run.

    npm ci --prefix internal/compat/testdata/node
    go test ./internal/compat -run Compatibility -update -timeout 60m

With a narrower -run, such as Compatibility/slow, it plays those cells and keeps the other
rows.

The server version is the simulator's: 176 speaks text, 203 text and protobuf mixed, 213
protobuf. A client that offers less gets the highest it offers, as from a Gateway:
ib-tws-api stops at 151.

What a client believes is what it tells a program that uses it as its documentation
says: "connected" is the library's word for it, "ready" that both nextValidId and
managedAccounts were handed over, then what it heard, then how it ended. "Waits on" is
without a word until long after the recorder's budgets, which are a few seconds here. The
built-in session believes nothing of its own: it takes the tap's word. "Or" stands between
beliefs of which a run has one or the other, by a race in the client.
`

const foot = `
## Clients

| client | how it was had |
|---|---|
| scmhub/ibapi 0.10.47 | Go module; it connects to the recorder's port and nothing else is changed |
| the built-in session | ` + "`--connect`" + `: scmhub/ibapi through a one-shot tap |
| @stoqey/ib 1.6.10, 1.2.39, 0.1.3 | npm; 0.1.3 is the last of its first major version there |
| ib-tws-api 1.3.0 | npm |
| ib 0.2.9 | npm; like @stoqey/ib 0.1.3 it speaks the protocol of before v100, whose first bytes are a number: the recorder takes it for no hello, and it never reaches the Gateway |

Not to be had where this was run, which says nothing of elsewhere: the Go modules
github.com/hadrianl/ibapi, github.com/gofinance/ib and github.com/scmhub/ibsync, and
ib-tws-node of npm; Debian has no client (` + "`apt-cache search`" + ` for
"interactive brokers" and "ibapi"). Not tried: the official clients in Python, Java and C#,
and ib_async.
`
