package config

import "strings"

// Changed returns the keys whose values are not the same in a and b, as Origins.Of has
// them, in the order of Show.
func Changed(a, b Config) []string {
	before := map[string]string{}
	for _, l := range lines(a) {
		if l.path != "" {
			before[l.path] = l.text
		}
	}
	var keys []string
	for _, l := range lines(b) {
		if l.path == "" {
			continue
		}
		if text, there := before[l.path]; !there || text != l.text {
			keys = append(keys, l.path)
		}
		delete(before, l.path)
	}
	for _, l := range lines(a) { // what is in b no more
		if _, gone := before[l.path]; gone && l.path != "" {
			keys = append(keys, l.path)
		}
	}
	return keys
}

// live are the keys that a recorder takes while it runs, or what they begin with. Every
// other one is about what it has open.
var live = []string{"on_restart_required", "alerts.channels.", "alerts.remind_minutes", "alerts.remind_most", "alerts.outage_after_minutes", tokensRoot, "log_level", "policy."}

// Live says whether a recorder that runs with a configuration can take another value of a
// key, and needs no restart.
func Live(running Config, key string) bool {
	for _, g := range running.Gateways {
		if root := "gateways." + g.Name + "."; key == root+"recovery" || key == root+"restart_window" {
			return true
		}
	}
	for _, l := range live {
		if key == l || strings.HasSuffix(l, ".") && strings.HasPrefix(key, l) {
			return true
		}
	}
	return false
}
