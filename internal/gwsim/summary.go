package gwsim

import (
	"slices"

	"ibrecorder/internal/wire"
)

// Stage is how far a connection came.
type Stage string

const (
	StageAccepted Stage = "accepted"  // nothing came that is a hello
	StageHello    Stage = "hello"     // a complete hello came
	StageVersion  Stage = "version"   // the version reply was sent
	StageStartAPI Stage = "start_api" // startAPI came
	StageReady    Stage = "ready"     // managedAccounts and nextValidId were sent
)

var stages = []Stage{StageAccepted, StageHello, StageVersion, StageStartAPI, StageReady}

// atLeast is the later one of two stages.
func (s Stage) atLeast(other Stage) Stage {
	if slices.Index(stages, other) > slices.Index(stages, s) {
		return other
	}
	return s
}

// EndedBy says who closed a connection first.
type EndedBy string

const (
	ByClient    EndedBy = "client"
	ByGateway   EndedBy = "gateway"   // the script, or a restart
	BySimulator EndedBy = "simulator" // it was open when the simulator, or the context of ServeConn, ended
)

// EndedHow says how the closing side closed, as far as TCP shows it. In memory
// every end is a FIN.
type EndedHow string

const (
	ByFIN EndedHow = "fin"
	ByRST EndedHow = "rst"
)

// firstBytes is how many of a connection's first bytes are kept: a hello with
// an option, and what came directly after it.
const firstBytes = 32

// Connection is what the simulator knows of one accepted connection.
type Connection struct {
	Number        int       `json:"number"`          // from 1, over all processes
	Process       int       `json:"process"`         // from 1; a restart is the next one
	FirstBytesHex string    `json:"first_bytes_hex"` // of at most 32 bytes; "" if none came
	Kind          wire.Kind `json:"kind"`            // what they look like; "none" if none came
	NotHello      bool      `json:"not_hello"`       // they have proved to be no hello
	Offered       string    `json:"offered"`         // the hello's text, such as v100..225; "" before a complete one
	ServerVersion int       `json:"server_version"`  // as answered; 0 if it was not
	ClientID      *int      `json:"client_id"`       // of startAPI; null if none came
	Stage         Stage     `json:"stage"`           // how far it came
	EndedBy       EndedBy   `json:"ended_by"`        // "" while it is open
	EndedHow      EndedHow  `json:"ended_how"`       // fin or rst, absent while it is open
}

// Summary is what reached the simulator.
type Summary struct {
	Processes           int          `json:"processes"`            // 1 and one for each restart
	Connects            int          `json:"connects"`             // connections accepted
	Hellos              int          `json:"hellos"`               // of them, with a complete and valid hello
	NotHellos           int          `json:"not_hellos"`           // of them, whose first bytes were no hello
	HandshakesCompleted int          `json:"handshakes_completed"` // ready was sent
	ClientIDs           []int        `json:"client_ids"`           // seen in startAPI, ascending, each once
	OpenAtEnd           int          `json:"open_at_end"`          // open now, or ended by the simulator
	Connections         []Connection `json:"connections"`          // by number
}
