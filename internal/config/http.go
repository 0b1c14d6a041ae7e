package config

import (
	"fmt"
	"net/netip"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/access"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Off is the http.listen of a recorder that serves no port.
const Off = "off"

const defaultHTTP = "127.0.0.1:7463"

// perToken are the keys of one token, in the file.
var perToken = []key{
	{path: "http.tokens.*.name", kind: text},
	{path: "http.tokens.*.scope", kind: text},
	{path: "http.tokens.*.sha256", kind: text},
	{path: "http.tokens.*.secret_file", kind: text},
}

const tokensRoot = "http.tokens."

// CheckToken reports whether name can be a token's: it is a part of the source of what is
// reported and done with it.
func CheckToken(name string) error {
	if name == access.Socket {
		return fmt.Errorf("token %q: that is who comes through the socket; take another name", name)
	}
	if events.CheckGatewayName(name) != nil {
		return fmt.Errorf("token %.40q: want a lower-case letter, then at most 31 of a-z, 0-9 and -, and nothing like an account id", name)
	}
	return nil
}

// http reads the section of that name.
func (f *file) http(n ast.Node) {
	f.mapping(n, "http.", top, func(name string, at *token.Token, value ast.Node) bool {
		if name == "tokens" {
			f.named(at, value, list{"tokens", "a token", tokensRoot + "*.", perToken, CheckToken})
		}
		return name == "tokens"
	})
}

// tokens reads NAME=SCOPE:SECRET, once for each name, where SECRET is the SHA-256 of a
// token, or says where it is.
func (l *layer) tokens(origin string, values []string) {
	seen := map[string]bool{}
	for _, v := range values {
		name, rest, _ := strings.Cut(v, "=")
		scope, secret, ok := strings.Cut(rest, ":")
		err := CheckToken(name)
		switch {
		case err != nil:
		case !ok:
			err = fmt.Errorf("token %s: no scope", name)
		case seen[name]:
			err = fmt.Errorf("token %s is given twice", name)
		}
		if err != nil {
			l.add(origin, "%v; want NAME=SCOPE:SHA256, or NAME=SCOPE:FILE", err)
			continue
		}
		seen[name] = true
		l.set(tokensRoot+name+".scope", scope, origin)
		field := ".secret_file"
		if _, bad := access.ParseSum(secret); bad == nil || access.CheckSecret(secret) == nil {
			field = ".sha256" // which says what is wrong with a token itself
		}
		l.set(tokensRoot+name+field, secret, origin)
	}
}

// http checks the section of that name.
func (k check) http(c Config) {
	h := c.HTTP
	for _, path := range []string{"tls_cert_file", "tls_key_file"} {
		k.printable("http."+path, map[string]string{"tls_cert_file": h.TLSCertFile, "tls_key_file": h.TLSKeyFile}[path])
	}
	if (h.TLSCertFile == "") != (h.TLSKeyFile == "") {
		path := "http.tls_cert_file"
		if h.TLSCertFile == "" {
			path = "http.tls_key_file"
		}
		k.wrong(path, "http.tls_cert_file and http.tls_key_file go together; set both, or neither")
	}
	by := map[string]string{}
	for _, t := range h.Tokens {
		k.token(t, by)
	}
	if h.Listen == Off {
		return
	}
	const listen = "http.listen"
	addr, err := netip.ParseAddrPort(h.Listen)
	if err != nil {
		k.wrong(listen, "http.listen %q, want IP:PORT, for example %s, or off", h.Listen, defaultHTTP)
		return
	}
	if !addr.Addr().IsLoopback() {
		var missing []string
		if h.TLSCertFile == "" {
			missing = append(missing, "tls_cert_file and tls_key_file")
		}
		if len(h.Tokens) == 0 {
			missing = append(missing, "tokens, made by recorder token new NAME --scope read")
		}
		if missing != nil {
			k.wrong(listen, "http.listen %s is open to others; add under http: %s; or use 127.0.0.1:%d, and ssh -L from elsewhere", h.Listen, strings.Join(missing, ", and "), addr.Port())
		}
	}
	if c.NATS.Listen == h.Listen && addr.Port() != 0 {
		k.wrong(listen, "http.listen %s is where nats.listen is; choose another port: --http 127.0.0.1:PORT", h.Listen)
	}
	k.elsewhere(listen, h.Listen, c.Gateways)
}

// token checks one. What may be a secret is not repeated, nor is its line.
func (k check) token(t Token, by map[string]string) {
	path := tokensRoot + t.Name
	wrong := func(field, format string, args ...any) {
		e := k.of[path+field]
		if e.origin == "" {
			e = k.of[path+".name"]
		}
		k.add(e.origin, "token %s: "+format, append([]any{t.Name}, args...)...)
	}
	known := false
	for _, s := range access.Scopes {
		known = known || t.Scope == string(s)
	}
	if !known {
		wrong(".scope", "scope %.40q, want ingest, read or operate", t.Scope)
	}
	switch {
	case t.SHA256 == "" && t.SecretFile == "":
		wrong(".name", "it has neither sha256 nor secret_file; make it with: recorder token new %s --scope SCOPE", t.Name)
	case t.SHA256 != "" && t.SecretFile != "":
		wrong(".sha256", "it has both sha256 and secret_file; leave one out")
	case t.SHA256 == "":
		if !strings.HasPrefix(t.SecretFile, "env:") && access.CheckSecret(t.SecretFile) == nil {
			wrong(".secret_file", "that is the token, which is secret; set the file it is in")
		}
		k.printable(path+".secret_file", t.SecretFile)
	case access.CheckSecret(t.SHA256) == nil:
		wrong(".sha256", "that is the token itself, which is secret; set its SHA-256, which recorder token new prints")
	default:
		if _, err := access.ParseSum(t.SHA256); err != nil {
			wrong(".sha256", "%v", err)
			return
		}
		if other := by[t.SHA256]; other != "" {
			wrong(".sha256", "it is the token of %s too; each needs its own: recorder token new %s --scope %s", other, t.Name, t.Scope)
		}
		by[t.SHA256] = t.Name
	}
}
