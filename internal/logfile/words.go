package logfile

// words are looked for in a line whatever their case, by the first letter of each.
type words [256][]string

func wordsOf(lists ...[]string) *words {
	var w words
	for _, list := range lists {
		for _, word := range list {
			w[word[0]] = append(w[word[0]], word)
		}
	}
	return &w
}

// in reports whether one of them stands in s.
func (w *words) in(s string) bool {
	for i := range len(s) {
		for _, word := range w[lower(s[i])] {
			if fits(s[i:], word) && (len(word) > 3 || whole(s, i, i+len(word))) {
				return true
			}
		}
	}
	return false
}

func fits(s, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := range len(word) {
		if lower(s[i]) != word[i] {
			return false
		}
	}
	return true
}

// whole reports whether a short word is one by itself.
func whole(s string, from, to int) bool {
	return (from == 0 || !letter(s[from-1])) && (to == len(s) || !letter(s[to]))
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// about are what lines about connections are about. One that has any of these and is no
// phrase was not understood.
var about = []string{"connect", "handshake", "gateway", "tws", "timeout", "timed out", "time out", "refused", "client id", "clientid", "zombie", "close_wait",
	"restart", "errno", "socket", "2fa", "second factor", "ib api"}

// beside are what phrases have that are about nothing of these: TestWhatLinesBecome has
// a row for each.
var beside = []string{"api ", "logged on to server", "synchronization complete", "error ", "warning ", "received signal", "retrying in ", "ibkr", "circuit", "event=",
	"stall detected", "runner not running", "runner_exit_event", "notification sent", "terminal safety", "watchdog", "ibc", "traceback", "sigterm"}

var (
	aboutConnections = wordsOf(about)
	worthReading     = wordsOf(about, beside)
)
