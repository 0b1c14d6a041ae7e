package doctor

import (
	"io/fs"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/watch"
	"ibrecorder/store"
)

// Facts is everything that was read, and all that findings are made of.
type Facts struct {
	Now     time.Time
	Version string // of this program
	User    int    // who runs it; -1 where the system has no numbers for users

	// Problems are what is wrong with the configuration. If there are any, nothing
	// below is known.
	Problems []string
	File     Path // the configuration file; without a name there is none
	Gateways []Place
	LogLimit int64 // of one log, in bytes

	Folder  Folder
	Live    []httpapi.Status // of the running recorder, if one runs
	LiveErr error            // why there is none: httpapi.ErrUnreachable if none runs
	Logs    []store.Examined // of a folder without a recorder
	LogsErr error
	Clock   Sync
	// Channels are who is told of a stop, as the configuration has it.
	Channels []Channel
}

// Path is a file or folder, and what is known of it.
type Path struct {
	Name string
	Err  error // why nothing is known
	Mode fs.FileMode
	User int // whose it is; -1 if the system does not say
}

// Folder is the data folder.
type Folder struct {
	Path
	Free     int64  // bytes that may still be written to its disk
	FreeErr  error  // why that is not known
	System   string // the name of its file system, as far as one is known
	Remote   bool   // it is on another machine
	Fleeting string // why what is on it goes away by itself; empty if it does not
	Private  []Path // files in it that nobody else may reach, those that exist
}

// Place is one gateway.
type Place struct {
	Name    string
	Address string // of the Gateway
	Tap     string // where programs connect instead
	// Configured is false for one that only the running recorder knows; Elsewhere says
	// what the configuration has instead of Address and Tap, if it has something else.
	Configured bool
	Elsewhere  string

	Seen     events.GatewayObserved // who listens at Address
	Others   []Port                 // usual ports of a Gateway on which something else listens
	Peers    []watch.Peer           // connected to Address
	PeersErr error
	TapSeen  events.GatewayObserved // who listens at Tap
	Last     time.Time              // of the last event in the log; zero if unknown
}

// Port is one that listens.
type Port struct {
	Number  uint16
	Process string // empty if it cannot be read
}

// Sync is the state of the host's clock.
type Sync struct {
	Unknown string // why it is not known; empty if it is
	Synced  bool
}

// Channel is one way to tell somebody.
type Channel struct {
	Name    string
	Type    string
	Command Command // of one of the type command
	Problem string  // why nobody can be told on it; empty if nothing speaks against it
	Unknown string  // why that cannot be known from here; empty if it can
}

// Command is one that a channel runs.
type Command struct {
	Line    string // of shell; empty if there is none
	Word    string // the program that it begins with, if that is plain
	Problem string // why that program cannot be run; empty if it can, or nobody can tell
}

// live is the running recorder's word on a gateway.
func (f Facts) live(gateway string) (httpapi.Status, bool) {
	for _, s := range f.Live {
		if s.Gateway == gateway {
			return s, true
		}
	}
	return httpapi.Status{}, false
}

// statuses are the running recorder's words on the gateways that are looked at.
func (f Facts) statuses() (all []httpapi.Status) {
	for _, p := range f.Gateways {
		if s, ok := f.live(p.Name); ok {
			all = append(all, s)
		}
	}
	return all
}

// recorder is the process id of the one that runs; 0 if none does, or is not known.
func (f Facts) recorder() int {
	if len(f.Live) == 0 {
		return 0
	}
	return f.Live[0].PID
}
