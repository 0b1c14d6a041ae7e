package fsm

import (
	"slices"

	"ibrecorder/events"
)

// maxClients is how many client ids may have a row of failures of their own: twice as
// many as IB serves for one Gateway. Beyond it the one that failed longest ago is
// dropped, and begins anew.
const maxClients = 64

// Client is a client id whose attempts failed by its own doing, and which waits for it
// alone: the id was in use (326), or its program left before ready. Whoever never sent a
// startAPI has no id, and so no wait.
type Client struct {
	ID      int64  `json:"id"`
	Failed  int64  `json:"failed"` // in a row, since the id was last ready or had a session that ended
	Delay   Wait   `json:"delay"`
	Pending string `json:"pending,omitempty"` // ID of a failure that asks for a delay
}

func (s *State) client(id int64) int {
	return slices.IndexFunc(s.Clients, func(c Client) bool { return c.ID == id })
}

// blame counts a failure against the client id of session i, if it is one that we relay
// and not one from before the last release: there the id belongs to another Gateway.
func (s *State) blame(e *events.Event, i int, reported bool) {
	if reported || i < 0 || s.Sessions[i].ClientID == nil || s.stale(i) {
		return
	}
	c := Client{ID: *s.Sessions[i].ClientID}
	old := s.Clients
	if k := s.client(c.ID); k >= 0 {
		c = old[k]
		old = slices.Delete(slices.Clone(old), k, k+1)
	}
	c.Failed++
	c.Pending = e.ID
	s.Clients = push(old, c, maxClients)
}

// forgive ends the row of failures of session i's client id: it became ready, or what
// was in its way has ended. Otherwise whoever tries the id of a session in vain would
// keep that session's own program waiting when it has to connect again.
func (s *State) forgive(i int, reported bool) {
	if reported || i < 0 || s.Sessions[i].ClientID == nil {
		return
	}
	if k := s.client(*s.Sessions[i].ClientID); k >= 0 {
		s.Clients = slices.Delete(slices.Clone(s.Clients), k, k+1)
	}
}

// scheduled takes in a wait of one client id.
func (s *State) scheduled(id, delayMS int64) {
	if k := s.client(id); k >= 0 {
		s.Clients = slices.Clone(s.Clients)
		s.Clients[k].Delay, s.Clients[k].Pending = Wait{From: s.Mono, MS: delayMS}, ""
	}
}

// rebooted begins the waits again that were not over at last, the end of the run before.
func (s *State) rebooted(last int64) {
	s.Clients = slices.Clone(s.Clients)
	for k := range s.Clients {
		if w := &s.Clients[k].Delay; w.Until() > last {
			w.From = s.Mono
		} else {
			*w = Wait{}
		}
	}
}
