package report

import (
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
)

// Document is what a report says of one span of a stream: `replay report -o json`
// prints it, and the page and the Markdown are written from it and from nothing
// else. Texts of events are made harmless in it, as plain says; the stored bytes
// are in no field.
type Document struct {
	Schema  int    `json:"schema_version"`
	Title   string `json:"title"`   // the heading
	Source  string `json:"source"`  // as it was typed
	Gateway string `json:"gateway"` // its name
	// Incident is the sequence of the stop that the report is about, 0 if it is of
	// a span that somebody chose.
	Incident uint64 `json:"incident,omitempty"`
	// Events is how many events the span has; First and Last are their sequences, 0 for none.
	Events int    `json:"events"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	// Begin and End are the first and the last time in the span, RFC 3339 in UTC.
	Begin *time.Time `json:"begin,omitempty"`
	End   *time.Time `json:"end,omitempty"`
	// LengthNS is from the first event to the last, by the monotonic clock of each
	// run and the wall clock between runs; absent where neither is known.
	LengthNS *int64 `json:"length_ns,omitempty"`
	// Outcome is that of everything up to the end of the span, because a rule that
	// is judged from the middle of a log rests on what came before.
	Outcome  rule.Outcome `json:"outcome"`
	Sentence string       `json:"sentence"` // says why
	// Elsewhere is how many of the findings lie before the span.
	Elsewhere int      `json:"findings_elsewhere"`
	Figures   []Figure `json:"figures"` // the numbers at the top
	Stops     []Stop   `json:"stops"`   // those in the span

	Story []Sentence `json:"story"` // what happened, in sentences
	// Untold are the sentences that the story leaves out, each once and counted.
	Untold   []Sentence   `json:"story_untold,omitempty"`
	Picture  Picture      `json:"picture"`  // from left to right
	Attempts []AttemptRow `json:"attempts"` // every one, those that went alike together
	// AttemptsMore is how many rows of attempts were left out.
	AttemptsMore int          `json:"attempts_more,omitempty"`
	Latency      []LatencyRow `json:"latency"`     // of each step of a handshake
	Rules        []RuleRow    `json:"rules"`       // what became of each
	Assumptions  []RuleRow    `json:"assumptions"` // what became of each
	Findings     []Cited      `json:"findings"`    // with their events
	Programs     []Program    `json:"programs"`    // who connected, or tried to
	Actions      []Action     `json:"actions"`     // what people did
	Alerts       []Action     `json:"alerts"`      // who was told
	Recovery     []Recovery   `json:"recovery"`    // how each stop was overcome
	Rows         []EventRow   `json:"rows"`        // the timeline
	// RowsMore is how many events come after the last row.
	RowsMore   int        `json:"rows_more,omitempty"`
	Provenance Provenance `json:"provenance"` // what it was made from

	// lines are the stored bytes of the span, newline after each; nil if they are
	// more than a page should carry.
	lines []byte
}

// What a page shows of a long span. The bounds keep a page of 10 000 events below
// 2 MB (TestAPageOfTenThousandEventsStaysSmall); everything is counted, and replay
// timeline and export have the rest.
const (
	maxRows     = 10_000
	maxStory    = 24
	maxBroken   = 6 // breaches of a rule from the middle of a story, beside maxStory
	maxAttempts = 200
	maxActions  = 50
	maxRecovery = 5
	maxLines    = 192 << 10 // bytes; a page with them stays below 300 KB
)

// Figure is one of the numbers at the top, as text.
type Figure struct {
	Name  string `json:"name"`           // what is counted
	Value string `json:"value"`          // as text
	Note  string `json:"note,omitempty"` // what it rests on
}

// Sentence is one thing that happened, and the event that says so.
type Sentence struct {
	Seq  uint64     `json:"seq"`            // sequence of the event
	Time *time.Time `json:"time,omitempty"` // RFC 3339, UTC; absent if it is not known
	Text string     `json:"text"`           // what happened
	// To is the last event that says the same, and Times how many do; absent for one.
	To    uint64 `json:"to,omitempty"`
	Times int64  `json:"times,omitempty"`

	key   string // sentences of one key in a row are one, "" is like nothing
	sort  events.Kind
	minor bool // left out first
}

// AttemptRow is one attempt, or several in a row that went alike.
type AttemptRow struct {
	Number int        `json:"number,omitempty"`  // from 1 in the order of the log; 0 for what the log has no attempt of
	Name   string     `json:"attempt,omitempty"` // its id
	Seq    uint64     `json:"seq"`               // its first event
	Time   *time.Time `json:"time,omitempty"`    // RFC 3339, UTC; absent if it is not known
	End    uint64     `json:"end,omitempty"`     // the event that ended it
	By     string     `json:"by"`                // the program
	Stage  string     `json:"stage,omitempty"`   // that it reached
	// Outcome is succeeded, failed, denied, abandoned, unknown, or open if it has no
	// end in the span.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"` // why it ended so
	// DurationNS is from the permit, or without one from the request, to the end.
	DurationNS *int64 `json:"duration_ns,omitempty"`
	// Times is how many attempts it stands for, from #Number on.
	Times int64 `json:"times"`
	Last  int   `json:"last_number,omitempty"` // number of the last of them, absent for one
}

