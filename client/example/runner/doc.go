// Command runner is a trading program as small as one can be: it keeps one API session
// with IB Gateway, dials the Gateway by itself with scmhub/ibapi, asks the recorder for
// a permit before each dial, and reports how it went. When a restart is required it
// stops dialling, says so, and goes on once the gate is released.
//
// A program that can connect through the recorder's port needs nothing of this, and
// should: the library has no timeout, cannot be called off in a handshake, and dials
// again by itself, without a permit, when a write fails. Here a handshake that is given
// up leaves its socket behind until the Gateway restarts, and nothing is ever written
// after ready.
package main
