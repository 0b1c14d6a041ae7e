package channel

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"ibrecorder/internal/notice"
)

// ntfyMost is how many bytes a message has at most. Above 4096 a server makes an
// attachment of it, and it refuses JSON of more than twice that, escapes and all.
const ntfyMost = 3000

var ntfyTopic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

var ntfyPriority = map[notice.Severity]int{notice.Critical: 5, notice.Warning: 4, notice.Info: 3}

// Ntfy is a topic of an ntfy server. Whoever knows the name of a topic reads it, unless
// the server wants a token, which may be empty.
func Ntfy(name string, server *url.URL, topic, token string) (*Hook, error) {
	if !ntfyTopic.MatchString(topic) {
		return nil, errors.New("want a topic of 1 to 64 letters, digits, - and _")
	}
	if err := visible(token); err != nil {
		return nil, err
	}
	return &Hook{name: name, target: under(server, "/"), sender: Sender{Secrets: []string{topic, token}},
		compose: func(n notice.Notice) (http.Header, []byte) {
			title := n.Title
			n.Title = "" // it stands above the message
			message := cmp.Or(fit(n, unmarked, ntfyMost, bytesOf), title)
			var tags []string
			for _, tag := range []string{string(n.Kind), n.Gateway} {
				if tag != "" {
					tags = append(tags, tag)
				}
			}
			return bearer(jsonHeader(), token), encode(struct {
				Topic    string   `json:"topic"`
				Title    string   `json:"title"`
				Message  string   `json:"message"`
				Priority int      `json:"priority,omitempty"`
				Tags     []string `json:"tags,omitempty"`
			}{topic, title, message, ntfyPriority[n.Severity], tags})
		},
		taken: func(a Answer) error {
			var answer struct {
				ID    string `json:"id"`
				Event string `json:"event"`
			}
			if err := object(a, &answer); err != nil {
				return err
			}
			if answer.ID == "" || answer.Event != "message" {
				return errNotUnderstood
			}
			return nil
		},
	}, nil
}
