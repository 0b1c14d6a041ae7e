package config

import (
	"reflect"
	"slices"
	"strings"

	"ibrecorder/events"

	"github.com/agnivade/levenshtein"
)

// kind is the type of a value.
type kind string

const (
	text    kind = "text"
	whole   kind = "a whole number"
	boolean kind = "true or false"
	steps   kind = "a list of texts" // kept as one, with line ends between them
)

// key is one thing that can be set. Paths have dots for viper's sake: no part of
// one may have a dot or a capital, and gateway names have neither.
type key struct {
	path string // in the file; a gateway's begins with "gateways.*."
	kind kind
	flag string // without its dashes; empty if there is none
}

// env is the variable of a key. A gateway's name cannot be part of one, so those
// take lists instead (see environment).
func (k key) env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_")) }

const envPrefix = "IBRECORDER_"

// top are the keys outside of gateways.
var top = func() []key {
	keys := []key{
		{"data", text, "data"},
		{"mode", text, "mode"},
		{"held", text, "held"},
		{"on_restart_required", text, "on-restart-required"},
		{"nats.listen", text, "nats-listen"},
		{path: "nats.runners", kind: text}, // a key for each name: natsRunner
		{"http.listen", text, "http"},
		{"http.tls_cert_file", text, ""},
		{"http.tls_key_file", text, ""},
		{"log_max_bytes", whole, "log-max-bytes"},
		{"log_roll", text, ""},
		{"alerts.remind_minutes", whole, ""},
		{"alerts.remind_most", whole, ""},
		{"alerts.outage_after_minutes", whole, ""},
		{"alerts.dead_man.url_file", text, ""},
		{"alerts.dead_man.every_minutes", whole, ""},
		{"log_level", text, ""},
		{"policy.preset", text, "policy"},
	}
	for _, name := range paramNames {
		keys = append(keys, key{path: "policy." + name, kind: whole})
	}
	return keys
}()

// perGateway are the keys of one gateway, in the file.
var perGateway = []key{
	{path: "gateways.*.name", kind: text},
	{path: "gateways.*.address", kind: text},
	{path: "gateways.*.tap", kind: text},
	{path: "gateways.*.connect", kind: boolean},
	{path: "gateways.*.client_id", kind: whole},
	{path: "gateways.*.recovery", kind: steps},
	{path: "gateways.*.restart_window", kind: text},
}

// lists are the keys that have a list of named things, by the prefix of their paths, and
// what is above one.
var lists = map[string][]string{"": {"gateways", "alerts"}, "alerts.": {"channels"}, "http.": {"tokens"}}

// natsRunner is the path of one runner's key.
func natsRunner(name string) string { return "nats.runners." + name }

// paramNames are the JSON names of events.Params, in their order.
var paramNames = func() []string {
	var names []string
	t := reflect.TypeFor[events.Params]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}()

// nearest is the word of known that word was most likely meant to be.
func nearest(word string, known []string) string {
	word = word[:min(len(word), 64)] // the distance takes time with the length
	return slices.MinFunc(known, func(a, b string) int {
		return levenshtein.ComputeDistance(word, a) - levenshtein.ComputeDistance(word, b)
	})
}
