// Package gwsim is an IB Gateway made of a script: it speaks the real connection
// protocol over any net.Listener and over connections in memory, does what its
// script says, and counts exactly what reached it. It is the far end of every
// test that asks how many connects the Gateway saw, and of `recorder sim`.
//
// It refuses to be more than that: no market data, no orders, no accounts beyond
// their names. It never dials, and it answers only what a script told it to.
//
// # Scripts
//
// A script is read line by line; '#' starts a comment. A section says what
// happens to some of the connections, counted from 1 in the order they arrived:
//
//	connection 1:            # the first one
//	    silence
//	connection 2..3:         # the second and the third
//	    play fin-before-version
//	connection 4..:          # every later one
//	    play healthy
//	on restart:              # a new process, counting from 1 again
//	connection 1..:
//	    play healthy
//
// Sections are in order, without gaps, and the last one of a process is open
// ended. Lines before the first section are one for every connection. Each "on
// restart:" describes the next process; the last description stays in force.
//
// One connection runs its lines in order. If the client leaves, the rest is not
// run; if the lines run out, the connection stays open, silent.
//
//	wait hello               until the client's hello is complete
//	wait start-api           until its startAPI; a client id in use gets 326 and FIN
//	hello [N]                wait hello, then answer with version min(N, the
//	                         client's highest); FIN if the client is too new for
//	                         that. N defaults to the simulator's version
//	version N                wait hello, then answer N, whatever was offered
//	accounts [A,B,...]       send managedAccounts; default: the simulator's
//	next-id [N]              send nextValidId; default 1
//	ready                    both, in this order and in one segment
//	error ID CODE ["TEXT"]   send an error or a notice; ID is -1 for none
//	frame "TEXT"             send TEXT as one frame (Go string syntax: "\x00")
//	send "TEXT" | HEX        send these bytes as they are
//	slow D                   from here on send one byte every D
//	silence [D]              read and send nothing for D, or until the client leaves
//	serve [N]                answer reqCurrentTime, N times or until the client leaves
//	fin                      close with FIN
//	rst                      close with RST (TCP; in memory it is a close)
//	half-close               FIN, but keep reading (TCP; in memory it is a close)
//	refuse                   close the listener; connections stay
//	listen                   open it again
//	wedge                    accept no more; the kernel still completes connects (TCP)
//	accept                   accept again
//	restart [after=D]        end the process: every connection and the listener; a
//	                         new one comes up after D
//	play NAME                the lines of a named behaviour, see Behaviours
//
// D is a Go duration (30s, 5ms). A client whose first bytes are not a hello gets
// RST from wait hello, hello and version, as a real Gateway resets a malformed
// hello.
//
// # Guarantees
//
//   - What a client sees for each behaviour, over TCP and in memory, for server
//     versions with text, mixed and protobuf messages: TestBehaviours.
//   - A FIN is seen as FIN and an RST as RST, and what was sent before either is
//     delivered: TestBehaviours.
//   - Another script is for later connections: TestAnotherScriptIsForLaterConnections.
//   - Summary is exact and causal: what a client has seen is in it, and every
//     accepted connection is a record: TestCountsAreExactInAStorm.
//   - Close returns when every goroutine of the simulator has ended: TestMain.
//   - Any script parses to a plan that covers every connection, or fails with
//     the number of the line: FuzzParse.
package gwsim
