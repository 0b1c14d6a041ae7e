package channel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"ibrecorder/events"
	"ibrecorder/internal/notice"
)

// What one notice may have. Whoever writes more has made a mistake, which must not keep
// anybody from being told.
const (
	mostTitle = 250 // characters
	mostLine  = 500
	mostBody  = 60 // lines
	mostSteps = 20
)

// mostDetails is how many bytes go into a field that programs show on request.
const mostDetails = 16000

// plain is n as it may be shown to anybody: each text is one line of valid UTF-8, bounded,
// without what would repaint a screen or turn its direction, and without account ids.
func plain(n notice.Notice) notice.Notice {
	n.Title = line(n.Title, mostTitle)
	if n.Title == "" {
		n.Title = line(string(n.Kind), mostTitle)
	}
	if n.Severity != notice.Critical && n.Severity != notice.Info {
		n.Severity = notice.Warning // receivers know these three
	}
	n.Gateway, n.Key, n.Incident = line(n.Gateway, mostTitle), id(n.Key), id(n.Incident)
	n.Body, n.Steps = lines(n.Body, mostBody), lines(n.Steps, mostSteps)
	return n
}

// oneWord is what a header, a Message-ID and a receiver's own key may be.
var oneWord = regexp.MustCompile(`^[A-Za-z0-9_/-]+(\.[A-Za-z0-9_/-]+)*$`)

// id is a key as every receiver can have it: itself as a rule, else its hash.
func id(s string) string {
	if s == "" || len(s) <= 128 && oneWord.MatchString(s) && events.HideAccounts(s) == s {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func lines(all []string, most int) []string {
	var out []string
	for _, s := range all[:min(len(all), most)] {
		out = append(out, line(s, mostLine))
	}
	return out
}

// joiner makes one picture of several in a row.
const joiner = '\u200d'

func line(s string, most int) string {
	s = s[:min(len(s), 16*most)] // no character has more bytes, and the rest is not shown
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == joiner {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(events.HideAccounts(strings.TrimSpace(s)), most)
}

// cut leaves at most most characters. An account id cannot come of it: the mark is no
// part of a word, but what was a longer word is one that ends sooner.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return events.HideAccounts(string([]rune(s)[:most-1])) + "…"
}

// markup is how a receiver wants texts: what it takes for a command is escaped.
type markup struct {
	title  func(string) string
	escape func(string) string
}

func same(s string) string { return s }

var unmarked = markup{same, same}

// text is a notice as one message: the title, the body, and what to do.
func text(n notice.Notice, m markup) string {
	var b strings.Builder
	if n.Title != "" {
		b.WriteString(m.title(m.escape(n.Title)) + "\n")
	}
	if len(n.Body) > 0 {
		b.WriteByte('\n')
	}
	for _, s := range n.Body {
		b.WriteString(m.escape(s) + "\n")
	}
	if len(n.Steps) > 0 {
		b.WriteString("\nDo this:\n")
	}
	for i, s := range n.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, m.escape(s))
	}
	return strings.Trim(b.String(), "\n")
}

// fit is text, with a size of at most most. The end of the body goes first: the title
// says what happened, and the steps what to do.
func fit(n notice.Notice, m markup, most int, size func(string) int) string {
	for {
		s := text(n, m)
		switch {
		case size(s) <= most:
			return s
		case len(n.Body) > 1:
			n.Body = append(n.Body[:len(n.Body)-2:len(n.Body)-2], "…")
		case len(n.Body) > 0:
			n.Body = nil
		case len(n.Steps) > 0:
			n.Steps = n.Steps[:len(n.Steps)-1]
		default:
			return s
		}
	}
}

func bytesOf(s string) int { return len(s) }
