package events

import (
	"crypto/hmac"
	"crypto/sha256"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Redactor replaces account ids by keyed hashes while a draft becomes an event.
// The log cannot forget, so what must not be in it has to be taken out before.
// The key stays in the data folder: the hashes of two folders cannot be joined.
type Redactor struct{ key []byte }

// NewRedactor uses key, at least 16 random bytes, for the hashes.
func NewRedactor(key []byte) *Redactor { return &Redactor{key: append([]byte(nil), key...)} }

// keyLetters spell a keyed hash. Digits are missing, and so are the letters that
// begin an account id: a hash must never be taken for one.
const keyLetters = "abceghjklmnopqrs"

// Key returns the keyed hash of an account id, "acct-" and 10 letters.
func (r *Redactor) Key(account string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(account))
	out := []byte("acct-")
	for _, c := range mac.Sum(nil)[:5] {
		out = append(out, keyLetters[c>>4], keyLetters[c&15])
	}
	return string(out)
}

// Text replaces everything in s that looks like an account id, turns what is no
// UTF-8 into U+FFFD, and cuts at 1 KiB.
func (r *Redactor) Text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for {
		start, end := findAccountID(s)
		if start < 0 {
			break
		}
		b.WriteString(s[:start])
		b.WriteString(r.Key(s[start:end]))
		s = s[end:]
	}
	if b.Len() > 0 {
		b.WriteString(s)
		s = b.String()
	}
	if len(s) > maxText {
		cut := maxText
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return s
}

// Event stamps a draft: redacts every text of it and adds what only the loop
// knows. A draft without an ID gets boot-gateway-seq.
func (r *Redactor) Event(d Draft, s Stamp) Event {
	id := d.ID
	if id == "" {
		id = s.Boot + "-" + s.Gateway + "-" + strconv.FormatUint(s.Seq, 10)
	}
	return Event{
		ID: r.Text(id), Source: r.Text(d.Source), Gateway: s.Gateway, Time: s.Time,
		Seq: s.Seq, Boot: s.Boot, Mono: s.Mono, Conn: r.Text(d.Conn), Attempt: r.Text(d.Attempt), Epoch: s.Epoch,
		Cause: r.Text(d.Cause), SourceTime: r.Text(d.SourceTime), Prev: s.Prev, Data: r.payload(d.Data),
	}
}

func (r *Redactor) payload(data Payload) Payload {
	info := byKind[string(data.Kind())]
	if info == nil || info.plan.typ != reflect.TypeOf(data) {
		return data // Encode refuses it
	}
	out := reflect.New(info.plan.typ).Elem()
	out.Set(reflect.ValueOf(data))
	for i := range info.plan.fields {
		f := &info.plan.fields[i]
		switch v := f.in(out); f.op {
		case opString:
			v.SetString(r.Text(v.String()))
		case opList:
			list := make([]string, min(v.Len(), maxList))
			for i := range list {
				list[i] = r.Text(v.Index(i).String())
			}
			if len(list) > 0 {
				v.Set(reflect.ValueOf(list))
			}
		}
	}
	return out.Interface().(Payload)
}

// hasAccountID reports whether s holds something like an IB account id.
func hasAccountID(s string) bool {
	start, _ := findAccountID(s)
	return start >= 0
}

// maxSuffix is the longest sub-account suffix in letters. Without a bound one in
// two hundred SHA-256 hashes would count as an account.
const maxSuffix = 3

// findAccountID finds the first word that looks like an IB account id: U, F or I,
// for a paper account with a D before it, for a sub-account with letters behind,
// and 5 to 9 digits. A wrong hit costs a hash in place of a word; a miss would
// leave an account id in a log that cannot forget, so the bounds are wide.
func findAccountID(s string) (start, end int) {
	for i := 0; i < len(s); i++ {
		if i > 0 && isWord(s[i-1]) {
			continue
		}
		j := i
		if c := s[j] | 0x20; c == 'd' && j+1 < len(s) {
			j++
		}
		if c := s[j] | 0x20; c != 'u' && c != 'f' && c != 'i' {
			continue
		}
		digits := j + 1
		for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
			digits++
		}
		if n := digits - j - 1; n < 5 || n > 9 {
			continue
		}
		end := digits
		for end < len(s) && isWord(s[end]) {
			end++
		}
		if end-digits > maxSuffix {
			continue
		}
		return i, end
	}
	return -1, -1
}

func isWord(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_'
}
