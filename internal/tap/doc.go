// Package tap stands between trading programs and one IB Gateway: it listens on
// loopback, dials the Gateway for a program once its hello is complete and its
// permit is durable, relays the bytes as they are, and reports what it saw.
//
// It refuses to decide: whether anybody may dial is the Desk's to say. It changes
// no byte, keeps no frame whole, and stores nothing. After ready it reads the headers
// of the Gateway's frames and the codes of its error messages, and no text.
//
// # What is reported
//
// Facts follow the bytes; only dial.started precedes what it tells of. A
// connection's kinds, in order:
//
//	client.opened, client.hello, attempt.requested, and from there on
//	    (denied, or no decision)           client.closed
//	    attempt.abandoned none             the client left before the permit
//	    dial.started
//	      dial.failed, attempt.failed      refused, dial_timeout, unreachable
//	      dial.connected
//	        handshake.version, [client.held], handshake.api_started, handshake.ready
//	          attempt.succeeded, session.established
//	            session.degraded, session.restored   any number
//	            session.unwatched                    at most once: the framing is lost
//	          session.lost or session.closed
//	        [handshake.timed_out] attempt.failed     at any stage; client_waits before startAPI
//	        disconnect.deferred                      the client left; one of the three ends follows
//	        attempt.abandoned                        the Gateway answered it, or an operator hung up
//	client.closed                          always last
//
// What is no attempt leaves none of these. A connection without a hello, a 33rd client,
// one that leaves the line of those that ask too often, and a hidden redial are counted
// in client.rejected: the first of a reason at once, then at most one event a minute, and
// what is left when the tap closes. A program that greets while the tap is shut is told
// that it is held, and only counted.
//
// gateway.notice may stand anywhere between dial.connected and the attempt's end, and
// in a session: each code at once, then once a minute with the number since.
// Closing the tap ends a connection with client.closed, an established session with
// session.closed before it, and leaves an attempt under way without an end.
//
// # Guarantees
//
//   - Nothing is dialled without a complete hello and a permit, and never twice for
//     one permit: TestNothingButAHelloReachesTheGateway, TestWithoutAPermit,
//     TestALeaveThatRacesWithThePermit.
//   - While it is shut nothing reaches the Gateway, whether the port is closed or, with
//     Config.Explain, everybody is told why: TestNothingIsDialledWhileTheTapIsShut,
//     TestAShutTapThatExplains.
//   - However many knock, the log grows by a handful of events a minute:
//     TestProbesAreToldOfAtABoundedRate. However often programs ask, it grows by one
//     attempt a second: TestAskingIsPaced, TestAnHourOfGreetings.
//   - A client id that waits by the recorder's decision, or has to cool down, does not
//     reach the Gateway before, and holds up nobody else: TestAClientThatWaits,
//     TestManyClientsThatWait, TestCooling. What is kept for it arrives as it was:
//     TestWhatIsKeptArrivesAsItWas. The first 326 does too: TestTheFirst326Arrives.
//   - A library that dies of an end in the middle of its connect is told of none:
//     TestALibraryIsNotToldOfAnEndWhileItConnects.
//   - What the Gateway did is told from what it sent and how it closed, for servers
//     with text, mixed and protobuf messages: TestWhatTheGatewayDid.
//   - The order of events is one that the fold and the judge find nothing wrong with:
//     every test that ends with legal.
//   - A client's impatience is not taken for the Gateway's silence: TestAClientThatLeaves.
//   - Budgets are waited out in full, while this process runs: TestBudgets,
//     TestAStandstillProvesNothing.
//   - What the Gateway sent last, right before a reset, arrives: TestTheLastWordArrives,
//     TestTheLastWordIsHeld.
//   - A FIN is passed on as FIN and a reset as a reset, in a session; a Gateway in
//     mid-handshake never sees its client's reset: TestTheEndOfASession, TestHalfClose,
//     TestAResetThatMeetsAWrite, TestAClientThatIsKilledInItsHandshake.
//   - After ready every byte arrives as it was, and none costs an allocation:
//     TestBytesArriveAsTheyWere, TestNothingIsAllocatedForAFrame.
//   - A code that a client saw is told before the end of its session, however the
//     segments were cut: TestCodesInASession, TestWhatTheClientSawIsTold.
//   - A Gateway that repeats itself cannot flood the log, and every code is counted:
//     TestACodeIsToldOnceAMinute, TestAFloodOfCodes.
//   - No input makes the observer panic or wait for ever: FuzzGatewayBytes, FuzzClientBytes.
//   - Close leaves no goroutine: TestMain, TestCloseAtEveryStage.
package tap
