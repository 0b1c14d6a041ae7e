package gwsim

import (
	"fmt"
	"slices"
	"strings"
)

// Behaviour is a script with a name.
type Behaviour struct {
	Name   string
	About  string // one line for a list
	Script string
}

// Behaviours lists the named behaviours, the healthy one first.
func Behaviours() []Behaviour { return slices.Clone(behaviours) }

// Named is the script of a named behaviour. The error names the known ones.
func Named(name string) (*Script, error) {
	i := slices.IndexFunc(behaviours, func(b Behaviour) bool { return b.Name == name })
	if i < 0 {
		known := make([]string, len(behaviours))
		for i, b := range behaviours {
			known[i] = b.Name
		}
		return nil, fmt.Errorf("gwsim: no behaviour %q; known are %s", name, strings.Join(known, ", "))
	}
	return Parse(strings.NewReader(behaviours[i].Script))
}

const (
	disclaimerText = "Please accept the paper trading disclaimer before connecting to the API."
	clientIDText   = "Unable to connect as the client id is already in use. Retry with a unique client id."
)

// behaviours name what Gateways and what stands in front of them were seen to do.
var behaviours = []Behaviour{
	{"healthy", "version, accounts and next id, then answers currentTime", `
		hello
		wait start-api
		ready
		serve`},
	{"silent", "accepts, reads, never answers: a wedged Gateway, or one behind a proxy", `
		silence`},
	{"fin-before-version", "takes the hello and closes: a proxy in front of nothing, or an untrusted address", `
		wait hello
		fin`},
	{"rst-before-version", "takes the hello and resets", `
		wait hello
		rst`},
	{"bad-version", "answers with a version that no client offered", `
		version 30
		silence`},
	{"garbage-version", "answers with a frame that is no version reply", `
		wait hello
		frame "banana\x00now\x00"
		silence`},
	{"foreign", "answers in HTTP", `
		wait hello
		send "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
		fin`},
	{"half-frame", "sends half of its version reply, then nothing", `
		wait hello
		send "\x00\x00\x00\x1a176\x002026"
		silence`},
	{"no-ready", "version, then nothing: the API layer is up, its session is not", `
		hello
		silence`},
	{"close-after-version", "version, then FIN", `
		hello
		fin`},
	{"client-id-in-use", "answers startAPI with 326 and closes", `
		hello
		wait start-api
		error -1 326 "` + clientIDText + `"
		fin`},
	{"disclaimer", "answers startAPI with 10141 and closes", `
		hello
		wait start-api
		error -1 10141 "` + disclaimerText + `"
		fin`},
	{"slow", "healthy, with a byte every 5 ms", `
		slow 5ms
		hello
		wait start-api
		ready
		serve`},
	{"farms", "healthy, with farm notices before and after ready", `
		hello
		wait start-api
		error -1 2104 "Market data farm connection is OK:usfarm"
		accounts
		error -1 2106 "HMDS data farm connection is OK:ushmds"
		next-id
		error -1 2158 "Sec-def data farm connection is OK:secdefil"
		serve`},
	{"upstream-lost", "healthy, then loses IB's servers (1100) and finds them again (1102)", `
		hello
		wait start-api
		ready
		error -1 1100 "Connectivity between IBKR and Trader Workstation has been lost."
		error -1 1102 "Connectivity between IBKR and Trader Workstation has been restored - data maintained."
		serve`},
	{"port-reset", "ready, then says that its port was changed (1300) and closes", `
		hello
		wait start-api
		ready
		error -1 1300 "TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - 4001"
		fin`},
	{"drop-after-ready", "ready, then RST", `
		hello
		wait start-api
		ready
		rst`},
	{"fin-after-ready", "ready, then FIN", `
		hello
		wait start-api
		ready
		fin`},
	{"mute-after-ready", "ready, answers one currentTime, then nothing: a frozen Gateway", `
		hello
		wait start-api
		ready
		serve 1
		silence`},
	{"wedged", "serves what it has accepted, but accepts no more connections", `
		wedge
		hello
		wait start-api
		ready
		serve`},
}
