package channel

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"ibrecorder/internal/notice"
)

// telegramMost is how long a message may be, in UTF-16 code units, with its entities
// parsed.
const telegramMost = 4096

var (
	telegramEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	telegramToken  = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{20,100}$`)
	telegramChat   = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$`)
)

// Telegram is a chat to which a bot writes (sendMessage of the Bot API at server). chat
// is a number, or @ and the name of a public channel. An answer without "ok": true is a
// failure, whatever its status.
func Telegram(name string, server *url.URL, token, chat string) (*Hook, error) {
	switch {
	case !telegramToken.MatchString(token):
		return nil, errors.New("want a bot's token as @BotFather gave it, digits:letters, and nothing else")
	case !telegramChat.MatchString(chat):
		return nil, errors.New("want a chat's number, or @ and the name of a public channel")
	}
	bold := func(s string) string { return "<b>" + s + "</b>" }
	m := markup{bold, telegramEscape.Replace}
	return &Hook{name: name, target: under(server, "/bot"+token+"/sendMessage"), sender: Sender{Secrets: []string{token, token[strings.IndexByte(token, ':')+1:]}},
		compose: func(n notice.Notice) (http.Header, []byte) {
			type preview struct {
				Off bool `json:"is_disabled"`
			}
			return jsonHeader(), encode(struct {
				Chat    string  `json:"chat_id"`
				Text    string  `json:"text"`
				Mode    string  `json:"parse_mode"`
				Preview preview `json:"link_preview_options"`
			}{chat, fit(n, m, telegramMost, utf16Of), "HTML", preview{true}})
		},
		taken: func(a Answer) error {
			var answer struct {
				OK bool `json:"ok"`
			}
			if err := object(a, &answer); err != nil {
				return err
			}
			if !answer.OK {
				return errors.New("it did not take the message")
			}
			return nil
		},
		wait: telegramWait,
	}, nil
}

// utf16Of counts as Telegram does. Escapes count as what they are written with here, so
// that the text is rather too short.
func utf16Of(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// telegramWait is how long the Bot API wants to be left alone: it says so in its answer,
// and not in a header.
func telegramWait(a Answer) time.Duration {
	var answer struct {
		Parameters struct {
			RetryAfter int64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(a.Body, &answer) != nil {
		return 0
	}
	return bounded(answer.Parameters.RetryAfter)
}
