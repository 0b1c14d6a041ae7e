package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/notice"
)

// Config is what a Board needs.
type Config struct {
	// Gateways are shown in this order.
	Gateways []httpapi.Gateway
	// Authorize says whose token it is. The error is what the page says of one that may not
	// operate. Nil, and nobody can resume or acknowledge from the page.
	Authorize func(token string) (by string, err error)
	// Open says whether there is a token now that may operate; a reload may bring the first.
	// Nil, and there is if there is an Authorize.
	Open func() bool
	// Steps are what people are told to do for a stop of a gateway, in order. Nil is
	// notice.DefaultSteps.
	Steps func(gateway string) []string
	// Folder is the data folder, for the commands in a report.
	Folder string
	// Zone is that of the times that people read; nil is UTC. A reader may ask for another.
	Zone *time.Location
	// Version is the recorder's.
	Version string
	Logger  *slog.Logger

	// Now is the wall clock, and nil is time.Now: it is compared with the times of events.
	Now func() time.Time
	// Beat is the time between two signs of life to an open page; 0 is 10 s. A page that
	// has heard none for three times as long says that it is stale.
	Beat time.Duration
	// Pace is the least time between two changes that an open page is told of; 0 is 1 s.
	Pace time.Duration
}

// maxPages bounds the pages that are told of changes at once. One more is served, and
// renews itself.
const maxPages = 128

// Board serves the page. Take New; it knows nothing until Run.
type Board struct {
	cfg       Config
	followers []*follower
	mux       *http.ServeMux
	reports   chan struct{} // has room for the one report that is made at a time

	mu    sync.Mutex    // guards the rest
	news  chan struct{} // is closed and replaced when something has changed
	pages int           // that are told
	ended bool          // Run is over
}

// New returns a Board that is not yet running.
func New(cfg Config) *Board {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Steps == nil {
		cfg.Steps = notice.DefaultSteps
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Beat == 0 {
		cfg.Beat = 10 * time.Second
	}
	if cfg.Pace == 0 {
		cfg.Pace = time.Second
	}
	b := &Board{cfg: cfg, news: make(chan struct{}), reports: make(chan struct{}, 1)}
	for _, g := range cfg.Gateways {
		b.followers = append(b.followers, &follower{gateway: g, log: cfg.Logger, news: b.tell, window: newWindow()})
	}
	b.mux = b.routes()
	return b
}

// Run follows the logs until ctx ends. Pages that are open are told nothing more then.
func (b *Board) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, f := range b.followers {
		all.Go(func() { f.run(ctx) })
	}
	<-ctx.Done()
	all.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	close(b.news)
	b.news = make(chan struct{})
}

// tell wakes whoever waits for news.
func (b *Board) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.news)
	b.news = make(chan struct{})
}

// wait returns what is closed with the next change, and whether there will be one.
func (b *Board) wait() (<-chan struct{}, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.news, !b.ended
}

// find is the follower of a gateway, nil if there is none.
func (b *Board) find(name string) *follower {
	for _, f := range b.followers {
		if f.gateway.Name() == name {
			return f
		}
	}
	return nil
}
