package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ibrecorder/internal/notice"
)

// Webhook is any receiver of CloudEvents. It gets the event in structured mode, the bytes
// of the log where the notice is of one, and
//
//	Webhook-Id             the notice's key: the same when it is sent again
//	Ibrecorder-Notice      its kind
//	Ibrecorder-Severity    critical, warning or info
//	Ibrecorder-Incident    which stop it belongs to; absent if to none
//	Ibrecorder-Title       the title, percent-encoded as the HTTP binding of CloudEvents has it
//
// With a key it is signed as Standard Webhooks (standardwebhooks.com) has it, for which
// there are libraries: Webhook-Timestamp is when it was sent, in seconds, and
// Webhook-Signature "v1," and the base64 of the HMAC-SHA-256 over id.timestamp.body.
// A receiver that finds the time minutes away refuses it, so that it cannot be replayed.
//
// key is "whsec_" and the base64 of 24 to 64 bytes, or empty. Any status from 200 to 299
// is taken, whatever comes with it.
func Webhook(name string, target *url.URL, key string) (*Hook, error) {
	var secret []byte
	if key != "" {
		encoded, ok := strings.CutPrefix(key, "whsec_")
		var err error
		secret, err = base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(secret) < 24 || len(secret) > 64 {
			return nil, errors.New(`want whsec_ and the base64 of 24 to 64 bytes, as printed by: echo "whsec_$(openssl rand -base64 32)"`)
		}
	}
	return &Hook{name: name, target: target, sender: Sender{Secrets: []string{key, string(secret)}},
		compose: func(n notice.Notice) (http.Header, []byte) {
			body, _ := eventOf(n)
			h := http.Header{}
			h.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
			h.Set("Webhook-Id", n.Key)
			h.Set("Ibrecorder-Notice", string(n.Kind))
			h.Set("Ibrecorder-Severity", string(n.Severity))
			h.Set("Ibrecorder-Title", percent(n.Title))
			if n.Incident != "" {
				h.Set("Ibrecorder-Incident", n.Incident)
			}
			if secret != nil {
				at := strconv.FormatInt(time.Now().Unix(), 10)
				h.Set("Webhook-Timestamp", at)
				h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sign(secret, n.Key, at, body)))
			}
			return h, body
		},
		taken: func(Answer) error { return nil },
	}, nil
}

// sign is the signature of Standard Webhooks.
func sign(key []byte, id, at string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// percent is a text as a header of the HTTP binding of CloudEvents 1.0 (3.1.3.2).
func percent(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '%' {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
