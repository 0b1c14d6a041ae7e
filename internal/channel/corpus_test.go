package channel_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/notice"

	"pgregory.net/rapid"
)

// accounts are what no message may have, in any letters.
var accounts = []string{"DU1234567", "U1234567", "F7654321", "I1234567", "du7654321"}

// nasty are texts that break messages, or what shows them.
var nasty = slices.Concat(accounts, []string{
	"", " ", "\x00", "\x1b[2J\x1b]0;owned\x07", "a\r\nBcc: eve@example.org\r\n\r\nhello", "\u202egnp.exe", "\u2028\u2029", "\xff\xfe\xc0\x80",
	"<script>alert(1)</script>", "<b>", "</b></b>", "&amp;&lt;", "<!channel> <@U024BE7LH> <https://evil.example|click>", "*bold* _it_ `code` ~no~",
	"{{ .Secret }} %s %n ${HOME} $(id) `id` '; rm -rf / #", `"quoted" \u0000 \"`, ".", "..", ".\r\n", "From x", strings.Repeat(".", 300),
	"👩‍👩‍👧‍👦🔴", strings.Repeat("👩‍👩‍👧‍👦", 2000), strings.Repeat("&<>\"", 3000), strings.Repeat("ä", 5000), strings.Repeat("x", 200_000),
	strings.Repeat("U1234567 ", 1000), strings.Repeat("x", 245) + "U9876543210123", strings.Repeat("x", 495) + "DU98765432101", "accountU1234567,DU1234567\x00F7654321",
})

// draw is a notice with nasty texts in every place.
func drawNotice(t *rapid.T, rec events.Record) notice.Notice {
	one := rapid.SampledFrom(nasty)
	list := rapid.SliceOfN(one, 0, 6)
	n := notice.Notice{
		Kind:     rapid.SampledFrom([]notice.Kind{notice.Stop, notice.Reminder, notice.Over, notice.Breach, notice.Outage, notice.OutageOver, notice.Silent, notice.SilentOver, notice.Room, notice.RoomOver, notice.Down, notice.DownOver, notice.Test, "new"}).Draw(t, "kind"),
		Severity: rapid.SampledFrom([]notice.Severity{notice.Critical, notice.Warning, notice.Info, ""}).Draw(t, "severity"),
		Gateway:  rapid.SampledFrom([]string{"", "main", "live-2"}).Draw(t, "gateway"),
		Key:      "main-1-" + one.Draw(t, "key"), Incident: one.Draw(t, "incident"), Ends: rapid.Bool().Draw(t, "ends"),
		Title: one.Draw(t, "title"), Body: list.Draw(t, "body"), Steps: list.Draw(t, "steps"),
		Time: time.Date(2026, 11, 22, 6, 0, 42, 0, time.UTC), Since: time.Date(2026, 11, 22, rapid.IntRange(0, 12).Draw(t, "since"), 0, 0, 0, time.UTC),
	}
	if rapid.Bool().Draw(t, "many lines") {
		n.Body, n.Steps = slices.Repeat(n.Body, 200), slices.Repeat(n.Steps, 50)
	}
	if rapid.Bool().Draw(t, "an event") {
		n.Record = rec
	}
	return n
}

// TestNastyTextsOnEveryChannel: whatever stands in a notice, each receiver takes it by the
// rules of its service, and finds no account id and no secret in what people read.
func TestNastyTextsOnEveryChannel(t *testing.T) {
	rec := stop(t).Record
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			r := receive(t, k.check, k.status, k.answer)
			ch := k.make(t, r.URL)
			rapid.Check(t, func(rt *rapid.T) {
				n := drawNotice(rt, rec)
				if err := ch.Tell(t.Context(), n); err != nil {
					rt.Fatalf("%v", err)
				}
				all := r.taken()
				g := all[len(all)-1]
				shown := string(g.body) + g.Header.Get("Ibrecorder-Title") + g.Header.Get("Webhook-Id") + g.Header.Get("Ibrecorder-Incident")
				for _, field := range []string{ntfyTopic, dutyKey} { // where they belong
					shown = strings.Replace(shown, `"`+field+`"`, "", 1)
				}
				clean(rt, shown, k.secrets)
			})
		})
	}
	t.Run("smtp", func(t *testing.T) {
		o := openOffice(t, true, "PLAIN", nil)
		ch := o.channel(mailSecret)
		rapid.Check(t, func(rt *rapid.T) {
			n := drawNotice(rt, rec)
			if err := ch.Tell(t.Context(), n); err != nil {
				rt.Fatalf("%v", err)
			}
			mail := o.taken()
			sent := mail[len(mail)-1]
			m, err := netmail.ReadMessage(bytes.NewReader(sent))
			if err != nil {
				rt.Fatal(err)
			}
			if to := m.Header["To"]; len(to) != 1 || m.Header.Get("Bcc") != "" || m.Header.Get("Cc") != "" {
				rt.Fatalf("a text has become a header: %v", m.Header)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if err != nil {
				rt.Fatal(err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil {
				rt.Fatal(err)
			}
			clean(rt, subject+m.Header.Get("Message-ID")+m.Header.Get("In-Reply-To")+strings.ReplaceAll(string(body), "\r\n", " "), []string{mailSecret})
		})
	})
	t.Run("command", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), "out")
		ch := channel.Command{Line: "cat > " + out + "; env | grep ^RECORDER_ >> " + out}
		for i := range 12 {
			n := rapid.Custom(func(rt *rapid.T) notice.Notice { return drawNotice(rt, rec) }).Example(i)
			if err := ch.Tell(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			clean(t, strings.ReplaceAll(string(got), "\n", " "), nil)
		}
	})
}

