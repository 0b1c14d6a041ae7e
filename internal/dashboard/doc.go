// Package dashboard is one page about all gateways: whether each layer between a program and
// its data works, what to do if not, and what happened lately. It is made on the server, can
// be read on a phone and without scripts, and is renewed by server-sent events with them.
//
//	GET  /                              the page; ?span=1h|6h|24h|7d&kinds=GROUP&gateway=NAME&tz=ZONE
//	GET  /static/{file}                 its style sheet, script and icons
//	GET  /live                          text/event-stream: change, when the page has something new; beat, when not
//	GET  /incidents/{gateway}/{stop}    the report of an incident, made from the log when it is asked for
//	GET  /gateways/{gateway}/resume     a form; POST puts a claim to the policy
//	GET  /gateways/{gateway}/ack        a form; POST says that an operator has seen the alert
//
// # What it guarantees
//
//   - Unknown, disconnected and stale never look healthy (TestUnknownNeverLooksHealthy,
//     TestTheLayers).
//   - A page costs no read of a log: one goroutine for each gateway follows its log into a
//     window of bounded size (TestAPageReadsNoLog, TestTheWindowIsBounded), which begins with
//     a bounded look back (TestTheLookBackIsBounded), and reads on when the log can be read
//     again (TestTheFollowerReadsOn).
//   - Of any history a page can be made (TestAPageOfAnyHistory), the same for the same
//     history, moment and zone (TestGoldens).
//   - No text of an event, a status or a request is markup (TestNoTextIsMarkup), and no
//     browser runs anything but its one script (TestWhatIsServed).
//   - An open page hears of a change without asking, and that the recorder is there
//     (TestAnOpenPageIsTold); the pages that are told are bounded (TestPagesAreBounded).
//   - Nobody operates without a token that may, and no other page can make a browser do it
//     (TestWhoMayResume, TestWhoMayAcknowledge, TestOnlyAFormOperates).
//   - Each colour of a text has a contrast of 4.5 to 1 to what is behind it, in light and in
//     dark, and each shape one of 3 to 1 (TestThePalette).
//   - In a real browser it fits a phone, renews itself without losing what its reader does,
//     takes a form through the port's own guard, and can be used by keyboard alone
//     (TestInABrowser); it says that it is stale when it hears nothing
//     (TestAPageThatHearsNothingSaysSo), works without scripts (TestWithoutScripts), and
//     does not move for whoever asked for that (TestLessMotionIsNone).
//
// # What it refuses to do
//
// It decides nothing and stores nothing: what a claim is worth the policy says. Who may read
// it, from which host and by which other pages, is the business of whoever serves it; but
// what changes something takes its token from the form alone.
package dashboard
