package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"ibrecorder/events"
)

// Alerts is who is told of a stop, and when.
type Alerts struct {
	// RemindMinutes is the time between two reminders of a stop that nobody has
	// acknowledged, 1 to 1440. Default: 30.
	RemindMinutes int64 `json:"remind_minutes"`
	// RemindMost is how many reminders there are at most, 0 to 100. Default: 8.
	RemindMost int64 `json:"remind_most"`
	// OutageAfterMinutes is how long a Gateway may be away, without needing a manual
	// restart, before somebody is told, 1 to 1440. Default: 10.
	OutageAfterMinutes int64 `json:"outage_after_minutes"`
	// DeadMan is told that the recorder lives.
	DeadMan DeadMan `json:"dead_man"`
	// Channels are the ways to tell somebody, at most 16, in the order in which they were
	// first named. Default: none. They stand in the file, or in IBRECORDER_ALERTS_CHANNELS
	// as a list in YAML's short form, for example
	// [{name: phone, type: telegram, chat: "12345678", token_file: env:BOT_TOKEN}].
	Channels []Channel `json:"channels,omitempty"`
}

// DeadMan is a service that tells somebody when it hears nothing any more, such as
// healthchecks.io: nobody else does if this host dies.
type DeadMan struct {
	// URLFile is where its address stands, which is a secret: a file, or env:NAME. Empty
	// (default) for none.
	URLFile string `json:"url_file"`
	// EveryMinutes is the time between two pings, 1 to 1440. Default: 5.
	EveryMinutes int64 `json:"every_minutes"`
}

// Channel is one way to tell somebody. What it may have depends on its type:
//
//	webhook       url or url_file; key_file
//	slack         url_file
//	telegram      token_file, chat; server
//	ntfy          topic_file; server, token_file
//	pagerduty     key_file; server
//	alertmanager  url; token_file
//	smtp          server, from, to; tls, user, password_file
//	command       command
//
// A key that ends in _file names the file in which the secret is, which nobody but its
// owner may read, or a variable, as env:NAME. There is no key for a secret itself.
type Channel struct {
	// Name is [a-z][a-z0-9-]{0,31}.
	Name string `json:"name"`
	// Type is one of those above.
	Type string `json:"type"`
	// URL is an address without a secret in it: a webhook's whole, Alertmanager's up to
	// /api/v2.
	URL string `json:"url,omitempty"`
	// URLFile is where an address stands that is a secret.
	URLFile string `json:"url_file,omitempty"`
	// Server is the base address of the service, if it is not the usual one
	// (https://api.telegram.org, https://ntfy.sh, https://events.pagerduty.com); of smtp
	// HOST:PORT, which has no default.
	Server string `json:"server,omitempty"`
	// Chat is the number of a chat on Telegram, or @ and the name of a public channel.
	Chat string `json:"chat,omitempty"`
	// TopicFile is where the name of an ntfy topic stands, which is all one must know to
	// read it.
	TopicFile string `json:"topic_file,omitempty"`
	// TokenFile is where a bot's or an access token stands.
	TokenFile string `json:"token_file,omitempty"`
	// KeyFile is where PagerDuty's integration key stands, or the key that a webhook is
	// signed with.
	KeyFile string `json:"key_file,omitempty"`
	// From is the address that mail comes from.
	From string `json:"from,omitempty"`
	// To are the addresses that mail goes to, with commas between them.
	To string `json:"to,omitempty"`
	// TLS is starttls (default), implicit, or none for a relay on this host.
	TLS string `json:"tls,omitempty"`
	// User is who logs in at a mail server; nobody does by default.
	User string `json:"user,omitempty"`
	// PasswordFile is where that user's password stands.
	PasswordFile string `json:"password_file,omitempty"`
	// Command is a line for /bin/sh -c.
	Command string `json:"command,omitempty"`
}

// Channels are the ways to tell somebody: those of alerts, after the command of
// on_restart_required, which is one called command.
func (c Config) Channels() []Channel {
	if c.OnRestartRequired == "" {
		return c.Alerts.Channels
	}
	return append([]Channel{{Name: "command", Type: "command", Command: c.OnRestartRequired}}, c.Alerts.Channels...)
}

const maxChannels = 16

// channelType is what a channel of a type must have and may have. "a|b" is one of both.
type channelType struct {
	name      string
	must, may []string
}

var channelTypes = []channelType{
	{"webhook", []string{"url|url_file"}, []string{"key_file"}},
	{"slack", []string{"url_file"}, nil},
	{"telegram", []string{"token_file", "chat"}, []string{"server"}},
	{"ntfy", []string{"topic_file"}, []string{"server", "token_file"}},
	{"pagerduty", []string{"key_file"}, []string{"server"}},
	{"alertmanager", []string{"url"}, []string{"token_file"}},
	{"smtp", []string{"server", "from", "to"}, []string{"tls", "user", "password_file"}},
	{"command", []string{"command"}, nil},
}

// String says what a channel of the type has.
func (t channelType) String() string {
	s := fmt.Sprintf("type %s needs %s", t.name, strings.ReplaceAll(strings.Join(t.must, ", "), "|", " or "))
	if len(t.may) > 0 {
		s += ", and may have " + strings.Join(t.may, ", ")
	}
	return s
}

