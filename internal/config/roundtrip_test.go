package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/policy"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// runnerKeys are public keys that belong to nobody.
var runnerKeys = []string{
	"UBTDMGA4RBDICCTDOH2DOTMKAIEWY5QW55CVJZX2KBSS5AOCJCE653LM",
	"UAWTOMWGRBINUNECRQMITYW7WQXBGN2XWU6QF64Z5QW77SCRZCWNN33U",
	"UBVPCIUXEXF2AD45GEX4MB6MCQPOF2MZSA45O524UACRQQBWNWGFGBVK",
}

// draw is any configuration that Load could have returned.
func draw(t *rapid.T) Config {
	words := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\n\t\"'\\#:-{}[]&*!|>%@` ,~0.")))).Filter(func(s string) bool {
		var ps problems
		check{map[string]entry{}, &ps}.printable("", s)
		return ps == nil
	})
	c := Config{
		Data:              rapid.SampledFrom([]string{"/", "/var/lib/ibrecorder", "true", "null", "1", "rel/x", "a: b", "-", "#"}).Draw(t, "data"),
		Held:              rapid.SampledFrom([]Held{Refuse, Explain}).Draw(t, "held"),
		Mode:              rapid.SampledFrom([]events.Mode{events.Enforce, events.Observe}).Draw(t, "mode"),
		OnRestartRequired: words.Draw(t, "command"),
		LogRoll:           rapid.SampledFrom([]LogRoll{Monthly, Never}).Draw(t, "roll"),
		LogMaxBytes:       rapid.Int64Range(minLog, maxLog).Draw(t, "log"),
		LogLevel:          rapid.SampledFrom(levels).Draw(t, "level"),
	}
	if rapid.Bool().Draw(t, "any folder") {
		c.Data = "/" + words.Draw(t, "folder")
	}
	names := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringMatching(`[a-z][a-z-]{0,31}`), rapid.SampledFrom([]string{"true", "null", "no", "y", "main"})), 1, 4, rapid.ID).Draw(t, "names")
	for i, name := range names {
		g := Gateway{Name: name, Address: rapid.SampledFrom([]string{"127.0.0.1", "localhost", "ibgw", "10.0.0.1", "[::1]", "[2001:db8::1]", "null", "a.b-c"}).Draw(t, "host")}
		g.Address += fmt.Sprintf(":%d", 1000+i)
		g.Tap = fmt.Sprintf("%s:%d", rapid.SampledFrom([]string{"127.0.0.1", "localhost", "[::1]"}).Draw(t, "tap"), 2000+i)
		if g.Connect = rapid.Bool().Draw(t, "connect"); g.Connect {
			g.ClientID = rapid.Int64Range(0, 1<<31-1).Draw(t, "client id")
		}
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			step := strings.ReplaceAll(words.Draw(t, "step"), "\n", " ")
			g.Recovery = append(g.Recovery, "x"+strings.ToValidUTF8(step[:min(len(step), 150)], ""))
		}
		g.RestartWindow = rapid.SampledFrom([]string{"", "23:40-00:20 America/New_York", "23:40-00:20 UTC; sat 22:00-04:00 America/New_York"}).Draw(t, "window")
		c.Gateways = append(c.Gateways, g)
	}
	if keys := rapid.SliceOfNDistinct(rapid.SampledFrom(runnerKeys), 0, 3, rapid.ID).Draw(t, "keys"); len(keys) > 0 {
		c.NATS = NATS{Listen: rapid.SampledFrom([]string{"127.0.0.1:4222", "[::1]:4222", "127.0.0.1:0"}).Draw(t, "nats"), Runners: map[string]string{}}
		for i, public := range keys {
			c.NATS.Runners[names[0][:min(len(names[0]), 30)]+fmt.Sprint(i)] = public
		}
	}
	c.HTTP.Listen = rapid.SampledFrom([]string{"off", "127.0.0.1:7463", "[::1]:7463", "127.0.0.1:0"}).Draw(t, "http")
	if rapid.Bool().Draw(t, "tls") {
		c.HTTP.TLSCertFile, c.HTTP.TLSKeyFile = "/"+words.Draw(t, "cert"), "/"+words.Draw(t, "key")
	}
	for i, name := range names[:rapid.IntRange(0, len(names)).Draw(t, "tokens")] {
		k := Token{Name: name, Scope: string(rapid.SampledFrom(access.Scopes).Draw(t, "scope")), SecretFile: "/" + words.Draw(t, "secret")}
		if rapid.Bool().Draw(t, "hashed") {
			k.SHA256, k.SecretFile = access.SumOf(fmt.Sprint(i)).String(), ""
		}
		c.HTTP.Tokens = append(c.HTTP.Tokens, k)
	}
	minutes := rapid.Int64Range(1, 1440)
	c.Alerts = Alerts{RemindMinutes: minutes.Draw(t, "remind"), RemindMost: rapid.Int64Range(0, 100).Draw(t, "most"), OutageAfterMinutes: minutes.Draw(t, "outage")}
	c.Alerts.DeadMan = DeadMan{URLFile: rapid.SampledFrom([]string{"", "/etc/ibrecorder/ping", "env:PING_URL"}).Draw(t, "ping"), EveryMinutes: minutes.Draw(t, "every")}
	for i := range rapid.IntRange(0, 4).Draw(t, "channels") {
		c.Alerts.Channels = append(c.Alerts.Channels, drawChannel(t, fmt.Sprintf("c%d-x", i), words))
	}
	c.Policy.Preset = rapid.SampledFrom([]string{"handoff", "lenient", "demo"}).Draw(t, "preset")
	c.Policy.Params, _ = policy.Preset(c.Policy.Preset)
	c.Policy.SilentLimit = rapid.Int64Range(1, 100).Draw(t, "silent limit")
	c.Policy.SettleMS = rapid.Int64Range(0, 3_600_000).Draw(t, "settle")
	return c
}

