package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/window"
)

// params are the fields of p in the order of paramNames.
func params(p *events.Params) []*int64 {
	v := reflect.ValueOf(p).Elem()
	var all []*int64
	for i := range v.NumField() {
		all = append(all, v.Field(i).Addr().Interface().(*int64))
	}
	return all
}

// check is one validation; it knows where each value came from.
type check struct {
	of map[string]entry
	*problems
}

// wrong blames the value at path.
func (k check) wrong(path, format string, args ...any) {
	e := k.of[path]
	*k.problems = append(*k.problems, &Problem{Origin: e.origin, Text: fmt.Sprintf(format, args...), Excerpt: e.excerpt})
}

func validate(c Config, of map[string]entry, ps *problems) {
	k := check{of, ps}
	switch {
	case c.Data == "":
		k.wrong("data", "no data folder, and no home folder to put it in; say where: --data FOLDER")
	case strings.HasPrefix(c.Data, "~"):
		k.wrong("data", "%q: ~ means nothing here, write the folder out", c.Data)
	}
	k.printable("data", c.Data)
	k.printable("on_restart_required", c.OnRestartRequired)
	k.mode(c.Mode)
	if c.Held != Refuse && c.Held != Explain {
		k.wrong("held", "held %q, want refuse or explain", c.Held)
	}
	if c.LogMaxBytes < minLog || c.LogMaxBytes > maxLog {
		k.wrong("log_max_bytes", "log_max_bytes is %d, want %d to %d", c.LogMaxBytes, int64(minLog), int64(maxLog))
	}
	if c.LogRoll != Monthly && c.LogRoll != Never {
		k.wrong("log_roll", "log_roll %q, want monthly or never", c.LogRoll)
	}
	if !slices.Contains(levels, c.LogLevel) {
		k.wrong("log_level", "log_level %q, want %s", c.LogLevel, strings.Join(levels, ", "))
	}
	k.policy(c.Policy)
	if n := len(c.Gateways); n > maxGateways {
		k.add("gateways", "%d gateways, at most %d; run a second recorder with a data folder of its own", n, maxGateways)
	}
	k.gateways(c.Gateways)
	k.nats(c)
	k.http(c)
	k.channels(c)
}

func (k check) mode(m events.Mode) {
	if m != events.Enforce && m != events.Observe {
		k.wrong("mode", "mode %q, want enforce or observe", m)
	}
}

// printable refuses what could not be shown and read back.
func (k check) printable(path, s string) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
		k.wrong(path, "%s has a control character, or is no UTF-8", path)
	}
}

func (k check) policy(p Policy) {
	if _, err := presetParams(p.Preset); err != nil {
		k.wrong("policy.preset", "%s", plain(err))
	}
	err := policy.Validate(p.Params)
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			field, _, _ := strings.Cut(plain(err), " ")
			k.wrong("policy."+field, "%s", plain(err))
		}
	}
}

// plain is the text of a complaint about a policy without its class.
func plain(err error) string {
	return strings.TrimPrefix(err.Error(), policy.ErrInvalid.Error()+": ")
}

func (k check) gateways(all []Gateway) {
	gateways, taps := map[endpoint]string{}, map[endpoint]string{}
	for _, g := range all {
		if e, ok := k.address(g); ok {
			if other := gateways[e]; other != "" {
				k.wrong("gateways."+g.Name+".address", "gateways %s and %s are both at port %s of %s; one gateway is guarded once", other, g.Name, e.port, e.host)
			}
			gateways[e] = g.Name
		}
		k.session(g)
		k.recovery(g)
	}
	for _, g := range all {
		e, ok := k.tap(g)
		if !ok || e.port == "0" {
			continue
		}
		path := "gateways." + g.Name + ".tap"
		if other := gateways[e]; other != "" {
			k.wrong(path, "the tap of %s, %s, is where gateway %s listens; choose another: --tap %s=%s:PORT", g.Name, g.Tap, other, g.Name, tapHost)
		}
		if other := taps[e]; other != "" {
			k.wrong(path, "the taps of %s and %s are both at %s; choose another: --tap %s=%s:PORT", other, g.Name, g.Tap, g.Name, tapHost)
		}
		taps[e] = g.Name
	}
}

// maxSteps and maxStep bound what stands in an alert.
const maxSteps, maxStep = 10, 200

