package wire

import "bytes"

// Kind says what a connection's first bytes look like. It is a description for
// people; whether something is a hello is decided by HelloParser alone.
type Kind string

const (
	KindNone   Kind = "none"   // no byte at all: a port probe, or a client still waiting
	KindHello  Kind = "hello"  // starts with the magic, or with a part of it
	KindFrame  Kind = "frame"  // a frame without a hello: a client library that redialled by itself
	KindLegacy Kind = "legacy" // a client from before server version 100: digits and a NUL
	KindHTTP   Kind = "http"
	KindTLS    Kind = "tls"
	KindOther  Kind = "other"
)

// Describe names what first, a connection's first bytes, looks like. Four bytes
// are enough for a good answer, fewer give the best one possible.
func Describe(first []byte) Kind {
	switch {
	case len(first) == 0:
		return KindNone
	case overlaps(first, Magic):
		return KindHello
	case overlaps(first, "\x16\x03"):
		return KindTLS
	case first[0] == 0: // the top byte of every length up to MaxFrameBytes
		return KindFrame
	case isLegacy(first):
		return KindLegacy
	}
	for _, word := range []string{"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "CONNECT ", "DELETE ", "PATCH ", "PRI * HTTP", "HTTP/"} {
		if overlaps(first, word) {
			return KindHTTP
		}
	}
	return KindOther
}

// overlaps reports whether one of b and word starts with the other.
func overlaps(b []byte, word string) bool {
	n := min(len(b), len(word))
	return string(b[:n]) == word[:n]
}

func isLegacy(b []byte) bool {
	digits, _, _ := bytes.Cut(b, []byte{0})
	_, ok := parseVersionNumber(digits)
	return ok
}
