package rule

import "slices"

// EntryKind separates what is judged from what the judgement takes for granted.
type EntryKind string

const (
	// Rule: broken means VIOLATED.
	Rule EntryKind = "rule"
	// Assumption: not met means INCONCLUSIVE.
	Assumption EntryKind = "assumption"
)

// Entry describes a rule or an assumption, for the documentation and for explain.
type Entry struct {
	ID    string
	Kind  EntryKind
	Title string // one sentence
	Why   string // why it matters
	How   string // how it is judged
	Unit  string // of Result.Checked
}

// Catalogue returns every rule and assumption, in the order of a verdict.
func Catalogue() []Entry { return slices.Clone(catalogue[:]) }

// Lookup returns one entry by its id.
func Lookup(id string) (Entry, bool) {
	for i := range catalogue {
		if catalogue[i].ID == id {
			return catalogue[i], true
		}
	}
	return Entry{}, false
}

var catalogue = [...]Entry{
	{
		ID: "RS1", Kind: Rule, Unit: "attempts",
		Title: "After a stop nobody connects before a release.",
		Why:   "Each connect to a Gateway whose API layer is dead leaves another half-open socket behind and changes nothing; only a restart does.",
		How: "From restart.required to restart.acknowledged no attempt.permitted may come, no dial.started without a permit from before the stop, and no report of an attempt or a session that began in between. " +
			"A dial whose permit came before the stop belongs to an attempt that was already under way. A request is no attempt. A live report of a refused dial is none either: a program meets the recorder's closed port that way. A report of an attempt that the tap saw is no other one, unless it tells of a success that the tap did not see.",
	},
	{
		ID: "RS2", Kind: Rule, Unit: "failures and reports weighed",
		Title: "A stop is decided as soon as the evidence demands it.",
		Why:   "Until it is decided the next client dials again, and nobody is told.",
		How: "The silent attempts, dial timeouts and closes in a row are counted anew from the events, by the policy recorded before them. When a row reaches its limit, when the last attempt after a release is silent or its end is unknown, when the watch found one connection unaccepted at the Gateway's own listener in five samples or more and for as long as the version budget, or when gateway.down is recorded, restart.required must come before the next permit, and within a minute of the same run. " +
			"An attempt whose handshake.timed_out says that the Gateway let its whole budget pass was silent whatever its end is called, unless that names what the tap would have: an error code that came, or bytes that are no version. Budgets are those of the policy. An attempt that proves nothing (the client left early or sent no startAPI, its end is unknown, a reporter's timeout was below min_reported_budget, it was permitted before the last release) is as if it had not happened. Where the rule can be read in two ways, the reading with fewer failures is used. A stop that is still due when the stream ends is pending, and no breach.",
	},
	{
		ID: "RS3", Kind: Rule, Unit: "permits and clients that had something to wait for",
		Title: "Recorded delays and the number of attempts after a release are respected.",
		Why:   "A Gateway that has just come up fails its first connect and cannot bear a storm of them.",
		How: "No permit before the delay of a retry.scheduled that follows a failure of the Gateway, before the settle time after a release (from the first sight of a listener since the stop, if that is earlier), or before the probation spacing after a silent or unknown attempt; none after probation_attempts silent or unknown ones without success. " +
			"No startAPI of a client id is passed on before the delay of a retry.scheduled that names it, which must be as long as the policy says for the failures in a row that were its own doing (326, or it left after its startAPI), nor after such a failure without one. A release, ready of that id, and the end of a session of it, end it. " +
			"Durations come from mono within one run; what was pending at a start of the recorder counts in full from there. The cap on failures in a window and the cool-down of a client id are not judged.",
	},
	{
		ID: "RS4", Kind: Rule, Unit: "permits and ends",
		Title: "One attempt at a time, each with one end.",
		Why:   "Two handshakes at once cannot be told apart at a Gateway that answers neither.",
		How:   "When an attempt is permitted, every permitted attempt before it must have ended; after a crash attempt.unknown is the end. An end that the recorder writes must belong to an attempt that was under way; one that was never permitted can only be given up. A lease ends by a report of the runner that asked for it and nobody else's, or by attempt.unknown once its time is over.",
	},
	{
		ID: "RS5", Kind: Rule, Unit: "permits, dials and handshake events",
		Title: "Every dial is the effect of one permit, and every permit the answer to a request.",
		Why:   "A dial that no decision stands before is a dial that nothing could have stopped.",
		How:   "A permit names the waiting attempt.requested of its attempt as its cause; a report of one is none, unless it asks for a lease. A dial.started names the permit of its attempt, of the same run, as its cause, and no permit has two dials. dial.connected, dial.failed, handshake events and session.established belong to an attempt that was dialled: anything else is a hidden redial.",
	},
	{
		ID: "RS7", Kind: Rule, Unit: "permits, starts and releases",
		Title: "Only a release opens a stopped gate; a restart of the recorder or another policy does not.",
		Why:   "A latch that a restart forgets is no latch: service managers restart whatever fails.",
		How: "No permit after recorder.started or policy.loaded while the stop stands. A log that took over a stopped gate carries the stop on before any permit. A release rests on what was recorded since the stop: an observed restart that the readings for the stop and after it bear out, an operator's claim that was not rejected and after which the listener was read, or a claim that asks for the override. A claim is worth nothing while nothing listens, or the process of before the stop still does. " +
			"Permits, stops and contradictions are of the mode in force: one that holds nobody while the rule is enforced would be a release without one. " +
			"The epoch rises by one with restart.acknowledged and never otherwise.",
	},
	{
		ID: "RS8", Kind: Rule, Unit: "alerts of a stop",
		Title: "A stop is told on every channel, soon and once.",
		Why:   "Who is not told goes on waiting for a Gateway that only they can restart; who is told again and again stops to listen.",
		How: "A channel is known from what it told of a stop, or failed to, in the same run: where nobody subscribes there is nothing to judge. A minute after restart.required, and a second minute after the first event that is later than that, each of them must have told of that stop, or have failed to tell of anything since; one whose last try before the stop failed is at fault itself. The alert of a stop is raised once, no channel tells of one stop twice, and no alert.reminded follows an alert.acknowledged or alert.resolved of the same alert. " +
			"A stop that ended before it was told need not be, and one that is untold when the run or the stream ends is no breach.",
	},
	{
		ID: "RS9", Kind: Rule, Unit: "stops",
		Title: "Nothing is stopped without evidence.",
		Why:   "A needless stop keeps a trading program out of the market until somebody wakes up.",
		How:   "The reason of restart.required must be borne out by the events since the last success or release, by the policy recorded before it; wedged by a reading of the watch and nothing else. Refused dials, notices such as 1100 or 2110, a client id in use and an unaccepted disclaimer never are. Where the rule can be read in two ways, the reading with more failures is used.",
	},
	{
		ID: "RS10", Kind: Rule, Unit: "requests",
		Title: "Whom nothing holds is answered.",
		Why:   "A recorder that stops nobody from connecting by saying nothing is a fault of its own, and its clients cannot tell it from the Gateway's.",
		How: "A request at the tap must be permitted, denied or given up within a minute, and a second minute after the first event that is later than that, once nothing may hold it that the log shows: an attempt under way, a retry.scheduled, the settle time after a release, the spacing behind the end of an attempt after one, the cap on failures in a window. " +
			"Each of these is read as long as any reading has it, and with a new run or policy all of them begin again. A stop holds nobody: it denies. Requests for a lease are answered at once or never, and not judged.",
	},
	{
		ID: "A1", Kind: Assumption, Unit: "events",
		Title: "The stream is of one gateway and has no hole.",
		Why:   "What is missing could have been a release, or an attempt.",
		How:   "Each seq is one more than the one before. An event of another gateway is left out; after a hole nothing proves a breach.",
	},
	{
		ID: "A2", Kind: Assumption, Unit: "links",
		Title: "Each event names the hash of the stored bytes before it.",
		Why:   "Otherwise somebody, or a disk, has changed the history.",
		How:   "prev equals the SHA-256 of the stored event before. From the event before a broken link on, nothing proves a breach.",
	},
	{
		ID: "A3", Kind: Assumption, Unit: "events",
		Title: "Each event was written by whoever may write its kind.",
		Why:   "A permit or a release that anybody can write is none, and the tap's sight of the wire is worth more than anybody's word.",
		How: "Decisions, policies and starts are from /recorder, what the wire shows from /tap or /session, readings of the listener from /watch, claims from /operator/. Others tell how attempts and sessions of theirs went, ask, and say that the Gateway is down. " +
			"What somebody else wrote is not believed; if it tells of a connection, that one went around the recorder. A history that no recorder saw may have any source.",
	},
	{
		ID: "A4", Kind: Assumption, Unit: "events with a monotonic time",
		Title: "The monotonic clock does not go back within a run.",
		Why:   "Delays are judged by it.",
		How:   "mono never decreases within a boot. After it did, durations of that run are not judged.",
	},
	{
		ID: "A5", Kind: Assumption, Unit: "decisions, dials and ends",
		Title: "The policy of the run is known wherever it is needed.",
		Why:   "Limits and delays are the policy's.",
		How:   "policy.loaded comes before the first decision, dial and end of each run, and its hash is that of its values. Until it does, limits and delays are not judged. Events of unknown kinds do not decode at all.",
	},
	{
		ID: "A6", Kind: Assumption, Unit: "runs and gaps",
		Title: "Nothing is missing inside the stream, as far as the recorder knows.",
		Why:   "What was not recorded cannot be judged.",
		How:   "There is no recorder.gap; every run begins with recorder.started, which tells the end of the run before as the log shows it; and an attempt that a run left without an end is named by the start after it or closed as unknown. What was written down later stands in a stream of its own. Attempts that wait or are connected are dropped where there are more of them than a Gateway could have, and then what may belong to one is missing.",
	},
}