// LatencyRow is how long one step of a handshake took, here and in the 28 days
// before in the same log.
type LatencyRow struct {
	Step   string  `json:"step"`   // of the handshake
	Here   Latency `json:"here"`   // in the span
	Before Latency `json:"before"` // in the 28 days before
}

// Latency is a distribution, in microseconds.
type Latency struct {
	N        int     `json:"n"`         // how many
	MedianUS int64   `json:"median_us"` // microseconds
	P95US    int64   `json:"p95_us"`    // microseconds, of 95 in 100 at most
	MaxUS    int64   `json:"max_us"`    // microseconds
	Counts   []int64 `json:"counts"`    // in the buckets that end at LatencyEdgesUS, the last one open
}

// LatencyEdgesUS are the upper ends of the buckets of Latency, in microseconds.
var LatencyEdgesUS = [...]int64{100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 50e3, 100e3, 200e3, 500e3, 1e6, 2e6, 5e6, 10e6, 30e6}

// RuleRow is one rule or assumption and what became of it, in words.
type RuleRow struct {
	ResultJSON
	Result string `json:"result"` // in words
}

// Cited is one finding with the events that make it.
type Cited struct {
	Rule   string     `json:"rule"`             // its id
	Title  string     `json:"title"`            // of the rule or assumption
	Seq    uint64     `json:"seq"`              // sequence of the event
	Text   string     `json:"text"`             // what happened
	Why    string     `json:"why"`              // why it matters
	Proves string     `json:"proves,omitempty"` // what is special about it
	Hint   string     `json:"hint"`             // the command that shows more
	Inside bool       `json:"inside"`           // it lies in the span
	Events []EventRow `json:"events"`           // those that make it
}

// Program is who connected, or tried to.
type Program struct {
	Name     string `json:"name"`     // who it is, by its client id, its runner or its address
	Attempts int64  `json:"attempts"` // how many
	Ready    int64  `json:"ready"`    // of them
	Failed   int64  `json:"failed"`   // of them
	Denied   int64  `json:"denied"`   // of them
	Other    int64  `json:"other"`    // abandoned, of unknown end, or without one
}

// Action is what somebody did or was told.
type Action struct {
	Seq  uint64     `json:"seq"`            // sequence of the event
	Time *time.Time `json:"time,omitempty"` // RFC 3339, UTC; absent if it is not known
	By   string     `json:"by"`             // who
	What string     `json:"what"`           // did or was told
}

// Recovery is how one stop was overcome, step by step.
type Recovery struct {
	Stop  uint64 `json:"stop"`  // its sequence
	Steps []Step `json:"steps"` // in their order
}

