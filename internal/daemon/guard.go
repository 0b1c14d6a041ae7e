package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ibrecorder/internal/flock"
)

// ErrGuarded: another recorder, with a data folder of its own, guards the Gateway.
var ErrGuarded = errors.New("another recorder guards this Gateway")

// guard is the lock of one Gateway's address. Two recorders before one Gateway would
// let in one program each, and the one would dial while the other is stopped: the
// lock of the data folder does not see that.
type guard struct{ f *os.File }

// takeGuard takes the lock of an address or fails at once. The file is where every
// user of this host finds it, and readable by all, so that the recorder of another
// user is seen too. The kernel releases the lock when the process ends, however it
// ends; a file that was left means nothing.
func takeGuard(address string) (*guard, error) {
	path := guardPath(address)
	for {
		f, err := openGuard(path)
		if err != nil {
			return nil, fmt.Errorf("lock the Gateway at %s: %w", address, err)
		}
		switch err := flock.Exclusive(f); {
		case errors.Is(err, flock.ErrHeld):
			defer f.Close()
			return nil, fmt.Errorf("%w: %s is guarded by %s; connect your programs to its tap, or stop it", ErrGuarded, address, holder(f))
		case err != nil:
			return nil, fmt.Errorf("lock the Gateway at %s: %w", address, errors.Join(err, f.Close()))
		}
		if g := (&guard{f}); g.inPlace() {
			// For the message above. A file of another user cannot be written to.
			if err := f.Truncate(0); err == nil {
				_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
			}
			return g, nil
		}
		_ = f.Close() // whoever had it removed it meanwhile
	}
}

// openGuard opens the file, also one of another user, which can only be read.
func openGuard(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|flock.NoFollow, 0o644)
	if errors.Is(err, os.ErrPermission) {
		return os.OpenFile(path, os.O_RDONLY|flock.NoFollow, 0)
	}
	if err == nil {
		_ = f.Chmod(0o644) // whatever the umask is; it fails for root in a user namespace, at most
	}
	return f, err
}

// inPlace says whether the locked file is the one that others would open.
func (g *guard) inPlace() bool {
	mine, err := g.f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(g.f.Name())
	return err == nil && os.SameFile(mine, there)
}

func holder(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}

// release gives the Gateway back.
func (g *guard) release() error {
	_ = os.Remove(g.f.Name()) // not one of another user, and then it stays
	return g.f.Close()
}

// guardPath names the file after the address. The usual spellings of this host are
// one Gateway; any other address is taken as it is written.
func guardPath(address string) string {
	host, port, err := net.SplitHostPort(strings.ToLower(address))
	if err != nil {
		host = address // whoever dials says so
	}
	switch host {
	case "127.0.0.1", "::1", "0.0.0.0", "::":
		host = "localhost"
	}
	plain := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, host+"_"+port)
	return filepath.Join(os.TempDir(), "ibrecorder-"+plain+".lock")
}
