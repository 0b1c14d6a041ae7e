package streams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// policyFile is policy.yaml: a preset, what differs from it, and what nobody knows.
type policyFile struct {
	Preset   string           `yaml:"preset"`
	Mode     events.Mode      `yaml:"mode"`
	Override map[string]int64 `yaml:"override"`
	Unknown  []string         `yaml:"unknown"`
}

// ParsePolicy reads a policy.yaml, strictly: an unknown key, a key given twice and
// a value that the policy forbids are errors.
func ParsePolicy(text []byte) (events.PolicyLoaded, error) {
	var file policyFile
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return events.PolicyLoaded{}, fmt.Errorf("read policy.yaml: %w", err)
	}
	params, err := policy.Preset(file.Preset)
	if err != nil {
		return events.PolicyLoaded{}, fmt.Errorf("read policy.yaml: %w", err)
	}
	if len(file.Unknown) == 0 {
		return events.PolicyLoaded{}, errors.New("read policy.yaml: it must state under unknown: what nobody knows, or that nothing is")
	}
	override, err := json.Marshal(file.Override)
	if err != nil {
		return events.PolicyLoaded{}, fmt.Errorf("read policy.yaml: override: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(override))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&params); err != nil {
		return events.PolicyLoaded{}, fmt.Errorf("read policy.yaml: override: %w", err)
	}
	loaded, err := policy.Load(file.Preset, params, file.Mode)
	if err != nil {
		return events.PolicyLoaded{}, fmt.Errorf("read policy.yaml: %w", err)
	}
	return loaded, nil
}
