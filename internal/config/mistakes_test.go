package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestMistakesInAFile: what a file says, and what is said about it, in
// testdata/mistakes/NAME.txt.
func TestMistakesInAFile(t *testing.T) {
	tests := []struct{ name, file string }{
		{"an unknown key", "data: /d\nmdoe: observe\n"},
		{"an unknown key of a gateway", "data: /d\ngateways:\n  - name: live\n    adress: 127.0.0.1:4001\n    connect: false\n"},
		{"an unknown key of the policy", "policy:\n  preset: lenient\n  silentlimit: 2\n"},
		{"a key in other letters", "Mode: observe\n"},
		{"a key twice", "mode: observe\nmode: enforce\n"},
		{"a number for text", "on_restart_required: 5\n"},
		{"text for a number", "policy:\n  silent_limit: three\n"},
		{"a quoted number", "policy:\n  silent_limit: \"3\"\n"},
		{"a fraction", "log_max_bytes: 1.5\n"},
		{"an octal number", "policy: {silent_limit: 010}\n"},
		{"a number too large", "log_max_bytes: 99999999999999999999\n"},
		{"a duration for milliseconds", "policy:\n  version_budget_ms: 30s\n"},
		{"yes for true", "gateways:\n  - name: live\n    address: h:1\n    connect: yes\n"},
		{"nothing", "mode:\n"},
		{"text for a list", "gateways: live=127.0.0.1:4001\n"},
		{"keys for a list", "gateways:\n  live:\n    address: h:1\n"},
		{"a list for text", "data: [a, b]\n"},
		{"text for a gateway", "gateways:\n  - live\n"},
		{"text for the policy", "policy: lenient\n"},
		{"a list for everything", "- mode: observe\n"},
		{"a gateway without a name", "gateways:\n  - address: 127.0.0.1:4001\n"},
		{"a gateway without an address", "gateways:\n  - name: live\n    connect: false\n"},
		{"a gateway with a bad name", "gateways:\n  - name: Live.1\n    address: h:1\n"},
		{"a gateway twice", "gateways:\n  - {name: live, address: \"h:1\"}\n  - {name: live, address: \"h:2\"}\n"},
		{"an anchor", "data: &d /d\non_restart_required: *d\n"},
		{"a merge", "policy:\n  <<: {silent_limit: 2}\n"},
		{"a tag", "data: !!str /d\n"},
		{"a key that is no word", "? [a]\n: b\n"},
		{"a second document", "mode: observe\n---\nmode: enforce\n"},
		{"a tab", "policy:\n\tpreset: lenient\n"},
		{"an open bracket", "gateways: [\n"},
		{"a bad value", "mode: watch\npolicy:\n  silent_limit: 0\n"},
		{"an unknown preset", "policy:\n  preset: strict\n"},
		{"a home folder", "data: ~/recorder\n"},
		{"a control character", "on_restart_required: \"a\\x07\"\n"},
		{"a client id without a session", "gateways:\n  - name: live\n    address: h:1\n    client_id: 3\n"},
		{"an unknown key of NATS", "nats:\n  port: 4222\n"},
		{"a list for runners", "nats:\n  runners: [robo-1]\n"},
		{"runners with bad names and keys", "nats:\n  listen: 127.0.0.1:4222\n  runners:\n    Robo.1: x\n    robo-2: SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY\n    robo-3: hello\n    robo-3: hello\n"},
		{"numbers of alerts that cannot be", "alerts:\n  remind_minutes: 0\n  remind_most: 101\n  outage_after_minutes: 1441\n  dead_man:\n    every_minutes: 0\n    url_file: ping\n"},
		{"an address of a dead man that is a secret", "alerts:\n  dead_man:\n    url: " + secret + "\n"},
		{"a window that is none", "gateways:\n  - {name: live, address: \"h:1\", restart_window: \"23:40-00:20\"}\n"},
		{"steps that are none", "gateways:\n  - name: live\n    address: h:1\n    recovery: restart it\n  - name: paper\n    address: h:2\n    recovery: [restart it, [a, b]]\n"},
		{"a step that is too long", "gateways:\n  - name: live\n    address: h:1\n    recovery: [\"" + strings.Repeat("x", 201) + "\"]\n"},
		{"an unknown key of HTTP", "http:\n  port: 7463\n"},
		{"keys for tokens", "http:\n  tokens:\n    robo-1: x\n"},
		{"tokens that are none", "http:\n  tokens:\n    - name: robo-1\n      scope: ingest\n      sha256: " + secret + "\n    - name: robo-2\n      scope: write\n      secret_file: " + secret +
			"\n    - name: robo-3\n      scope: read\n    - name: robo-4\n      scope: read\n      sha256: abc\n    - name: robo-5\n      scope: read\n      sha256: " + sum + "\n      secret_file: /x\n" +
			"    - name: ann\n      scope: operate\n      sha256: " + sum + "\n    - name: bob\n      scope: operate\n      sha256: " + sum + "\n"},
		{"a token without a name and one with a bad one", "http:\n  tokens:\n    - scope: read\n    - name: Robo.1\n    - {name: ann, secret: " + secret + "}\n    - {name: bob}\n    - {name: bob}\n"},
		{"a certificate without a key", "http:\n  tls_cert_file: /etc/c.pem\n"},
		{"a list of texts for channels", "alerts:\n  channels: [phone]\n"},
		{"an unknown key of alerts", "alerts:\n  chanels: []\n"},
		{"an unknown key of a channel", "alerts:\n  channels:\n    - name: phone\n      type: telegram\n      token: 123456:AAbbccddeeffgghhiijjkkllmmnnooppqq\n"},
		{"a channel without a name", "alerts:\n  channels:\n    - type: slack\n"},
		{"a channel with a bad name", "alerts:\n  channels:\n    - {name: My Phone, type: slack, url_file: /s}\n"},
		{"a channel twice", "alerts:\n  channels:\n    - {name: a, type: slack, url_file: /s}\n    - {name: a, type: slack, url_file: /s}\n"},
		{"a channel called command beside the command", "on_restart_required: x\nalerts:\n  channels:\n    - {name: command, type: slack, url_file: /s}\n"},
		{"a channel without a type", "alerts:\n  channels:\n    - {name: a, url_file: /s}\n"},
		{"a channel of an unknown type", "alerts:\n  channels:\n    - {name: a, type: telegramm}\n"},
		{"channels that lack something", "alerts:\n  channels:\n    - {name: a, type: webhook}\n    - {name: b, type: slack}\n    - {name: c, type: telegram, chat: \"1\"}\n    - {name: d, type: ntfy}\n    - {name: e, type: pagerduty}\n    - {name: f, type: alertmanager}\n    - {name: g, type: smtp, server: \"m:587\"}\n    - {name: h, type: command}\n"},
		{"a webhook with two addresses", "alerts:\n  channels:\n    - {name: a, type: webhook, url: \"https://h/\", url_file: /s}\n"},
		{"a key of another type", "alerts:\n  channels:\n    - name: a\n      type: slack\n      url_file: /s\n      chat: \"1\"\n"},
		{"secrets in the file", "alerts:\n  channels:\n    - name: a\n      type: slack\n      url_file: https://hooks.slack.com/services/T0/B0/S3cr3tS3cr3t\n    - {name: b, type: telegram, token_file: 123456:S3cr3tS3cr3t, chat: \"1\"}\n    - {name: c, type: pagerduty, key_file: \"S3cr3tS3cr3t\"}\n    - name: d\n      type: slack\n      url: https://hooks.slack.com/services/T0/B0/S3cr3tS3cr3t\n"},
		{"secrets in variables that cannot be", "alerts:\n  channels:\n    - {name: a, type: slack, url_file: \"env:IBRECORDER_SLACK\"}\n    - {name: b, type: slack, url_file: \"env:\"}\n    - {name: c, type: slack, url_file: slack.txt}\n"},
		{"a session without a client id", "gateways:\n  - name: live\n    address: h:1\n    connect: true\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fs, env := given{file: test.file}.flags(t)
			_, o, err := Load(fs, env)
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v, want it to be refused", err)
			}
			if o.File == "" {
				t.Error("nobody is told which file was read")
			}
			if out := new(bytes.Buffer); Check(out, fs, env) == nil || out.Len() != 0 {
				t.Errorf("check says %q", out)
			}
			if strings.Contains(err.Error(), "S3cr3t") {
				t.Errorf("a secret is repeated: %v", err)
			}
			golden(t, "mistakes/"+strings.ReplaceAll(test.name, " ", "-")+".txt", homeless(env, err.Error()+"\n"))
		})
	}
}

