package explain

// failures are why an attempt failed, as the wire has it (events.FailReason).
var failures = []Page{
	{
		Code: "refused", Title: "Nothing listens on the Gateway's port.",
		Means:   "The system of the Gateway's host answered the dial with a reset at once. The Gateway is not running, or is in its nightly restart, which takes 2 to 35 s.",
		Matters: "It ends a row of silent attempts: a Gateway that is not there cannot hang. It never stops the gate.",
		How:     "The dial itself. The recorder then reads the socket table; if that says no as well, its own port closes until the wait is over (tap.closed).",
		Next:    "Start the Gateway. Programs get in by themselves afterwards: a listener that is seen opens the port within 10 s.",
	},
	{
		Code: "dial_timeout", Title: "TCP was never accepted.",
		Means:   "The dial got no answer within dial_timeout_ms (5 s). A host that is down, a firewall that drops, or a Gateway whose queue of connections is full.",
		Matters: "dial_timeout_limit of them in a row (3) stop the gate, because a full queue is what a Gateway looks like that accepts nobody any more.",
		How:     "The dial itself. One that a program reports counts if the program waited for min_reported_budget_ms.",
		Next:    "See whether the host answers at all. If it does and the Gateway runs, restart it and type: recorder resume NAME --reason TEXT",
	},
	{
		Code: "unreachable", Title: "The network refused the dial, for another reason than nobody listening.",
		Means:   "No route, a host that is not there, an address that cannot be resolved.",
		Matters: "It proves nothing about the Gateway, so it counts for no row and ends none. Everybody waits, as after any failure of the Gateway.",
		How:     "The system's error of the dial, which the text of dial.failed has.",
		Next:    "Mend the network, or the address in the configuration: recorder config show --origin",
	},
	{
		Code: "accepted_no_bytes", Title: "TCP was accepted and a complete hello sent, and not one byte came within the version budget.",
		Means:   "The Gateway's API layer is dead while its socket is alive. This is the silence that the rule is about.",
		Matters: "Each further connect leaves another stuck socket behind, and only a restart by hand helps. silent_limit of them in a row (1 by default) stop the gate.",
		How:     "The recorder's own clock from the hello on, for version_budget_ms (30 s). If the client leaves earlier, the Gateway's side stays open until the budget is over, so that impatience is not taken for death.",
		Next:    "Restart the Gateway with its login, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "fin_before_version", Title: "The Gateway's side closed the connection before it answered the hello.",
		Means:   "A proxy in front of a Gateway that is not running looks so; so does a Gateway that does not trust the address.",
		Matters: "It backs off and stops nobody unless the policy says so (closed_limit, off by default).",
		How:     "A FIN as the first thing that came.",
		Next:    "See whether the Gateway behind the proxy runs, and whether 127.0.0.1, or the recorder's host, is among its trusted addresses.",
		Try:     "recorder sim --behaviour fin-before-version",
	},
	{
		Code: "rst_before_version", Title: "The Gateway's side reset the connection before it answered the hello.",
		Means:   "Like fin_before_version, ungracefully: a forwarder whose other end is gone, or a process that is being killed.",
		Matters: "It backs off and stops nobody unless the policy says so (closed_limit, off by default).",
		How:     "A RST as the first thing that came.",
		Next:    "See what listens on the port: recorder doctor",
		Try:     "recorder sim --behaviour rst-before-version",
	},
	{
		Code: "bad_version", Title: "What came instead of a version is none, or none that the client offered.",
		Means:   "Something else answers on that port, a Gateway of another age, or half a reply and then nothing.",
		Matters: "Something did answer, so it is no silence: it ends the row. Nobody else waits for it.",
		How:     "The first frame from the Gateway is held until it is whole and is then read; a redirect or garbage is never passed on.",
		Next:    "See what listens on the port: recorder doctor. Then bring the client's API version and the Gateway's together.",
		Try:     "recorder sim --behaviour bad-version",
	},
	{
		Code: "version_no_ready", Title: "The client's startAPI was passed on, and the Gateway did not become ready within the ready budget.",
		Means:   "The version came, and then neither both of nextValidId and managedAccounts nor an error that explains it. The API layer is up and the session behind it is not.",
		Matters: "It is a silent attempt like accepted_no_bytes, and counts in the same row.",
		How:     "The recorder's own clock from startAPI on, for ready_budget_ms (30 s). An error with id -1, such as 326 or 10141, makes it another failure.",
		Next:    "Look at the Gateway's window: a login or a dialog may wait there. Otherwise restart it, then: recorder resume NAME --reason TEXT",
		Try:     "recorder sim --behaviour no-ready",
	},
	{
		Code: "no_start_api", Title: "The client never sent its startAPI.",
		Means:   "A program that took the version and went on to do something else; a monitor that checks the version only.",
		Matters: "It proves nothing about the Gateway, and keeps the one slot from others, so it loses its turn after start_api_budget_ms (2 s).",
		How:     "The recorder's clock from the version on.",
		Next:    "Let the program connect fully, or use recorder status, which connects to nothing, for the check that it was meant to be.",
	},
	{
		Code: "client_id_in_use", Title: "Another session has this API client id (error 326).",
		Means:   "The Gateway answers and turns this client away. Often the old session of the same program is still there for a moment.",
		Matters: "It proves that the Gateway lives. The id waits by itself, 1 s and then twice as long each time; nobody else does.",
		How:     "Error 326 with id -1 in the handshake. Programs see it as a close, because the Gateway closes right behind it; the recorder keeps their socket open for 20 ms so that it arrives.",
		Next:    "Give each program an id of its own. If one of yours still has it: recorder disconnect NAME --client N --reason TEXT",
		Try:     "recorder sim --behaviour client-id-in-use",
	},
	{
		Code: "disclaimer_pending", Title: "The paper trading disclaimer was not accepted (error 10141).",
		Means:   "A dialog of the Gateway waits for a click after its login. The API answers and drops every session until then.",
		Matters: "No restart is needed and none helps. It never stops the gate.",
		How:     "Error 10141 with id -1 in the handshake.",
		Next:    "Accept the disclaimer in the Gateway's window, once for each login.",
		Try:     "recorder sim --behaviour disclaimer",
	},
	{
		Code: "error_before_ready", Title: "Another error explains why ready did not come.",
		Means:   "The Gateway sent an error with id -1 in the handshake that is neither 326, nor 10141, nor about connectivity or farms.",
		Matters: "It explained itself, so it is no silence.",
		How:     "The first such error; its number is the code of the failure.",
		Next:    "Look the number up in IB's list of message codes, and in the Gateway's log.",
	},
	{
		Code: "closed_before_ready", Title: "The connection was closed after the version and before ready.",
		Means:   "The Gateway answered the hello and then hung up without a reason.",
		Matters: "It answered, so it is no silence. The attempt counts as failed for the backoff.",
		How:     "A FIN or RST between the version and ready; by and how say whose it was.",
		Next:    "See the Gateway's log. A client id in use often looks so, because the close may overtake error 326.",
		Try:     "recorder sim --behaviour close-after-version",
	},
	{
		Code: "reported_timeout", Title: "A program reported a timeout.",
		Means:   "Somebody who does not connect through the recorder gave up waiting. The stage that they name says for what.",
		Matters: "It counts as silent if the program waited for at least min_reported_budget_ms (10 s); a shorter timeout proves its impatience and no more.",
		How:     "attempt.failed from a source outside the recorder. limit_ms is the program's own timeout.",
		Next:    "Let the program connect through the recorder's port, so that the wire says how it ended: recorder run --help",
	},
	{
		Code: "no_accounts", Title: "Ready came with an empty list of accounts.",
		Means:   "A program reports that its session has no account. The Gateway answers, and its login is not complete.",
		Matters: "The API layer lives, so it is no silence; nothing can be traded all the same.",
		How:     "Reported by the program: account ids never enter the log.",
		Next:    "Look at the Gateway's login.",
	},
	{
		Code: "client_waits", Title: "The client id has a wait of its own that was not over, so its startAPI was not passed on.",
		Means:   "Its last attempts failed by its own doing: the id was in use, or the program left before ready.",
		Matters: "The Gateway answered the hello and never learned of the id. The slot is free at once, so nobody waits for it.",
		How:     "The recorder turns it away at startAPI, with error 70503, while a retry.scheduled that names the id lasts.",
		Next:    "Find out why the id fails: replay timeline SOURCE, and look for its client_id_in_use.",
	},
}

