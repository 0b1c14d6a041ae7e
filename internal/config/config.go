package config

import (
	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// Config is everything that can be set about a recorder. Its JSON names are the
// keys of the file.
type Config struct {
	// Data is the data folder. Default: $XDG_STATE_HOME/ibrecorder, or
	// ~/.local/state/ibrecorder.
	Data string `json:"data"`
	// Mode says whether clients are held: enforce (default) or observe.
	Mode events.Mode `json:"mode"`
	// Held says what a program meets at the tap's port while its gate is STOPPED:
	// refuse (default), the port is closed, so that it fails at once as if nothing ran
	// there, and nobody can count it; explain, the port stays open, and every program
	// gets a version and an error that says why, and is counted in the log. Nobody
	// reaches the Gateway in either case.
	Held Held `json:"held"`
	// Gateways are what is guarded, 1 to 32, in the order in which they were first
	// named. Default: one, main, at 127.0.0.1:4002.
	Gateways []Gateway `json:"gateways"`
	// Policy is the retry-stop rule.
	Policy Policy `json:"policy"`
	// OnRestartRequired is a command line for /bin/sh -c, with the event on its
	// standard input, for each restart.required; empty (default) for none.
	OnRestartRequired string `json:"on_restart_required"`
	// Alerts is who is told.
	Alerts Alerts `json:"alerts"`
	// NATS lets programs that dial by themselves report, and ask for permits.
	NATS NATS `json:"nats"`
	// HTTP is the API for programs in any language, and for people.
	HTTP HTTP `json:"http"`
	// LogMaxBytes is the limit of one gateway's log in bytes, 1 MiB to 1 TiB, with its rolled
	// parts as long as they are in the data folder. Default: 1 GiB, about two million events.
	LogMaxBytes int64 `json:"log_max_bytes"`
	// LogRoll says when a new part of a log is begun by itself: monthly (default), with the
	// first hour of a month in UTC, or never. A part that is over can be archived.
	LogRoll LogRoll `json:"log_roll"`
	// LogLevel is the least that is written to standard error: debug, info (default), warn or
	// error. It is about the program's own lines, and not about the log of events.
	LogLevel string `json:"log_level"`
}

// Held is what a program meets while the gate is STOPPED.
type Held string

const (
	// Refuse closes the port.
	Refuse Held = "refuse"
	// Explain tells every program the reason.
	Explain Held = "explain"
)

// LogRoll says when a log is rolled by itself.
type LogRoll string

const (
	// Monthly rolls when a month is over.
	Monthly LogRoll = "monthly"
	// Never leaves it to an operator.
	Never LogRoll = "never"
)

// Gateway is one IB Gateway or TWS.
type Gateway struct {
	// Name is [a-z][a-z0-9-]{0,31}.
	Name string `json:"name"`
	// Address is where it listens, host:port.
	Address string `json:"address"`
	// Tap is where trading programs connect instead, host:port on loopback; port 0
	// takes any that is free. Default: 127.0.0.1 and the Gateway's port plus 100.
	Tap string `json:"tap"`
	// Connect makes the recorder keep a session of its own.
	Connect bool `json:"connect"`
	// ClientID is the API client id of that session, 0 to 2147483647. It has no
	// default, because two clients of one id lock each other out.
	ClientID int64 `json:"client_id"`
	// Recovery are the steps to take for a stop, in the operator's own words, which stand in
	// the alerts: a list of at most 10. Default: restart the Gateway, approve the login,
	// recorder resume.
	Recovery []string `json:"recovery,omitempty"`
	// RestartWindow is when it is expected to be away, so that nobody is told before it is
	// over: "23:40-00:20 America/New_York", with a day before it for once a week
	// ("sat 22:00-04:00 America/New_York"), with semicolons between several. Default: never.
	RestartWindow string `json:"restart_window,omitempty"`
}

// NATS is where runners connect, and who they are. By default nothing listens.
type NATS struct {
	// Listen is IP:PORT on loopback, empty (default) for nowhere; port 0 takes any that
	// is free.
	Listen string `json:"listen"`
	// Runners are the public keys (nkeys) of those who may connect, by their names,
	// which are as those of gateways.
	Runners map[string]string `json:"runners,omitempty"`
}

// HTTP is where the API is served beside the socket in the data folder, and to whom.
type HTTP struct {
	// Listen is IP:PORT (default 127.0.0.1:7463), or off; port 0 takes any that is free.
	// On loopback everybody may read. Anything wider needs tokens and TLS.
	Listen string `json:"listen"`
	// TLSCertFile and TLSKeyFile are a certificate, with its chain, and its key, in PEM;
	// empty (default) for HTTP without TLS. Only the owner may read the key. They are read
	// again when the recorder is told to reload.
	TLSCertFile string `json:"tls_cert_file"`
	TLSKeyFile  string `json:"tls_key_file"`
	// Tokens are who may do more than read. Default: nobody.
	Tokens []Token `json:"tokens,omitempty"`
}

// Token is one that recorder token new has made.
type Token struct {
	// Name is [a-z][a-z0-9-]{0,31}. Who has a token to ingest reports as /runner/NAME.
	Name string `json:"name"`
	// Scope is ingest, read or operate.
	Scope string `json:"scope"`
	// SHA256 is its hash, 64 hexadecimal digits. Either this or SecretFile is set.
	SHA256 string `json:"sha256,omitempty"`
	// SecretFile is a file with the token, which only its owner may read, or env:NAME.
	SecretFile string `json:"secret_file,omitempty"`
}

// Policy is the rule: the values of a preset, some of them set to others.
type Policy struct {
	// Preset is handoff (default), lenient or demo.
	Preset string `json:"preset"`
	events.Params
}

const (
	defaultMode    = events.Enforce
	defaultHeld    = Refuse
	defaultName    = "main"
	defaultAddress = "127.0.0.1:4002" // where IB Gateway listens for paper trading
	defaultPreset  = "handoff"
	defaultLevel   = "info"
	defaultLog     = 1 << 30
	defaultRoll    = Monthly
	// In minutes.
	defaultRemind, defaultOutageAfter, defaultPing = 30, 10, 5
	defaultRemindMost                              = 8

	tapHost   = "127.0.0.1"
	tapOffset = 100

	maxGateways = 32
	minLog      = 1 << 20
	maxLog      = 1 << 40
)

// levels are those of log_level.
var levels = []string{"debug", defaultLevel, "warn", "error"}

// presetParams are the values of a preset, those of the default one if there is
// none of that name.
func presetParams(name string) (events.Params, error) {
	p, err := policy.Preset(name)
	if err != nil {
		p = policy.Handoff()
	}
	return p, err
}
