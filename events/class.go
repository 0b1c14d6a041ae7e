package events

// class is what a byte may be part of, as a set of bits. One table look-up a
// byte answers every question of the codec about it.
type class uint8

const (
	isDigit   class = 1 << iota
	beginsID        // d, u, f or i: the letters before the digits of an account id. Twice isDigit, see scan.
	isCapital       // A to Z
	isWord          // a letter or a digit
	inToken         // may stand in an identifier
	inPrint         // printable ASCII but no quote and no backslash
	inText          // needs no escape in a JSON string
	notASCII
)

var classes = func() (t [256]class) {
	for i := range t {
		c := byte(i)
		lower, capital, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
		is := func(bit class, yes bool) {
			if yes {
				t[i] |= bit
			}
		}
		is(isDigit, digit)
		is(isCapital, capital)
		is(isWord, lower || capital || digit)
		switch c | 0x20 {
		case 'd', 'u', 'f', 'i':
			is(beginsID, lower || capital)
		}
		is(inToken, lower || capital || digit || c == '-' || c == '_' || c == '.' || c == '/' || c == ':')
		is(inText, c >= ' ' && c != '"' && c != '\\')
		is(inPrint, t[i]&inText != 0 && c <= '~')
		is(notASCII, c >= 0x80)
	}
	return t
}()

// scan returns how many bytes at the start of s are all of the class in, which
// classes they have, and whether one of the letters of account ids stands before
// a digit: only then is there anything for hasAccountID to find.
func scan(s string, in class) (n int, seen class, risky bool) {
	var prev, risk class
	for n < len(s) {
		c := classes[s[n]]
		if c&in == 0 {
			break
		}
		seen |= c
		risk |= c & (prev >> 1) // isDigit now, beginsID before
		prev = c
		n++
	}
	return n, seen, risk&isDigit != 0
}

// maxToken is the longest identifier in bytes.
const maxToken = 128

// isToken reports whether s is an identifier: 1 to 128 characters that need no
// escape in JSON, in a URI reference or in a shell.
func isToken(s string) bool { return consistsOf(s, inToken) }

// isSource reports whether s is a path. One that begins with two slashes would be
// an authority in a URI reference, and CloudEvents readers may refuse it.
func isSource(s string) bool {
	return isToken(s) && s[0] == '/' && (len(s) == 1 || s[1] != '/')
}

// isPrintable reports whether s is 1 to 128 printable ASCII characters without
// a quote or a backslash.
func isPrintable(s string) bool { return consistsOf(s, inPrint) }

func consistsOf(s string, in class) bool {
	n, _, _ := scan(s, in)
	return n == len(s) && n > 0 && n <= maxToken
}

// nibbles holds the value of each lower-case hexadecimal digit, 255 for others.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()
