package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ibrecorder/events"

	"github.com/goccy/go-yaml/ast"
	"github.com/spf13/pflag"
)

// Flags registers the flags of recorder run.
func Flags(fs *pflag.FlagSet) {
	fs.String("config", "", "configuration `FILE` (default $XDG_CONFIG_HOME/ibrecorder/config.yaml, if it exists)")
	fs.String("data", "", "data `FOLDER` (default $XDG_STATE_HOME/ibrecorder)")
	fs.String("held", "", "what a program meets while the gate is stopped, `HOW`: refuse closes the port, explain tells it why and counts it (default refuse)")
	fs.String("mode", "", "`MODE`: enforce holds clients back, observe only says what it would have done (default enforce)")
	fs.StringArray("gateway", nil, "guard the gateway at `NAME=HOST:PORT`; repeatable (default main=127.0.0.1:4002)")
	fs.StringArray("tap", nil, "where trading programs connect instead, `NAME=HOST:PORT` on loopback; repeatable (default 127.0.0.1, the gateway's port plus 100)")
	fs.StringArray("connect", nil, "keep a session of the recorder's own with gateway `NAME`; repeatable")
	fs.Int64("client-id", 0, "API client id `N` of the recorder's own sessions")
	fs.String("on-restart-required", "", "`COMMAND` for /bin/sh -c, with the event on its standard input, when a gateway needs a restart, and when that is over")
	fs.Int64("log-max-bytes", 0, "limit of one gateway's log, `N` bytes from 1048576 (1 MiB) to 1099511627776 (1 TiB) (default 1073741824, 1 GiB)")
	fs.String("nats-listen", "", "let the runners of nats.runners connect over NATS at `IP:PORT` on loopback, such as 127.0.0.1:4222 (default: nothing listens)")
	fs.String("http", "", "serve the HTTP API at `IP:PORT`, or off (default 127.0.0.1:7463)")
	fs.String("policy", "", "policy `PRESET`: handoff, lenient or demo (default handoff)")
}

// layer is one source of values.
type layer struct {
	entries  []entry
	clientID *entry // for every gateway that has connect, known once all layers are
	problems
}

// set adds an entry for the key at path.
func (l *layer) set(path string, value any, origin string) {
	l.entries = append(l.entries, entry{path: path, value: value, origin: origin})
}

// pairs reads NAME=HOST:PORT, once for each name.
func (l *layer) pairs(field, origin string, values []string) {
	seen := map[string]bool{}
	for _, v := range values {
		name, address, ok := strings.Cut(v, "=")
		if !ok {
			l.add(origin, "%q, want NAME=HOST:PORT, for example %s=%s", v, defaultName, defaultAddress)
			continue
		}
		if l.name(name, origin, seen) {
			l.set("gateways."+name+"."+field, address, origin)
		}
	}
}

// windows reads NAME=WINDOW, once for each name.
func (l *layer) windows(origin string, values []string) {
	seen := map[string]bool{}
	for _, v := range values {
		name, text, ok := strings.Cut(v, "=")
		if !ok {
			l.add(origin, "%q, want NAME=WINDOW, for example %s=23:40-00:20 America/New_York", v, defaultName)
			continue
		}
		if l.name(name, origin, seen) {
			l.set("gateways."+name+".restart_window", text, origin)
		}
	}
}

// name checks a gateway's name before it becomes part of a path.
func (l *layer) name(name, origin string, seen map[string]bool) bool {
	if err := events.CheckGatewayName(name); err != nil {
		l.add(origin, "%v", err)
		return false
	}
	if seen[name] {
		l.add(origin, "gateway %s is given twice", name)
		return false
	}
	seen[name] = true
	return true
}

// runners reads NAME=KEY, once for each name.
func (l *layer) runners(origin string, values []string) {
	seen := map[string]bool{}
	for _, v := range values {
		name, public, _ := strings.Cut(v, "=")
		err := checkRunner(name)
		if seen[name] {
			err = fmt.Errorf("runner %s is given twice", name)
		}
		if err != nil {
			l.add(origin, "%v; want NAME=KEY", err)
			continue
		}
		seen[name] = true
		l.set(natsRunner(name), public, origin)
	}
}

// channels reads the list of channels, as the file has it.
func (l *layer) channels(variable, value string) {
	f := file{env: variable, lines: strings.Split(value, "\n")}
	doc := f.document([]byte(value))
	if seq, ok := doc.(*ast.SequenceNode); ok {
		f.channels(start(doc), seq)
	} else if f.problems == nil { // what it is instead may be a secret
		l.add("env "+variable, "want a list, for example [{name: phone, type: ntfy, topic_file: /etc/ibrecorder/topic}]")
	}
	l.entries, l.problems = append(l.entries, f.entries...), append(l.problems, f.problems...)
}

