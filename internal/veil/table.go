package veil

import (
	"fmt"
	"reflect"
	"strings"

	"ibrecorder/events"
)

// class says what becomes of a field.
type class uint8

const (
	shown   class = iota
	words         // any text; the commitment takes its place
	person        // the same, but that the recorder itself is shown: its policy writes that, and is computed again
	name          // an identifier, or a list of them; hidden unless it is the recorder's own
	process       // a process id, a number that the commitment's takes the place of
	address       // host:port, of which the host is hidden
)

// classOf says of a payload's field by its name in JSON whether it is shown. One name
// means one thing in every kind. Numbers and closed sets that are not in it are shown;
// a text must be (TestEveryFieldIsClassified).
//
// Ports are shown: those of programs are drawn by the system and name nobody, and reports
// are joined with what the tap saw by them. A start time is shown like any other time.
var classOf = map[string]class{
	"by":            person,
	"reason":        words, // of an operator or a runner; a reason of a closed set is shown
	"text":          words,
	"channel":       words,
	"options":       words, // what a program sent
	"first_bytes":   words,
	"force_env":     words,
	"process":       words,
	"socket":        words,
	"old_hash":      words, // a hash of stored bytes: whoever guesses what they hide would know by it
	"account_keys":  name,
	"evidence":      name,
	"unfinished":    name,
	"peer":          address,
	"address":       address,
	"pid":           process,
	"old_pid":       process,
	"version":       shown, // of the recorder
	"previous_boot": shown,
	"preset":        shown,
	"hash":          shown, // of a policy
	"policy":        shown,
	"rule":          shown,
	"incident":      shown, // the name of the gateway, which is shown, and a sequence
}

// itself is how the recorder is called where a person could be.
const itself = "recorder"

// hidden is a field of a payload type that is not shown.
type hidden struct {
	name  string
	index []int
	class class
}

// plans holds what is hidden of each payload type. It is made once and never changes.
var plans = func() map[reflect.Type][]hidden {
	all := map[reflect.Type][]hidden{}
	for _, info := range events.Kinds() {
		zero, err := events.New(info.Kind)
		if err != nil {
			panic(err) // it is a kind
		}
		t := reflect.TypeOf(zero)
		for _, f := range reflect.VisibleFields(t) {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			c := classOf[tag]
			if f.Anonymous || c == shown || !fits(c, f.Type) {
				continue
			}
			all[t] = append(all[t], hidden{name: tag, index: f.Index, class: c})
		}
	}
	return all
}()

// fits says whether a field has the type that its class is about: the reason of a
// closed set is no text, and its type says so.
func fits(c class, t reflect.Type) bool {
	switch c {
	case words, person, address:
		return t == reflect.TypeFor[string]()
	case name:
		return t == reflect.TypeFor[[]string]()
	case process:
		return t == reflect.TypeFor[int64]()
	}
	return false
}

// ShowsError says which field of which event is not hidden although the line is said to
// be veiled.
type ShowsError struct {
	Seq   uint64
	Field string
}

func (e *ShowsError) Error() string {
	return fmt.Sprintf("event #%d shows its %s, and is said to be redacted", e.Seq, e.Field)
}
