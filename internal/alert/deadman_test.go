package alert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/internal/alert"
)

// service is where pings arrive.
type service struct {
	mu    sync.Mutex
	began time.Time
	came  []string
	down  bool
}

func (s *service) Ping(_ context.Context, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errors.New("it does not answer")
	}
	if why == "" {
		why = "well"
	}
	s.came = append(s.came, fmt.Sprintf("%s %s", time.Since(s.began), why))
	return nil
}

func TestADeadManIsToldThatTheRecorderLives(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *service, ill func(string))
		want []string
	}{
		{"every five minutes, from the beginning", func(*service, func(string)) { time.Sleep(11 * time.Minute) }, []string{"0s well", "5m0s well", "10m0s well"}},
		{"a log that takes nothing is told, once it has for a while, and so is its end", func(s *service, ill func(string)) {
			time.Sleep(time.Minute + time.Second)
			ill("the disk is full")
			time.Sleep(time.Minute)
			ill("")
			time.Sleep(time.Minute)
		}, []string{"0s well", "1m20s the disk is full", "2m5s well"}},
		{"a slow disk is no illness", func(s *service, ill func(string)) {
			time.Sleep(time.Minute + time.Second)
			ill("the disk is slow")
			time.Sleep(10 * time.Second)
			ill("")
			time.Sleep(time.Minute)
		}, []string{"0s well"}},
		{"what lasts is told again and again", func(s *service, ill func(string)) {
			ill("the disk is full")
			time.Sleep(11 * time.Minute)
		}, []string{"0s well", "20s the disk is full", "5m20s the disk is full", "10m20s the disk is full"}},
		{"a service that is away is asked again as soon as it is there", func(s *service, _ func(string)) {
			s.set(true)
			time.Sleep(7*time.Minute + time.Second)
			s.set(false)
			time.Sleep(time.Minute)
		}, []string{"0s well", "7m5s well"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				why := ""
				s := &service{began: time.Now()}
				d := &alert.DeadMan{Pinger: s, Every: 5 * time.Minute, Logger: slog.New(slog.DiscardHandler), Ill: func() error {
					mu.Lock()
					defer mu.Unlock()
					if why == "" {
						return nil
					}
					return errors.New(why)
				}}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { d.Run(ctx); close(ended) }()
				synctest.Wait()
				c.do(s, func(w string) { mu.Lock(); why = w; mu.Unlock() })
				synctest.Wait()
				cancel()
				<-ended
				same(t, "came", c.want, s.came)
				if d.Failing() != "" {
					t.Errorf("at the end it fails: %s", d.Failing())
				}
			})
		})
	}
}

func (s *service) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func TestAPingThatIsNotTakenIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{began: time.Now(), down: true}
		d := &alert.DeadMan{Pinger: s, Every: time.Minute, Logger: slog.New(slog.DiscardHandler), Ill: func() error { return nil }}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { d.Run(ctx); close(ended) }()
		synctest.Wait()
		if d.Failing() != "it does not answer" {
			t.Errorf("it fails: %q", d.Failing())
		}
		cancel()
		<-ended
	})
}
