package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Origins tells where each value came from.
type Origins struct {
	// File is the configuration file that was read, empty if none was.
	File string
	of   map[string]entry
}

// Of is the origin of a key, which is written as in "policy.silent_limit" or
// "gateways.live.tap": "flag --mode", "env IBRECORDER_MODE", "file /x.yaml:12",
// "preset handoff" or "default".
func (o Origins) Of(key string) string { return o.of[key].origin }

// Load puts a configuration together from the flags that were given, the
// environment (as os.Environ has it), the file and the defaults; what comes
// first here wins. Values of a gateway are put together by its name, so --tap
// may change one of a gateway in the file. fs may be nil.
//
// The error is a Problems with everything that is wrong; each matches ErrInvalid.
func Load(flags *pflag.FlagSet, env []string) (Config, Origins, error) {
	vars := variables(env)
	var ps problems
	path, inFile := configFile(flags, vars, &ps)
	fromVars, fromFS := fromEnv(vars), fromFlags(flags)
	ps = append(append(ps, fromVars.problems...), fromFS.problems...)

	// From the weakest to the strongest.
	all := append(append(inFile, fromVars.entries...), fromFS.entries...)
	all = append(all, clientIDs(all, fromVars.clientID, &ps)...)
	all = append(all, clientIDs(all, fromFS.clientID, &ps)...)
	all = append(defaults(vars, all), all...)

	var c Config
	o := Origins{File: path}
	c, o.of = merge(all)
	complete(&c, o.of, &ps)
	validate(c, o.of, &ps)
	if err := ps.err(); err != nil {
		return Config{}, o, err
	}
	return c, o, nil
}

