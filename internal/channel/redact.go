package channel

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// mostSaid is how much of what a receiver said is repeated, in characters.
const mostSaid = 200

// hidden stands where something was taken out.
const hidden = "***"

// redact is what somebody else said, as it may stand in an error: one line, short, and
// without the secrets, in whatever form they were sent back. A receiver may repeat what
// it was sent, and a library the address that it was given.
func redact(s string, secrets []string) string {
	var forms []string
	for _, secret := range secrets {
		forms = append(forms, spellings(secret)...)
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // what has another within it first
	for _, form := range forms {
		s = strings.ReplaceAll(s, form, hidden)
	}
	s = word.ReplaceAllStringFunc(s, func(w string) string {
		if strings.Contains(w, "://") || len(w) >= longWord && strings.ContainsAny(w, "0123456789") {
			return hidden
		}
		return w
	})
	return strings.Join(strings.Fields(cut(line(s, mostLine), mostSaid)), " ")
}

// word is what no sentence has a blank in.
var word = regexp.MustCompile(`[^\s"'<>(),;]+`)

// longWord is what no word of a message is as long as, if it has a digit: a key or an
// address that nobody told us of.
const longWord = 24

// spellings are the forms in which a secret may come back.
func spellings(secret string) []string {
	if secret == "" {
		return nil
	}
	quoted, _ := json.Marshal(secret) // a string is always JSON
	all := []string{
		secret, url.PathEscape(secret), url.QueryEscape(secret), html.EscapeString(secret), strings.Trim(string(quoted), `"`),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// secretsOf are the parts of an address that must not be repeated.
func secretsOf(u *url.URL) []string {
	all := []string{u.String(), u.RequestURI()}
	if pw, set := u.User.Password(); set {
		all = append(all, pw)
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 8 { // "v2", "alerts" and "api" are words
			all = append(all, part)
		}
	}
	for _, values := range u.Query() {
		all = append(all, values...)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" || s == "/" })
}
