package watch

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"ibrecorder/events"
)

// namespace is a network namespace as one of its processes shows it. That takes no right
// beyond seeing the process: its socket tables are for everybody to read.
type namespace struct {
	pid   int
	ticks uint64 // the start of the process
	id    uint64 // of its tables, which no other namespace has
}

// ownTables is where the tables of this process's own namespace are.
const ownTables = "/proc/net"

func (n namespace) tables() string { return "/proc/" + strconv.Itoa(n.pid) + "/net" }

// readElsewhere reads a Gateway whose address is not this namespace's: in a container,
// say, with an address of its own.
func (l *Listener) readElsewhere(ctx context.Context, at place) (events.GatewayObserved, []Unaccepted) {
	n, why := l.namespaceOf(ctx, at)
	if why != "" {
		return unknown("%s", why), nil
	}
	return l.read(ctx, at, n.tables())
}

// namespaceOf is where the address is at home: where it was the last time, or what is
// found among all processes; and why none is known. A search in vain is not repeated at
// once: a Gateway on another host would have it repeated for ever.
func (l *Listener) namespaceOf(ctx context.Context, at place) (namespace, string) {
	if !at.addr.IsValid() {
		return namespace{}, elsewhere
	}
	l.mu.Lock()
	last, lost, looked := l.space, l.lost, l.looked
	l.mu.Unlock()
	switch {
	case last.pid != 0 && last.still() && hasAddress(last.tables(), at.addr):
		return last, ""
	case last.pid == 0 && lost != "" && time.Since(looked) < lookAgain:
		return last, lost
	}
	n, why := findNamespace(ctx, at)
	l.mu.Lock()
	l.space, l.lost, l.looked = n, why, time.Now()
	l.mu.Unlock()
	return n, why
}

// still says that the process and its namespace are what they were.
func (n namespace) still() bool {
	id, err := tablesID(n.tables())
	ticks, err2 := startTicks(n.pid)
	return err == nil && err2 == nil && id == n.id && ticks == n.ticks
}

// tablesID tells namespaces apart without the right to look at a process's own link to
// its: the kernel makes the files anew for each.
func tablesID(tables string) (uint64, error) {
	info, err := os.Stat(tables + "/tcp")
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Ino, nil
}

// findNamespace looks for the one other namespace of this host in which the address is
// at home and its port listens. Of its processes the oldest stands for it: in a
// container that one stays while the Gateway is restarted.
func findNamespace(ctx context.Context, at place) (found namespace, why string) {
	own, err := tablesID(ownTables)
	names, err2 := readNames("/proc")
	if err := errors.Join(err, err2); err != nil {
		return namespace{}, "the processes cannot be listed"
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	known, denied := []uint64{own}, false
	for _, pid := range pids {
		if ctx.Err() != nil {
			return namespace{}, "the search for its network namespace took too long"
		}
		n := namespace{pid: pid}
		var err error
		n.id, err = tablesID(n.tables())
		denied = denied || errors.Is(err, fs.ErrPermission)
		if err != nil || slices.Contains(known, n.id) {
			continue
		}
		if n.ticks, err = startTicks(pid); err != nil {
			continue // it has just ended, and another process may show the same
		}
		known = append(known, n.id)
		if !hasAddress(n.tables(), at.addr) {
			continue
		}
		sockets, err := readTables(ctx, n.tables(), at.port)
		denied = denied || errors.Is(err, fs.ErrPermission)
		switch {
		case err != nil || len(listeners(sockets, at)) == 0:
		case found.pid != 0:
			return namespace{}, "several network namespaces have its address"
		default:
			found = n
		}
	}
	switch {
	case found.pid != 0:
		return found, ""
	case denied:
		return found, elsewhere + ", or in a network namespace that cannot be read"
	}
	return found, elsewhere
}

// hasAddress says whether an address is one of a namespace's own. What cannot be read
// has none.
func hasAddress(tables string, addr netip.Addr) bool {
	if addr.Is4() {
		text, err := os.ReadFile(tables + "/fib_trie")
		return err == nil && inTrie(text, addr)
	}
	text, err := os.ReadFile(tables + "/if_inet6")
	return err == nil && inList(text, addr)
}

// inTrie looks an address up in the text of fib_trie: a line "|-- ADDRESS", and under it
// "/32 host LOCAL".
func inTrie(text []byte, addr netip.Addr) bool {
	leaf := []byte("|-- " + addr.String())
	var line []byte
	under := false
	for len(text) > 0 {
		line, text, _ = bytes.Cut(text, []byte("\n"))
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, []byte("|-- ")), bytes.HasPrefix(line, []byte("+-- ")):
			under = bytes.Equal(line, leaf)
		case under && bytes.Equal(line, []byte("/32 host LOCAL")):
			return true
		}
	}
	return false
}

// inList looks an address up in the text of if_inet6, whose first column is one in
// hexadecimal.
func inList(text []byte, addr netip.Addr) bool {
	want := []byte(hex.EncodeToString(addr.AsSlice()))
	for line := range bytes.Lines(text) {
		if first, _, ok := bytes.Cut(line, []byte(" ")); ok && bytes.Equal(first, want) {
			return true
		}
	}
	return false
}
