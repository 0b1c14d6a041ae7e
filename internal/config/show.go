package config

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// Show writes c as a configuration file: what it holds loads as c.
func Show(w io.Writer, c Config) error {
	return show(w, c, nil)
}

// ShowOrigin writes what Show does, with the origin of each value as a comment
// behind it.
func ShowOrigin(w io.Writer, c Config, o Origins) error {
	return show(w, c, o.Of)
}

// Shown is what recorder config show -o json prints.
type Shown struct {
	// Schema is the version of this document.
	Schema int `json:"schema_version"`
	// Config is the configuration in force.
	Config Config `json:"config"`
	// Origin is where each value comes from, by its key: "flag --mode".
	Origin map[string]string `json:"origin"`
	// File is the configuration file that was read, absent if none was.
	File string `json:"file,omitempty"`
}

// ShowJSON writes a Shown on one line. The keys of its origins are those of Origins.Of.
func ShowJSON(w io.Writer, c Config, o Origins) error {
	out := Shown{Schema: 1, Config: c, Origin: map[string]string{}, File: o.File}
	for _, l := range lines(c) {
		if l.path != "" {
			out.Origin[l.path] = o.Of(l.path)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("show the configuration: %w", err)
	}
	return nil
}

// Check loads, and writes one line about what was loaded to w. What is wrong it
// returns, as Load does, and does not write.
func Check(w io.Writer, flags *pflag.FlagSet, env []string) error {
	c, o, err := Load(flags, env)
	if err != nil {
		return err
	}
	file := o.File
	if file == "" {
		file = "no configuration file"
	}
	var guarded []string
	for _, g := range c.Gateways {
		guarded = append(guarded, fmt.Sprintf("%s at %s with a tap at %s", g.Name, g.Address, g.Tap))
	}
	if _, err := fmt.Fprintf(w, "ok: %s; %s, policy %s, %s\n", file, c.Mode, c.Policy.Preset, strings.Join(guarded, ", ")); err != nil {
		return fmt.Errorf("check the configuration: %w", err)
	}
	return nil
}

// line is one line of a file; path is the key it sets, if it does.
type line struct {
	text string
	path string
}

// lines are c as a file.
func lines(c Config) []line {
	var out []line
	add := func(indent, path, name string, value any) {
		out = append(out, line{indent + name + ": " + scalar(value), path})
	}
	add("", "data", "data", c.Data)
	add("", "mode", "mode", string(c.Mode))
	add("", "held", "held", string(c.Held))
	add("", "on_restart_required", "on_restart_required", c.OnRestartRequired)
	add("", "log_max_bytes", "log_max_bytes", c.LogMaxBytes)
	add("", "log_roll", "log_roll", string(c.LogRoll))
	add("", "log_level", "log_level", c.LogLevel)
	out = append(out, line{text: "alerts:"})
	add("  ", "alerts.remind_minutes", "remind_minutes", c.Alerts.RemindMinutes)
	add("  ", "alerts.remind_most", "remind_most", c.Alerts.RemindMost)
	add("  ", "alerts.outage_after_minutes", "outage_after_minutes", c.Alerts.OutageAfterMinutes)
	out = append(out, line{text: "  dead_man:"})
	add("    ", "alerts.dead_man.url_file", "url_file", c.Alerts.DeadMan.URLFile)
	add("    ", "alerts.dead_man.every_minutes", "every_minutes", c.Alerts.DeadMan.EveryMinutes)
	if len(c.Alerts.Channels) == 0 {
		out = append(out, line{text: "  channels: []"})
	} else {
		out = append(out, line{text: "  channels:"})
	}
	for _, ch := range c.Alerts.Channels {
		add("    - ", channelPath(ch.Name, "name"), "name", ch.Name)
		for _, s := range ch.settings() {
			if *s.value != "" {
				add("      ", channelPath(ch.Name, s.key), s.key, *s.value)
			}
		}
	}
	out = append(out, line{text: "nats:"})
	add("  ", "nats.listen", "listen", c.NATS.Listen)
	if len(c.NATS.Runners) == 0 {
		out = append(out, line{text: "  runners: {}"})
	} else {
		out = append(out, line{text: "  runners:"})
	}
	for _, name := range slices.Sorted(maps.Keys(c.NATS.Runners)) {
		add("    ", natsRunner(name), scalar(name), c.NATS.Runners[name])
	}
	out = append(out, line{text: "http:"})
	add("  ", "http.listen", "listen", c.HTTP.Listen)
	add("  ", "http.tls_cert_file", "tls_cert_file", c.HTTP.TLSCertFile)
	add("  ", "http.tls_key_file", "tls_key_file", c.HTTP.TLSKeyFile)
	if len(c.HTTP.Tokens) == 0 {
		out = append(out, line{text: "  tokens: []"})
	} else {
		out = append(out, line{text: "  tokens:"})
	}
	for _, t := range c.HTTP.Tokens {
		path := tokensRoot + t.Name + "."
		add("    - ", path+"name", "name", t.Name)
		add("      ", path+"scope", "scope", t.Scope)
		if t.SHA256 != "" {
			add("      ", path+"sha256", "sha256", t.SHA256)
		} else {
			add("      ", path+"secret_file", "secret_file", t.SecretFile)
		}
	}
	out = append(out, line{text: "gateways:"})
	for _, g := range c.Gateways {
		path := "gateways." + g.Name + "."
		add("  - ", path+"name", "name", g.Name)
		add("    ", path+"address", "address", g.Address)
		add("    ", path+"tap", "tap", g.Tap)
		add("    ", path+"connect", "connect", g.Connect)
		if g.Connect {
			add("    ", path+"client_id", "client_id", g.ClientID)
		}
		if len(g.Recovery) > 0 {
			out = append(out, line{"    recovery: " + flow(g.Recovery), path + "recovery"})
		}
		if g.RestartWindow != "" {
			add("    ", path+"restart_window", "restart_window", g.RestartWindow)
		}
	}
	out = append(out, line{text: "policy:"})
	add("  ", "policy.preset", "preset", c.Policy.Preset)
	for i, p := range params(&c.Policy.Params) {
		add("  ", "policy."+paramNames[i], paramNames[i], *p)
	}
	return out
}

// bare is text that YAML takes for text without quotes.
var bare = regexp.MustCompile(`^(/[A-Za-z0-9/._-]+|[a-z][a-z0-9.-]*(:[0-9]+)?|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+:[0-9]+)$`)

// scalar is a value as YAML has it. A JSON string is a YAML string.
func scalar(v any) string {
	s, ok := v.(string)
	if !ok {
		return fmt.Sprint(v)
	}
	switch s {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if bare.MatchString(s) {
			return s
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("config: a string is always JSON: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// flow is a list of texts on one line.
func flow(all []string) string {
	out := make([]string, len(all))
	for i, s := range all {
		if out[i] = scalar(s); out[i] == s { // in a list also what is bare elsewhere may need them
			out[i] = `"` + s + `"`
		}
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func show(w io.Writer, c Config, origin func(string) string) error {
	all := lines(c)
	width := 0
	for _, l := range all {
		width = max(width, min(utf8.RuneCountInString(l.text), 48)) // a long value pushes only its own comment
	}
	out := bufio.NewWriter(w)
	for _, l := range all {
		if origin == nil || l.path == "" {
			fmt.Fprintln(out, l.text)
		} else {
			fmt.Fprintf(out, "%-*s  # %s\n", width, l.text, origin(l.path))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("show the configuration: %w", err)
	}
	return nil
}
