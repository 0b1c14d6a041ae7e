package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/policy"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write what is found as the golden files")

// given is one way to configure a recorder.
type given struct {
	args []string // flags; FILE stands for the file's path
	env  []string // beside HOME
	file string   // written to the usual place, unless FILE is in args or env
}

// load loads g. In what it says the folder is called /home/ann.
func (g given) load(t testing.TB) (Config, Origins, error) {
	t.Helper()
	c, o, err := Load(g.flags(t))
	return c, o, err
}

// flags are the arguments of Load for g. The folder is made for it.
func (g given) flags(t testing.TB) (*pflag.FlagSet, []string) {
	t.Helper()
	home := t.TempDir()
	path := filepath.Join(home, ".config", "ibrecorder", "config.yaml")
	env := []string{"HOME=" + home}
	named := false
	for _, list := range [][]string{g.args, g.env} {
		named = named || strings.Contains(strings.Join(list, " "), "FILE")
	}
	if named {
		path = filepath.Join(home, "my.yaml")
	}
	if g.file != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(g.file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	Flags(fs)
	var args []string
	for _, a := range g.args {
		args = append(args, strings.ReplaceAll(a, "FILE", path))
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	for _, e := range g.env {
		env = append(env, strings.ReplaceAll(e, "FILE", path))
	}
	return fs, env
}

// homeless replaces the folder of the test.
func homeless(env []string, s string) string {
	return strings.ReplaceAll(s, strings.TrimPrefix(env[0], "HOME="), "/home/ann")
}

func TestZeroConfiguration(t *testing.T) {
	c, o, err := Load(nil, []string{"HOME=/home/ann"})
	want := Config{
		Alerts: Alerts{RemindMinutes: 30, RemindMost: 8, OutageAfterMinutes: 10, DeadMan: DeadMan{EveryMinutes: 5}},
		Data:   "/home/ann/.local/state/ibrecorder", Mode: events.Enforce, Held: "refuse",
		Gateways:    []Gateway{{Name: "main", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102"}},
		Policy:      Policy{"handoff", policy.Handoff()},
		HTTP:        HTTP{Listen: "127.0.0.1:7463"},
		LogMaxBytes: 1 << 30, LogRoll: "monthly", LogLevel: "info",
	}
	if diff := cmp.Diff(want, c); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if o.File != "" || o.Of("mode") != "default" || o.Of("gateways.main.address") != "default" || o.Of("policy.silent_limit") != "preset handoff" {
		t.Errorf("origins %+v", o)
	}
}

func TestFoldersFollowXDG(t *testing.T) {
	for _, test := range []struct {
		name, want string
		env        []string
	}{
		{"its variable is set", "/var/state/ibrecorder", []string{"HOME=/home/ann", "XDG_STATE_HOME=/var/state"}},
		{"its variable is relative, which does not count", "/home/ann/.local/state/ibrecorder", []string{"HOME=/home/ann", "XDG_STATE_HOME=state"}},
		{"it alone is set", "/var/state/ibrecorder", []string{"XDG_STATE_HOME=/var/state"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if c, _, err := Load(nil, test.env); err != nil || c.Data != test.want {
				t.Errorf("got %q, %v, want %q", c.Data, err, test.want)
			}
		})
	}
	if _, _, err := Load(nil, nil); err == nil || err.Error() != "default: no data folder, and no home folder to put it in; say where: --data FOLDER" {
		t.Errorf("without a home: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "ibrecorder"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ibrecorder", "config.yaml")
	if err := os.WriteFile(path, []byte("mode: observe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, o, err := Load(nil, []string{"HOME=/home/ann", "XDG_CONFIG_HOME=" + dir})
	if err != nil || c.Mode != events.Observe || o.File != path {
		t.Errorf("a file in $XDG_CONFIG_HOME: %+v, %v, read %q", c, err, o.File)
	}
}

// sum is the SHA-256 of a token, and secret the token.
const (
	secret = "ibr_iIqCV8XAvN7S8qqvISyYM6BySdxlTl0uyxJd1Ivn0hw"
	sum    = "9a5c1f3cfe5d4dbf1e1c6d7d14bd41e92d3a3c35d14e5f66d19a92e1c0ffee00"
)

func TestPrecedence(t *testing.T) {
	const file = `
data: /in/file
mode: observe
gateways:
  - name: live
    address: 127.0.0.1:4001
    tap: 127.0.0.1:5001
    connect: true
    client_id: 5
policy: {preset: lenient, silent_limit: 5}
`
	tests := []struct {
		name string
		given
		want func(c *Config) // what differs from the file alone
	}{
		{"the file alone", given{file: file}, func(*Config) {}},
		{"a variable is stronger than the file", given{file: file, env: []string{"IBRECORDER_DATA=/in/env", "IBRECORDER_POLICY_SILENT_LIMIT=7"}},
			func(c *Config) { c.Data, c.Policy.SilentLimit = "/in/env", 7 }},
		{"a flag is stronger than a variable", given{file: file, env: []string{"IBRECORDER_DATA=/in/env", "IBRECORDER_MODE=observe"}, args: []string{"--data=/in/flag", "--mode=enforce"}},
			func(c *Config) { c.Data, c.Mode = "/in/flag", events.Enforce }},
		{"a number by a flag", given{file: file, env: []string{"IBRECORDER_LOG_MAX_BYTES=3000000"}, args: []string{"--log-max-bytes=2000000"}},
			func(c *Config) { c.LogMaxBytes = 2_000_000 }},
		{"the pager is the terminal's own affair", given{file: file, env: []string{"IBRECORDER_PAGER=more"}}, func(*Config) {}},
		{"a flag that is set to its default is set", given{file: file, args: []string{"--policy=handoff"}},
			func(c *Config) {
				c.Policy = Policy{"handoff", policy.Handoff()}
				c.Policy.SilentLimit = 5
			}},
		{"an empty variable counts as not set", given{file: file, env: []string{"IBRECORDER_MODE=", "IBRECORDER_GATEWAYS="}}, func(*Config) {}},
		{"a tap is changed, the gateway's other values stay", given{file: file, args: []string{"--tap", "live=127.0.0.1:6001"}},
			func(c *Config) { c.Gateways[0].Tap = "127.0.0.1:6001" }},
		{"an address is changed, the gateway's other values stay", given{file: file, args: []string{"--gateway", "live=ibgw:4003"}},
			func(c *Config) { c.Gateways[0].Address = "ibgw:4003" }},
		{"a gateway is added", given{file: file, args: []string{"--gateway", "paper=127.0.0.1:4002"}},
			func(c *Config) {
				c.Gateways = append(c.Gateways, Gateway{Name: "paper", Address: "127.0.0.1:4002", Tap: "127.0.0.1:4102"})
			}},
		{"gateways of a variable, and a session of a flag", given{file: file, env: []string{"IBRECORDER_GATEWAYS=a=h:1,b=h:2", "IBRECORDER_TAPS=b=localhost:9"}, args: []string{"--connect=b", "--client-id=0"}},
			func(c *Config) {
				c.Gateways[0].ClientID = 0 // it has a session too
				c.Gateways = append(c.Gateways, Gateway{Name: "a", Address: "h:1", Tap: "127.0.0.1:101"}, Gateway{Name: "b", Address: "h:2", Tap: "localhost:9", Connect: true})
			}},
		{"the client id of a flag is stronger", given{file: file, env: []string{"IBRECORDER_CLIENT_ID=6"}, args: []string{"--client-id=7"}},
			func(c *Config) { c.Gateways[0].ClientID = 7 }},
		{"the file of a flag is the one", given{file: file, env: []string{"IBRECORDER_CONFIG=/nowhere"}, args: []string{"--config=FILE"}}, func(*Config) {}},
		{"the file of a variable is the one", given{file: file, env: []string{"IBRECORDER_CONFIG=FILE"}}, func(*Config) {}},
		{"the API is turned off", given{file: file, args: []string{"--http=off"}}, func(c *Config) { c.HTTP.Listen = "off" }},
		{"a token of a variable beside those of the file", given{file: file + "http:\n  listen: \"[::1]:1\"\n  tokens:\n    - {name: ann, scope: operate, secret_file: /a}\n    - {name: grafana, scope: read, secret_file: /g}\n",
			env: []string{"IBRECORDER_HTTP_TOKENS=robo-1=ingest:" + sum + ",ann=operate:env:ANN"}},
			func(c *Config) {
				c.HTTP = HTTP{Listen: "[::1]:1", Tokens: []Token{{Name: "ann", Scope: "operate", SecretFile: "env:ANN"}, {Name: "grafana", Scope: "read", SecretFile: "/g"}, {Name: "robo-1", Scope: "ingest", SHA256: sum}}}
			}},
		{"when people are told, of a variable", given{file: file, env: []string{"IBRECORDER_ALERTS_REMIND_MINUTES=15", "IBRECORDER_ALERTS_DEAD_MAN_EVERY_MINUTES=1", "IBRECORDER_RESTART_WINDOWS=live=23:40-00:20 America/New_York; sat 22:00-04:00 UTC"}},
			func(c *Config) {
				c.Alerts.RemindMinutes, c.Alerts.DeadMan.EveryMinutes = 15, 1
				c.Gateways[0].RestartWindow = "23:40-00:20 America/New_York; sat 22:00-04:00 UTC"
			}},
		{"steps of the file", given{file: strings.Replace(file, "    address:", "    recovery: [docker compose restart ib-gateway, \"yes\"]\n    address:", 1)},
			func(c *Config) { c.Gateways[0].Recovery = []string{"docker compose restart ib-gateway", "yes"} }},
		{"variables of others are theirs", given{file: file, env: []string{"IBKR_FORCE_DISCONNECT=1", "IBRECORDERS=1"}}, func(*Config) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := Config{Data: "/in/file", Mode: events.Observe, Held: "refuse", LogMaxBytes: 1 << 30, LogRoll: "monthly", LogLevel: "info", HTTP: HTTP{Listen: "127.0.0.1:7463"},
				Alerts:   Alerts{RemindMinutes: 30, RemindMost: 8, OutageAfterMinutes: 10, DeadMan: DeadMan{EveryMinutes: 5}},
				Gateways: []Gateway{{Name: "live", Address: "127.0.0.1:4001", Tap: "127.0.0.1:5001", Connect: true, ClientID: 5}},
				Policy:   Policy{"lenient", policy.Lenient()}}
			want.Policy.SilentLimit = 5
			test.want(&want)
			got, _, err := test.load(t)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	fs, env := given{
		args: []string{"--mode=observe", "--connect=paper", "--client-id=9"},
		env:  []string{"IBRECORDER_GATEWAYS=paper=127.0.0.1:4002", "IBRECORDER_POLICY_SETTLE_MS=0"},
		file: "# ours\ndata: /var/lib/ibrecorder\n\ngateways:\n  - address: 127.0.0.1:4001\n    name: live\n    tap: 127.0.0.1:7001\npolicy:\n  preset: lenient\n",
	}.flags(t)
	c, o, err := Load(fs, env)
	if err != nil {
		t.Fatal(err)
	}
	const file = "file /home/ann/.config/ibrecorder/config.yaml:"
	for key, want := range map[string]string{
		"mode": "flag --mode", "held": "default", "data": file + "2", "log_max_bytes": "default", "log_roll": "default", "on_restart_required": "default",
		"gateways.live.name": file + "6", "gateways.live.address": file + "5", "gateways.live.tap": file + "7", "gateways.live.connect": "default",
		"gateways.paper.name": "env IBRECORDER_GATEWAYS", "gateways.paper.address": "env IBRECORDER_GATEWAYS", "gateways.paper.tap": "default",
		"gateways.paper.connect": "flag --connect", "gateways.paper.client_id": "flag --client-id",
		"policy.preset": file + "9", "policy.settle_ms": "env IBRECORDER_POLICY_SETTLE_MS", "policy.silent_limit": "preset lenient",
	} {
		if got := homeless(env, o.Of(key)); got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"show.yaml":        func(b *bytes.Buffer) error { return Show(b, c) },
		"show-origin.yaml": func(b *bytes.Buffer) error { return ShowOrigin(b, c, o) },
		"show.json":        func(b *bytes.Buffer) error { return ShowJSON(b, c, o) },
		"check.txt":        func(b *bytes.Buffer) error { return Check(b, fs, env) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, name, homeless(env, b.String()))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; renew with: go test ./internal/config -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); renew with: go test ./internal/config -update\n%s", path, diff)
	}
}

var errDisk = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDisk }

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	fs, env := given{}.flags(t)
	c, o, err := Load(fs, env)
	for name, err := range map[string]error{"Load": err, "Show": Show(fullDisk{}, c), "ShowOrigin": ShowOrigin(fullDisk{}, c, o),
		"ShowJSON": ShowJSON(fullDisk{}, c, o), "Check": Check(fullDisk{}, fs, env)} {
		if name != "Load" && !errors.Is(err, errDisk) || name == "Load" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
