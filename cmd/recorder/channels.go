package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"

	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/config"
	"ibrecorder/internal/notice"
)

// channels makes the channels that a configuration names, with their secrets. Everything
// that is wrong with them is in the error, with its place.
func channels(c config.Config, from config.Origins, env []string) ([]alert.Channel, error) {
	var all []alert.Channel
	var wrong config.Problems
	for _, ch := range c.Channels() {
		b := builder{ch, from, env, c.OnRestartRequired != "" && ch.Name == "command", nil}
		if made := b.build(); len(b.wrong) == 0 {
			all = append(all, made)
		}
		wrong = append(wrong, b.wrong...)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return all, nil
}

// builder makes one channel, and collects what is wrong with it.
type builder struct {
	config.Channel
	from  config.Origins
	env   []string
	alone bool // it is the command of on_restart_required, which is for stops and their ends
	wrong config.Problems
}

func (b *builder) complain(key string, err error) {
	if err == nil {
		return
	}
	origin := b.from.Of("alerts.channels." + b.Name + "." + key)
	if origin == "" {
		origin = b.from.Of("alerts.channels." + b.Name + ".name")
	}
	b.wrong = append(b.wrong, &config.Problem{Origin: origin, Text: fmt.Sprintf("channel %s: %s: %v", b.Name, key, err)})
}

// secret reads one; empty if ref names none, or it cannot be read.
func (b *builder) secret(key, ref string) string {
	if ref == "" {
		return ""
	}
	s, err := config.ReadSecret(ref, b.env)
	b.complain(key, err)
	return s
}

// address is one that stands in the configuration, and which is sent a secret or not.
func (b *builder) address(key, s string, sent bool) *url.URL {
	u, err := channel.Address(s, sent)
	if err == nil && (u.User != nil || u.RawQuery != "") {
		err = errors.New("want an address without a user and without a query: they may be secrets, and a configuration is shown; a webhook may have them in url_file")
	}
	b.complain(key, err)
	return u
}

// build is the channel; nothing of use if something is wrong.
func (b *builder) build() alert.Channel {
	token, key := b.secret("token_file", b.TokenFile), b.secret("key_file", b.KeyFile)
	hidden := b.secret("url_file", b.URLFile)
	topic, password := b.secret("topic_file", b.TopicFile), b.secret("password_file", b.PasswordFile)
	target := &url.URL{}
	switch {
	case hidden != "":
		var err error
		target, err = channel.Address(hidden, true)
		b.complain("url_file", err)
	case b.URL != "":
		target = b.address("url", b.URL, token != "")
	case b.Type != "smtp" && usual[b.Type] != "":
		target = b.address("server", cmp.Or(b.Server, usual[b.Type]), true)
	}
	if len(b.wrong) > 0 {
		return nil
	}
	switch b.Type {
	case "webhook":
		h, err := channel.Webhook(b.Name, target, key)
		b.complain("key_file", err)
		return h
	case "slack":
		return channel.Slack(b.Name, target)
	case "telegram":
		h, err := channel.Telegram(b.Name, target, token, b.Chat)
		b.complain("token_file, chat", err)
		return h
	case "ntfy":
		h, err := channel.Ntfy(b.Name, target, topic, token)
		b.complain("topic_file, token_file", err)
		return h
	case "pagerduty":
		h, err := channel.PagerDuty(b.Name, target, key)
		b.complain("key_file", err)
		return h
	case "alertmanager":
		h, err := channel.Alertmanager(b.Name, target, token)
		b.complain("token_file", err)
		return h
	case "smtp":
		m, err := channel.NewMail(channel.MailConfig{
			Name: b.Name, Server: b.Server, TLS: channel.TLS(b.TLS), From: b.From, To: b.To, User: b.User, Password: password,
		})
		b.complain("smtp", err)
		return m
	case "command":
		told := channel.Command{Called: b.Name, Line: b.Command}
		if b.alone {
			return alert.Some{Channel: told, Kinds: []notice.Kind{notice.Stop, notice.Over, notice.Test}}
		}
		return told
	}
	b.complain("type", fmt.Errorf("%q is of no kind that this program can send to", b.Type))
	return nil
}

// usual is where the services are that everybody uses.
var usual = map[string]string{
	"telegram": "https://api.telegram.org", "ntfy": "https://ntfy.sh", "pagerduty": "https://events.pagerduty.com",
}
