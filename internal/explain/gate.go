package explain

// downs are what proves that the Gateway is down (events.DownReason).
var downs = []Page{
	{
		Code: "silent", Title: "As many attempts in a row were silent as the policy allows.",
		Means:   "TCP was accepted, and no answer came within the budget: before the version (accepted_no_bytes), or between startAPI and ready (version_no_ready).",
		Matters: "The gate stops. Nobody dials until a release.",
		How:     "The row of silent attempts reached silent_limit (1 in handoff, 3 in lenient). Ready ends the row, and so does whatever shows that the Gateway answers or does not run.",
		Next:    "Restart the Gateway with its login, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "dial_timeouts", Title: "As many dials in a row timed out as the policy allows.",
		Means:   "The host does not answer, or the Gateway's queue of connections is full because it accepts nobody any more.",
		Matters: "The gate stops. Nobody dials until a release.",
		How:     "The row reached dial_timeout_limit (3).",
		Next:    "See whether the host answers; if the Gateway runs, restart it, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "closed", Title: "As many connections in a row were closed before the version as the policy allows.",
		Means:   "FIN or RST came instead of a version, again and again.",
		Matters: "The gate stops. A proxy in front of a Gateway that is not running looks the same, so this is off by default.",
		How:     "The row reached closed_limit, if that is not 0.",
		Next:    "See whether the Gateway behind the port runs, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "probation", Title: "The attempts after a release were used up, and the last one was silent or nobody knows its end.",
		Means:   "The restart has not helped, or was none.",
		Matters: "The gate stops again.",
		How:     "probation_attempts (2) were permitted since the release, one at a time, and none became ready. The first connect after a fresh start is known to fail, so one is not enough.",
		Next:    "Look at the Gateway's window: is it logged in? Restart it once more, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "wedged", Title: "The Gateway's acceptor hangs.",
		Means:   "The same connection waited in the Gateway's own listen queue, its hello unread, in every sample of a whole version budget.",
		Matters: "Nobody whom it keeps waiting can become ready, so the gate stops by this alone, also in a probation and without an attempt of ours.",
		How:     "The watch reads the host's socket tables without connecting: at least 5 samples, over version_budget_ms, of one connection at a listener that is the Gateway's own process.",
		Next:    "Restart the Gateway, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "reported", Title: "A program or an operator says that the Gateway is down.",
		Means:   "There is nothing but their word, whatever they call the reason.",
		Matters: "The gate stops: a program that sees the Gateway hang is believed.",
		How:     "gateway.down from a source outside the recorder.",
		Next:    "Look whether it is so. If the Gateway works: recorder resume NAME --override --reason TEXT",
	},
}

// holds are why somebody may not dial at a moment (events.HoldReason).
var holds = []Page{
	{
		Code: "stopped", Title: "The Gateway needs a manual restart.",
		Means:   "The gate is STOPPED. Only a release ends it, never time.",
		Matters: "Each connect now would leave another stuck socket behind.",
		How:     "restart.required is in the log, and no release after it.",
		Next:    "Restart the Gateway with its login, then: recorder resume NAME --reason TEXT",
	},
	{
		Code: "in_flight", Title: "Another attempt is under way.",
		Means:   "One handshake at a time, from its permit to ready, failure or the end of its budget.",
		Matters: "Two handshakes at once cannot be told apart at a Gateway that answers neither, and two connects are the first thing that a storm is made of.",
		How:     "An attempt was permitted and has no end in the log.",
		Next:    "Wait: it takes a moment, and at most dial timeout and budgets.",
	},
	{
		Code: "backoff", Title: "The wait after a failure is not over.",
		Means:   "Each failure of the Gateway in a row doubles the wait, from 1 s to 60 s, and a random part is added once and recorded.",
		Matters: "A Gateway that comes up cannot bear a storm of connects.",
		How:     "retry.scheduled says how long. It never stops anybody for good.",
		Next:    "Wait; what failed is in: replay timeline SOURCE",
	},
	{
		Code: "settling", Title: "The Gateway was restarted a moment ago, or the last attempt after that has just failed.",
		Means:   "settle_ms (30 s) after a release, and probation_spacing_ms (60 s) between the attempts of the probation.",
		Matters: "The first connect after a fresh start is known to fail.",
		How:     "The recorder's clock from the release, or from the end of the attempt before.",
		Next:    "Wait.",
	},
	{
		Code: "window", Title: "Too many attempts have failed within the counting span.",
		Means:   "window_failures (20) within window_ms (10 min).",
		Matters: "More wait and never a stop: a bound on what any loop of clients can do to a Gateway.",
		How:     "The times of the last failures. A success in between changes nothing; a release begins anew.",
		Next:    "Find out which program fails so often: replay timeline SOURCE",
	},
	{
		Code: "cooling", Title: "The last connection of this client id has ended a moment ago.",
		Means:   "The Gateway may not have noticed yet, and would say 326.",
		Matters: "It holds a startAPI for cooling_ms (1 s) and no dial.",
		How:     "The tap saw the end of the id's connection on either side.",
		Next:    "Nothing: it takes a second.",
	},
	{
		Code: "rule", Title: "The recorder's own judge found that the dial would break the rule.",
		Means:   "The policy permitted it and the judge, which is a second implementation of the same rule, did not.",
		Matters: "One of the two is wrong. The dial is not made, so that it is not the Gateway that finds out.",
		How:     "Before each permit a fork of the judge is asked what would follow from it.",
		Next:    "Keep the log and report it: recorder status, replay verify SOURCE",
	},
	{
		Code: "log_full", Title: "The log is nearly full.",
		Means:   "95 % of log_max_bytes are taken, or its disk has less than 32 MiB left.",
		Matters: "What is left is kept for stops, releases, operators and the sessions that are connected, which go on. Nobody dials, and the port is closed.",
		How:     "recorder.room says which level the log has come to; at 80 % it warns, and the reserve ends below 90 %.",
		Next:    "Make room: recorder log archive NAME FOLDER",
	},
}