func (k check) recovery(g Gateway) {
	path := "gateways." + g.Name + "."
	if n := len(g.Recovery); n > maxSteps {
		k.wrong(path+"recovery", "gateway %s: %d steps in recovery, at most %d", g.Name, n, maxSteps)
	}
	for _, step := range g.Recovery {
		if len(step) > maxStep {
			k.wrong(path+"recovery", "gateway %s: a step of %d bytes in recovery, at most %d: %.40q", g.Name, len(step), maxStep, step)
		}
		k.printable(path+"recovery", step)
	}
	if _, err := window.ParseAll(g.RestartWindow); err != nil {
		k.wrong(path+"restart_window", "gateway %s: restart_window %v", g.Name, err)
	}
}

func (k check) session(g Gateway) {
	path := "gateways." + g.Name + ".client_id"
	set := k.of[path].origin != "default"
	switch {
	case g.Connect && !set:
		k.wrong("gateways."+g.Name+".connect", "gateway %s: a session needs an API client id of its own, which no other program uses; add client_id to it, or --client-id N", g.Name)
	case set && !g.Connect:
		k.wrong(path, "gateway %s: client_id is for a session of the recorder's own; add connect: true, or --connect %s, or leave it out", g.Name, g.Name)
	case g.ClientID < 0 || g.ClientID > 1<<31-1:
		k.wrong(path, "gateway %s: client_id %d, want 0 to 2147483647", g.Name, g.ClientID)
	}
}

func (k check) address(g Gateway) (endpoint, bool) {
	path := "gateways." + g.Name + ".address"
	if _, set := k.of[path]; !set {
		k.wrong("gateways."+g.Name+".name", "gateway %s has no address; add it: --gateway %s=HOST:PORT, or address in the file", g.Name, g.Name)
		return endpoint{}, false
	}
	e, err := parseEndpoint(g.Address)
	if err == nil && e.port == "0" {
		err = errors.New("port 0 is no port")
	}
	if err != nil {
		k.wrong(path, "gateway %s: address %q: %v; want HOST:PORT, for example %s", g.Name, g.Address, err, defaultAddress)
	}
	return e, err == nil
}

func (k check) tap(g Gateway) (endpoint, bool) {
	path := "gateways." + g.Name + ".tap"
	if g.Tap == "" && k.of[path].origin == "default" {
		return endpoint{}, false // it follows from the address, which is wrong
	}
	e, err := parseEndpoint(g.Tap)
	if err != nil {
		k.wrong(path, "gateway %s: tap %q: %v; want HOST:PORT, for example %s:4102", g.Name, g.Tap, err, tapHost)
		return e, false
	}
	if e.host != loopback || e.any {
		k.wrong(path, "gateway %s: a tap at %s would let others trade, because IB's protocol has no authentication; "+
			"allow lists for wider taps are not built yet: use %s, and ssh -L from elsewhere", g.Name, g.Tap, net.JoinHostPort(tapHost, e.port))
		return e, false
	}
	return e, true
}

// endpoint is a host and a port in one spelling.
type endpoint struct {
	host string
	port string
	any  bool // every address of this host
}

// loopback stands for all addresses of this host: a Gateway listens on all of them.
const loopback = "this host"

func parseEndpoint(s string) (endpoint, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if a, ok := errors.AsType[*net.AddrError](err); ok {
			return endpoint{}, errors.New(a.Err)
		}
		return endpoint{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return endpoint{}, fmt.Errorf("%q is no port", port)
	}
	e := endpoint{host: strings.ToLower(strings.TrimSuffix(host, ".")), port: port}
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		addr = addr.Unmap()
		e.host, e.any = addr.String(), addr.IsUnspecified()
		if addr.IsLoopback() || e.any {
			e.host = loopback
		}
	case e.host == "localhost":
		e.host = loopback
	case e.host == "":
		return endpoint{}, errors.New("no host")
	case strings.ContainsFunc(e.host, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}):
		return endpoint{}, fmt.Errorf("%q is no host", host)
	}
	// The last label of a name is never a number: 127.0.1 would be one of seven
	// ways to write an address.
	if last := e.host[strings.LastIndexByte(e.host, '.')+1:]; err != nil && e.host != loopback && strings.Trim(last, "0123456789") == "" {
		return endpoint{}, fmt.Errorf("%q is no host", host)
	}
	return e, nil
}
