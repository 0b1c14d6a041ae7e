package events

import (
	"math"
	"strings"
	"unicode/utf8"
)

// maxSuffix is the longest sub-account suffix in characters. Without a bound one
// in two hundred SHA-256 hashes would count as an account.
const maxSuffix = 3

// minAccount is the shortest account id: a letter and 5 digits.
const minAccount = 6

// hasAccountID reports whether s holds something like an IB account id.
func hasAccountID(s string) bool {
	start, _ := findAccountID(s)
	return start >= 0
}

// findAccountID finds the first word that looks like an IB account id: U, F or I,
// for a paper account with a D before it, 5 to 9 digits, and for a sub-account a
// letter and up to 2 more letters or digits behind. A wrong hit costs a hash in
// place of a word; a miss would leave an account id in a log that cannot forget,
// so the bounds are wide: capitals count in the middle of a word too, because
// programs report bytes as they print them ("\x001\x00DU1234567\x00"), and an
// underscore ends a word, because files are named after accounts.
func findAccountID(s string) (start, end int) {
	for i := 0; i+minAccount <= len(s); i++ {
		if classes[s[i]]&beginsID == 0 {
			continue
		}
		if end := accountAt(s, i); end > 0 {
			return i, end
		}
	}
	return -1, -1
}

// accountAt returns where the account id that begins at i ends, 0 if none does.
func accountAt(s string, i int) (end int) {
	digits := i + 1
	if s[i]|0x20 == 'd' {
		if classes[s[digits]]&beginsID == 0 || s[digits]|0x20 == 'd' {
			return 0
		}
		digits++
	}
	end = digits
	for end < len(s) && classes[s[end]]&isDigit != 0 {
		end++
	}
	if n := end - digits; n < 5 || n > 9 {
		return 0
	}
	if i > 0 && classes[s[i-1]]&isWord != 0 && classes[s[i]]&isCapital == 0 {
		return 0
	}
	suffix := end
	for end < len(s) && classes[s[end]]&isWord != 0 {
		end++
	}
	if end-suffix > maxSuffix {
		return 0
	}
	return end
}

// withoutAccounts replaces every account id in s and cuts what is longer than
// most bytes, between two characters. What is no UTF-8 becomes U+FFFD.
func withoutAccounts(s string, most int, replace func(account string) string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if start, end := findAccountID(s); start >= 0 {
		var b strings.Builder
		for start >= 0 {
			b.WriteString(s[:start])
			b.WriteString(replace(s[start:end]))
			s = s[end:]
			start, end = findAccountID(s)
		}
		b.WriteString(s)
		s = b.String()
	}
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	s = s[:most]
	// The cut may have shortened a longer word into an account id.
	if start, _ := findAccountID(s); start >= 0 {
		s = s[:start]
	}
	return s
}

// HideAccounts replaces every account id in s by "acct-hidden", for what leaves the
// recorder without the key of a log. What is no UTF-8 becomes U+FFFD; nothing is cut.
func HideAccounts(s string) string {
	return withoutAccounts(s, math.MaxInt, func(string) string { return "acct-hidden" })
}

// shown is a value from outside as an error may quote it: short, and without
// account ids, because errors are logged.
func shown(s string) string {
	return withoutAccounts(s, 64, func(string) string { return "acct-hidden" })
}
