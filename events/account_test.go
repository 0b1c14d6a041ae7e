package events

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// accountPattern says the same as findAccountID, in the language of regular
// expressions; the JSON Schemas carry it.
const accountPattern = `(?:(?:^|[^0-9A-Za-z])[Dd]?[UuFfIi]|D[UuFfIi]|[UFI])[0-9]{5,9}(?:[A-Za-z][0-9A-Za-z]{0,2})?(?:[^0-9A-Za-z]|$)`

var accountRegexp = regexp.MustCompile(accountPattern)

func TestFindingAccountsAgreesWithThePattern(t *testing.T) {
	word := rapid.StringOf(rapid.SampledFrom([]rune("DUFIdufiAax0123456789_- é\\'")))
	part := rapid.OneOf(word, rapid.StringMatching(`[A-Za-z0-9_ ]?[DdUu]?[UuFfIi][0-9]{4,10}[A-Za-z0-9_ ]{0,4}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(part, 1, 3).Draw(t, "parts"), "")
		start, end := findAccountID(s)
		if want := accountRegexp.MatchString(s); (start >= 0) != want {
			t.Fatalf("findAccountID(%q) = %d, %d; the pattern says %v", s, start, end, want)
		}
		if start >= 0 && !regexp.MustCompile(`^[Dd]?[UuFfIi][0-9]{5,9}[A-Za-z0-9]{0,3}$`).MatchString(s[start:end]) {
			t.Fatalf("it found %q in %q", s[start:end], s)
		}
		if n, _, risky := scan(s, inText); n == len(s) && start >= 0 && !risky {
			t.Fatalf("scan saw no risk in %q", s)
		}
	})
}

func TestEveryByteHasItsClass(t *testing.T) {
	for c, pattern := range map[class]string{
		isDigit: `[0-9]`, beginsID: `[dufiDUFI]`, isCapital: `[A-Z]`, isWord: `[0-9A-Za-z]`,
		inToken: `[A-Za-z0-9_./:-]`, inPrint: `[ !#-\[\]-~]`, inText: `[^\x00-\x1f"\\]`, notASCII: `[^\x00-\x7f]`,
	} {
		re := regexp.MustCompile(`^` + pattern + `$`)
		for i := range classes {
			s := string([]byte{byte(i)}) // one that is not UTF-8 counts as U+FFFD
			if got, want := classes[i]&c != 0, re.MatchString(s); got != want {
				t.Errorf("byte %q, class %s: %v, want %v", s, pattern, got, want)
			}
		}
	}
}
