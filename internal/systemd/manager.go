package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// Manager is the service manager of this process. The nil Manager is none, and every
// method works on it.
type Manager struct {
	address  string
	watchdog time.Duration // within which it wants to hear that the process works; 0 never
	log      *slog.Logger
}

// variables are those by which a manager says what it wants to hear.
var variables = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}

// From finds the manager that the variables of process pid name, nil if they name none.
// forget is called with each variable: commands that this process starts must not speak
// for it.
func From(lookup func(string) string, forget func(string) error, pid int, log *slog.Logger) *Manager {
	m := &Manager{address: lookup("NOTIFY_SOCKET"), log: log}
	us, err := strconv.ParseInt(lookup("WATCHDOG_USEC"), 10, 64)
	if of := lookup("WATCHDOG_PID"); err == nil && us > 0 && (of == "" || of == strconv.Itoa(pid)) {
		m.watchdog = time.Duration(us) * time.Microsecond
	}
	for _, name := range variables {
		if err := forget(name); err != nil {
			log.Warn("a variable of the service manager stays for the commands that are run", "variable", name, "error", err)
		}
	}
	if m.address == "" {
		return nil
	}
	return m
}

// tell sends lines at once; they are one state to the manager.
func (m *Manager) tell(lines ...string) {
	if m == nil {
		return
	}
	// net takes a leading @ for the abstract name space, as systemd writes it.
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.address, Net: "unixgram"})
	if err == nil {
		_, err = c.Write([]byte(strings.Join(lines, "\n")))
		_ = c.Close()
	}
	if err != nil {
		m.log.Warn("the service manager could not be told", "what", lines[0], "error", err)
	}
}

// Ready says that the process does what it is there for.
func (m *Manager) Ready() { m.tell("READY=1") }

// Reloading says that it reads its configuration again, until Ready.
func (m *Manager) Reloading() {
	// Type=notify-reload orders the two by the time, which is that of its own clock.
	m.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
}

// lookEvery is how often the status is looked at.
const lookEvery = 2 * time.Second

// Watch tells the status when it changes, and feeds the watchdog while alive returns nil,
// until ctx ends; then it says that the process stops. Neither function may wait for long.
func (m *Manager) Watch(ctx context.Context, status func() string, alive func() error) {
	if m == nil {
		return
	}
	every := lookEvery
	if m.watchdog > 0 { // systemd kills after one span, and advises to tell at half of it
		every = min(every, m.watchdog/3)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var told string
	var fed time.Time // zero before the first time
	silent := false
	for {
		if now := status(); now != told {
			told = now
			m.tell("STATUS=" + now)
		}
		if m.watchdog > 0 && time.Since(fed) >= m.watchdog/3-every/2 {
			err := alive()
			if err == nil {
				fed = time.Now()
				m.tell("WATCHDOG=1")
			} else if !silent {
				m.log.Error("the service manager is not told that this works, and may restart it", "error", err)
			}
			silent = err != nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			m.tell("STOPPING=1")
			return
		}
	}
}
