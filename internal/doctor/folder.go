package doctor

import (
	"errors"
	"fmt"
	"io/fs"

	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
	"ibrecorder/store"
)

// floor is how much a disk must have free for an event to be appended at all, the
// store's own measure; reserve is what it keeps free when it opens a log.
const (
	floor   = 16 << 20
	reserve = 64 << 20
)

func (e *examination) folder() {
	d := e.Folder
	switch {
	case errors.Is(d.Err, fs.ErrNotExist):
		e.add(Data, "", Warn, fmt.Sprintf("%s is not there; no recorder ever ran on it", d.Name), "recorder run")
		return
	case d.Err != nil:
		e.add(Data, "", Skip, fmt.Sprintf("%s cannot be looked at: %v", d.Name, why(d.Err)), "ask as the user who runs the recorder: recorder doctor")
		return
	case !d.Mode.IsDir():
		e.add(Data, "", Fail, d.Name+" is no folder", "choose another: recorder run --data FOLDER")
		return
	}
	owner := ""
	switch {
	case d.User >= 0 && d.User == e.User:
		owner = ", of this user"
	case d.User >= 0:
		owner = fmt.Sprintf(", of user %d", d.User)
	}
	switch {
	case d.Mode.Perm()&0o077 != 0:
		e.add(Data, "", Fail, fmt.Sprintf("%s is open to others (%04o)", d.Name, d.Mode.Perm()), report.Command("chmod", "700", d.Name))
	case d.User >= 0 && d.User != e.User && len(e.Live) == 0:
		e.add(Data, "", Warn, fmt.Sprintf("%s belongs to user %d, and this is user %d: a recorder must run as its owner", d.Name, d.User, e.User), fmt.Sprintf("sudo -u '#%d' recorder run", d.User))
	default:
		e.ok(Data, "", "%s, %04o%s", d.Name, d.Mode.Perm(), owner)
	}
	e.disk()
}

func (e *examination) disk() {
	d := e.Folder
	var grows int64 // what the logs may still take
	used := make(map[string]int64)
	for _, x := range e.Logs {
		used[x.Gateway] = x.Bytes
	}
	for _, s := range e.Live {
		used[s.Gateway] = int64(s.LogBytes)
	}
	for _, p := range e.Gateways {
		grows += max(0, e.LogLimit-used[p.Name])
	}
	room := report.Command("df", "-h", d.Name)
	switch {
	case d.FreeErr != nil:
		e.add(Data, "", Skip, fmt.Sprintf("how much its disk has free cannot be read: %v", why(d.FreeErr)), room)
	case d.Free < floor:
		e.add(Data, "", Fail, fmt.Sprintf("%s free on its disk; below %s no event is appended, and nobody dials", Size(d.Free), Size(floor)), "make room: "+room)
	case d.Free < reserve && e.nobody():
		e.add(Data, "", Fail, fmt.Sprintf("%s free on its disk; a recorder does not begin with less than %s", Size(d.Free), Size(reserve)), "make room: "+room)
	case d.Free < grows+reserve:
		e.add(Data, "", Warn, fmt.Sprintf("%s free on its disk, and the logs may still grow by %s", Size(d.Free), Size(grows)), "make room ("+room+"), or set log_max_bytes lower in the configuration")
	default:
		e.ok(Data, "", "%s free on its disk, the logs may still grow by %s", Size(d.Free), Size(grows))
	}
	const other = "choose a folder on a disk of this host: recorder run --data FOLDER"
	switch {
	case d.Remote:
		e.add(Data, "", Warn, fmt.Sprintf("its file system is %s: locks and syncs depend on another machine", d.System), other)
	case d.Fleeting != "":
		e.add(Data, "", Warn, fmt.Sprintf("its file system is %s: %s", d.System, d.Fleeting), other)
	case d.System != "":
		e.ok(Data, "", "its file system is %s", d.System)
	}
}

// Shares of a log's limit: from the first on it is time to do something, from the
// second on nobody is permitted to dial.
const (
	fullSoon = 80
	fullNow  = 95
)