// configFile reads the file that is named, or the one in the usual place if it exists.
func configFile(flags *pflag.FlagSet, vars map[string]string, ps *problems) (path string, all []entry) {
	path, named := vars[envPrefix+"CONFIG"], true
	if flags != nil && flags.Changed("config") {
		path = flags.Lookup("config").Value.String()
	}
	if path == "" {
		named = false
		dir := xdg(vars, "XDG_CONFIG_HOME", ".config")
		if dir == "" {
			return "", nil
		}
		path = filepath.Join(dir, "config.yaml")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !named {
		return "", nil
	}
	all, wrong := readFile(path)
	*ps = append(*ps, wrong...)
	return path, all
}

// gatewayNames are those in the paths, in the order of their first mention.
func gatewayNames(all []entry) []string { return namesUnder("gateways.", all) }

func namesUnder(root string, all []entry) []string {
	var names []string
	for _, e := range all {
		if rest, ok := strings.CutPrefix(e.path, root); ok {
			if name, _, _ := strings.Cut(rest, "."); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// clientIDs gives every gateway that has connect the one client id.
func clientIDs(all []entry, id *entry, ps *problems) []entry {
	if id == nil {
		return nil
	}
	var out []entry
	for _, name := range gatewayNames(all) {
		connect := false
		for _, e := range all {
			if e.path == "gateways."+name+".connect" {
				connect = e.value.(bool)
			}
		}
		if connect {
			out = append(out, entry{path: "gateways." + name + ".client_id", value: id.value, origin: id.origin})
		}
	}
	if out == nil {
		ps.add(id.origin, "no gateway has a session of the recorder's own; add --connect NAME")
	}
	return out
}

// defaults are the weakest values. They have a gateway if nobody gave one an address.
func defaults(vars map[string]string, others []entry) []entry {
	all := []entry{
		{path: "mode", value: string(defaultMode)},
		{path: "held", value: string(defaultHeld)},
		{path: "policy.preset", value: defaultPreset},
		{path: "on_restart_required", value: ""},
		{path: "nats.listen", value: ""},
		{path: "http.listen", value: defaultHTTP},
		{path: "http.tls_cert_file", value: ""},
		{path: "http.tls_key_file", value: ""},
		{path: "log_max_bytes", value: int64(defaultLog)},
		{path: "log_roll", value: string(defaultRoll)},
		{path: "alerts.remind_minutes", value: int64(defaultRemind)},
		{path: "alerts.remind_most", value: int64(defaultRemindMost)},
		{path: "alerts.outage_after_minutes", value: int64(defaultOutageAfter)},
		{path: "alerts.dead_man.url_file", value: ""},
		{path: "alerts.dead_man.every_minutes", value: int64(defaultPing)},
		{path: "log_level", value: defaultLevel},
		{path: "data", value: xdg(vars, "XDG_STATE_HOME", filepath.Join(".local", "state"))},
	}
	if !slices.ContainsFunc(others, func(e entry) bool { return strings.HasSuffix(e.path, ".address") }) {
		all = append(all, entry{path: "gateways." + defaultName + ".address", value: defaultAddress})
	}
	for i := range all {
		all[i].origin = "default"
	}
	return all
}

// merge lets later entries win. Viper is given only paths and types that were
// checked: it folds letters, splits keys at dots, and converts what does not fit.
func merge(all []entry) (Config, map[string]entry) {
	v := viper.New()
	of := map[string]entry{}
	for _, e := range all {
		v.Set(e.path, e.value)
		of[e.path] = e
		for _, root := range []string{"gateways.", tokensRoot} {
			rest, ok := strings.CutPrefix(e.path, root)
			name, _, _ := strings.Cut(rest, ".")
			if path := root + name + ".name"; ok && of[path].origin == "" { // a name comes from where it was first mentioned
				of[path] = entry{path: path, origin: e.origin, excerpt: e.excerpt}
			}
		}
	}
	names := gatewayNames(all)
	c := Config{
		Data: v.GetString("data"), Mode: events.Mode(v.GetString("mode")), Held: Held(v.GetString("held")),
		OnRestartRequired: v.GetString("on_restart_required"), LogMaxBytes: v.GetInt64("log_max_bytes"), LogRoll: LogRoll(v.GetString("log_roll")), LogLevel: v.GetString("log_level"),
		Policy: Policy{Preset: v.GetString("policy.preset")}, NATS: NATS{Listen: v.GetString("nats.listen")},
		HTTP: HTTP{Listen: v.GetString("http.listen"), TLSCertFile: v.GetString("http.tls_cert_file"), TLSKeyFile: v.GetString("http.tls_key_file")},
	}
	for _, name := range namesUnder(tokensRoot, all) {
		t := tokensRoot + name + "."
		c.HTTP.Tokens = append(c.HTTP.Tokens, Token{Name: name, Scope: v.GetString(t + "scope"), SHA256: v.GetString(t + "sha256"), SecretFile: v.GetString(t + "secret_file")})
	}
	for _, e := range all {
		if name, ok := strings.CutPrefix(e.path, natsRunner("")); ok {
			if c.NATS.Runners == nil {
				c.NATS.Runners = map[string]string{}
			}
			c.NATS.Runners[name] = v.GetString(e.path)
		}
	}
	for _, name := range names {
		g := "gateways." + name + "."
		c.Gateways = append(c.Gateways, Gateway{
			Name: name, Address: v.GetString(g + "address"), Tap: v.GetString(g + "tap"),
			Connect: v.GetBool(g + "connect"), ClientID: v.GetInt64(g + "client_id"), RestartWindow: v.GetString(g + "restart_window"),
		})
		if steps := v.GetString(g + "recovery"); steps != "" {
			c.Gateways[len(c.Gateways)-1].Recovery = strings.Split(steps, "\n")
		}
	}
	c.Alerts = Alerts{
		RemindMinutes: v.GetInt64("alerts.remind_minutes"), RemindMost: v.GetInt64("alerts.remind_most"), OutageAfterMinutes: v.GetInt64("alerts.outage_after_minutes"),
		DeadMan: DeadMan{URLFile: v.GetString("alerts.dead_man.url_file"), EveryMinutes: v.GetInt64("alerts.dead_man.every_minutes")},
	}
	for _, name := range namesUnder("alerts.channels.", all) {
		ch := Channel{Name: name}
		for _, s := range ch.settings() {
			*s.value = v.GetString(channelPath(name, s.key))
		}
		c.Alerts.Channels = append(c.Alerts.Channels, ch)
	}
	c.Policy.Params, _ = presetParams(c.Policy.Preset) // validate says if there is none of that name
	for i, p := range params(&c.Policy.Params) {
		if path := "policy." + paramNames[i]; v.IsSet(path) {
			*p = v.GetInt64(path)
		} else {
			of[path] = entry{origin: "preset " + c.Policy.Preset}
		}
	}
	return c, of
}

// complete fills in what follows from other values.
func complete(c *Config, of map[string]entry, ps *problems) {
	for i := range c.Gateways {
		g := &c.Gateways[i]
		path := "gateways." + g.Name + "."
		for _, key := range []string{"connect", "client_id"} {
			if _, set := of[path+key]; !set {
				of[path+key] = entry{origin: "default"}
			}
		}
		if _, set := of[path+"tap"]; set {
			continue
		}
		address := of[path+"address"]
		of[path+"tap"] = entry{origin: "default"}
		_, port, err := net.SplitHostPort(g.Address)
		if err != nil {
			continue // validate says so
		}
		n, err := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil:
		case n+tapOffset > 65535:
			ps.add(address.origin, "gateway %s: port %d plus %d is no port; say where its tap is: --tap %s=%s:PORT", g.Name, n, tapOffset, g.Name, tapHost)
		default:
			g.Tap = net.JoinHostPort(tapHost, fmt.Sprint(n+tapOffset))
		}
	}
}
