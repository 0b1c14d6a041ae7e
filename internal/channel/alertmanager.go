package channel

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"ibrecorder/internal/notice"
)

// alert is what Alertmanager knows a notice as. It tells one alert from another by its
// labels alone: so a stop, its reminders and its end have the same.
type alert struct {
	name     string
	severity notice.Severity
	// lasts is how long it fires if nobody says that it is over.
	lasts time.Duration
}

// stands is for what has an end, of which Alertmanager is told. A program is to repeat
// what fires every few minutes, or it is taken to be over; this one gives a time far away
// instead, because it tells a thing once. If its end cannot be told it fires so long.
const stands = 30 * 24 * time.Hour

var alerts = map[notice.Kind]alert{
	notice.Stop:       {"IBRecorderRestartRequired", notice.Critical, stands},
	notice.Reminder:   {"IBRecorderRestartRequired", notice.Critical, stands},
	notice.Over:       {"IBRecorderRestartRequired", notice.Critical, stands},
	notice.Breach:     {"IBRecorderRuleBroken", notice.Warning, time.Hour},
	notice.Outage:     {"IBRecorderGatewayOutage", notice.Warning, stands},
	notice.OutageOver: {"IBRecorderGatewayOutage", notice.Warning, stands},
	notice.Silent:     {"IBRecorderChannelSilent", notice.Warning, stands},
	notice.SilentOver: {"IBRecorderChannelSilent", notice.Warning, stands},
	notice.Room:       {"IBRecorderLogRoom", notice.Warning, stands},
	notice.RoomOver:   {"IBRecorderLogRoom", notice.Warning, stands},
	notice.Down:       {"IBRecorderDown", notice.Critical, stands},
	notice.DownOver:   {"IBRecorderDown", notice.Critical, stands},
	notice.Test:       {"IBRecorderTest", notice.Info, 5 * time.Minute},
}

// full is a log that has come to its reserve, or takes nothing.
var full = alert{"IBRecorderLogFull", notice.Critical, stands}

// Alertmanager is one of Prometheus (POST /api/v2/alerts under server). token may be
// empty. Its labels are alertname, gateway, channel, severity and service, and have no free text;
// what people read are the annotations summary, description and incident.
func Alertmanager(name string, server *url.URL, token string) (*Hook, error) {
	if err := visible(token); err != nil {
		return nil, err
	}
	return &Hook{name: name, target: under(server, "/api/v2/alerts"), sender: Sender{Secrets: []string{token}},
		compose: func(n notice.Notice) (http.Header, []byte) {
			kind, known := alerts[n.Kind]
			if !known {
				kind = alert{"IBRecorderNotice", n.Severity, time.Hour}
			}
			kinds := []alert{kind}
			switch { // two alerts of one kind: its end is of both, whichever there was
			case n.Kind == notice.RoomOver:
				kinds = append(kinds, full)
			case n.Kind == notice.Room && n.Severity == notice.Critical:
				kinds = []alert{full}
			}
			annotations := map[string]string{"summary": n.Title}
			if n.Incident != "" {
				annotations["incident"] = n.Incident
			}
			title := n.Title
			n.Title = ""
			annotations["description"] = cmp.Or(fit(n, unmarked, mostDetails, bytesOf), title)
			starts := n.Since
			if starts.IsZero() || starts.After(n.Time) {
				starts = n.Time
			}
			type posted struct {
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
				Starts      time.Time         `json:"startsAt"`
				Ends        time.Time         `json:"endsAt"`
			}
			var all []posted
			for _, kind := range kinds {
				labels := map[string]string{"alertname": kind.name, "severity": string(kind.severity), "service": "ibrecorder"}
				if n.Gateway != "" {
					labels["gateway"] = n.Gateway
				}
				if n.Channel != "" {
					labels["channel"] = n.Channel
				}
				ends := n.Time.Add(kind.lasts)
				if n.Ends {
					ends = n.Time
				}
				all = append(all, posted{labels, annotations, starts.UTC(), ends.UTC()})
			}
			return bearer(jsonHeader(), token), encode(all)
		},
		taken: func(a Answer) error {
			if a.Type == "text/html" {
				return errNotUnderstood // its own answer is empty
			}
			return nil
		},
	}, nil
}