func (e *examination) logs() {
	for _, s := range e.statuses() {
		part := uint64(0)
		if s.LogLimit > 0 {
			part = s.LogBytes * 100 / s.LogLimit
		}
		room := fmt.Sprintf("make room: recorder log archive %s FOLDER", s.Gateway)
		if !s.LogFullAt.IsZero() {
			room += ", before " + s.LogFullAt.UTC().Format("2006-01-02") + " at the present rate"
		}
		text := fmt.Sprintf("its log has %d events, %s of %s", s.Seq, Size(int64(s.LogBytes)), Size(int64(s.LogLimit)))
		switch {
		case s.LogError != "":
			e.add(Data, s.Gateway, Fail, "its log takes nothing, and nobody dials: "+s.LogError, "recorder status")
		case part >= fullNow:
			e.add(Data, s.Gateway, Fail, text+"; nobody is permitted to dial", room)
		case part >= fullSoon:
			e.add(Data, s.Gateway, Warn, text, room)
		default:
			e.ok(Data, s.Gateway, "%s", text)
		}
	}
	switch locked := (*store.LockError)(nil); {
	case e.LogsErr == nil, errors.Is(e.LogsErr, fs.ErrNotExist), errors.As(e.LogsErr, &locked): // running says who
	case errors.Is(e.LogsErr, fs.ErrPermission):
		e.add(Data, "", Skip, "the logs cannot be read: "+why(e.LogsErr), "ask as the user who runs the recorder: recorder doctor")
	default:
		e.add(Data, "", Fail, "the logs cannot be opened: "+why(e.LogsErr), fixOf(e.LogsErr, "bring the folder back from a copy"))
	}
	for _, x := range e.Logs {
		switch {
		case x.Err == nil:
			e.ok(Data, x.Gateway, "its log is whole: %d events, %s", x.Seq, Size(x.Bytes))
		case errors.Is(x.Err, fs.ErrPermission):
			e.add(Data, x.Gateway, Skip, "its log cannot be read: "+why(x.Err), fixOf(x.Err, "ask as the user who runs the recorder: recorder doctor"))
		default:
			e.add(Data, x.Gateway, Fail, "a recorder refuses its log: "+why(x.Err),
				fixOf(x.Err, fmt.Sprintf("copy the folder away, then: recorder log quarantine %s --reason TEXT", x.Gateway)))
		}
	}
}

// why is what an error says without what it advises: that is for Fix.
func why(err error) string {
	var damage *store.DamageError
	var mark *store.MarkError
	var file *store.FileError
	switch {
	case errors.As(err, &damage):
		return fmt.Sprintf("%s: %s at byte %d, after event %d", damage.Path, damage.Problem, damage.Offset, damage.After)
	case errors.As(err, &mark) && mark.Err != nil:
		return fmt.Sprintf("%s: %v", mark.Problem, mark.Err)
	case errors.As(err, &mark):
		return mark.Problem
	case errors.As(err, &file) && file.Err != nil:
		return fmt.Sprintf("%s: %s: %v", file.Path, file.Problem, file.Err)
	case errors.As(err, &file):
		return fmt.Sprintf("%s: %s", file.Path, file.Problem)
	}
	return err.Error()
}

// fixOf is what an error advises, or else.
func fixOf(err error, other string) string {
	var file *store.FileError
	if errors.As(err, &file) && file.Hint != "" {
		return file.Hint
	}
	return other
}

// stoppedIn are the gateways whose logs ended with their gate stopped.
func (e *examination) stoppedIn() (names []string) {
	for _, x := range e.Logs {
		if x.Stopped {
			names = append(names, x.Gateway)
		}
	}
	return names
}

// nobody reports whether no recorder runs on the folder, for certain.
func (f Facts) nobody() bool {
	return errors.Is(f.LiveErr, httpapi.ErrUnreachable) && !errors.Is(f.LogsErr, store.ErrLocked)
}
