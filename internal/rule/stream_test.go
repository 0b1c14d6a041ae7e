package rule

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
)

// The streams of the tests are written one event a line:
//
//	[+30s] kind [attempt] [key=value ...]
//
// +30s is time since the line before, on the clock of the run. A key is an
// attribute (by, boot, conn, cause, epoch, seq, subject, mono, id) or a field of
// the payload. Sequence, id, hash chain, epoch and the usual cause are filled in;
// cause=none leaves it out. These words stand for several lines:
//
//	start          recorder.started, policy.loaded (handoff: one silent attempt stops)
//	crash          the same, of a run after one that left no recorder.stopped
//	ask A          client.opened, client.hello, attempt.requested
//	dial A         ask A, attempt.permitted, dial.started
//	silent A       dial A and, 30 s later, attempt.failed accepted_no_bytes
//	ready A        dial A, the handshake, attempt.succeeded, session.established
//	up A           dial A and the handshake until its startAPI was passed on
//	used A         up A, and 326
//	wedged         gateway.observed of a connection that was left unaccepted for 30 s
//	stop           gateway.down, restart.required
//	resume         restart.claimed, gateway.observed, restart.acknowledged on the operator's word
var words = map[string][]string{
	"start":  {"recorder.started", "policy.loaded"},
	"crash":  {"recorder.started previous=crashed", "policy.loaded"},
	"ask":    {"client.opened A conn=c-A", "client.hello A conn=c-A", "attempt.requested A conn=c-A"},
	"dial":   {"ask A", "attempt.permitted A", "dial.started A"},
	"silent": {"dial A", "dial.connected A", "+30s attempt.failed A"},
	"ready":  {"dial A", "dial.connected A", "handshake.version A", "handshake.api_started A", "handshake.ready A", "attempt.succeeded A", "session.established A conn=c-A"},
	"up":     {"dial A", "dial.connected A", "handshake.version A", "handshake.api_started A"},
	"used":   {"up A", "attempt.failed A reason=client_id_in_use stage=started code=326 waited_ms=0"},
	"wedged": {"gateway.observed owner=gateway wedged_samples=7 wedged_ms=30000"},
	"stop":   {"gateway.down by=/recorder", "restart.required"},
	"resume": {"restart.claimed", "gateway.observed", "restart.acknowledged"},
}

// usual fills the fields that every test would have to set.
var usual = map[string]string{
	"recorder.started":      "version=test previous=none",
	"recorder.stopped":      "reason=signal",
	"recorder.gap":          "reason=overflow",
	"policy.loaded":         "preset=handoff mode=enforce silent_limit=1 dial_timeout_limit=3 version_budget_ms=30000 ready_budget_ms=30000 min_reported_budget_ms=10000 settle_ms=30000 probation_attempts=2 probation_spacing_ms=60000",
	"client.opened":         "peer=127.0.0.1:50000",
	"client.closed":         "by=client how=fin",
	"attempt.permitted":     "enforced=true",
	"attempt.denied":        "reason=stopped count=1",
	"attempt.failed":        "reason=accepted_no_bytes stage=connected waited_ms=30000 limit_ms=30000",
	"attempt.abandoned":     "stage=connected",
	"attempt.unknown":       "reason=recorder_died",
	"dial.started":          "address=127.0.0.1:4002",
	"dial.failed":           "reason=refused",
	"handshake.timed_out":   "stage=connected waited_ms=30000 limit_ms=30000",
	"session.lost":          "reason=fin",
	"session.closed":        "by=client how=fin",
	"gateway.notice":        "code=1100 origin=wire count=1",
	"gateway.observed":      "listening=yes owner=unknown",
	"gateway.down":          "reason=silent",
	"restart.required":      "reason=silent enforced=true",
	"restart.claimed":       "by=night-shift reason=restarted",
	"restart.acknowledged":  "basis=word by=night-shift",
	"restart.rejected":      "why=process_unchanged by=night-shift",
	"retry.scheduled":       "delay_ms=5000",
	"rule.violated":         "rule=RS1 text=x",
	"operator.noted":        "by=night-shift text=x",
	"handshake.ready":       "accounts=1",
	"disconnect.deferred":   "stage=connected how=fin",
	"session.established":   "",
	"attempt.succeeded":     "",
	"gateway.contradicted":  "ends=true",
	"handshake.version":     "server_version=187",
	"handshake.api_started": "client_id=7",
	"alert.raised":          "about=stop incident=paper-1 of=1",
	"alert.reminded":        "incident=paper-1 raised=1 number=1 most=8",
	"alert.acknowledged":    "incident=paper-1 raised=1 by=kim",
	"alert.resolved":        "about=stop incident=paper-1 raised=1 of=1",
	"alert.delivered":       "channel=command tries=1",
	"alert.failed":          "channel=command try=1 exit_code=1",
}

