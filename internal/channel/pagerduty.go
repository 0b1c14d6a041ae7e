package channel

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"ibrecorder/internal/notice"
)

var pagerdutyKey = regexp.MustCompile(`^[A-Za-z0-9]{32}$`)

// pagerdutySummary is in characters.
const pagerdutySummary = 1024

// PagerDuty is a service with an integration for the Events API v2 at server. The notices
// of one incident are one incident there: the first opens it, a reminder finds it open,
// and its end resolves it.
func PagerDuty(name string, server *url.URL, key string) (*Hook, error) {
	if !pagerdutyKey.MatchString(key) {
		return nil, errors.New("want the integration key of an Events API v2 integration, which has 32 letters and digits")
	}
	type details struct {
		Text string `json:"text"`
	}
	type payload struct {
		Summary   string          `json:"summary"`
		Source    string          `json:"source"`
		Severity  notice.Severity `json:"severity"`
		Timestamp time.Time       `json:"timestamp,omitzero"`
		Class     notice.Kind     `json:"class"`
		Details   details         `json:"custom_details"`
	}
	return &Hook{name: name, target: under(server, "/v2/enqueue"), sender: Sender{Secrets: []string{key}},
		compose: func(n notice.Notice) (http.Header, []byte) {
			action := "trigger"
			if n.Ends {
				action = "resolve"
			}
			return jsonHeader(), encode(struct {
				Key     string  `json:"routing_key"`
				Action  string  `json:"event_action"`
				Dedup   string  `json:"dedup_key"`
				Client  string  `json:"client"`
				Payload payload `json:"payload"`
			}{key, action, cmp.Or(n.Incident, n.Key), "ibrecorder", payload{
				Summary: cut(n.Title, pagerdutySummary), Source: cmp.Or(n.Gateway, "ibrecorder"), Severity: n.Severity,
				Timestamp: n.Time.UTC(), Class: n.Kind, Details: details{fit(n, unmarked, mostDetails, bytesOf)},
			}})
		},
		taken: func(a Answer) error {
			var answer struct {
				Status string `json:"status"`
			}
			if err := object(a, &answer); err != nil {
				return err
			}
			if answer.Status != "success" {
				return errors.New("it did not take the event")
			}
			return nil
		},
	}, nil
}