// unknowns are why the end of an attempt is not known (events.UnknownReason).
var unknowns = []Page{
	{
		Code: "recorder_died", Title: "The recorder died between the permit and the end.",
		Means:   "The next run closes what the last one left.",
		Matters: "It uses up an attempt of a probation: nobody knows that it was not silent.",
		How:     "recorder.started lists it as unfinished; attempt.unknown follows.",
		Next:    "Find out why the recorder died: its own log, and the service manager's.",
	},
	{
		Code: "recorder_stopped", Title: "The recorder was stopped between the permit and the end.",
		Means:   "An operator or the service manager ended it in the middle of a handshake.",
		Matters: "It uses up an attempt of a probation.",
		How:     "recorder.started of the next run lists it as unfinished; attempt.unknown follows.",
		Next:    "Nothing. Stop the recorder when nobody connects, if it can be chosen.",
	},
	{
		Code: "permit_unused", Title: "The dial was permitted, and its client had left.",
		Means:   "The program gave up while its permit was written.",
		Matters: "Nothing reached the Gateway.",
		How:     "The tap has no client any more when the permit comes.",
		Next:    "Nothing; a longer timeout of the program would have helped.",
	},
	{
		Code: "reported", Title: "A program reports that it does not know.",
		Means:   "Somebody who dials by themselves says that an attempt is over and not how.",
		Matters: "It is neither a silence nor a proof of life.",
		How:     "attempt.unknown from a source outside the recorder.",
		Next:    "Ask whoever runs the program.",
	},
	{
		Code: "lease_expired", Title: "A program dialled with a lease and did not say in time how that went.",
		Means:   "Its permit was good for lease_ms (60 s).",
		Matters: "The slot is free again, and the attempt uses up one of a probation.",
		How:     "The recorder's clock from the permit on.",
		Next:    "Let the program report the end of each attempt, also of one that it gave up.",
	},
}

