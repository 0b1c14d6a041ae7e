package config

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
)

func TestWhatHasChanged(t *testing.T) {
	base := func() Config {
		c, _, err := Load(nil, []string{"HOME=/home/ann"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string
		live   bool // no restart is needed
	}{
		{"nothing", func(*Config) {}, "", true},
		{"the policy", func(c *Config) { c.Policy.SilentLimit = 3; c.Policy.Preset = "lenient" }, "policy.preset policy.silent_limit", true},
		{"who is told", func(c *Config) {
			c.OnRestartRequired = "x"
			c.Alerts.Channels = []Channel{{Name: "pager", Type: "command", Command: "page"}}
		}, "on_restart_required alerts.channels.pager.name alerts.channels.pager.type alerts.channels.pager.command", true},
		{"when they are told", func(c *Config) { c.Alerts.RemindMinutes, c.Alerts.RemindMost, c.Alerts.OutageAfterMinutes = 5, 3, 20 },
			"alerts.remind_minutes alerts.remind_most alerts.outage_after_minutes", true},
		{"who hears that the recorder lives", func(c *Config) { c.Alerts.DeadMan.EveryMinutes = 7 }, "alerts.dead_man.every_minutes", false},
		{"who may write", func(c *Config) { c.HTTP.Tokens = []Token{{Name: "ann", Scope: "read", SecretFile: "/x"}} },
			"http.tokens.ann.name http.tokens.ann.scope http.tokens.ann.secret_file", true},
		{"how much is logged", func(c *Config) { c.LogLevel = "warn" }, "log_level", true},
		{"the mode", func(c *Config) { c.Mode = events.Observe }, "mode", false},
		{"where the API is", func(c *Config) { c.HTTP.Listen = "off" }, "http.listen", false},
		{"what people know of a Gateway", func(c *Config) {
			c.Gateways[0].Recovery, c.Gateways[0].RestartWindow = []string{"call Ann"}, "23:00-23:30"
		},
			"gateways.main.recovery gateways.main.restart_window", true},
		{"what they know of another", func(c *Config) {
			c.Gateways = append(c.Gateways, Gateway{Name: "live", Address: "127.0.0.1:4001", Tap: "127.0.0.1:4101", Recovery: []string{"call Ann"}})
		}, "gateways.live.name gateways.live.address gateways.live.tap gateways.live.connect gateways.live.recovery", false},
		{"another Gateway", func(c *Config) { c.Gateways[0].Name = "live" },
			"gateways.live.name gateways.live.address gateways.live.tap gateways.live.connect gateways.main.name gateways.main.address gateways.main.tap gateways.main.connect", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := base(), base()
			test.change(&b)
			got := Changed(a, b)
			if strings.Join(got, " ") != test.want {
				t.Errorf("changed: %s, want %s", strings.Join(got, " "), test.want)
			}
			back := Changed(b, a)
			slices.Sort(got)
			slices.Sort(back)
			if !slices.Equal(got, back) {
				t.Errorf("there %v, and back %v", got, back)
			}
			for _, key := range got {
				if live := Live(a, key); live != test.live {
					t.Errorf("%s needs no restart: %t, want %t", key, live, test.live)
				}
			}
		})
	}
}

// What is shown alike is the same to a recorder that runs.
func TestWhatIsShownAlikeHasNotChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t), draw(t)
		var x, y strings.Builder
		if err := Show(&x, a); err != nil {
			t.Fatal(err)
		}
		if err := Show(&y, b); err != nil {
			t.Fatal(err)
		}
		if got := Changed(a, a); len(got) > 0 {
			t.Errorf("it differs from itself in %v", got)
		}
		// Lists in another order are the same but for their order.
		if got := Changed(a, b); x.String() != y.String() && len(got) == 0 && len(a.Gateways) == 1 {
			t.Errorf("nothing has changed between:\n%s\nand:\n%s", &x, &y)
		}
	})
}
