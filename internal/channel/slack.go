package channel

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"ibrecorder/internal/notice"
)

// slackMost is the length that Slack recommends for a text; it cuts one at 40 000.
const slackMost = 4000

// slackEscape is all that Slack wants escaped: so no text is a link, nor calls everybody
// (<!channel>).
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Slack is an incoming webhook of Slack; the whole address is a secret. The text is sent
// without Slack's own markup, because names such as _live_ are no slanted letters.
// Receivers that speak the same (Mattermost, Rocket.Chat) take it too. Only the body "ok"
// says that it was taken.
func Slack(name string, target *url.URL) *Hook {
	m := markup{same, slackEscape.Replace}
	return &Hook{name: name, target: target,
		compose: func(n notice.Notice) (http.Header, []byte) {
			return jsonHeader(), encode(struct {
				Text   string `json:"text"`
				Markup bool   `json:"mrkdwn"`
				Unfurl bool   `json:"unfurl_links"`
			}{Text: fit(n, m, slackMost, utf8.RuneCountInString)})
		},
		taken: func(a Answer) error {
			if err := whole(a); err != nil {
				return err
			}
			if strings.TrimSpace(string(a.Body)) != "ok" {
				return errNotUnderstood
			}
			return nil
		},
	}
}
