package doctor

// Level says what a finding means for whoever reads it.
type Level string

const (
	// OK needs nothing.
	OK Level = "ok"
	// Warn works, and is not as it should be.
	Warn Level = "warn"
	// Fail does not work.
	Fail Level = "fail"
	// Skip could not be looked at; its text says why.
	Skip Level = "skip"
)

// Group is what a finding is about.
type Group string

// The groups, in the order in which they are told.
const (
	Config   Group = "config"
	Data     Group = "data"
	Recorder Group = "recorder"
	Clock    Group = "clock"
	Gateway  Group = "gateway"
	Tap      Group = "tap"
	Alerts   Group = "alerts"
	Security Group = "security"
	Probe    Group = "probe"
)

// Finding is one line of the answer. The JSON is a contract: fields are added, and
// none is renamed or changes its meaning; readers ignore what they do not know.
type Finding struct {
	// Group is config, data, recorder, clock, gateway, tap, alerts, security or probe.
	Group Group `json:"group"`
	// Gateway is the name of the one that it is about; empty if about none alone.
	Gateway string `json:"gateway"`
	// Level is ok, warn, fail or skip.
	Level Level `json:"level"`
	// Text is what was seen.
	Text string `json:"text"`
	// Fix is what to do or to type. Empty for ok.
	Fix string `json:"fix"`
}

// Failed reports whether one of the findings is a failure.
func Failed(all []Finding) bool {
	for _, f := range all {
		if f.Level == Fail {
			return true
		}
	}
	return false
}
