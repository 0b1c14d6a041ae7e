package doctor

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/watch"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "renew what the tests compare with")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const pid = 700 // of the recorder

func number(n int64) *int64 { return &n }

// gateway listens, with nothing to complain of.
func gateway() events.GatewayObserved {
	return events.GatewayObserved{
		Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: 2211, StartedMS: noon.Add(-6 * time.Hour).UnixMilli(), Socket: "5501",
		QueueSockets: number(0), EstablishedSockets: number(1), CloseWaitSockets: number(0), UnacceptedSockets: number(0), UnacceptedBytes: number(0),
	}
}

func nobody() events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
}

// healthy is a recorder that runs before a Gateway that works.
func healthy() Facts {
	const dir = "/var/lib/recorder"
	return Facts{
		Now: noon, Version: "1.0", User: 998, LogLimit: 1 << 30,
		File: Path{Name: "/etc/recorder.yaml", Mode: 0o600, User: 998},
		Gateways: []Place{{
			Name: "main", Address: "127.0.0.1:4001", Tap: "127.0.0.1:4101", Configured: true, Seen: gateway(), Last: noon.Add(-time.Minute),
			Peers:   []watch.Peer{{Program: netip.MustParseAddrPort("127.0.0.1:40961"), Here: true, PID: pid, Process: "recorder"}},
			TapSeen: events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, Process: "recorder", PID: pid},
		}},
		Folder: Folder{
			Path: Path{Name: dir, Mode: fs.ModeDir | 0o700, User: 998}, Free: 180 << 30, System: "ext4",
			Private: []Path{{Name: dir + "/recorder.sock", Mode: fs.ModeSocket | 0o600, User: 998}, {Name: dir + "/account.key", Mode: 0o600, User: 998}},
		},
		Live: []httpapi.Status{{
			Gateway: "main", Address: "127.0.0.1:4001", Tap: "127.0.0.1:4101", Held: "refuse", Mode: events.Enforce, Gate: "OPEN", Why: "Clients may connect; none is.",
			API: "READY", Seq: 48171, Version: "1.0", PID: pid, Alerts: []httpapi.Channel{{Name: "command"}}, LogBytes: 12 << 20, LogLimit: 1 << 30,
		}},
		Clock:    Sync{Synced: true},
		Channels: []Channel{{Name: "command", Type: "command", Command: Command{Line: "mail me", Word: "mail"}}},
	}
}

// without is healthy, and no recorder runs.
func without() Facts {
	f := healthy()
	f.Live, f.LiveErr = nil, fmt.Errorf("%w on a folder", httpapi.ErrUnreachable)
	f.Gateways[0].TapSeen, f.Gateways[0].Peers = nobody(), nil
	f.Logs = []store.Examined{{Gateway: "main", Seq: 48171, Bytes: 12 << 20, Last: noon.Add(-time.Hour)}}
	return f
}

