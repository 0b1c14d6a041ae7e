package explore

// Cast is who stands around the recorder in one exploration, and what each of them may
// do, at any time and in any order. One cast with everything in it would have millions
// of states that differ in what has nothing to do with each other; so there are several,
// each whole in what it is about.
type Cast struct {
	// Name is one word, and About what it is about, for people.
	Name, About string
	// Programs is how many come through the port at a time, waiting or connected.
	Programs int
	// Steps says that a handshake is told step by step; without it an attempt is dialled
	// and ends in one move. Not every end is in every cast: a dial that times out is in
	// the one that has nothing else to count.
	Steps bool
	// Sessions is how many of the programs may stay connected after ready.
	Sessions int
	// IDs is how many client ids there are, of which the first may be in use; 0 if
	// programs do not say who they are.
	IDs int64
	// Leases says that a runner dials by itself with a permit, and Reports that others
	// connect without one and tell of it.
	Leases, Reports bool
	// Watch says that the Gateway's listener is read, and Gateway what is there at first.
	Watch   bool
	Gateway listener
	// Disconnects says that operators and runners ask to disconnect.
	Disconnects bool
	// Crashes says that the recorder dies between what is written and what follows from it,
	// at every place there is. That it dies in between moves is in every cast.
	Crashes bool
	// Claims says that an operator says that the Gateway was restarted. Without it a stop
	// is overridden.
	Claims bool
	// Carried says that the log may take over a stop of one that was set aside.
	Carried bool
	// API says that states of the gateway's API layer are told apart, which no decision
	// looks at.
	API bool
	// Full says that the window is full of failures at first.
	Full bool
}

// listener is what listens on the Gateway's port.
type listener struct {
	kind listens
	pid  int64
}

type listens uint8

const (
	unreadable listens = iota
	nothing
	itself    // the Gateway's own process
	forwarder // such as docker-proxy, behind which nobody sees
)

// roots say how the log may begin.
func (c *Cast) roots() []bool {
	if c.Carried {
		return []bool{false, true}
	}
	return []bool{false}
}

// Casts are those that a policy is explored with, in the order in which they are told.
func Casts() []Cast {
	own := listener{itself, 1}
	return []Cast{
		{Name: "handshakes", About: "two programs, each handshake step by step", Programs: 2, Steps: true, Crashes: true},
		{Name: "sessions", About: "a session that lives while another program connects", Programs: 2, Sessions: 1, API: true},
		{Name: "disconnects", About: "operators and runners who ask to disconnect", Programs: 1, Steps: true, Sessions: 1, Disconnects: true},
		{Name: "clients", About: "client ids that are in use, and wait alone", Programs: 1, Sessions: 1, IDs: 2, Crashes: true},
		{Name: "leases", About: "a runner that dials by itself, with a lease, beside a program", Programs: 1, Leases: true, Crashes: true},
		{Name: "reports", About: "programs that ask nobody, and tell of it", Programs: 1, Reports: true},
		{Name: "restarts", About: "claims and readings of the Gateway's own process", Programs: 1, Watch: true, Claims: true, Gateway: own, Carried: true, Crashes: true},
		{Name: "forwarded", About: "claims and readings behind a forwarder", Programs: 1, Watch: true, Claims: true, Gateway: listener{kind: forwarder}, Crashes: true},
		{Name: "window", About: "as many failures as the window may have", Programs: 1, Full: true, Crashes: true},
	}
}