// stages are how far a handshake came (events.Stage).
var stages = []Page{
	{Code: "none", Title: "Nothing was dialled.", Means: "The client left, or was turned away, before a dial.", Matters: "It says nothing about the Gateway.", How: "There is no dial.started.", Next: "See why it was held: recorder status"},
	{Code: "dial", Title: "The dial was begun.", Means: "TCP did not come up before the end.", Matters: "Nothing was sent to the Gateway.", How: "dial.started is the last event of the handshake.", Next: "replay explain refused, or dial_timeout"},
	{Code: "connected", Title: "TCP is up and the hello was sent.", Means: "The Gateway, or what stands before it, accepted; its API has not answered.", Matters: "Silence here is what stops the gate. A connection that was accepted proves nothing by itself.", How: "dial.connected.", Next: "replay explain accepted_no_bytes"},
	{Code: "versioned", Title: "The version reply came.", Means: "The API layer answered. The client's startAPI is next.", Matters: "Silence of the client here is the client's.", How: "handshake.version.", Next: "replay explain no_start_api"},
	{Code: "started", Title: "startAPI was passed on.", Means: "Both of nextValidId and managedAccounts must come.", Matters: "Silence of the Gateway here counts like silence before the version.", How: "handshake.api_started, which names the client id.", Next: "replay explain version_no_ready"},
	{Code: "ready", Title: "nextValidId and managedAccounts have both come.", Means: "The session works.", Matters: "It ends every row, the backoff and a probation.", How: "handshake.ready, then attempt.succeeded.", Next: "Nothing."},
}
