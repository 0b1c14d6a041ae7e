package explain

// sessions are the phases of a connection that was permitted (fsm.Phase).
var sessions = []Page{
	{Code: "DIALING", Title: "It may dial, and TCP is not up yet.", Means: "The permit is in the log.", Matters: "Others wait.", How: "attempt.permitted.", Next: "Wait: at most dial_timeout_ms."},
	{Code: "CONNECTED", Title: "TCP is up, the hello was sent.", Means: "The API has not answered yet.", Matters: "Silence from here on counts.", How: "dial.connected.", Next: "Wait: at most version_budget_ms."},
	{Code: "VERSIONED", Title: "The Gateway has answered the hello.", Means: "startAPI and ready are next.", Matters: "Silence of the Gateway after startAPI counts.", How: "handshake.version.", Next: "Wait: at most ready_budget_ms."},
	{Code: "READY", Title: "The session works.", Means: "The program may trade.", Matters: "A stop never closes it.", How: "attempt.succeeded.", Next: "Nothing."},
	{Code: "DEGRADED", Title: "The Gateway has lost IB, and this session stays up.", Means: "1100 or 2110 came.", Matters: "The program gets no data and its orders do not go out.", How: "session.degraded.", Next: "Wait for 1101 or 1102. After 1101 the program must subscribe again."},
	{Code: "MUTE", Title: "The socket is open, and requests are not answered.", Means: "A question for the current time was not answered.", Matters: "A frozen Gateway; the recorder's own session gives it up.", How: "Only the built-in session asks, every 30 s; of other programs' requests the recorder knows nothing.", Next: "Look at the Gateway's window.", Try: "recorder sim --behaviour mute-after-ready"},
	{Code: "CLOSING", Title: "Its client has left, and the Gateway's side stays until the handshake is decided.", Means: "An impatient client is no proof of a dead Gateway, and a Gateway whose clients vanish in mid-handshake may stop accepting.", Matters: "It keeps the slot for as long.", How: "disconnect.deferred.", Next: "Give the program a longer timeout than the budgets."},
	{Code: "CLOSED", Title: "It was closed in order, or its attempt failed.", Means: "It is over.", Matters: "It is not in the state any more.", How: "attempt.failed, session.closed or client.closed.", Next: "Nothing."},
	{Code: "LOST", Title: "The Gateway closed it, and its client did not ask for that.", Means: "FIN, RST, a mute session that was given up, or 1300.", Matters: "What was known of the Gateway is in doubt.", How: "session.lost, whose reason says how.", Next: "replay explain session.lost"},
}

// losts are how a session was lost (events.LostReason).
var losts = []Page{
	{Code: "fin", Title: "The Gateway closed the session in order.", Means: "A restart of the Gateway, its nightly one, or a logout.", Matters: "The next attempt shows whether it is still there.", How: "A FIN from the Gateway's side after ready.", Next: "Nothing, unless it comes often: replay timeline SOURCE"},
	{Code: "rst", Title: "The Gateway reset the session.", Means: "Its process died, or something between cut the connection.", Matters: "The next attempt shows whether it is still there.", How: "A RST from the Gateway's side after ready.", Next: "See whether its process runs: recorder doctor"},
	{Code: "mute", Title: "It stopped answering and was given up.", Means: "The built-in session's question for the time was not answered.", Matters: "The Gateway may be frozen.", How: "session.mute came before.", Next: "Look at the Gateway's window.", Try: "recorder sim --behaviour mute-after-ready"},
	{Code: "port_reset", Title: "The Gateway's port was changed (1300).", Means: "Somebody changed the API port in its settings.", Matters: "Nobody gets in at the old one.", How: "Error 1300 before the end.", Next: "Set the new port in the recorder's configuration: recorder config show --origin", Try: "recorder sim --behaviour port-reset"},
}

