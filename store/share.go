package store

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// perKey is how many connections of one key stay: a program has one, and one more while
	// it comes back. The embedded server bounds them only for all keys together.
	perKey = 8
	// shareLooks is how long more of them stay.
	shareLooks = time.Second
)

// share closes what a runner has beyond perKey connections, until the store is closed: one
// that forgets to close its own must not keep the others out. The oldest stay.
func (s *Store) share() {
	look := time.NewTicker(shareLooks)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-s.ended:
			return
		}
		if s.srv.NumClients() > perKey+ownConns { // else nobody has more
			s.closeExcess()
		}
	}
}

func (s *Store) closeExcess() {
	all, err := s.srv.Connz(&server.ConnzOptions{Sort: server.ByCid, Username: true, Account: guests, Limit: maxConns + ownConns})
	if err != nil {
		s.cfg.Logger.Warn("the connections of runners are not counted", "error", err)
		return
	}
	has := map[string]int{}
	for _, c := range all.Conns {
		if has[c.AuthorizedUser]++; has[c.AuthorizedUser] <= perKey {
			continue
		}
		if has[c.AuthorizedUser] == perKey+1 {
			s.cfg.Logger.Warn("a runner has too many connections, and the newest are closed; it should close what it does not use", "key", c.AuthorizedUser, "name", c.Name, "most", perKey)
		}
		_ = s.srv.DisconnectClientByID(c.Cid) // it has left by itself
	}
}