// drawChannel is any channel that is valid.
func drawChannel(t *rapid.T, name string, words *rapid.Generator[string]) Channel {
	kind := rapid.SampledFrom(channelTypes).Draw(t, "type")
	c := Channel{Name: name, Type: kind.name}
	has := map[string]bool{}
	for _, one := range kind.must {
		has[rapid.SampledFrom(strings.Split(one, "|")).Draw(t, "one of")] = true
	}
	for _, key := range kind.may {
		has[key] = rapid.Bool().Draw(t, key)
	}
	for _, s := range c.settings() {
		switch {
		case !has[s.key]:
		case strings.HasSuffix(s.key, "_file"):
			*s.value = rapid.SampledFrom([]string{"/etc/ibrecorder/a secret: #1", "env:BOT_TOKEN", "/x"}).Draw(t, s.key)
		default:
			*s.value = "x" + words.Draw(t, s.key)
		}
	}
	return c
}

func TestWhatIsShownLoadsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shown.yaml")
	env := []string{"IBRECORDER_CONFIG=" + path}
	rapid.Check(t, func(t *rapid.T) {
		want := draw(t)
		again := func(shown []byte) (Config, Origins) {
			if err := os.WriteFile(path, shown, 0o600); err != nil {
				t.Fatal(err)
			}
			got, o, err := Load(nil, env)
			if err != nil {
				t.Fatalf("what is shown is refused: %v\n%s", err, shown)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("shown and loaded (-shown +loaded)\n%s\n%s", diff, shown)
			}
			return got, o
		}
		var plain, commented bytes.Buffer
		if err := Show(&plain, want); err != nil {
			t.Fatal(err)
		}
		c, o := again(plain.Bytes())
		for _, l := range lines(c) {
			if l.path != "" && !strings.HasPrefix(o.Of(l.path), "file "+path+":") {
				t.Fatalf("%s stands in the file and comes from %q", l.path, o.Of(l.path))
			}
		}
		if err := ShowOrigin(&commented, c, o); err != nil {
			t.Fatal(err)
		}
		again(commented.Bytes())
	})
}

// The documents of a key are written by hand; this holds them to the types.
func TestEveryFieldHasAKey(t *testing.T) {
	var known []string
	for _, k := range slices.Concat(top, perGateway, perToken, perChannel) {
		known = append(known, k.path)
	}
	var walk func(prefix string, t reflect.Type) []string
	walk = func(prefix string, typ reflect.Type) (paths []string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous:
				paths = append(paths, walk(prefix, f.Type)...)
			case f.Type.Kind() == reflect.Struct:
				paths = append(paths, walk(prefix+name+".", f.Type)...)
			case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
				paths = append(paths, walk(prefix+name+".*.", f.Type.Elem())...)
			default:
				paths = append(paths, prefix+name)
			}
		}
		return paths
	}
	fields := map[string]bool{}
	for _, p := range walk("", reflect.TypeFor[Config]()) {
		fields[p] = true
	}
	for _, k := range known {
		if !fields[k] {
			t.Errorf("key %s sets no field", k)
		}
		delete(fields, k)
	}
	for p := range fields {
		t.Errorf("field %s has no key", p)
	}
}

// FuzzParseFile: any file is read or refused; what is read has paths and types
// that viper can be given.
func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{"", "mode: observe\n", "gateways:\n  - name: a\n    address: h:1\n", "policy: {silent_limit: 3}", "a: &x *x", "? a\n: b", "---\n---\n",
		"- - - -", "{", "mode: |\n  x\n", "\ufeffmode: x", "gateways: [{name: a.b}]", "gateways: [name: a]", "%YAML 1.2\n---\nmode: x", "mode: !!str x", "\t", "'", "mode: \"\\ud800\"", "alerts: {channels: [{name: a, type: slack}]}"} {
		f.Add([]byte(seed))
	}
	types := map[string]kind{}
	for _, k := range slices.Concat(top, perGateway, perToken, perChannel) {
		types[k.path] = k.kind
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, ps := parseFile("x.yaml", b)
		for _, e := range all {
			parts := strings.Split(e.path, ".")
			for i, root := range map[int]string{1: "gateways", 2: "http.tokens"} {
				if len(parts) == i+2 && strings.Join(parts[:i], ".") == root {
					if events.CheckGatewayName(parts[i]) != nil {
						t.Errorf("%q gives the path %s", b, e.path)
					}
					parts[i] = "*"
				}
			}
			if parts[0] == "alerts" && len(parts) == 4 {
				if checkChannel(parts[2]) != nil {
					t.Errorf("%q gives the path %s", b, e.path)
				}
				parts[2] = "*"
			}
			k, known := types[strings.Join(parts, ".")]
			if got := map[reflect.Kind]kind{reflect.String: text, reflect.Int64: whole, reflect.Bool: boolean}[reflect.TypeOf(e.value).Kind()]; !known || got != k {
				t.Errorf("%q gives %s the value %v, want %s", b, e.path, e.value, k)
			}
		}
		for _, p := range ps {
			if p.Origin == "" || p.Text == "" {
				t.Errorf("%q gives a problem without a place or a word: %+v", b, p)
			}
		}
	})
}
