package channel_test

import (
	"strings"
	"testing"

	"ibrecorder/internal/channel"
)

func TestWhatIsNoAddress(t *testing.T) {
	for _, c := range []struct {
		name, address string
		secret        bool
		want          string // the error; empty if it is fine
	}{
		{"https", "https://hooks.example.org/T0/secret42?x=1", true, ""},
		{"http without a secret", "http://alertmanager:9093", false, ""},
		{"http to this host", "http://127.0.0.1:9093/x", true, ""},
		{"http to this host in version 6", "http://[::1]:9093/x", true, ""},
		{"http to localhost", "http://localhost/x", true, ""},
		{"http with a secret", "http://ntfy.example.org/secret42", true, "ntfy.example.org: a secret would go to it in the clear; use https"},
		{"http to what only begins like this host", "http://127.0.0.1.example.org/", true, "127.0.0.1.example.org: a secret would go to it in the clear; use https"},
		{"no scheme", "hooks.example.org/secret42", true, "want https://HOST/PATH"},
		{"another scheme", "file:///etc/secret42", true, "want https://HOST/PATH"},
		{"no host", "https:///secret42", true, "want https://HOST/PATH"},
		{"a fragment", "https://h/secret42#x", true, "want an address without #"},
		{"a control character", "https://h/secret42\n", true, "want https://HOST/PATH"},
		{"nothing", "", true, "want https://HOST/PATH"},
	} {
		_, err := channel.Address(c.address, c.secret)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	u := address(t, "https://h.example.org")
	mail := func(change func(*channel.MailConfig)) error {
		c := channel.MailConfig{Name: "m", Server: "h.example.org:587", From: "a@example.org", To: "b@example.org, Bo <c@example.org>", User: "u", Password: "secret42"}
		change(&c)
		_, err := channel.NewMail(c)
		return err
	}
	hook := func(_ *channel.Hook, err error) error { return err }
	for _, c := range []struct {
		name string
		err  error
		want string // in it; empty if it is fine
	}{
		{"a webhook without a key", hook(channel.Webhook("x", u, "")), ""},
		{"a webhook's key", hook(channel.Webhook("x", u, hookKey)), ""},
		{"a webhook's key without its beginning", hook(channel.Webhook("x", u, strings.TrimPrefix(hookKey, "whsec_"))), "want whsec_ and the base64"},
		{"a webhook's key that is short", hook(channel.Webhook("x", u, "whsec_c2VjcmV0NDI=")), "want whsec_ and the base64"},
		{"a bot's token with an address before it", hook(channel.Telegram("x", u, "https://api.telegram.org/bot"+botToken, "1")), "want a bot's token"},
		{"a bot's token that is another path", hook(channel.Telegram("x", u, "1:../../secret42secret42secret42", "1")), "want a bot's token"},
		{"a chat by a person's name", hook(channel.Telegram("x", u, botToken, "Anna B")), "want a chat's number"},
		{"a public channel", hook(channel.Telegram("x", u, botToken, "@my_channel")), ""},
		{"a topic with an address before it", hook(channel.Ntfy("x", u, "https://ntfy.sh/secret42", "")), "want a topic"},
		{"a token with a blank", hook(channel.Ntfy("x", u, "topic", "tk secret42")), "want a token"},
		{"a token with a line", hook(channel.Alertmanager("x", u, "tk\r\nsecret42: 1")), "want a token"},
		{"a key of PagerDuty's other API", hook(channel.PagerDuty("x", u, "secret42+y_NbAkKc66ryYTWUXYEu")), "want the integration key"},
		{"mail", mail(func(*channel.MailConfig) {}), ""},
		{"mail to a relay on this host", mail(func(c *channel.MailConfig) {
			c.Server, c.TLS, c.User, c.Password = "localhost:25", channel.NoTLS, "", ""
		}), ""},
		{"mail without TLS to another host", mail(func(c *channel.MailConfig) { c.TLS, c.User, c.Password = channel.NoTLS, "", "" }), "tls: none is for a relay on this host"},
		{"a password without TLS", mail(func(c *channel.MailConfig) { c.Server, c.TLS = "localhost:25", channel.NoTLS }), "tls: none is for a relay on this host"},
		{"TLS of another kind", mail(func(c *channel.MailConfig) { c.TLS = "ssl" }), `tls: "ssl", want starttls, implicit or none`},
		{"a mail server without a port", mail(func(c *channel.MailConfig) { c.Server = "h.example.org" }), "server: want HOST:PORT"},
		{"a mail server at port 0", mail(func(c *channel.MailConfig) { c.Server = "h.example.org:0" }), `server: "0" is no port`},
		{"mail from nobody", mail(func(c *channel.MailConfig) { c.From = "recorder" }), "from: want an address"},
		{"mail to nobody", mail(func(c *channel.MailConfig) { c.To = "anna; bo" }), "to: want addresses"},
		{"mail with a header in an address", mail(func(c *channel.MailConfig) { c.To = "a@example.org\r\nBcc: eve@example.org" }), "to: want addresses"},
		{"a user without a password", mail(func(c *channel.MailConfig) { c.Password = "" }), "user: want a user and a password"},
	} {
		switch {
		case c.want == "" && c.err != nil, c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, c.err, c.want)
		case c.err != nil && strings.Contains(c.err.Error(), "secret42"):
			t.Errorf("%s: a secret is repeated: %v", c.name, c.err)
		}
	}
}