// clean holds a text to what anybody may see.
func clean(t interface{ Fatalf(string, ...any) }, shown string, secrets []string) {
	for _, a := range append(slices.Clone(accounts), secrets...) {
		if i := strings.Index(strings.ToLower(shown), strings.ToLower(a)); i >= 0 {
			t.Fatalf("%s is shown: …%q", a, shown[max(0, i-40):min(len(shown), i+60)])
		}
	}
	if events.HideAccounts(shown) != shown {
		t.Fatalf("something like an account id is shown: %q", shown)
	}
	if i := strings.IndexFunc(shown, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' || r == '\u2028' }); i >= 0 {
		t.Fatalf("a control character is shown: …%q", shown[max(0, i-40):min(len(shown), i+20)])
	}
}

// TestNoErrorHasASecretOrAnAccount: receivers that send everything back, in each form that
// a server may give it.
func TestNoErrorHasASecretOrAnAccount(t *testing.T) {
	n := stop(t)
	n.Title, n.Body = "about DU1234567", []string{"and U1234567 of F7654321"}
	forms := map[string]func(s string) string{
		"plain": func(s string) string { return s },
		"JSON": func(s string) string {
			b, _ := json.Marshal(map[string]string{"error": s, "message": s, "description": s})
			return string(b)
		},
		"a list":  func(s string) string { b, _ := json.Marshal(map[string][]string{"errors": {s, s}}); return string(b) },
		"a word":  func(s string) string { b, _ := json.Marshal(s); return string(b) },
		"percent": func(s string) string { return strings.NewReplacer(":", "%3A", "/", "%2F", " ", "%20").Replace(s) },
	}
	for _, k := range kinds {
		for form, write := range forms {
			for _, status := range []int{200, 400, 401, 500} {
				t.Run(fmt.Sprintf("%s, %s, %d", k.name, form, status), func(t *testing.T) {
					server := serve(t, heard(func(w http.ResponseWriter, r *http.Request) {
						body, _ := io.ReadAll(r.Body)
						w.Header().Set("Content-Type", map[bool]string{true: "text/plain", false: "application/json"}[form == "plain" || form == "percent"])
						w.WriteHeader(status)
						io.WriteString(w, write(strings.Join([]string{r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), strings.Join(k.secrets, " "), "DU1234567 U1234567,F7654321", string(body)}, " ")))
					}))
					err := k.make(t, server.URL).Tell(t.Context(), n)
					if err == nil {
						if status != 200 || k.strict {
							t.Error("no error")
						}
						return
					}
					harmless(t, err.Error(), append(slices.Clone(k.secrets), accounts...))
					if e, ok := errors.AsType[*channel.TellError](err); !ok || errors.Unwrap(e.Err) != nil {
						t.Errorf("an error of somebody else's is inside: %#v", err)
					}
				})
			}
		}
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a sentence", "chat not found", "chat not found"},
		{"a long word of letters", "missing_text_or_fallback_or_attachments", "missing_text_or_fallback_or_attachments"},
		{"the secret", "bad token s3cret!", "bad token ***"},
		{"the secret in base64", "bad Basic czNjcmV0IQ==", "bad Basic ***"},
		{"the secret percent-encoded", "bad s3cret%21", "bad ***"},
		{"an address that nobody told us of", "see https://h.example/T0/B0/x now", "see *** now"},
		{"a key that nobody told us of", "key AbC123dEf456GhI789jKl012 is bad", "key *** is bad"},
		{"a proxy with a password", `invalid proxy address "http://me:pw@proxy:3128"`, `invalid proxy address "***"`},
		{"accounts", "of U1234567", "of acct-hidden"},
		{"lines", "a\r\nb\tc", "a b c"},
		{"too much", strings.Repeat("no ", 200), strings.Repeat("no ", 66) + "n…"},
	} {
		if got := channel.Redact(c.text, "s3cret!"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
