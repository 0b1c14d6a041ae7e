package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ibrecorder/internal/access"
)

// guard looks at every request to the port before anything else does.
type guard struct {
	tokens func() access.Tokens // at each request: a reload changes them
	// open lets everybody read. It is for loopback alone, where whoever can connect can
	// read the socket tables too; and there the Host is looked at, because a page whose
	// name was made to mean this host could read as well.
	open  bool
	cross *http.CrossOriginProtection
}

func newGuard(tokens func() access.Tokens, open bool) *guard {
	return &guard{tokens: tokens, open: open, cross: http.NewCrossOriginProtection()}
}

// harden sets what keeps a browser from making more of an answer than it is.
func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// admit says who asks, or why nobody listens to them.
func (g *guard) admit(r *http.Request) (access.Caller, error) {
	if g.open && !ourHost(r.Host) {
		return access.Caller{}, foreign.with("the Host is not this computer", "ask for http://127.0.0.1 or http://localhost; from elsewhere: ssh -L")
	}
	if origin := r.Header.Values("Origin"); len(origin) > 0 && !slices.Equal(origin, []string{originOf(r)}) {
		return access.Caller{}, foreign.with("the request comes from another page", "no page but the recorder's own may ask")
	}
	if err := g.cross.Check(r); err != nil {
		return access.Caller{}, foreign.with("the request comes from another page", "no page but the recorder's own may ask")
	}
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if r.Header.Get("Content-Type") == "" && r.ContentLength != 0 {
			return access.Caller{}, wrongMedia.with("no Content-Type", "say what the body is, for example Content-Type: application/json")
		}
	}
	return g.caller(r)
}

// caller is whose token came along.
func (g *guard) caller(r *http.Request) (access.Caller, error) {
	given := r.Header.Values("Authorization")
	nobody := access.Caller{}
	if g.open {
		nobody.Scope = access.Read
	}
	if len(given) == 0 {
		return nobody, nil
	}
	scheme, secret, _ := strings.Cut(given[0], " ")
	ok, counts := len(given) == 1, true
	switch {
	case strings.EqualFold(scheme, "Bearer"):
	case strings.EqualFold(scheme, "Basic"):
		// So that a browser can ask for a token by itself. It sends it again by itself too,
		// whoever made it ask, so it must not be enough to change anything: with a form it
		// counts for nothing, and the form has a token of its own.
		_, secret, ok = r.BasicAuth()
		counts = r.Method == http.MethodGet || r.Method == http.MethodHead
	default:
		ok = false
	}
	c, known := g.tokens().Find(strings.TrimSpace(secret))
	if !ok || !known {
		return access.Caller{}, noToken.with("the token is not one that this recorder knows", tokenHint(access.Ingest))
	}
	if !counts {
		return nobody, nil
	}
	return c, nil
}

// allow says whether who asks may do what needs a scope.
func allow(r *http.Request, need access.Scope) error {
	c := access.Of(r.Context())
	switch {
	case c.May(need):
		return nil
	case c.Name == "":
		return noToken.with(fmt.Sprintf("this needs a token of scope %s", need), tokenHint(need))
	}
	return wrongScope.with(fmt.Sprintf("token %s has the scope %s, and this needs %s", c.Name, c.Scope, need), tokenHint(need))
}

// tokenHint says how one comes by a token.
func tokenHint(s access.Scope) string {
	return fmt.Sprintf("make one with: recorder token new NAME --scope %s; send it as Authorization: Bearer TOKEN", s)
}

// ourHost says whether a Host is this computer, by a name that nobody else can have.
func ourHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(name, "."), "localhost")
}

// originOf is the Origin of the recorder's own pages.
func originOf(r *http.Request) string {
	u := url.URL{Scheme: "http", Host: strings.ToLower(r.Host)}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	return u.String()
}
