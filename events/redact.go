package events

import (
	"crypto/hmac"
	"crypto/sha256"
	"reflect"
	"strconv"
	"strings"
)

// Redactor replaces account ids by keyed hashes while a draft becomes an event.
// The log cannot forget, so what must not be in it has to be taken out before.
// The key stays in the data folder: the hashes of two folders cannot be joined.
type Redactor struct{ key []byte }

// NewRedactor uses key, at least 16 random bytes, for the hashes.
func NewRedactor(key []byte) *Redactor { return &Redactor{key: append([]byte(nil), key...)} }

// SafeLetters spell what must never be taken for an account id, a keyed hash or the id of
// a run: digits are missing, and so are the letters that begin one. There are 16, a letter
// for four bits.
const SafeLetters = "abceghjklmnopqrs"

// Key returns the keyed hash of an account id, "acct-" and 10 letters. Small
// letters count as capitals: people type the ids of accounts either way.
func (r *Redactor) Key(account string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(strings.ToUpper(account)))
	out := []byte("acct-")
	for _, c := range mac.Sum(nil)[:5] {
		out = append(out, SafeLetters[c>>4], SafeLetters[c&15])
	}
	return string(out)
}

// Text replaces everything in s that looks like an account id, turns what is no
// UTF-8 into U+FFFD, and cuts at 1 KiB, between two characters.
func (r *Redactor) Text(s string) string { return withoutAccounts(s, maxText, r.Key) }

// Attribute is Text for what may have 128 bytes: an attribute, an entry of a list.
// A replaced account id is longer than itself, so even a valid one may need a cut.
func (r *Redactor) Attribute(s string) string { return withoutAccounts(s, maxToken, r.Key) }

// Event stamps a draft: redacts every text of it and adds what only the loop
// knows. A draft without an ID gets boot-gateway-seq.
//
// Encode accepts what comes out for every draft that DecodeDraft accepted and
// every valid stamp (FuzzDecodeDraft), so no reporter can stop the loop.
func (r *Redactor) Event(d Draft, s Stamp) Event {
	id := d.ID
	if id == "" {
		id = s.Boot + "-" + s.Gateway + "-" + strconv.FormatUint(s.Seq, 10)
	}
	return Event{
		ID: r.Attribute(id), Source: r.Attribute(d.Source), Gateway: s.Gateway, Time: s.Time,
		Seq: s.Seq, Boot: s.Boot, Mono: s.Mono, Conn: r.Attribute(d.Conn), Attempt: r.Attribute(d.Attempt), Epoch: s.Epoch,
		Cause: r.Attribute(d.Cause), SourceTime: r.Attribute(d.SourceTime), Prev: s.Prev, Data: r.payload(d.Data),
	}
}

func (r *Redactor) payload(data Payload) Payload {
	info, err := infoOf(data)
	if err != nil {
		return data // Encode refuses it, and says why
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
				list[i] = r.Attribute(v.Index(i).String())
			}
			if len(list) > 0 {
				v.Set(reflect.ValueOf(list))
			}
		}
	}
	return out.Interface().(Payload)
}
