package health

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Bound is how long a loop may take to go round. It goes round each second at the least;
// while a log does not answer, after each try to append. One try takes up to fifteen
// seconds: the append and two questions to the embedded server, of five seconds each.
const Bound = 30 * time.Second

// Pulse is what the loop of a gateway has left behind.
type Pulse struct {
	Gateway string
	// Age is how long ago it last went round.
	Age time.Duration
	// Blocked is why its log takes nothing, nil while it does.
	Blocked error
	// Queued is how many facts wait for the log.
	Queued int
}

// lag is how many facts may wait for the log of a recorder that is ready. A program that
// connects hands over a dozen within a millisecond, 32 programs may at once.
const lag = 512

// Alive returns nil if every loop turns.
func Alive(all []Pulse) error {
	var errs []error
	for _, p := range all {
		if p.Age > Bound {
			errs = append(errs, fmt.Errorf("the loop of %s has not gone round for %s; restart the recorder, and report what it logged", p.Gateway, p.Age.Round(time.Second)))
		}
	}
	return errors.Join(errs...)
}

// Ready returns nil if everything that happens would be recorded at once.
func Ready(all []Pulse) error {
	errs := []error{Alive(all)}
	for _, p := range all {
		switch {
		case p.Blocked != nil:
			errs = append(errs, fmt.Errorf("the log of %s takes nothing: %w", p.Gateway, p.Blocked))
		case p.Queued > lag:
			errs = append(errs, fmt.Errorf("%d facts wait for the log of %s", p.Queued, p.Gateway))
		}
	}
	return errors.Join(errs...)
}

// Handler answers 200 and a word, or 503 and what is wrong, a line for each thing.
func Handler(word string, check func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := check(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, word)
	})
}
