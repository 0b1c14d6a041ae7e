//go:build !race

package compat_test

import (
	"strings"

	"ibrecorder/internal/gwsim"
)

// scene is one thing that a Gateway does, and what is true of it.
type scene struct {
	name  string
	about string
	// script of the Gateway; "" is the behaviour of that name.
	script string
	truth  string // what the recorder has to say, in the words of says
	before before
}

// before is what has happened when the client comes.
type before string

const (
	nothing  before = ""
	deaf     before = "nobody listens at the Gateway's address"
	fullUp   before = "the Gateway's kernel takes no more connects"
	other    before = "another program is connected, with the same client id"
	stopped  before = "the gate was stopped"
	explains before = "the gate was stopped, and held is explain"
)

const ended = "ready; ended on this side"

// truths are those of the simulator's own behaviours.
var truths = map[string]string{
	"healthy":             ended,
	"silent":              "failed: accepted_no_bytes; STOPPED",
	"fin-before-version":  "failed: fin_before_version",
	"rst-before-version":  "failed: rst_before_version",
	"bad-version":         "failed: bad_version",
	"garbage-version":     "failed: bad_version",
	"foreign":             "failed: bad_version",
	"half-frame":          "failed: bad_version",
	"no-ready":            "failed: version_no_ready; STOPPED",
	"close-after-version": "failed: closed_before_ready",
	"client-id-in-use":    "failed: client_id_in_use, 326; codes 326",
	"disclaimer":          "failed: disclaimer_pending, 10141; codes 10141",
	"slow":                ended,
	"farms":               ended + "; codes 2104 2106 2158",
	"upstream-lost":       "ready; degraded 1100; restored 1102; ended on this side; codes 1100 1102",
	"port-reset":          "ready; lost: port_reset; codes 1300",
	"drop-after-ready":    "ready; lost: rst",
	"fin-after-ready":     "ready; lost: fin",
	"mute-after-ready":    ended,
	"wedged":              "failed: accepted_no_bytes; STOPPED",
}

// more are scenes that no behaviour has.
var more = []scene{
	{"refused", "nothing listens", "play healthy", "failed: refused", deaf},
	{"dial-timeout", "the kernel in front of it answers no connect", "play healthy", "failed: dial_timeout", fullUp},
	{"rst-after-version", "version, then RST", "hello\nrst", "failed: closed_before_ready", nothing},
	{"no-accounts", "nextValidId, and managedAccounts never", "hello\nwait start-api\nnext-id\nsilence", "failed: version_no_ready; STOPPED", nothing},
	{"no-next-id", "managedAccounts, and nextValidId never", "hello\nwait start-api\naccounts\nsilence", "failed: version_no_ready; STOPPED", nothing},
	{"error-before-ready", "an error that belongs to no request, then FIN", "hello\nwait start-api\nerror -1 507 \"Bad message length\"\nfin",
		"failed: error_before_ready, 507; codes 507", nothing},
	{"close-after-start-api", "takes startAPI and closes", "hello\nwait start-api\nfin", "failed: closed_before_ready", nothing},
	{"lost-before-ready", "has no connection to IB's servers (1100), and is ready all the same", "hello\nwait start-api\nerror -1 1100 \"lost\"\nready\nserve",
		"ready; degraded 1100; ended on this side; codes 1100", nothing},
	{"lost-and-silent", "has no connection to IB's servers (1100), and is never ready", "hello\nwait start-api\nerror -1 1100 \"lost\"\nsilence",
		"failed: version_no_ready; STOPPED; codes 1100", nothing},
	{"competing-session", "ready, then 10197", "hello\nwait start-api\nready\nerror -1 10197 \"No market data during competing live session\"\nserve",
		ended + "; codes 10197", nothing},
	{"same-client-id", "healthy, and the client id is another program's: the simulator's own 326", "play healthy",
		"failed: client_id_in_use, 326; codes 326", other},
	{"held", "healthy, and nobody may dial: the recorder's port is closed", "play healthy", "nothing, and nothing was dialled; STOPPED", stopped},
	{"held-and-told", "healthy, and nobody may dial: the recorder's port explains", "play healthy", "counted as denied, and nothing was dialled; STOPPED", explains},
}

// scenes are all of them, the simulator's behaviours first. A behaviour without a truth
// has none, which is never right.
func scenes() []scene {
	var all []scene
	for _, b := range gwsim.Behaviours() {
		s := scene{name: b.Name, about: b.About, script: "play " + b.Name, truth: truths[b.Name]}
		if b.Name == "wedged" { // it serves the first
			s.before = other
		}
		all = append(all, s)
	}
	return append(all, more...)
}

func (s scene) plan() (*gwsim.Script, error) { return gwsim.Parse(strings.NewReader(s.script)) }