// causes names the kind whose last event, of the same attempt if it has one, is
// the cause.
var causes = map[string]string{
	"attempt.permitted":  "attempt.requested",
	"dial.started":       "attempt.permitted",
	"retry.scheduled":    "attempt.failed",
	"restart.required":   "gateway.down",
	"alert.raised":       "restart.required",
	"alert.reminded":     "alert.raised",
	"alert.acknowledged": "alert.raised",
	"alert.resolved":     "restart.acknowledged",
	"alert.delivered":    "restart.required",
	"alert.failed":       "restart.required",
}

// sources is who sees what, if not the tap.
var sources = map[string]string{
	"recorder": "/recorder", "policy": "/recorder", "restart": "/recorder", "retry": "/recorder", "operator": "/operator/cli", "alert": "/recorder",
}

// builder turns lines into records.
type builder struct {
	tb       testing.TB
	recs     []events.Record
	names    map[uint64]string // seq -> "kind attempt"
	lastID   map[string]string // "kind" and "kind attempt" -> id
	boot     int
	mono     time.Duration
	epoch    uint64
	seq      uint64
	prev     events.Hash
	imported bool
}

func newBuilder(tb testing.TB) *builder {
	return &builder{tb: tb, names: map[uint64]string{}, lastID: map[string]string{}}
}

// stream builds all lines; a semicolon ends one too.
func stream(tb testing.TB, lines string) *builder {
	tb.Helper()
	b := newBuilder(tb)
	for line := range strings.FieldsFuncSeq(lines, func(r rune) bool { return r == '\n' || r == ';' }) {
		if f := strings.Fields(line); len(f) > 0 {
			b.line(f)
		}
	}
	return b
}

func (b *builder) line(f []string) {
	b.tb.Helper()
	if d, ok := strings.CutPrefix(f[0], "+"); ok {
		wait, err := time.ParseDuration(d)
		if err != nil {
			b.tb.Fatal(err)
		}
		b.mono += wait
		f = f[1:]
	}
	if f[0] == "import" { // everything from here is a history that no recorder saw
		b.imported = true
		return
	}
	expand, isWord := words[f[0]]
	if !isWord {
		b.event(f[0], f[1:])
		return
	}
	// A word passes its attempt to every line it stands for, and its other
	// arguments to those lines that have such a field.
	for _, l := range expand {
		if len(f) > 1 && !strings.Contains(f[1], "=") {
			l = strings.ReplaceAll(l, "A", f[1])
		}
		g := strings.Fields(l)
		for _, arg := range f[1:] {
			if key, _, ok := strings.Cut(arg, "="); ok && (words[g[0]] != nil || len(expand) == 1 || b.takes(g, key)) {
				g = append(g, arg)
			}
		}
		b.line(g)
	}
}

func (b *builder) takes(g []string, key string) bool {
	name := g[0]
	if strings.HasPrefix(name, "+") {
		name = g[1]
	}
	if words[name] != nil {
		return true
	}
	p, err := events.New(events.Kind(name))
	if err != nil {
		b.tb.Fatal(err)
	}
	_, ok := fieldOf(reflect.New(reflect.TypeOf(p)).Elem(), key)
	return ok
}

func (b *builder) event(kind string, args []string) {
	b.tb.Helper()
	p, err := events.New(events.Kind(kind))
	if err != nil {
		b.tb.Fatal(err)
	}
	v := reflect.New(reflect.TypeOf(p)).Elem()
	e := events.Event{Gateway: "paper", Source: "/tap", Epoch: b.epoch}
	if s := sources[events.Kind(kind).Group()]; s != "" {
		e.Source = s
	}
	switch kind {
	case "attempt.permitted", "attempt.denied", "attempt.unknown", "gateway.down", "gateway.contradicted":
		e.Source = "/recorder"
	case "alert.acknowledged":
		e.Source = "/operator/cli"
	case "gateway.observed":
		e.Source = "/watch"
	case "restart.claimed":
		e.Source = "/operator/cli"
	}
	switch {
	case b.imported:
		e.Boot, e.Mono = events.BootImport, events.NoMono
	case kind == "recorder.started":
		if b.boot > 0 {
			set(b.tb, v, "previous_boot", fmt.Sprint("b", b.boot))
		}
		b.boot, b.mono = b.boot+1, 0
	}
	if kind == "restart.acknowledged" {
		b.epoch++
		e.Epoch = b.epoch
	}
	if !b.imported {
		e.Boot, e.Mono = fmt.Sprint("b", b.boot), int64(b.mono)
	}
	b.seq++
	if len(args) > 0 && !strings.Contains(args[0], "=") {
		e.Attempt, args = args[0], args[1:]
	}
	e.Seq, e.Prev, e.ID = b.seq, b.prev, fmt.Sprintf("%s-paper-%d", e.Boot, b.seq)
	if c := causes[kind]; c != "" {
		e.Cause = b.lastID[strings.TrimSpace(c+" "+e.Attempt)]
	}
	for _, arg := range append(strings.Fields(usual[kind]), args...) {
		key, value, _ := strings.Cut(arg, "=")
		b.attribute(&e, v, key, value)
	}
	if p, ok := v.Interface().(events.PolicyLoaded); ok && p.Hash == "" {
		set(b.tb, v, "hash", hashOf(p.Params))
	}
	if strings.HasPrefix(e.Source, "/runner/") && e.Conn == "" && kind == "attempt.failed" && !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "waited_ms") }) {
		set(b.tb, v, "waited_ms", "0")
	}
	e.Data = v.Interface().(events.Payload)
	rec, err := events.NewRecord(e)
	if err != nil {
		b.tb.Fatalf("%s: %v", kind, err)
	}
	b.recs = append(b.recs, rec)
	b.seq, b.prev, b.epoch = e.Seq, rec.Hash(), e.Epoch
	b.names[e.Seq] = strings.TrimSpace(kind + " " + e.Attempt)
	b.lastID[kind], b.lastID[b.names[e.Seq]] = e.ID, e.ID
}

