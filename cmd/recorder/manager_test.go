package main

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// managers are what the service managers of the scripts have heard, by the address that
// they listen at.
var managers = struct {
	sync.Mutex
	heard map[string][]string
}{heard: map[string][]string{}}

// manager listens as systemd does, for what is started from here on.
func manager(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 0, "manager")
	name := filepath.Join(ts.Getenv("D"), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
	ts.Setenv("NOTIFY_SOCKET", name)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return // closed
			}
			managers.Lock()
			managers.heard[name] = append(managers.heard[name], string(buf[:n]))
			managers.Unlock()
		}
	}()
}

// told waits until the manager has heard what matches, or with ! wants that it has not,
// and forgets that and everything before it.
func told(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) == 1, "[!] told PATTERN")
	pattern := regexp.MustCompile("(?s)" + args[0])
	name := ts.Getenv("NOTIFY_SOCKET")
	look := func() (bool, string) {
		managers.Lock()
		defer managers.Unlock()
		heard := managers.heard[name]
		i := slices.IndexFunc(heard, pattern.MatchString)
		if i >= 0 {
			managers.heard[name] = heard[i+1:]
		}
		return i >= 0, fmt.Sprintf("heard %q", heard)
	}
	if !neg {
		eventually(ts, look)
		return
	}
	if is, saw := look(); is {
		ts.Fatalf("%s", saw)
	}
}
