package policy

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ibrecorder/events"
)

// Handoff is the default: the rule as it was first written down, one silent
// attempt stops the gate.
func Handoff() events.Params {
	return events.Params{
		SilentLimit:         1,
		DialTimeoutLimit:    3,
		ClosedLimit:         0,
		DialTimeoutMS:       5_000,
		VersionBudgetMS:     30_000,
		StartAPIBudgetMS:    2_000,
		ReadyBudgetMS:       30_000,
		MinReportedBudgetMS: 10_000,
		SettleMS:            30_000,
		ProbationAttempts:   2,
		ProbationSpacingMS:  60_000,
		BackoffBaseMS:       1_000,
		BackoffCapMS:        60_000,
		JitterPercent:       25,
		WindowMS:            600_000,
		WindowFailures:      20,
		CoolingMS:           1_000,
		LeaseMS:             60_000,
	}
}

// Lenient allows three silent attempts of 15 s before it stops: about as long as
// one of Handoff, for networks where a single lost connect is common.
func Lenient() events.Params {
	p := Handoff()
	p.SilentLimit = 3
	p.VersionBudgetMS = 15_000
	p.ReadyBudgetMS = 15_000
	return p
}

// Demo has the shape of Handoff with budgets that a spectator can sit through.
func Demo() events.Params {
	p := Handoff()
	p.DialTimeoutMS = 1_000
	p.VersionBudgetMS = 2_000
	p.StartAPIBudgetMS = 1_000
	p.ReadyBudgetMS = 2_000
	p.MinReportedBudgetMS = 1_000
	p.SettleMS = 2_000
	p.ProbationSpacingMS = 2_000
	p.BackoffBaseMS = 250
	p.BackoffCapMS = 2_000
	p.CoolingMS = 250
	p.LeaseMS = 5_000
	return p
}

// presets in the order in which they are offered.
var presets = []struct {
	name   string
	params func() events.Params
}{{"handoff", Handoff}, {"lenient", Lenient}, {"demo", Demo}}

// ErrInvalid is wrapped by every complaint about a policy.
var ErrInvalid = errors.New("invalid policy")

// Presets are the names of all presets.
func Presets() (names []string) {
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// Preset returns the values of a named preset.
func Preset(name string) (events.Params, error) {
	for _, p := range presets {
		if p.name == name {
			return p.params(), nil
		}
	}
	return events.Params{}, fmt.Errorf("%w: no preset %q, there are %s", ErrInvalid, name, strings.Join(Presets(), ", "))
}

// hour bounds every duration: longer ones are mistakes of unit.
const hour = 3_600_000

// cooling bounds the cooling of a client id, in milliseconds: it takes place in the one
// slot that all attempts share, so everybody waits for it.
const cooling = 10_000

// Validate returns every problem at once, each wrapping ErrInvalid.
func Validate(p events.Params) error {
	var problems []error
	check := func(name string, v, least, most int64) {
		if v < least || v > most {
			problems = append(problems, fmt.Errorf("%w: %s is %d, want %d to %d", ErrInvalid, name, v, least, most))
		}
	}
	check("silent_limit", p.SilentLimit, 1, 100)
	check("dial_timeout_limit", p.DialTimeoutLimit, 1, 100)
	check("closed_limit", p.ClosedLimit, 0, 100)
	check("dial_timeout_ms", p.DialTimeoutMS, 100, hour)
	check("version_budget_ms", p.VersionBudgetMS, 100, hour)
	check("start_api_budget_ms", p.StartAPIBudgetMS, 100, hour)
	check("ready_budget_ms", p.ReadyBudgetMS, 100, hour)
	check("min_reported_budget_ms", p.MinReportedBudgetMS, 0, hour)
	check("settle_ms", p.SettleMS, 0, hour)
	check("probation_attempts", p.ProbationAttempts, 1, 10)
	check("probation_spacing_ms", p.ProbationSpacingMS, 0, hour)
	check("backoff_base_ms", p.BackoffBaseMS, 0, hour)
	check("backoff_cap_ms", p.BackoffCapMS, min(max(0, p.BackoffBaseMS), hour), hour)
	check("jitter_percent", p.JitterPercent, 0, 100)
	check("window_ms", p.WindowMS, 0, 24*hour)
	check("window_failures", p.WindowFailures, 1, 1000)
	check("cooling_ms", p.CoolingMS, 0, cooling)
	check("lease_ms", p.LeaseMS, 1000, hour)
	return errors.Join(problems...)
}

// Hash identifies a set of values: the SHA-256 of their JSON, fields in the order
// of the type.
func Hash(p events.Params) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("policy: params have only integers: %v", err))
	}
	return events.Hash(sha256.Sum256(b)).String()
}

// Load is the event that puts p in force.
func Load(preset string, p events.Params, mode events.Mode) (events.PolicyLoaded, error) {
	err := Validate(p)
	if mode != events.Enforce && mode != events.Observe {
		err = errors.Join(err, fmt.Errorf("%w: mode %q, want enforce or observe", ErrInvalid, mode))
	}
	if !slices.ContainsFunc([]byte(preset), func(c byte) bool { return c >= 'a' && c <= 'z' }) {
		err = errors.Join(err, fmt.Errorf("%w: preset %q has no name", ErrInvalid, preset))
	}
	if err != nil {
		return events.PolicyLoaded{}, err
	}
	return events.PolicyLoaded{Preset: preset, Hash: Hash(p), Mode: mode, Params: p}, nil
}
