//go:build !race

package compat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// client is one that can be had.
type client struct {
	name string // as the document calls it
	// driver is the script of a client in JavaScript, package what it loads. A client
	// in Go is this test binary itself, and its driver "".
	driver, pkg string
	// old speaks the protocol of before v100, whose first bytes are no hello.
	old bool
}

const (
	direct  = "scmhub/ibapi 0.10.47"
	session = "the built-in session"
)

var clients = []client{
	{name: direct},
	{name: session},
	{name: "@stoqey/ib 1.6.10", driver: "stoqey.js", pkg: "@stoqey/ib"},
	{name: "@stoqey/ib 1.2.39", driver: "stoqey.js", pkg: "stoqey-ib-1-2"},
	{name: "ib-tws-api 1.3.0", driver: "ib-tws-api.mjs", pkg: "ib-tws-api"},
	{name: "@stoqey/ib 0.1.3", driver: "ib.js", pkg: "stoqey-ib-0-1", old: true},
	{name: "ib 0.2.9", driver: "ib.js", pkg: "ib", old: true},
}

// meets says whether a client can be in a scene at all.
func (c client) meets(s scene) bool {
	// The built-in session makes no attempt while the gate is stopped
	// (TestAStopHoldsIt in internal/ibsession).
	return c.name != session || s.before != stopped && s.before != explains
}

const nodeFolder = "testdata/node"

// missing says why a client cannot be had here, and what to install; "" if it can.
func (c client) missing() string {
	if c.driver == "" {
		return ""
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "node is not installed; install Node.js 20 or later with npm, then: npm ci --prefix internal/compat/" + nodeFolder
	}
	if _, err := os.Stat(filepath.Join(nodeFolder, "node_modules", c.pkg)); err != nil {
		return "its package is not installed: npm ci --prefix internal/compat/" + nodeFolder
	}
	return ""
}

const (
	// patience is how long a client waits to be told anything: longer than any budget.
	patience = 9 * time.Second
	// linger is how long a session is kept: all that a scene sends comes at once.
	linger = 500 * time.Millisecond
)

// belief is what a client told the program that uses it.
type belief struct {
	Connected bool     `json:"connected"`
	Ready     bool     `json:"ready"` // both nextValidId and managedAccounts
	Heard     []string `json:"heard"`
	Ended     string   `json:"ended"` // closed, failed, waits, left, died
}

func (b belief) String() string {
	var s []string
	switch {
	case b.Ended == "died":
		return "its process dies (" + strings.Join(b.Heard, ", ") + ")"
	case b.Ready:
		s = append(s, "ready")
	case b.Connected:
		s = append(s, "connected")
	default:
		s = append(s, "not connected")
	}
	heard := slices.Clone(b.Heard)
	slices.Sort(heard) // their order is a race in some clients
	if len(heard) > 0 {
		s = append(s, strings.Join(slices.Compact(heard), ", "))
	}
	switch b.Ended {
	case "closed":
		s = append(s, "told of the end")
	case "waits":
		s = append(s, "waits on")
	}
	return strings.Join(s, "; ")
}

const childEnv = "IBRECORDER_COMPAT_CHILD"

// orders are what a child of this test binary does.
type orders struct {
	Client  string
	Host    string // of the recorder's port
	Port    int    // to connect to
	Data    string // folder of the built-in session's recorder
	Address string // of its Gateway
}

const clientID = 7

// run runs a client in a process of its own, to the end of its story.
func (c client) run(ctx context.Context, o orders) (b belief, _ error) {
	ctx, cancel := context.WithTimeout(ctx, 10*patience)
	defer cancel()
	o.Client = c.name
	text, err := json.Marshal(o)
	if err != nil {
		return b, err
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	if c.driver != "" {
		cmd = exec.CommandContext(ctx, "node", c.driver, c.pkg, o.Host, strconv.Itoa(o.Port), strconv.Itoa(clientID))
		cmd.Dir = nodeFolder
		cmd.Env = append(os.Environ(), fmt.Sprint("PATIENCE_MS=", patience.Milliseconds()), fmt.Sprint("LINGER_MS=", linger.Milliseconds()))
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines[len(lines)-1]) > 0 && json.Unmarshal([]byte(lines[len(lines)-1]), &b) == nil {
		return b, nil // whatever it prints before
	}
	if _, exited := errors.AsType[*exec.ExitError](err); exited && ctx.Err() == nil && c.name == direct {
		// The library's worst failure ends its process.
		return belief{Ended: "died", Heard: []string{fatal(said.String())}}, nil
	}
	return b, fmt.Errorf("%s reported nothing: %v\n%s%s", c.name, err, out.String(), said.String())
}

// fatal is what the runtime says of a process that it ends.
func fatal(said string) string {
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "panic: ") {
			return strings.TrimSpace(line)
		}
	}
	return "no word"
}