// perChannel are the keys of one channel, in the order of their fields.
var perChannel = func() []key {
	var keys []key
	t := reflect.TypeFor[Channel]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys = append(keys, key{path: channelPath("*", name), kind: text})
	}
	return keys
}()

func channelPath(name, key string) string { return "alerts.channels." + name + "." + key }

// setting is one key of a channel and its value.
type setting struct {
	key   string
	value *string
}

// settings are the keys of c but for its name, in the order of perChannel.
func (c *Channel) settings() []setting {
	v := reflect.ValueOf(c).Elem()
	var all []setting
	for i, k := range perChannel {
		if name := k.path[strings.LastIndexByte(k.path, '.')+1:]; name != "name" {
			all = append(all, setting{name, v.Field(i).Addr().Interface().(*string)})
		}
	}
	return all
}

// Secret is where one is: a key that ends in _file, and the file or env:NAME that it names.
type Secret struct{ Key, Ref string }

// Secrets are those of c, in the order of their keys.
func (c Channel) Secrets() (all []Secret) {
	for _, s := range c.settings() {
		if strings.HasSuffix(s.key, "_file") && *s.value != "" {
			all = append(all, Secret{s.key, *s.value})
		}
	}
	return all
}

func checkChannel(name string) error {
	if events.CheckGatewayName(name) != nil {
		return fmt.Errorf("channel %.40q: want a lower-case letter, then at most 31 of a-z, 0-9 and -, and nothing like an account id", name)
	}
	return nil
}

func (k check) alerts(a Alerts) {
	for _, n := range []struct {
		name         string
		is, from, to int64
	}{
		{"remind_minutes", a.RemindMinutes, 1, 1440},
		{"remind_most", a.RemindMost, 0, 100},
		{"outage_after_minutes", a.OutageAfterMinutes, 1, 1440},
		{"dead_man.every_minutes", a.DeadMan.EveryMinutes, 1, 1440},
	} {
		if n.is < n.from || n.is > n.to {
			k.wrong("alerts."+n.name, "%s is %d, want %d to %d", n.name, n.is, n.from, n.to)
		}
	}
	if ref := a.DeadMan.URLFile; ref != "" {
		if why := reference(ref); why != "" {
			k.wrong("alerts.dead_man.url_file", "url_file: %s", why)
		}
	}
}

func (k check) channels(c Config) {
	k.alerts(c.Alerts)
	if n := len(c.Alerts.Channels); n > maxChannels {
		k.add("alerts.channels", "%d channels, at most %d", n, maxChannels)
	}
	for _, ch := range c.Alerts.Channels {
		if ch.Name == "command" && c.OnRestartRequired != "" {
			k.wrong(channelPath(ch.Name, "name"), "channel command: so the one of on_restart_required is called; choose another name")
		}
		k.channel(ch)
	}
}

func (k check) channel(c Channel) {
	wrong := func(key, format string, args ...any) {
		path := channelPath(c.Name, key)
		if _, set := k.of[path]; !set {
			path = channelPath(c.Name, "name")
		}
		k.wrong(path, "channel "+c.Name+": "+format, args...)
	}
	var names []string
	for _, t := range channelTypes {
		names = append(names, t.name)
	}
	i := slices.Index(names, c.Type)
	if i < 0 {
		if c.Type == "" {
			wrong("type", "it has no type; there are %s", strings.Join(names, ", "))
		} else {
			wrong("type", "no type %.40q, nearest is %s; there are %s", c.Type, nearest(c.Type, names), strings.Join(names, ", "))
		}
		return
	}
	t := channelTypes[i]
	set := map[string]bool{"type": true}
	for _, s := range c.settings() {
		if *s.value == "" || s.key == "type" {
			continue
		}
		set[s.key] = true
		if !slices.ContainsFunc(append(t.must, t.may...), func(have string) bool { return slices.Contains(strings.Split(have, "|"), s.key) }) {
			wrong(s.key, "%s is not for it; %s", s.key, t)
			continue
		}
		if strings.HasSuffix(s.key, "_file") {
			if why := reference(*s.value); why != "" {
				wrong(s.key, "%s: %s", s.key, why)
			}
			continue
		}
		k.printable(channelPath(c.Name, s.key), *s.value)
	}
	var lacks []string
	for _, one := range t.must {
		n := 0
		for key := range strings.SplitSeq(one, "|") {
			if set[key] {
				n++
			}
		}
		switch one = strings.ReplaceAll(one, "|", " or "); n {
		case 0:
			lacks = append(lacks, one)
		case 2:
			wrong("type", "it needs %s, not both; %s", one, t)
		}
	}
	if lacks != nil {
		wrong("type", "it lacks %s; %s", strings.Join(lacks, ", "), t)
	}
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reference says what is wrong with a value that names a secret; empty if nothing is. It
// does not repeat the value, which may be the secret.
func reference(s string) string {
	if name, ok := strings.CutPrefix(s, "env:"); ok {
		switch {
		case !variable.MatchString(name):
			return "want env: and the name of a variable, for example env:BOT_TOKEN"
		case strings.HasPrefix(name, envPrefix):
			return "a variable that begins with " + envPrefix + " is a setting; choose another name"
		}
		return ""
	}
	if !filepath.IsAbs(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "want the file in which it stands, from / on, or env:NAME; the secret itself belongs into neither this file nor a flag"
	}
	return ""
}