// gates are the states of the gate (fsm.Gate).
var gates = []Page{
	{Code: "OPEN", Title: "The next attempt may dial.", Means: "Nobody is held.", Matters: "It says that the rule forbids nothing, and not that the Gateway works: see the gateway's state.", How: "The state of every log before its first decision, and after ready.", Next: "Nothing."},
	{Code: "ATTEMPTING", Title: "An attempt is under way, the others wait.", Means: "One permit has taken the one slot.", Matters: "See in_flight.", How: "attempt.permitted, until the end of that attempt.", Next: "Wait."},
	{Code: "BACKOFF", Title: "Nobody dials until a recorded wait is over.", Means: "The last attempt failed, and the Gateway is given time.", Matters: "It ends by itself.", How: "retry.scheduled without a client id. The gate stays BACKOFF until the next permit, also when the wait is over.", Next: "Wait; why it failed: replay timeline SOURCE"},
	{Code: "STOPPED", Title: "A restart is required, and nobody dials until a release.", Means: "The API layer of the Gateway counts as dead. No client, no retry, no health check and no restart of the recorder opens it.", Matters: "Sessions that are established stay up. Everything else waits for a person.", How: "restart.required. Left by restart.acknowledged or, in observe mode, by the end of the stop.", Next: "Restart the Gateway with its login, then: recorder resume NAME --reason TEXT"},
	{Code: "PROBATION", Title: "Released; a few attempts, one at a time, must show that it works.", Means: "A release was accepted and no attempt has become ready since.", Matters: "Ready opens the gate; the last silent attempt stops it again.", How: "restart.acknowledged. See settling and probation.", Next: "Wait for the first attempts: recorder status"},
}

// gateways are the states of the Gateway's API layer (fsm.API).
var gateways = []Page{
	{Code: "UNKNOWN", Title: "Nobody has seen anything of it in this run, or what was known is out of date.", Means: "A new run, a session that was lost, a close before the version.", Matters: "Unknown never reads as healthy.", How: "The state at the beginning, and after doubt.", Next: "Wait for the next attempt, or make one: recorder doctor --probe"},
	{Code: "ABSENT", Title: "Nothing listens on its port.", Means: "It is not running, or in its nightly restart.", Matters: "It backs off and stops nobody.", How: "A refused dial, or a reading of the socket table that says no twice.", Next: "Start it."},
	{Code: "STARTING", Title: "A release has begun a new epoch, and it was not seen to listen yet.", Means: "It takes minutes to start, with two-factor login.", Matters: "An empty port is no news now.", How: "restart.acknowledged.", Next: "Wait."},
	{Code: "LISTENING", Title: "Its port accepts, or its API has said something.", Means: "TCP came up; nobody has become ready in this epoch.", Matters: "A port that accepts proves nothing about the API behind it.", How: "A listener was seen, or a version or an error came.", Next: "Wait for the next attempt."},
	{Code: "READY", Title: "A handshake was complete.", Means: "nextValidId and managedAccounts both came, and nothing said otherwise since.", Matters: "The only state that means that it works.", How: "attempt.succeeded.", Next: "Nothing."},
	{Code: "DEGRADED", Title: "It has lost IB's servers, and its own socket is fine.", Means: "1100 or 2110 in a running session.", Matters: "Nothing is wrong with the Gateway: no restart is needed, and it never stops the gate.", How: "session.degraded, until 1101 or 1102 or a new handshake.", Next: "Wait; see IB's system status."},
	{Code: "SUSPECT", Title: "It accepted and then was silent.", Means: "One silent attempt, or a mute session, that has not stopped the gate yet.", Matters: "One more may stop it.", How: "A silent or timed-out attempt, or session.mute.", Next: "Look at its window."},
	{Code: "DOWN", Title: "It was proved dead, or reported so.", Means: "gateway.down is in the log.", Matters: "Down stays down until a release; whatever else is seen changes nothing.", How: "See gateway.down's reason.", Next: "Restart it with its login, then: recorder resume NAME --reason TEXT"},
}
