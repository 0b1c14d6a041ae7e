package watch

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// owner is whose a listening socket is.
type owner struct {
	inode     uint64
	pid       int
	fd        string // under which it has the socket
	ticks     uint64 // its start in ticks since the system's, which no set clock moves
	name      string
	startedMS int64
	text      string    // why something of it is unknown
	looked    time.Time // when it was looked for in vain
}

// lookAgain is how long an owner that was not found stays unknown: to look for it
// means to read the descriptors of every process.
const lookAgain = time.Minute

// ownerOf finds the process that has a socket: the one that had it at the last
// reading, if it still has.
func (l *Listener) ownerOf(ctx context.Context, inode uint64) owner {
	l.mu.Lock()
	o := l.known
	l.mu.Unlock()
	if o.inode == inode && (o.pid != 0 && o.holds() || o.pid == 0 && time.Since(o.looked) < lookAgain) {
		return o
	}
	o = findOwner(ctx, inode)
	l.mu.Lock()
	l.known = o
	l.mu.Unlock()
	return o
}

func (o *owner) holds() bool {
	ticks, err := startTicks(o.pid)
	return err == nil && ticks == o.ticks && hasSocket(o.pid, o.fd, o.link())
}

// link is how a descriptor of the socket reads.
func (o *owner) link() string { return "socket:[" + strconv.FormatUint(o.inode, 10) + "]" }

func hasSocket(pid int, fd, link string) bool {
	to, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/fd/" + fd)
	return err == nil && to == link
}

// findOwner searches the descriptors of the processes, those first that go by the
// name of a Gateway or of what stands before one: nearly always it is one of them.
func findOwner(ctx context.Context, inode uint64) owner {
	o := owner{inode: inode}
	lost := func(text string) owner {
		return owner{inode: inode, text: text, looked: time.Now()}
	}
	var likely, others []int
	names, err := readNames("/proc")
	if err != nil {
		return lost("the processes cannot be listed")
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if comm := processName(pid); slices.Contains(gateways, comm) || slices.Contains(forwarders, comm) {
			likely = append(likely, pid)
		} else {
			others = append(others, pid)
		}
	}
	slices.Sort(likely) // where several have it, always the same one
	slices.Sort(others)
	link := o.link()
	for _, pid := range append(likely, others...) {
		fds, _ := readNames("/proc/" + strconv.Itoa(pid) + "/fd") // another user's, or it has ended
		for i, fd := range fds {
			if i%1024 == 0 && ctx.Err() != nil {
				return lost("the search for the owner took too long")
			}
			if hasSocket(pid, fd, link) {
				o.pid, o.fd = pid, fd
				return o.described()
			}
		}
	}
	return lost("the owner belongs to another user, or to another namespace")
}

func (o owner) described() owner {
	o.name = processName(o.pid)
	var err error
	if o.ticks, err = startTicks(o.pid); err == nil {
		o.startedMS, err = startedMS(o.ticks)
	}
	switch {
	case err != nil:
		o.text = "the owner's start time cannot be read"
	case o.name == "":
		o.text = "the owner's name cannot be read"
	}
	return o
}

// processName is what the kernel calls a process; it has 15 bytes at most.
func processName(pid int) string {
	name, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	return strings.TrimSuffix(string(name), "\n")
}

// startTicks reads the 22nd column of proc_pid_stat(5). The second is the name in
// brackets, which may have blanks and brackets in it.
func startTicks(pid int) (uint64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	columns := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the first is the 3rd
	if len(columns) < 20 {
		return 0, os.ErrInvalid
	}
	return strconv.ParseUint(string(columns[19]), 10, 64)
}

// tickMS is what Linux tells user programs a tick is, on every architecture that
// Go has (USER_HZ is 100).
const tickMS = 10

// startedMS is a time since the system's start as one since 1970: by the clock as it
// is set now, which is why it may differ a little from one reading to the next.
func startedMS(ticks uint64) (int64, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	_, text, _ = bytes.Cut(text, []byte("\nbtime "))
	text, _, _ = bytes.Cut(text, []byte("\n"))
	boot, err := strconv.ParseInt(string(text), 10, 64)
	return boot*1000 + int64(ticks)*tickMS, err
}

// readNames lists a folder without looking at what is in it.
func readNames(folder string) ([]string, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