func (b *builder) attribute(e *events.Event, v reflect.Value, key, value string) {
	b.tb.Helper()
	switch key {
	case "by":
		if strings.HasPrefix(value, "/") {
			e.Source = value
			return
		}
		set(b.tb, v, key, value)
	case "boot":
		e.Boot = value
	case "conn":
		e.Conn = value
	case "id":
		e.ID = value
	case "subject":
		e.Gateway = value
	case "cause":
		switch {
		case value == "none":
			e.Cause = ""
		default:
			e.Cause = b.lastID[strings.ReplaceAll(value, "@", " ")]
			if e.Cause == "" {
				b.tb.Fatalf("cause=%s: no such event yet", value)
			}
		}
	case "prev":
		e.Prev = events.HashOf([]byte(value))
	case "seq", "epoch", "mono":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			b.tb.Fatal(err)
		}
		switch key {
		case "seq":
			e.Seq = uint64(n)
			e.ID = fmt.Sprintf("%s-paper-%d", e.Boot, n)
		case "epoch":
			e.Epoch = uint64(n)
		case "mono":
			e.Mono = n
		}
	default:
		set(b.tb, v, key, value)
	}
}

func fieldOf(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Anonymous {
			if f, ok := fieldOf(v.Field(i), name); ok {
				return f, true
			}
			continue
		}
		if tag, _, _ := strings.Cut(sf.Tag.Get("json"), ","); tag == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func set(tb testing.TB, v reflect.Value, name, value string) {
	tb.Helper()
	f, ok := fieldOf(v, name)
	if !ok {
		tb.Fatalf("%s has no field %s", v.Type(), name)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	switch f.Interface().(type) {
	case bool:
		f.SetBool(value == "true")
	case int64:
		f.SetInt(n)
	case uint64:
		f.SetUint(uint64(n))
	case *int64:
		f.Set(reflect.ValueOf(&n))
	case []string:
		f.Set(reflect.ValueOf(strings.Split(value, ",")))
	default:
		f.SetString(value)
		err = nil
	}
	if err != nil && f.CanInt() {
		tb.Fatalf("%s.%s: %v", v.Type(), name, err)
	}
}

// all yields the records from the one with index from.
func (b *builder) all(from int) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for _, r := range b.recs[from:] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// tell writes findings as tests expect them:
//
//	RS1 attempt.permitted a2 <- restart.required [bypassed|observed|disputed]
func (b *builder) tell(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		s := f.Rule + " " + b.names[f.Seq]
		var why []string
		for _, seq := range f.Because {
			why = append(why, b.names[seq])
		}
		if len(why) > 0 {
			s += " <- " + strings.Join(why, ", ")
		}
		for _, mark := range []struct {
			set  bool
			name string
		}{{f.Bypassed, "bypassed"}, {f.Observed, "observed"}, {f.Disputed, "disputed"}} {
			if mark.set {
				s += " [" + mark.name + "]"
			}
		}
		out = append(out, s)
	}
	return out
}

// findings are those of all rules, in the order of the stream.
func findings(v Verdict) []Finding {
	var out []Finding
	for _, r := range v.Rules {
		out = append(out, r.Findings...)
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return a.Index - b.Index })
	return out
}

func failed(v Verdict) []Finding {
	var out []Finding
	for _, r := range v.Assumptions {
		out = append(out, r.Findings...)
	}
	return out
}