func TestMistakesElsewhere(t *testing.T) {
	run := func(args ...string) given { return given{args: args} }
	env := func(env ...string) given { return given{env: env} }
	tests := []struct {
		name string
		given
		want string // the whole error
	}{
		{"an unknown variable", env("IBRECORDER_MODUS=observe"), "env IBRECORDER_MODUS: unknown variable, nearest is IBRECORDER_MODE"},
		{"a list's variable in the singular", env("IBRECORDER_GATEWAY=live=h:1", "IBRECORDER_MODE=observe"), "env IBRECORDER_GATEWAY: unknown variable, nearest is IBRECORDER_GATEWAYS"},
		{"the same with a name alone", env("IBRECORDER_GATEWAY=live"), "env IBRECORDER_GATEWAY: unknown variable, nearest is IBRECORDER_GATEWAYS"},
		{"a variable that is no number", env("IBRECORDER_LOG_MAX_BYTES=1G"), `env IBRECORDER_LOG_MAX_BYTES: "1G", want a whole number`},
		{"a client id that is no number", env("IBRECORDER_CLIENT_ID=x"), `env IBRECORDER_CLIENT_ID: "x", want a whole number`},
		{"a roll that is none", env("IBRECORDER_LOG_ROLL=weekly"), `env IBRECORDER_LOG_ROLL: log_roll "weekly", want monthly or never`},
		{"a log too small", env("IBRECORDER_LOG_MAX_BYTES=1"), "env IBRECORDER_LOG_MAX_BYTES: log_max_bytes is 1, want 1048576 to 1099511627776"},
		{"a level that is none", env("IBRECORDER_LOG_LEVEL=loud"), `env IBRECORDER_LOG_LEVEL: log_level "loud", want debug, info, warn, error`},
		{"a value of the policy", env("IBRECORDER_POLICY_JITTER_PERCENT=101"), "env IBRECORDER_POLICY_JITTER_PERCENT: jitter_percent is 101, want 0 to 100"},
		{"an unknown preset", run("--policy=strict"), `flag --policy: no preset "strict", there are handoff, lenient, demo`},
		{"an unknown way to hold", run("--held=reset"), `flag --held: held "reset", want refuse or explain`},
		{"an unknown mode", run("--mode=watch"), `flag --mode: mode "watch", want enforce or observe`},
		{"a file that is not there", run("--config=/nowhere/x.yaml"), "file /nowhere/x.yaml: no such file or directory; for one to start from: recorder config show"},
		{"a folder for a file", run("--config=/"), "file /: is a directory"},
		{"an empty folder", run("--data="), "flag --data: no data folder, and no home folder to put it in; say where: --data FOLDER"},

		{"a gateway without a name", run("--gateway=127.0.0.1:4001"), `flag --gateway: "127.0.0.1:4001", want NAME=HOST:PORT, for example main=127.0.0.1:4002`},
		{"a gateway with a bad name", run("--gateway=a.b=h:1"), `flag --gateway: invalid gateway name "a.b": want a lower-case letter, then at most 31 of a-z, 0-9 and -, and nothing like an account id`},
		{"a gateway twice", run("--gateway=a=h:1", "--gateway=a=h:2"), "flag --gateway: gateway a is given twice"},
		{"a gateway in a variable twice", env("IBRECORDER_GATEWAYS=a=h:1,a=h:2"), "env IBRECORDER_GATEWAYS: gateway a is given twice"},
		{"a gateway without a port", run("--gateway=a=h"), `flag --gateway: gateway a: address "h": missing port in address; want HOST:PORT, for example 127.0.0.1:4002`},
		{"a gateway without a host", run("--gateway=a=:4001"), `flag --gateway: gateway a: address ":4001": no host; want HOST:PORT, for example 127.0.0.1:4002`},
		{"a gateway at a bad port", run("--gateway=a=h:70000"), `flag --gateway: gateway a: address "h:70000": "70000" is no port; want HOST:PORT, for example 127.0.0.1:4002`},
		{"a gateway at port 0", run("--gateway=a=h:0"), `flag --gateway: gateway a: address "h:0": port 0 is no port; want HOST:PORT, for example 127.0.0.1:4002`},
		{"a gateway at no host", run("--gateway=a=h/x:1"), `flag --gateway: gateway a: address "h/x:1": "h/x" is no host; want HOST:PORT, for example 127.0.0.1:4002`},
		{"a gateway at a short address", run("--gateway=a=127.1:1"), `flag --gateway: gateway a: address "127.1:1": "127.1" is no host; want HOST:PORT, for example 127.0.0.1:4002`},
		{"no room for a tap", run("--gateway=a=h:65500"), "flag --gateway: gateway a: port 65500 plus 100 is no port; say where its tap is: --tap a=127.0.0.1:PORT"},
		{"two gateways at one address", run("--gateway=a=127.0.0.1:4001", "--gateway=b=localhost:4001", "--tap=b=127.0.0.1:1"),
			"flag --gateway: gateways a and b are both at port 4001 of this host; one gateway is guarded once"},
		{"two gateways at one address in other words", run("--gateway=a=IBGW.:4001", "--gateway=b=ibgw:4001", "--tap=b=127.0.0.1:1"),
			"flag --gateway: gateways a and b are both at port 4001 of ibgw; one gateway is guarded once"},
		{"two gateways at one address in version 6", run("--gateway=a=[::1]:4001", "--gateway=b=[::ffff:127.0.0.1]:4001", "--tap=b=127.0.0.1:1"),
			"flag --gateway: gateways a and b are both at port 4001 of this host; one gateway is guarded once"},
		{"two taps at one address", run("--gateway=a=h:1", "--gateway=b=i:1"), "default: the taps of a and b are both at 127.0.0.1:101; choose another: --tap b=127.0.0.1:PORT"},
		{"a tap where its gateway is", run("--tap=main=localhost:4002"), "flag --tap: the tap of main, localhost:4002, is where gateway main listens; choose another: --tap main=127.0.0.1:PORT"},
		{"a tap where another gateway is", run("--gateway=a=127.0.0.1:4001", "--gateway=b=127.0.0.1:4101"),
			"default: the tap of a, 127.0.0.1:4101, is where gateway b listens; choose another: --tap a=127.0.0.1:PORT"},
		{"a tap that is open to all", run("--tap=main=0.0.0.0:4102"), "flag --tap: gateway main: a tap at 0.0.0.0:4102 would let others trade, because IB's protocol has no authentication; " +
			"allow lists for wider taps are not built yet: use 127.0.0.1:4102, and ssh -L from elsewhere"},
		{"a tap that is open to a network", run("--tap=main=192.168.0.7:4102"), "flag --tap: gateway main: a tap at 192.168.0.7:4102 would let others trade, because IB's protocol has no authentication; " +
			"allow lists for wider taps are not built yet: use 127.0.0.1:4102, and ssh -L from elsewhere"},
		{"a tap that is a name", run("--tap=main=myhost:4102"), "flag --tap: gateway main: a tap at myhost:4102 would let others trade, because IB's protocol has no authentication; " +
			"allow lists for wider taps are not built yet: use 127.0.0.1:4102, and ssh -L from elsewhere"},
		{"a tap that is nothing", run("--tap=main="), `flag --tap: gateway main: tap "": missing port in address; want HOST:PORT, for example 127.0.0.1:4102`},
		{"a tap of no gateway", run("--tap=live=127.0.0.1:1"), "flag --tap: gateway live has no address; add it: --gateway live=HOST:PORT, or address in the file"},
		{"a session with no gateway", run("--connect=live", "--client-id=1"), "flag --connect: gateway live has no address; add it: --gateway live=HOST:PORT, or address in the file"},
		{"a session without a client id", run("--connect=main"), "flag --connect: gateway main: a session needs an API client id of its own, which no other program uses; add client_id to it, or --client-id N"},
		{"a client id without a session", run("--client-id=3"), "flag --client-id: no gateway has a session of the recorder's own; add --connect NAME"},
		{"NATS for nobody", run("--nats-listen=127.0.0.1:4222"), "flag --nats-listen: nats.listen is set and nobody may connect; make a key with: recorder nats key NAME, and add what it prints"},
		{"NATS for all", given{args: []string{"--nats-listen=0.0.0.0:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0]}},
			"flag --nats-listen: nats.listen 0.0.0.0:4222 is open to others, and what it carries is not encrypted; use 127.0.0.1:4222, and ssh -L from elsewhere"},
		{"NATS at a name", given{args: []string{"--nats-listen=localhost:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0]}},
			`flag --nats-listen: nats.listen "localhost:4222", want IP:PORT, for example 127.0.0.1:4222`},
		{"NATS where a tap is", given{args: []string{"--nats-listen=127.0.0.1:4102"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0]}},
			"flag --nats-listen: nats.listen 127.0.0.1:4102 is where the tap of main is; choose another port"},
		{"a runner and no NATS", env("IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0]),
			"env IBRECORDER_NATS_RUNNERS: runners are set and nothing listens for them; add listen: 127.0.0.1:4222 under nats, or --nats-listen 127.0.0.1:4222"},
		{"a seed for a runner", given{args: []string{"--nats-listen=127.0.0.1:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY"}},
			"env IBRECORDER_NATS_RUNNERS: runner robo-1: that is a seed, which is secret, and belongs to the runner alone; set the public key, which begins with U"},
		{"a runner without a key", given{args: []string{"--nats-listen=127.0.0.1:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1"}},
			"env IBRECORDER_NATS_RUNNERS: runner robo-1: want a public user key, which begins with U and has 56 letters; make one with: recorder nats key robo-1"},
		{"two runners with one key", given{args: []string{"--nats-listen=127.0.0.1:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0] + ",robo-2=" + runnerKeys[0]}},
			"env IBRECORDER_NATS_RUNNERS: runners robo-1 and robo-2 have one key; each needs its own: recorder nats key robo-2"},
		{"a runner twice", given{args: []string{"--nats-listen=127.0.0.1:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0] + ",robo-1=" + runnerKeys[1]}}, "env IBRECORDER_NATS_RUNNERS: runner robo-1 is given twice; want NAME=KEY"},
		{"HTTP at a name", run("--http=localhost:7463"), `flag --http: http.listen "localhost:7463", want IP:PORT, for example 127.0.0.1:7463, or off`},
		{"HTTP for all", run("--http=0.0.0.0:7463"), "flag --http: http.listen 0.0.0.0:7463 is open to others; add under http: tls_cert_file and tls_key_file, and tokens, made by recorder token new NAME --scope read; or use 127.0.0.1:7463, and ssh -L from elsewhere"},
		{"HTTP for all, with tokens", given{args: []string{"--http=[::]:7463"}, env: []string{"IBRECORDER_HTTP_TOKENS=ann=operate:/x"}}, "flag --http: http.listen [::]:7463 is open to others; add under http: tls_cert_file and tls_key_file; or use 127.0.0.1:7463, and ssh -L from elsewhere"},
		{"HTTP where a tap is", run("--http=127.0.0.1:4102"), "flag --http: http.listen 127.0.0.1:4102 is where the tap of main is; choose another port"},
		{"HTTP where NATS is", given{args: []string{"--http=127.0.0.1:4222", "--nats-listen=127.0.0.1:4222"}, env: []string{"IBRECORDER_NATS_RUNNERS=robo-1=" + runnerKeys[0]}},
			"flag --http: http.listen 127.0.0.1:4222 is where nats.listen is; choose another port: --http 127.0.0.1:PORT"},
		{"a token of no scope", env("IBRECORDER_HTTP_TOKENS=ann"), "env IBRECORDER_HTTP_TOKENS: token ann: no scope; want NAME=SCOPE:SHA256, or NAME=SCOPE:FILE"},
		{"a token with a bad name", env("IBRECORDER_HTTP_TOKENS=Ann=read:/x"), `env IBRECORDER_HTTP_TOKENS: token "Ann": want a lower-case letter, then at most 31 of a-z, 0-9 and -, and nothing like an account id; want NAME=SCOPE:SHA256, or NAME=SCOPE:FILE`},
		{"a token twice", env("IBRECORDER_HTTP_TOKENS=ann=read:/x,ann=read:/y"), "env IBRECORDER_HTTP_TOKENS: token ann is given twice; want NAME=SCOPE:SHA256, or NAME=SCOPE:FILE"},
		{"a token in the open", env("IBRECORDER_HTTP_TOKENS=ann=read:" + secret), "env IBRECORDER_HTTP_TOKENS: token ann: that is the token itself, which is secret; set its SHA-256, which recorder token new prints"},
		{"channels in a variable that are no list", env("IBRECORDER_ALERTS_CHANNELS=telegram://S3cr3tS3cr3t@telegram"), "env IBRECORDER_ALERTS_CHANNELS: want a list, for example [{name: phone, type: ntfy, topic_file: /etc/ibrecorder/topic}]"},
		{"a channel in a variable with an unknown key", env("IBRECORDER_ALERTS_CHANNELS=[{name: a, type: slack, url_file: /s, url_flie: /s}]"), `env IBRECORDER_ALERTS_CHANNELS: unknown key "url_flie", nearest is url_file`},
		{"a channel in a variable that lacks something", env("IBRECORDER_ALERTS_CHANNELS=[{name: a, type: slack}]"), "env IBRECORDER_ALERTS_CHANNELS: channel a: it lacks url_file; type slack needs url_file"},
		{"a client id that is none", run("--connect=main", "--client-id=-1"), "flag --client-id: gateway main: client_id -1, want 0 to 2147483647"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := test.load(t)
			if !errors.Is(err, ErrInvalid) || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestTapsThatAreFine(t *testing.T) {
	for _, tap := range []string{"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "127.0.0.1:0"} {
		if c, _, err := (given{args: []string{"--tap=main=" + tap}}).load(t); err != nil || c.Gateways[0].Tap != tap {
			t.Errorf("%s: %+v, %v", tap, c.Gateways, err)
		}
	}
	args := []string{"--gateway=a=h:1", "--gateway=b=h:2", "--tap=a=127.0.0.1:0", "--tap=b=127.0.0.1:0"}
	if _, _, err := (given{args: args}).load(t); err != nil {
		t.Errorf("two taps at any free port: %v", err)
	}
}

func TestThirtyTwoGatewaysAtMost(t *testing.T) {
	var args []string
	for i := range maxGateways {
		args = append(args, fmt.Sprintf("--gateway=g%d=h:%d", i, 1000+i))
	}
	if c, _, err := (given{args: args}).load(t); err != nil || len(c.Gateways) != maxGateways {
		t.Errorf("%d gateways: %v", maxGateways, err)
	}
	_, _, err := given{args: append(args, "--gateway=more=h:1")}.load(t)
	if err == nil || err.Error() != "gateways: 33 gateways, at most 32; run a second recorder with a data folder of its own" {
		t.Errorf("one more: %v", err)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	fs, env := given{
		file: "modus: observe\npolicy:\n  silent_limit: 0\n  settle_ms: long\ngateways:\n  - name: live\n    address: 127.0.0.1:4001\n    tap: 0.0.0.0:4001\n",
		env:  []string{"IBRECORDER_X=1", "IBRECORDER_LOG_MAX_BYTES=5"},
		args: []string{"--mode=watch", "--gateway=nameless"},
	}.flags(t)
	_, _, err := Load(fs, env)
	all, ok := errors.AsType[Problems](err)
	if !ok || len(all) != 8 {
		t.Errorf("%d problems of 8", len(all))
	}
	golden(t, "every-problem-at-once.txt", homeless(env, fmt.Sprintln(err)))
}
