package store

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// defaultMaxBytes holds about two million events.
	defaultMaxBytes = 1 << 30
	// defaultTimeout is far above the slowest fsync of a healthy disk.
	defaultTimeout = 5 * time.Second
	// maxStore is for all logs together, and never reached: the server would refuse
	// to create a log when the limits of all exceed it. Each log has its own.
	maxStore = 1 << 60
	// diskReserve is left free for marks, snapshots and everything else on the
	// disk: a full disk makes the server's log unusable until it is restarted
	// (nats-server 2.15.2 keeps the first write error), a full log does not.
	diskReserve = 64 << 20
	// diskFloor is how much must be free for an append to be tried at all: others may
	// have filled the disk since the log got its limit. It is far more than an append
	// takes, and leaves room for the marks.
	diskFloor = diskReserve / 4
)

// Config says where the logs are and how large they may get.
type Config struct {
	// Dir is the data folder. It is created with mode 0700.
	Dir string
	// MaxBytes is the limit of one gateway's log in bytes, with the rolled parts of it that
	// are still in Dir; 0 is 1 GiB. A log never
	// gets a limit above what the disk has free, less 64 MiB, when it is opened. One
	// that is full looks again at each append.
	MaxBytes int64
	// Timeout bounds one request to the log whose context has no deadline; 0 is 5 s.
	Timeout time.Duration
	// Door lets runners connect; nil, and nothing listens.
	Door *Door
	// Logger gets the embedded server's lines; nil drops them.
	Logger *slog.Logger

	// provider lets a test stand between the client and the server.
	provider func(*server.Server) nats.InProcessConnProvider
	// free is how many bytes a folder's disk has left; a test has one of any size.
	free func(dir string) (int64, error)
	// step is told before a roll or an archive does something; a test ends the process there.
	step func(string)
	// unsynced: events are on disk when the store is closed, and not before.
	unsynced bool
	// copied: the folder is a copy for examination.
	copied bool
}

func (c Config) withDefaults() Config {
	if c.MaxBytes <= 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.provider == nil {
		c.provider = func(s *server.Server) nats.InProcessConnProvider { return s }
	}
	if c.free == nil {
		c.free = freeBytes
	}
	if c.step == nil {
		c.step = func(string) {}
	}
	return c
}