// knocks are connections to the recorder's port that were no attempt (events.RejectReason).
var knocks = []Page{
	{Code: "not_a_hello", Title: "The first bytes are no IB API hello.", Means: "A browser, a scanner, or TLS on a port that has none.", Matters: "Nothing reaches the Gateway.", How: "The first 8 bytes are in the event.", Next: "Find out who it is by the peer's address."},
	{Code: "hello_timeout", Title: "The hello was not complete in time.", Means: "A program that connected and said nothing.", Matters: "Nothing reaches the Gateway.", How: "The recorder's clock from the connect on.", Next: "Find out who it is by the peer's address."},
	{Code: "hello_closed", Title: "The program left before its hello was complete.", Means: "A port probe, such as a health check that only connects.", Matters: "At the Gateway's own port each of these could leave a stuck socket; here it reaches nothing.", How: "A close before a whole hello.", Next: "Let the check use recorder status -o json instead."},
	{Code: "hidden_redial", Title: "A library opened a second connection by itself, without a hello.", Means: "Some clients connect again inside one call.", Matters: "Nobody permitted a second one.", How: "Bytes of a running session as the first thing on a new connection.", Next: "See docs/compatibility.md for the library."},
	{Code: "too_many", Title: "More clients at once than a Gateway serves (32).", Means: "A loop that opens connections and keeps them.", Matters: "The Gateway would refuse them as well.", How: "A count of connections at the port.", Next: "Find the program by the peer's address."},
	{Code: "too_often", Title: "Programs have asked more often than once a second for long, and these left before their turn.", Means: "64 may ask at once, then one a second, in the order of arrival.", Matters: "Each attempt costs several synced events, whatever comes of it.", How: "The line at the recorder's port.", Next: "Find the program that connects in a loop, by the peer's address."},
}

// gaps are why facts are missing (events.GapReason).
var gaps = []Page{
	{Code: "overflow", Title: "Facts came faster than the log took them.", Means: "Above 4096 waiting items what moves no state is dropped and counted.", Matters: "What rests on both sides of the gap is not judged; the verdict is INCONCLUSIVE (A6).", How: "Written before anything else is decided.", Next: "See the disk: docs/performance.md has what it should reach."},
	{Code: "store", Title: "The log did not take an event.", Means: "A full disk, or an event that could not be encoded.", Matters: "What rests on both sides of the gap is not judged.", How: "The text has the error.", Next: "recorder doctor"},
	{Code: "unrecorded", Title: "An imported history leaves out what nobody wrote down.", Means: "There were attempts or restarts whose number nobody knows.", Matters: "It may hide a release, so a stop does not stand across it.", How: "Only in histories that no recorder saw.", Next: "Nothing, unless somebody remembers."},
}

// rejections are why an operator's claim was refused (events.Rejection).
var rejections = []Page{
	{Code: "process_unchanged", Title: "The process that listened when the gate stopped still listens.", Means: "The Gateway was not restarted, or another one than this.", Matters: "A claim cannot make a dead API layer alive.", How: "Process id, start time and listening socket, as read for the stop and after the claim.", Next: "Restart it, and claim again. For a cure without a restart, such as a dialog: recorder resume NAME --override --reason TEXT"},
	{Code: "not_listening", Title: "Nothing listens yet.", Means: "The Gateway is still starting, or did not start.", Matters: "The first attempt would be refused.", How: "The socket table, read after the claim.", Next: "Wait until it listens, and claim again."},
	{Code: "not_stopped", Title: "There is no stop to release.", Means: "The gate is not STOPPED.", Matters: "Nothing changes.", How: "The state when the claim came.", Next: "recorder status"},
}

// bases are what a release rests on (events.Basis).
var bases = []Page{
	{Code: "observed", Title: "A restart was observed.", Means: "Another process of the Gateway listens than the one that did when the gate stopped.", Matters: "The strongest ground: nobody's word is needed.", How: "restart.observed, from two readings of the listener.", Next: "Nothing."},
	{Code: "word", Title: "No evidence could be had; the operator's word is the release.", Means: "The listener is a forwarder's, on another host, or cannot be read.", Matters: "The log says so, and whose word it was.", How: "restart.claimed, and a reading that proves nothing against it.", Next: "Run the recorder where the Gateway runs, if restarts are to be seen."},
	{Code: "override", Title: "The operator released without a restart.", Means: "A cure that needs none: a dialog, a trusted address.", Matters: "The log says so, and why.", How: "restart.claimed with override.", Next: "Nothing."},
}

// modes say whether clients are held (events.Mode).
var modes = []Page{
	{Code: "enforce", Title: "Every dial that the policy does not permit is refused.", Means: "The default.", Matters: "The rule holds whatever clients do.", How: "policy.loaded.", Next: "Nothing."},
	{Code: "observe", Title: "Nobody is held; decisions say what would have been.", Means: "To try a policy beside what runs already.", Matters: "What the judge finds is what would have been, and violates nothing.", How: "policy.loaded; permits say what they would have been held for.", Next: "replay whatif SOURCE --preset handoff says whom enforce mode would have held."},
}
