package watch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"ibrecorder/events"
)

// read looks the listener up in the socket tables of a network namespace, and then
// whose it is.
func (l *Listener) read(ctx context.Context, at place, tables string) (events.GatewayObserved, []Unaccepted) {
	var sockets, found []socket
	// A table is read in pieces while it changes, so a row may be missed: only what is
	// twice not there is not there.
	for range 2 {
		var err error
		if sockets, err = readTables(ctx, tables, at.port); err != nil {
			return unknown("the socket table cannot be read: %v", bare(err)), nil
		}
		if found = listeners(sockets, at); len(found) > 0 {
			break
		}
	}
	seen := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}
	waiting := count(&seen, sockets, found, at)
	switch len(found) {
	case 0:
		seen.Listening = events.ListeningNo
		return seen, nil
	case 1:
	default:
		seen.Text = "several sockets listen on the port" // and nobody knows which one a client meets
		return seen, nil
	}
	seen.Socket = strconv.FormatUint(found[0].inode, 10)
	o := l.ownerOf(ctx, found[0].inode)
	seen.PID, seen.Process, seen.StartedMS, seen.Text = int64(o.pid), o.name, o.startedMS, o.text
	if o.pid != 0 {
		seen.Owner = ownerNamed(o.name)
	}
	return seen, waiting
}

// readTables returns the sockets on a local port.
func readTables(ctx context.Context, tables string, port uint16) ([]socket, error) {
	var all []socket
	err := eachTable(tables, func(r io.Reader) error {
		return scanTable(ctx, r, port, func(s socket) { all = append(all, s) })
	})
	if err != nil {
		return nil, err
	}
	return all, ctx.Err()
}

// eachTable reads the two tables of a namespace, one behind the other. Where IPv6 is
// switched off, one of them is not there.
func eachTable(tables string, read func(io.Reader) error) error {
	missing := 0
	for _, path := range []string{tables + "/tcp", tables + "/tcp6"} {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) && missing == 0 {
			missing++
			continue
		}
		if err != nil {
			return err
		}
		if err = errors.Join(read(f), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// bare is an error without the path and number of the process that it is about,
// so that the same trouble reads the same each time.
func bare(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("it took too long")
	}
	if number := syscall.Errno(0); errors.As(err, &number) {
		return number
	}
	return err
}
