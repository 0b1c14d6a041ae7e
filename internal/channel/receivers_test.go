package channel_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"

	"github.com/cloudevents/sdk-go/v2/event"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The secrets of the tests. No message and no error may have one, but where the receiver
// wants it.
const (
	botToken   = "123456:AAtesttesttesttesttesttesttesttes42"
	hookPath   = "/services/T0TEST/B0TEST/testtesttesttest4242"
	hookKey    = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdDQy"
	dutyKey    = "00000000000000000000000000test42"
	ntfyTopic  = "test-topic-4242"
	ntfyToken  = "tk_testtesttesttest42"
	promToken  = "prom-testtest-4242"
	mailSecret = "correct horse 42 battery"
)

// kinds are the channels over HTTP, each with the receiver that its service documents.
var kinds = []struct {
	name string
	make func(t *testing.T, base string) *channel.Hook
	// check is what the service refuses, by its documentation.
	check func(r *http.Request, body []byte) error
	// answer is what it answers when it has taken something, with its status.
	status int
	answer string
	// strict says that only the right body means that it was taken.
	strict bool
	// secrets are in what it is sent.
	secrets []string
}{
	{"webhook", func(t *testing.T, base string) *channel.Hook {
		return must(channel.Webhook("hook", address(t, base+"/in?token=testtesttest4242"), hookKey))
	}, checkWebhook, 204, "", false, []string{"testtesttest4242", hookKey, strings.TrimPrefix(hookKey, "whsec_")}},
	{"slack", func(t *testing.T, base string) *channel.Hook { return channel.Slack("team", address(t, base+hookPath)) },
		checkSlack, 200, "ok", true, []string{hookPath, "testtesttesttest4242"}},
	{"telegram", func(t *testing.T, base string) *channel.Hook {
		return must(channel.Telegram("phone", address(t, base), botToken, "-100123"))
	}, checkTelegram, 200, `{"ok":true,"result":{"message_id":7}}`, true, []string{botToken, strings.TrimPrefix(botToken, "123456:")}},
	{"ntfy", func(t *testing.T, base string) *channel.Hook {
		return must(channel.Ntfy("push", address(t, base), ntfyTopic, ntfyToken))
	}, checkNtfy, 200, `{"id":"xE73Iyuabi","time":1763791242,"event":"message","topic":"` + ntfyTopic + `"}`, true, []string{ntfyTopic, ntfyToken}},
	{"pagerduty", func(t *testing.T, base string) *channel.Hook {
		return must(channel.PagerDuty("duty", address(t, base), dutyKey))
	}, checkPagerDuty, 202, `{"status":"success","message":"Event processed","dedup_key":"x"}`, true, []string{dutyKey}},
	{"alertmanager", func(t *testing.T, base string) *channel.Hook {
		return must(channel.Alertmanager("prom", address(t, base+"/am"), promToken))
	}, checkAlertmanager, 200, "", false, []string{promToken}},
}

func must(h *channel.Hook, err error) *channel.Hook {
	if err != nil {
		panic(err)
	}
	return h
}

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := channel.Address(s, true)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

var _ = []alert.Channel{(*channel.Hook)(nil), (*channel.Mail)(nil), channel.Command{}}

// receiver takes what its check lets through, and keeps it.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []got
}

// got is one request.
type got struct {
	*http.Request
	body []byte
}