// cases are what may be wrong, each with the findings that are not ok.
var cases = []struct {
	name  string
	facts func() Facts
	harm  func(f *Facts)
	want  []string // level group gateway: text -> fix
}{
	{"all is well", healthy, func(*Facts) {}, nil},
	{"all is well, and no recorder runs", without, func(*Facts) {}, []string{
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},

	{"a configuration that is wrong", healthy, func(f *Facts) { f.Problems = []string{"file /x.yaml:1:1: unknown key"} }, []string{
		"fail config: file /x.yaml:1:1: unknown key -> mend it, then: recorder config check",
		"skip data: nothing else was looked at: without its configuration nobody knows where -> mend it, then: recorder doctor"}},
	{"the recorder runs with other settings", healthy, func(f *Facts) { f.Gateways[0].Elsewhere = "127.0.0.1:4002 and 127.0.0.1:4102" }, []string{
		"warn config main: the running recorder has the Gateway at 127.0.0.1:4001 and its tap at 127.0.0.1:4101, the configuration has 127.0.0.1:4002 and 127.0.0.1:4102 -> if the configuration is right, stop the recorder, then: recorder run"}},
	{"the recorder guards what nobody configured", healthy, func(f *Facts) { f.Gateways[0].Configured = false }, []string{
		"warn config main: the running recorder guards it, and the configuration does not name it -> so that it is still guarded after a restart, name it in the configuration: recorder config show --gateway main=127.0.0.1:4001"}},
	{"a gateway that the recorder does not guard", healthy, func(f *Facts) {
		f.Gateways = append(f.Gateways, Place{Name: "paper", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102", Configured: true, Seen: gateway(), TapSeen: nobody(),
			Peers: []watch.Peer{{Here: true, PID: 4410, Process: "python"}}})
	}, []string{
		"warn config paper: it is in the configuration, and the running recorder does not guard it -> stop the recorder, then: recorder run",
		"warn gateway paper: python (process 4410) is connected to 127.0.0.1:4002 directly (1 connection): nobody holds or records it -> change its port to that of the tap, 127.0.0.1:4102"}},

	{"a folder that is not there", without, func(f *Facts) { f.Folder, f.Logs = Folder{Path: Path{Name: "/none", Err: fs.ErrNotExist}}, nil }, []string{
		"warn data: /none is not there; no recorder ever ran on it -> recorder run",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a folder that may not be looked at", without, func(f *Facts) {
		f.Folder, f.Logs = Folder{Path: Path{Name: "/secret", Err: fs.ErrPermission}}, nil
		f.LiveErr = fs.ErrPermission
	}, []string{
		"skip data: /secret cannot be looked at: permission denied -> ask as the user who runs the recorder: recorder doctor",
		"skip recorder: whether one runs cannot be asked: permission denied -> ask as the user who runs the recorder: recorder doctor",
		"skip tap main: whether the recorder has 127.0.0.1:4101 cannot be read -> ask as the user who runs the recorder: recorder doctor",
	}},
	{"a file in the folder's place", without, func(f *Facts) { f.Folder.Mode = 0o600 }, []string{
		"fail data: /var/lib/recorder is no folder -> choose another: recorder run --data FOLDER",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a folder that is open to others", healthy, func(f *Facts) { f.Folder.Mode = fs.ModeDir | 0o755 }, []string{
		"fail data: /var/lib/recorder is open to others (0755) -> chmod 700 /var/lib/recorder"}},
	{"a folder of another user, whose recorder runs", healthy, func(f *Facts) { f.User = 0 }, nil},
	{"a folder of another user", without, func(f *Facts) { f.User = 0 }, []string{
		"warn data: /var/lib/recorder belongs to user 998, and this is user 0: a recorder must run as its owner -> sudo -u '#998' recorder run",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a disk that is full", healthy, func(f *Facts) { f.Folder.Free = floor - 1 }, []string{
		"fail data: 16.0 MiB free on its disk; below 16.0 MiB no event is appended, and nobody dials -> make room: df -h /var/lib/recorder"}},
	{"a disk with too little room to begin", without, func(f *Facts) { f.Folder.Free = reserve - 1 }, []string{
		"fail data: 64.0 MiB free on its disk; a recorder does not begin with less than 64.0 MiB -> make room: df -h /var/lib/recorder",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a disk that is smaller than the log may get", healthy, func(f *Facts) { f.Folder.Free = 900 << 20 }, []string{
		"warn data: 900.0 MiB free on its disk, and the logs may still grow by 1012.0 MiB -> make room (df -h /var/lib/recorder), or set log_max_bytes lower in the configuration"}},
	{"a disk that cannot be read", healthy, func(f *Facts) { f.Folder.FreeErr = errors.New("not on this system") }, []string{
		"skip data: how much its disk has free cannot be read: not on this system -> df -h /var/lib/recorder"}},
	{"a folder on another machine", healthy, func(f *Facts) { f.Folder.System, f.Folder.Remote = "NFS", true }, []string{
		"warn data: its file system is NFS: locks and syncs depend on another machine -> choose a folder on a disk of this host: recorder run --data FOLDER"}},
	{"a folder that a restart empties", healthy, func(f *Facts) { f.Folder.System, f.Folder.Fleeting = "tmpfs", "it is in memory" }, []string{
		"warn data: its file system is tmpfs: it is in memory -> choose a folder on a disk of this host: recorder run --data FOLDER"}},

	{"a log that takes nothing", healthy, func(f *Facts) { f.Live[0].LogError = "its disk refused a write" }, []string{
		"fail data main: its log takes nothing, and nobody dials: its disk refused a write -> recorder status"}},
	{"a log that is nearly full", healthy, func(f *Facts) { f.Live[0].LogBytes = 860 << 20 }, []string{
		"warn data main: its log has 48171 events, 860.0 MiB of 1.0 GiB -> make room: recorder log archive main FOLDER"}},
	{"a log that is full", healthy, func(f *Facts) { f.Live[0].LogBytes = 1000 << 20 }, []string{
		"fail data main: its log has 48171 events, 1000.0 MiB of 1.0 GiB; nobody is permitted to dial -> make room: recorder log archive main FOLDER"}},
	{"a log that is damaged", without, func(f *Facts) {
		f.Logs[0].Err = &store.DamageError{Gateway: "main", Path: "/1.blk", Offset: 7, After: 3, Problem: "a record's checksum does not match"}
	}, []string{
		"fail data main: a recorder refuses its log: /1.blk: a record's checksum does not match at byte 7, after event 3 -> copy the folder away, then: recorder log quarantine main --reason TEXT",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a log that is not what its mark remembers", without, func(f *Facts) {
		f.Logs[0].Err = &store.MarkError{Gateway: "main", Problem: "it ends at event 3, its high-water mark is at 9"}
	}, []string{
		"fail data main: a recorder refuses its log: it ends at event 3, its high-water mark is at 9 -> copy the folder away, then: recorder log quarantine main --reason TEXT",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a log that another user may read", without, func(f *Facts) {
		f.Logs[0].Err = &store.FileError{Path: "/1.blk", Problem: "cannot be read", Err: fs.ErrPermission, Hint: "chmod u+rwX /1.blk"}
	}, []string{
		"skip data main: its log cannot be read: /1.blk: cannot be read: permission denied -> chmod u+rwX /1.blk",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},
	{"a folder of a newer recorder", without, func(f *Facts) {
		f.Logs, f.LogsErr = nil, fmt.Errorf("examine: %w", &store.FileError{Path: "/store.format", Problem: "format 2, this recorder knows 1", Err: store.ErrFormat, Hint: "open the folder with the recorder that wrote it"})
	}, []string{
		"fail data: the logs cannot be opened: /store.format: format 2, this recorder knows 1: not a data folder this recorder can open -> open the folder with the recorder that wrote it",
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},

	{"a recorder that does not answer", without, func(f *Facts) {
		f.Logs, f.LogsErr = nil, &store.LockError{Dir: f.Folder.Name, PID: pid}
	}, []string{
		"fail recorder: process 700 has /var/lib/recorder open and does not answer: a recorder starts there, or ends, or hangs -> look again in a moment: recorder doctor; if it hangs: kill 700",
		"skip tap main: whether the recorder has 127.0.0.1:4101 cannot be read -> ask as the user who runs the recorder: recorder doctor"}},
	{"a recorder of another version", healthy, func(f *Facts) { f.Version = "1.1" }, []string{
		"warn recorder: process 700 runs version 1.0, and this is 1.1 -> stop it when its sessions may end, then: recorder run"}},
	{"a gate that is stopped", healthy, func(f *Facts) {
		f.Live[0].Gate, f.Live[0].Why, f.Live[0].Next = "STOPPED", "IB Gateway needs a manual restart.", "restart the Gateway, then: recorder resume main --reason TEXT"
		f.Gateways[0].TapSeen = nobody()
	}, []string{
		"fail recorder main: its gate is STOPPED: IB Gateway needs a manual restart. -> restart the Gateway, then: recorder resume main --reason TEXT"}},
	{"a gate that was stopped when the recorder ended", without, func(f *Facts) { f.Logs[0].Stopped = true }, []string{
		"warn recorder: none runs, so no program gets through its port -> recorder run",
		"fail recorder main: its gate is STOPPED in the log: the Gateway needs a manual restart -> recorder run, restart the Gateway, log in, then: recorder resume main --reason TEXT"}},
	{"a gate that backs off", healthy, func(f *Facts) {
		f.Live[0].Gate, f.Live[0].Why = "BACKOFF", "3 attempts in a row have failed; the next waits."
	}, []string{
		"warn recorder main: its gate is BACKOFF: 3 attempts in a row have failed; the next waits. -> recorder events main"}},
	{"a recorder that holds nobody", healthy, func(f *Facts) { f.Live[0].Mode = events.Observe }, []string{
		"warn recorder main: observe mode: nobody is held -> when you trust it, stop it, then: recorder run --mode enforce"}},
	{"a Gateway without IB's servers, and a session without answers", healthy, func(f *Facts) {
		f.Live[0].API, f.Live[0].Sessions = "DEGRADED", []httpapi.Session{{Phase: "MUTE"}, {Phase: "READY"}}
	}, []string{
		"warn recorder main: its Gateway has lost IB's servers -> wait, or look at the Gateway's own window; what it said: recorder events main",
		"warn recorder main: 1 session without an answer: the Gateway may be frozen -> recorder events main"}},

	{"a clock that nobody keeps", healthy, func(f *Facts) { f.Clock.Synced = false }, []string{
		"warn clock: nothing keeps the host's clock right, as far as the kernel knows -> timedatectl set-ntp true"}},
	{"a clock that cannot be read", healthy, func(f *Facts) { f.Clock.Unknown = "not on this system" }, []string{
		"skip clock: whether it is kept right cannot be read: not on this system -> timedatectl"}},
	{"a clock that was set back", healthy, func(f *Facts) { f.Gateways[0].Last = noon.Add(2 * time.Hour) }, []string{
		"warn clock main: its last event is 2h0m0s in the future: the clock was set back since -> date; the order of events does not depend on it"}},
	{"a clock that is being set right", healthy, func(f *Facts) { f.Gateways[0].Last = noon.Add(5 * time.Second) }, nil},

	{"nothing listens", healthy, func(f *Facts) { f.Gateways[0].Seen = nobody() }, []string{
		"fail gateway main: nothing listens on 127.0.0.1:4001 -> start the Gateway and log in; its usual ports are 4001 (live) and 4002 (paper), TWS has 7496 and 7497, the usual container 4003 and 4004"}},
	{"nothing listens there, and a Gateway elsewhere", healthy, func(f *Facts) {
		f.Gateways[0].Seen, f.Gateways[0].Others = nobody(), []Port{{4002, "java"}, {7497, ""}}
	}, []string{
		"fail gateway main: nothing listens on 127.0.0.1:4001 -> start it, or if it is one of these (java listens on 4002, something listens on 7497): recorder run --gateway main=127.0.0.1:4002"}},
	{"a Gateway on another host", healthy, func(f *Facts) {
		f.Gateways[0].Seen = events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown, Text: "the Gateway is on another host"}
	}, []string{
		"skip gateway main: nothing can be read of 127.0.0.1:4001: the Gateway is on another host -> look there; whether it was restarted, an operator has to say: recorder resume main --reason TEXT"}},
	{"a Gateway of another user", healthy, func(f *Facts) {
		s := &f.Gateways[0].Seen
		s.PID, s.Process, s.Owner, s.Text = 0, "", events.OwnerUnknown, "the owner belongs to another user, or to another namespace"
	}, []string{
		"skip gateway main: something listens on 127.0.0.1:4001, and not whose it is can be read: the owner belongs to another user, or to another namespace -> ask as the user who runs the Gateway: recorder doctor"}},
	{"a Gateway behind a forwarder", healthy, func(f *Facts) {
		f.Gateways[0].Seen.Process, f.Gateways[0].Seen.Owner = "docker-proxy", events.OwnerOther
	}, nil},
	{"something else on the Gateway's port", healthy, func(f *Facts) {
		f.Gateways[0].Seen.Process, f.Gateways[0].Seen.Owner = "postgres", events.OwnerUnknown
	}, []string{
		"warn gateway main: postgres (process 2211) listens on 127.0.0.1:4001, which is not how a Gateway is called -> if it is none, end it, or name the right port: recorder run --gateway main=HOST:PORT"}},
	{"clients that have left", healthy, func(f *Facts) { f.Gateways[0].Seen.CloseWaitSockets = number(1) }, []string{
		"warn gateway main: 1 socket in CLOSE_WAIT on 127.0.0.1:4001: clients have left, and the Gateway has not closed -> look again in a minute: recorder doctor; if it grows, restart the Gateway by hand: exit, start, log in"}},
	{"many clients that have left", healthy, func(f *Facts) { f.Gateways[0].Seen.CloseWaitSockets = number(14) }, []string{
		"fail gateway main: 14 sockets in CLOSE_WAIT on 127.0.0.1:4001: clients have left, and the Gateway has not closed -> restart the Gateway by hand: exit, start, log in"}},
	{"a queue that nobody empties", healthy, func(f *Facts) { f.Gateways[0].Seen.QueueSockets = number(2) }, []string{
		"warn gateway main: 2 connections in the queue of 127.0.0.1:4001 that nobody accepts -> look again in a moment: recorder doctor; if it stays so, restart the Gateway by hand: exit, start, log in"}},
	{"hellos that nobody reads", healthy, func(f *Facts) {
		f.Gateways[0].Seen.QueueSockets, f.Gateways[0].Seen.UnacceptedSockets, f.Gateways[0].Seen.UnacceptedBytes = number(2), number(2), number(35)
	}, []string{
		"fail gateway main: 2 connections on 127.0.0.1:4001 that nobody accepts, with 35 bytes unread: its API layer is stuck -> restart the Gateway by hand: exit, start, log in"}},
	{"programs that go around the tap", healthy, func(f *Facts) {
		f.Gateways[0].Peers = append(f.Gateways[0].Peers, watch.Peer{Here: true, PID: 4410, Process: "python"}, watch.Peer{Here: true, PID: 4410, Process: "python"},
			watch.Peer{Here: true}, watch.Peer{Program: netip.MustParseAddrPort("192.168.1.20:40962")})
	}, []string{
		"warn gateway main: a program at 192.168.1.20 is connected to 127.0.0.1:4001 directly (1 connection): nobody holds or records it -> change its port to that of the tap, 127.0.0.1:4101",
		"warn gateway main: a program of another user is connected to 127.0.0.1:4001 directly (1 connection): nobody holds or records it -> change its port to that of the tap, 127.0.0.1:4101",
		"warn gateway main: python (process 4410) is connected to 127.0.0.1:4001 directly (2 connections): nobody holds or records it -> change its port to that of the tap, 127.0.0.1:4101"}},
	{"a program that dials by itself, where programs may have leases", healthy, func(f *Facts) {
		f.Live[0].NATS = "127.0.0.1:4222"
		f.Gateways[0].Peers = append(f.Gateways[0].Peers, watch.Peer{Here: true, PID: 4410, Process: "robo"})
	}, []string{
		"warn gateway main: robo (process 4410) is connected to 127.0.0.1:4001 directly (1 connection): nobody holds it, unless it asks over NATS before it dials -> if it does not, change its port to that of the tap, 127.0.0.1:4101"}},
	{"programs of which nobody can say whether they are the recorder", healthy, func(f *Facts) {
		f.Live, f.LiveErr = nil, fs.ErrPermission
		f.Folder = Folder{Path: Path{Name: "/secret", Err: fs.ErrPermission}}
	}, []string{
		"skip data: /secret cannot be looked at: permission denied -> ask as the user who runs the recorder: recorder doctor",
		"skip recorder: whether one runs cannot be asked: permission denied -> ask as the user who runs the recorder: recorder doctor",
		"skip gateway main: 1 connection to it, and which of them is the recorder's cannot be read -> ask as the user who runs the recorder: recorder doctor",
		"skip tap main: whether the recorder has 127.0.0.1:4101 cannot be read -> ask as the user who runs the recorder: recorder doctor"}},
	{"connections that cannot be read", healthy, func(f *Facts) { f.Gateways[0].PeersErr = errors.New("no such table") }, []string{
		"skip gateway main: who is connected to it directly cannot be read: no such table -> ask on the Gateway's host"}},

	{"a tap that somebody else has", healthy, func(f *Facts) { f.Gateways[0].TapSeen.Process, f.Gateways[0].TapSeen.PID = "nc", 9 }, []string{
		"fail tap main: nc (process 9) listens on 127.0.0.1:4101, and not the recorder: programs that connect there are not guarded -> end it; the recorder takes the port by itself once it may open it"}},
	{"a tap that cannot be had again", healthy, func(f *Facts) {
		f.Gateways[0].TapSeen = nobody()
		f.Live[0].TapError, f.Live[0].Next = "address already in use", "end the program"
	}, []string{
		"fail tap main: the recorder cannot listen on 127.0.0.1:4101: address already in use -> end the program"}},
	{"a tap that is closed because the Gateway does not listen", healthy, func(f *Facts) {
		f.Gateways[0].TapSeen, f.Live[0].Closed = nobody(), true
	}, nil},
	{"a session whose messages cannot be read", healthy, func(f *Facts) {
		f.Live[0].Sessions = []httpapi.Session{{Phase: "READY", Unwatched: true}}
	}, []string{
		"warn recorder main: 1 session whose messages cannot be read any more: a loss of IB's servers would not be seen there -> connect that program again when it may; see who it is: recorder status"}},
	{"a tap that is closed and should not be", healthy, func(f *Facts) { f.Gateways[0].TapSeen = nobody() }, []string{
		"fail tap main: nothing listens on 127.0.0.1:4101, although a recorder runs -> look again: recorder doctor; if it stays so, stop the recorder, then: recorder run"}},
	{"a tap that is taken before the recorder starts", without, func(f *Facts) {
		f.Gateways[0].TapSeen = events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}
	}, []string{
		"warn recorder: none runs, so no program gets through its port -> recorder run",
		"fail tap main: a program that cannot be read listens on 127.0.0.1:4101, so no recorder can -> end it, or choose another port: recorder run --tap main=127.0.0.1:PORT"}},
	{"any tap", without, func(f *Facts) { f.Gateways[0].Tap = "127.0.0.1:0" }, []string{
		"warn recorder: none runs, so no program gets through its port -> recorder run"}},

	{"nobody is told", healthy, func(f *Facts) { f.Live[0].Alerts, f.Channels = nil, nil }, []string{
		"warn alerts: nobody is told when a Gateway needs a restart -> recorder run --on-restart-required COMMAND, or channels: recorder alert --help"}},
	{"somebody would be told after a restart of the recorder", healthy, func(f *Facts) { f.Live[0].Alerts = nil }, []string{
		"warn alerts: nobody is told on command: the running recorder was started without it -> stop it, then: recorder run"}},
	{"a command that is not there", healthy, func(f *Facts) {
		f.Channels[0].Problem = "/opt/tell: there is no such file"
	}, []string{
		"fail alerts: nobody can be told on command: /opt/tell: there is no such file -> mend it, then: recorder alert test command"}},
	{"a secret that cannot be used", healthy, func(f *Facts) {
		f.Channels = append(f.Channels, Channel{Name: "phone", Type: "telegram", Problem: "token_file: a secret cannot be had: others may read /t (0644): chmod 600 /t"})
	}, []string{
		"fail alerts: nobody can be told on phone: token_file: a secret cannot be had: others may read /t (0644): chmod 600 /t -> mend it, then: recorder alert test phone"}},
	{"a secret that is in a variable of the recorder's", healthy, func(f *Facts) {
		f.Channels[0].Unknown = "token_file: BOT is not set here; whether it is for the recorder nobody can see"
	}, []string{
		"skip alerts: command: token_file: BOT is not set here; whether it is for the recorder nobody can see -> as the user, and with the variables, of the recorder: recorder alert test command"}},
	{"a channel that tells nobody", healthy, func(f *Facts) { f.Live[0].Alerts[0].Failing = "h: it answered 401 Unauthorized" }, []string{
		"fail alerts: nobody could be told on command: h: it answered 401 Unauthorized -> recorder alert test command"}},
	{"a command of the running recorder's flags", healthy, func(f *Facts) { f.Channels = nil }, nil},

	{"a key that others may read", healthy, func(f *Facts) { f.Folder.Private[1].Mode = 0o640 }, []string{
		"fail security: /var/lib/recorder/account.key is open to others (0640) -> chmod 600 /var/lib/recorder/account.key"}},
	{"a key of another user's folder", healthy, func(f *Facts) { f.Folder.Private[1].Err = fs.ErrPermission }, []string{
		"skip security: who may reach /var/lib/recorder/account.key cannot be read: permission denied -> ask as the user who runs the recorder: recorder doctor"}},
	{"a configuration that others may write", healthy, func(f *Facts) { f.File.Mode = 0o664 }, []string{
		"fail security: /etc/recorder.yaml can be written to by others (0664), and has a command that the recorder runs, or may have one -> chmod go-w /etc/recorder.yaml"}},
	{"a tap for everybody", healthy, func(f *Facts) { f.Gateways[0].Tap, f.Live[0].Tap = "0.0.0.0:4101", "0.0.0.0:4101" }, []string{
		"fail security main: its tap is at 0.0.0.0:4101, where others may reach it: IB's protocol has no authentication -> stop the recorder, then: recorder run --tap main=127.0.0.1:4101"}},
}

func TestFindings(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := c.facts()
			c.harm(&f)
			var got []string
			for _, x := range Examine(f) {
				if x.Level != OK {
					got = append(got, fmt.Sprintf("%s -> %s", strings.TrimSuffix(fmt.Sprintf("%s %s %s", x.Level, x.Group, x.Gateway), " ")+": "+x.Text, x.Fix))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryFindingSaysWhatToDo(t *testing.T) {
	for _, c := range cases {
		f := c.facts()
		c.harm(&f)
		all := Examine(f)
		if diff := cmp.Diff(all, Examine(f)); diff != "" {
			t.Errorf("%s: twice the same facts: %s", c.name, diff)
		}
		for _, x := range all {
			if (x.Level == OK) != (x.Fix == "") {
				t.Errorf("%s: %+v", c.name, x)
			}
		}
		if len(all) == 0 || Failed(all) != strings.Contains(strings.Join(c.want, "\n"), "fail ") {
			t.Errorf("%s: failed %t, by %+v", c.name, Failed(all), all)
		}
	}
}

// TestText compares with testdata: go test ./internal/doctor -update
func TestText(t *testing.T) {
	bad := healthy()
	bad.Gateways[0].Seen = nobody()
	bad.Gateways[0].TapSeen.Process, bad.Gateways[0].TapSeen.PID = "nc\x1b[2J", 9
	wrong := healthy()
	wrong.Problems = []string{"file x.yaml:1:1: unknown key \"gatways\"\n>   1 | gatways: []\n        ^"}
	for name, f := range map[string]Facts{"healthy": healthy(), "bad": bad, "wrong": wrong} {
		for _, colour := range []bool{false, true} {
			file := filepath.Join("testdata", name+".txt")
			if colour {
				file = filepath.Join("testdata", name+"-colour.txt")
			}
			var b strings.Builder
			if err := Write(&b, Examine(f), colour); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s: %s", file, diff)
			}
		}
	}
}

func TestAChannelThatWasToldSaysWhen(t *testing.T) {
	f := healthy()
	f.Channels = []Channel{{Name: "phone", Type: "telegram"}}
	f.Live[0].Alerts = []httpapi.Channel{{Name: "phone", Delivered: noon.Add(-3 * time.Minute)}}
	for _, found := range Examine(f) {
		if found.Group == Alerts {
			if found.Level != OK || found.Text != "phone: telegram, told for the last time 3m00s ago" {
				t.Errorf("%+v", found)
			}
			return
		}
	}
	t.Error("nothing is said of the channel")
}
