package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPlain is how many characters of one text a report shows. A reason or a
// remark is at most 1 KiB; a page with thousands of them must stay one to read.
const maxPlain = 300

// plain makes a text harmless to look at: what has no shape, or changes the
// direction or the place of what stands beside it, is written out as \u202e, and
// what is longer than a line or two is cut and says so. Markup is left to the
// renderers, which escape it.
func plain(s string) string { return shape(s, maxPlain) }

// whole is plain for what must not be cut, such as a command.
func whole(s string) string { return shape(s, len(s)) }

func shape(s string, most int) string {
	if len(s) <= most && harmless(s) {
		return s
	}
	var b strings.Builder
	shown := 0
	for i, r := range s {
		if shown == most {
			fmt.Fprintf(&b, "… (%s more)", count(utf8.RuneCountInString(s[i:]), "character"))
			break
		}
		shown++
		if visible(r) {
			b.WriteRune(r)
			continue
		}
		if r < 0x1_0000 {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func harmless(s string) bool {
	for _, r := range s {
		if !visible(r) {
			return false
		}
	}
	return true
}

// visible reports whether a character may stand in a line. A mark that combines
// with the one before it is not: hundreds of them climb over the lines above.
func visible(r rune) bool {
	return r != utf8.RuneError && (r == ' ' || unicode.IsGraphic(r) && !unicode.In(r, unicode.Zs, unicode.Mn, unicode.Me))
}