// Step is one thing that had to happen after a stop, and the event that confirms
// it. Seq is 0 if none does.
type Step struct {
	What    string     `json:"what"`               // had to happen
	Seq     uint64     `json:"seq,omitempty"`      // of the event that confirms it, absent if none does
	Time    *time.Time `json:"time,omitempty"`     // RFC 3339, UTC; absent if it is not known
	AfterNS *int64     `json:"after_ns,omitempty"` // since the stop
	Note    string     `json:"note,omitempty"`     // what is to be known of it
}

// EventRow is one event, or a repetition of a pattern of events that was told
// before it: then To is the last event of it and Times how often it came again.
type EventRow struct {
	RowJSON
	To    uint64 `json:"to,omitempty"`    // last event of a repetition
	Times int    `json:"times,omitempty"` // how often the pattern came again
}

// Says is what stands in the last column of a table.
func (r EventRow) Says() string {
	if r.Times == 0 {
		return r.Detail
	}
	return isAre(r.Times, "time ", "times ") + r.Detail
}

// Provenance says what the report was made from, and how to check it.
type Provenance struct {
	Version     string      `json:"version"`          // of what made the report
	Recorder    []string    `json:"recorder"`         // versions that wrote the span, as they say
	RuleSet     int         `json:"rule_set"`         // of the judge
	FoldVersion int         `json:"fold_version"`     // of the state
	Head        string      `json:"head"`             // SHA-256 of the last event
	State       string      `json:"state"`            // hash of the state after it
	Gate        fsm.Gate    `json:"gate"`             // after it
	Judged      int         `json:"judged"`           // how many events
	Scope       string      `json:"scope"`            // what the verdict is about
	Anchor      string      `json:"anchor,omitempty"` // that the stream starts later than 1
	Broken      *BrokenJSON `json:"broken,omitempty"` // where it could not be read on
	Doubts      []string    `json:"doubts,omitempty"` // what is wrong with the place that it came from
	Verify      string      `json:"verify"`           // the command that gives the same verdict
	Export      string      `json:"export"`           // the one that copies the events
	Again       string      `json:"again"`            // the one that makes this report
	Timeline    string      `json:"timeline"`         // the one that tells every event, those that have no row here among them
}

// Picture is what happened from left to right. Places are nanoseconds since the
// first event, or where the times are not known, numbers of events.
type Picture struct {
	Clocked bool   `json:"clocked"` // places are nanoseconds since the first event, and else numbers of events
	Length  int64  `json:"length"`  // the last place
	Lanes   []Lane `json:"lanes"`   // from top to bottom
}

// Lane is one row of a picture.
type Lane struct {
	Name  string `json:"name"`  // what it is of
	Bands []Band `json:"bands"` // states that lasted
	Marks []Mark `json:"marks"` // what happened at one place
}

// Band is a state that lasted.
type Band struct {
	State string     `json:"state"`          // its name
	From  int64      `json:"from"`           // place where it begins
	To    int64      `json:"to"`             // place where it ends
	Seq   uint64     `json:"seq"`            // the event that began it
	Time  *time.Time `json:"time,omitempty"` // when it began
	// Before says that it began before the span; From is 0 then.
	Before bool `json:"before,omitempty"`

	from, to spot
}

// Mark is something that happened at one place, or N alike from there to To.
type Mark struct {
	Sign string     `json:"sign"`           // one character
	At   int64      `json:"at"`             // place of the first
	To   int64      `json:"to"`             // place of the last
	N    int64      `json:"n"`              // how many are alike
	Seq  uint64     `json:"seq"`            // of the first event
	Time *time.Time `json:"time,omitempty"` // of the first event
	Text string     `json:"text"`           // what it is

	at, to spot
}

// The signs of marks, the ones that hide others first.
const (
	signViolated = "violated"
	signFailed   = "failed"
	signGap      = "gap"
	signDenied   = "denied"
	signRestart  = "restart"
	signAlert    = "alert"
	signOperator = "operator"
	signUnknown  = "unknown"
	signReady    = "ready"
)

// elapsedOf is Elapsed for a field that may be absent.
func elapsedOf(a, b *events.Event) *int64 {
	if a == nil || b == nil {
		return nil
	}
	return elapsed(*a, *b)
}
