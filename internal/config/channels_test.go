package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChannels(t *testing.T) {
	const file = `alerts:
  channels:
    - {name: phone, type: telegram, chat: "1234", token_file: /etc/token}
    - {name: hook, type: webhook, url_file: "env:HOOK"}
`
	phone := Channel{Name: "phone", Type: "telegram", Chat: "1234", TokenFile: "/etc/token"}
	hook := Channel{Name: "hook", Type: "webhook", URLFile: "env:HOOK"}
	other, mail := phone, Channel{Name: "mail", Type: "smtp", Server: "h:587", From: "a@b", To: "c@d"}
	other.Chat = "5"
	for _, c := range []struct {
		name string
		given
		want []Channel
	}{
		{"none", given{}, nil},
		{"an empty list", given{file: "alerts:\n  channels: []\n"}, nil},
		{"a file, in its order", given{file: file}, []Channel{phone, hook}},
		{"a variable", given{env: []string{`IBRECORDER_ALERTS_CHANNELS=[{name: phone, type: telegram, chat: "1234", token_file: /etc/token}]`}}, []Channel{phone}},
		{"a variable changes one of the file and adds one", given{file: file, env: []string{`IBRECORDER_ALERTS_CHANNELS=[{name: mail, type: smtp, server: "h:587", from: a@b, to: c@d}, {name: phone, chat: "5"}]`}}, []Channel{other, hook, mail}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := c.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Alerts.Channels); diff != "" {
				t.Errorf("channels (-want +got)\n%s", diff)
			}
		})
	}
}

func TestSixteenChannelsAtMost(t *testing.T) {
	list := func(n int) given {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("{name: c%d, type: command, command: x}", i))
		}
		return given{env: []string{"IBRECORDER_ALERTS_CHANNELS=[" + strings.Join(all, ", ") + "]"}}
	}
	if c, _, err := list(maxChannels).load(t); err != nil || len(c.Alerts.Channels) != maxChannels {
		t.Errorf("%d channels: %v", maxChannels, err)
	}
	if _, _, err := list(maxChannels + 1).load(t); err == nil || err.Error() != "alerts.channels: 17 channels, at most 16" {
		t.Errorf("one more: %v", err)
	}
}

// The table of types is held to the type's own documentation by TestEveryFieldHasAKey and
// this: each key of a channel is of use to some type.
func TestEveryKeyOfAChannelIsForSomeType(t *testing.T) {
	used := map[string]bool{"name": true, "type": true}
	for _, kind := range channelTypes {
		for _, one := range append(kind.must, kind.may...) {
			for key := range strings.SplitSeq(one, "|") {
				used[key] = true
			}
		}
	}
	for _, k := range perChannel {
		if key := strings.TrimPrefix(k.path, channelPath("*", "")); !used[key] {
			t.Errorf("no type has %s", key)
		} else {
			delete(used, key)
		}
	}
	for key := range used {
		t.Errorf("%s is no key of a channel", key)
	}
}