func receive(t *testing.T, check func(*http.Request, []byte) error, status int, answer string) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			req.Body = io.NopCloser(bytes.NewReader(body))
			err = check(req, body)
		}
		if err != nil {
			http.Error(w, "refused: "+err.Error(), http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		r.got = append(r.got, got{req, body})
		r.mu.Unlock()
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(r.Close)
	return r
}

// taken are the requests that came.
func (r *receiver) taken() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// strictly reads JSON, without fields that the type has not.
func strictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

func posted(r *http.Request, path, contentType string) error {
	switch {
	case r.Method != http.MethodPost || r.URL.Path != path:
		return fmt.Errorf("%s %s", r.Method, r.URL.Path)
	case r.Header.Get("Content-Type") != contentType:
		return fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	return nil
}

// checkWebhook: CloudEvents 1.0 by its own library, Standard Webhooks by hand.
func checkWebhook(r *http.Request, body []byte) error {
	if err := posted(r, "/in", "application/cloudevents+json; charset=utf-8"); err != nil {
		return err
	}
	var event event.Event
	if err := json.Unmarshal(body, &event); err != nil {
		return err
	}
	if err := event.Validate(); err != nil {
		return err
	}
	id, at := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	sent, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || time.Since(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return fmt.Errorf("id %q, sent at %q", id, at)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookKey, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	signature, ok := strings.CutPrefix(r.Header.Get("Webhook-Signature"), "v1,")
	if given, err := base64.StdEncoding.DecodeString(signature); !ok || err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return fmt.Errorf("the signature %q is wrong", r.Header.Get("Webhook-Signature"))
	}
	if title, err := url.PathUnescape(r.Header.Get("Ibrecorder-Title")); err != nil || title == "" {
		return fmt.Errorf("title %q: %v", title, err)
	}
	return nil
}

var slackEntity = regexp.MustCompile(`&(amp|lt|gt);`)

func checkSlack(r *http.Request, body []byte) error {
	var m struct {
		Text   string `json:"text"`
		Markup *bool  `json:"mrkdwn"`
		Unfurl bool   `json:"unfurl_links"`
	}
	if err := errors.Join(posted(r, hookPath, "application/json"), strictly(body, &m)); err != nil {
		return err
	}
	switch bare := slackEntity.ReplaceAllString(m.Text, ""); {
	case m.Text == "":
		return errors.New("no_text")
	case len(m.Text) > 40000:
		return errors.New("msg_too_long")
	case strings.ContainsAny(bare, "<>&"):
		return fmt.Errorf("what is not escaped is a command: %q", bare)
	case m.Markup == nil || *m.Markup:
		return errors.New("texts are read as markup")
	}
	return nil
}

var telegramTag = regexp.MustCompile(`</?b>`)

func checkTelegram(r *http.Request, body []byte) error {
	var m struct {
		Chat    string `json:"chat_id"`
		Text    string `json:"text"`
		Mode    string `json:"parse_mode"`
		Preview struct {
			Off bool `json:"is_disabled"`
		} `json:"link_preview_options"`
	}
	if err := errors.Join(posted(r, "/bot"+botToken+"/sendMessage", "application/json"), strictly(body, &m)); err != nil {
		return err
	}
	plain := telegramTag.ReplaceAllString(m.Text, "")
	if bare := strings.NewReplacer("&lt;", "", "&gt;", "", "&amp;", "").Replace(plain); strings.ContainsAny(bare, "<>&") {
		return fmt.Errorf("can't parse entities: %q", bare)
	}
	if strings.Count(m.Text, "<b>") != 1 || strings.Count(m.Text, "</b>") != 1 {
		return errors.New("can't parse entities: tags do not match")
	}
	switch n := len(utf16.Encode([]rune(html.UnescapeString(plain)))); {
	case m.Chat != "-100123" || m.Mode != "HTML":
		return fmt.Errorf("chat %q, mode %q", m.Chat, m.Mode)
	case strings.TrimSpace(plain) == "":
		return errors.New("message text is empty")
	case n > 4096:
		return fmt.Errorf("message is too long: %d", n)
	}
	return nil
}

func checkNtfy(r *http.Request, body []byte) error {
	var m struct {
		Topic    string   `json:"topic"`
		Title    string   `json:"title"`
		Message  string   `json:"message"`
		Priority int      `json:"priority"`
		Tags     []string `json:"tags"`
	}
	if err := errors.Join(posted(r, "/", "application/json"), strictly(body, &m)); err != nil {
		return err
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+ntfyToken:
		return errors.New("unauthorized")
	case m.Topic != ntfyTopic:
		return fmt.Errorf("topic %q", m.Topic)
	case m.Title == "" || m.Message == "" || len(m.Message) > 4096 || len(body) > 2*4096:
		return fmt.Errorf("a title of %d, a message of %d, a body of %d bytes", len(m.Title), len(m.Message), len(body))
	case m.Priority < 1 || m.Priority > 5:
		return fmt.Errorf("priority %d", m.Priority)
	}
	return nil
}

func checkPagerDuty(r *http.Request, body []byte) error {
	var m struct {
		Key     string `json:"routing_key"`
		Action  string `json:"event_action"`
		Dedup   string `json:"dedup_key"`
		Client  string `json:"client"`
		Payload struct {
			Summary   string         `json:"summary"`
			Source    string         `json:"source"`
			Severity  string         `json:"severity"`
			Timestamp time.Time      `json:"timestamp"`
			Class     string         `json:"class"`
			Details   map[string]any `json:"custom_details"`
		} `json:"payload"`
	}
	if err := errors.Join(posted(r, "/v2/enqueue", "application/json"), strictly(body, &m)); err != nil {
		return err
	}
	p := m.Payload
	switch {
	case len(m.Key) != 32:
		return errors.New("Length of 'routing_key' is incorrect (should be 32 characters)")
	case m.Action != "trigger" && m.Action != "resolve":
		return fmt.Errorf("event_action %q", m.Action)
	case m.Dedup == "" || len(m.Dedup) > 255:
		return fmt.Errorf("dedup_key of %d", len(m.Dedup))
	case p.Summary == "" || len([]rune(p.Summary)) > 1024 || p.Source == "" || len(body) > 512<<10:
		return fmt.Errorf("summary %q, source %q, %d bytes", p.Summary, p.Source, len(body))
	case !map[string]bool{"critical": true, "error": true, "warning": true, "info": true}[p.Severity]:
		return fmt.Errorf("severity %q", p.Severity)
	}
	return nil
}

var (
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	labelValue = regexp.MustCompile(`^[A-Za-z0-9-]+$`) // stricter than Alertmanager: no free text
)

func checkAlertmanager(r *http.Request, body []byte) error {
	var all []struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Starts      time.Time         `json:"startsAt"`
		Ends        time.Time         `json:"endsAt"`
	}
	if err := errors.Join(posted(r, "/am/api/v2/alerts", "application/json"), strictly(body, &all)); err != nil {
		return err
	}
	if len(all) == 0 || r.Header.Get("Authorization") != "Bearer "+promToken {
		return fmt.Errorf("%d alerts, authorization %q", len(all), r.Header.Get("Authorization"))
	}
	for _, a := range all {
		for name, value := range a.Labels {
			if !labelName.MatchString(name) || !labelValue.MatchString(value) {
				return fmt.Errorf("label %s=%q", name, value)
			}
		}
		switch {
		case a.Labels["alertname"] == "" || a.Annotations["summary"] == "" || a.Annotations["description"] == "":
			return fmt.Errorf("labels %v, annotations %v", a.Labels, a.Annotations)
		case a.Starts.IsZero() || a.Ends.Before(a.Starts):
			return fmt.Errorf("from %s to %s", a.Starts, a.Ends)
		}
	}
	return nil
}