func (l *layer) connect(origin string, names []string) {
	seen := map[string]bool{}
	for _, name := range names {
		if l.name(name, origin, seen) {
			l.set("gateways."+name+".connect", true, origin)
		}
	}
}

// fromFlags are the flags that were given.
func fromFlags(fs *pflag.FlagSet) layer {
	var l layer
	if fs == nil {
		return l
	}
	given := func(name string) bool { f := fs.Lookup(name); return f != nil && f.Changed }
	list := func(name string) []string {
		if !given(name) {
			return nil
		}
		values, err := fs.GetStringArray(name)
		if err != nil {
			l.add("flag --"+name, "%v", err)
		}
		return values
	}
	for _, k := range top {
		if k.flag != "" && given(k.flag) {
			origin, value := "flag --"+k.flag, fs.Lookup(k.flag).Value.String()
			if k.kind != whole {
				l.set(k.path, value, origin)
			} else if n, ok := l.whole(origin, value); ok {
				l.set(k.path, n, origin)
			}
		}
	}
	l.pairs("address", "flag --gateway", list("gateway"))
	l.pairs("tap", "flag --tap", list("tap"))
	l.connect("flag --connect", list("connect"))
	if given("client-id") {
		id, err := fs.GetInt64("client-id")
		if err != nil {
			l.add("flag --client-id", "%v", err)
		}
		l.clientID = &entry{value: id, origin: "flag --client-id"}
	}
	return l
}

// listVars are the variables that are not named after a key, because a gateway's
// name cannot be part of a variable's. Commas separate. PAGER is of whoever sits at a
// terminal (internal/tty), and no key of the file.
var listVars = []string{"CONFIG", "PAGER", "GATEWAYS", "TAPS", "CONNECT", "CLIENT_ID", "HTTP_TOKENS", "ALERTS_CHANNELS", "RESTART_WINDOWS"}

// fromEnv are the variables that begin with IBRECORDER_; an empty one counts as
// not set, because that is how docker compose passes on what it has not.
func fromEnv(env map[string]string) layer {
	var l layer
	known := map[string]key{}
	for _, k := range top {
		known[k.env()] = k
	}
	for _, name := range listVars {
		known[envPrefix+name] = key{}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value, origin := env[name], "env "+name
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		k, ok := known[name]
		short := strings.TrimPrefix(name, envPrefix)
		switch {
		case !ok:
			l.add(origin, "unknown variable, nearest is %s", nearest(name, slices.Sorted(maps.Keys(known))))
		case short == "CONFIG", short == "PAGER": // read already, and not a recorder's
		case short == "GATEWAYS":
			l.pairs("address", origin, strings.Split(value, ","))
		case short == "TAPS":
			l.pairs("tap", origin, strings.Split(value, ","))
		case short == "RESTART_WINDOWS":
			l.windows(origin, strings.Split(value, ","))
		case short == "CONNECT":
			l.connect(origin, strings.Split(value, ","))
		case short == "NATS_RUNNERS":
			l.runners(origin, strings.Split(value, ","))
		case short == "HTTP_TOKENS":
			l.tokens(origin, strings.Split(value, ","))
		case short == "ALERTS_CHANNELS":
			l.channels(name, value)
		case short == "CLIENT_ID":
			if id, ok := l.whole(origin, value); ok {
				l.clientID = &entry{value: id, origin: origin}
			}
		case k.kind == whole:
			if n, ok := l.whole(origin, value); ok {
				l.set(k.path, n, origin)
			}
		default:
			l.set(k.path, value, origin)
		}
	}
	return l
}

func (l *layer) whole(origin, value string) (int64, bool) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		l.add(origin, "%q, want a whole number", value)
	}
	return n, err == nil
}

// variables are those of an environment in the form of os.Environ.
func variables(env []string) map[string]string {
	all := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		all[name] = value
	}
	return all
}

// xdg is $variable/ibrecorder, or ~/fallback/ibrecorder, on macOS too: that is
// where its users look (k9s issue 743). A relative $variable is ignored, as the
// XDG Base Directory Specification wants. Empty if there is no home either.
func xdg(env map[string]string, variable, fallback string) string {
	if dir := env[variable]; filepath.IsAbs(dir) {
		return filepath.Join(dir, "ibrecorder")
	}
	if home := env["HOME"]; filepath.IsAbs(home) {
		return filepath.Join(home, fallback, "ibrecorder")
	}
	return ""
}
