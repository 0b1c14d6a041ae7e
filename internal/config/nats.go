package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"ibrecorder/events"

	"github.com/nats-io/nkeys"
)

// checkRunner reports whether name can be a runner's: it is a part of a subject and of
// the source of what it reports.
func checkRunner(name string) error {
	if events.CheckGatewayName(name) != nil {
		return fmt.Errorf("runner %.40q: want a lower-case letter, then at most 31 of a-z, 0-9 and -, and nothing like an account id", name)
	}
	return nil
}

func (k check) nats(c Config) {
	const listen = "nats.listen"
	names := slices.Sorted(maps.Keys(c.NATS.Runners))
	by := map[string]string{}
	for _, name := range names {
		k.runner(name, c.NATS.Runners[name], by)
	}
	if c.NATS.Listen == "" {
		if len(names) > 0 {
			k.wrong(natsRunner(names[0]), "runners are set and nothing listens for them; add listen: 127.0.0.1:4222 under nats, or --nats-listen 127.0.0.1:4222")
		}
		return
	}
	addr, err := netip.ParseAddrPort(c.NATS.Listen)
	switch {
	case err != nil:
		k.wrong(listen, "nats.listen %q, want IP:PORT, for example 127.0.0.1:4222", c.NATS.Listen)
		return
	case !addr.Addr().IsLoopback():
		k.wrong(listen, "nats.listen %s is open to others, and what it carries is not encrypted; use 127.0.0.1:%d, and ssh -L from elsewhere", c.NATS.Listen, addr.Port())
		return
	case len(names) == 0:
		k.wrong(listen, "nats.listen is set and nobody may connect; make a key with: recorder nats key NAME, and add what it prints")
	}
	k.elsewhere(listen, c.NATS.Listen, c.Gateways)
}

// elsewhere refuses a place to listen, the value at path, where something else is.
func (k check) elsewhere(path, listen string, gateways []Gateway) {
	here, err := parseEndpoint(listen)
	for _, g := range gateways {
		for _, other := range []struct{ at, what string }{{g.Address, "gateway " + g.Name + " listens"}, {g.Tap, "the tap of " + g.Name + " is"}} {
			if e, bad := parseEndpoint(other.at); err == nil && bad == nil && e.host == here.host && e.port == here.port && e.port != "0" {
				k.wrong(path, "%s %s is where %s; choose another port", path, listen, other.what)
			}
		}
	}
}

// runner checks a key. What may be a secret is not repeated, nor is its line.
func (k check) runner(name, public string, by map[string]string) {
	e := k.of[natsRunner(name)]
	wrong := func(format string, args ...any) { k.add(e.origin, format, args...) }
	switch {
	case nkeys.IsValidPublicUserKey(public):
		if other := by[public]; other != "" {
			wrong("runners %s and %s have one key; each needs its own: recorder nats key %s", other, name, name)
		}
		by[public] = name
	case strings.HasPrefix(public, "S"):
		wrong("runner %s: that is a seed, which is secret, and belongs to the runner alone; set the public key, which begins with U", name)
	default:
		wrong("runner %s: want a public user key, which begins with U and has 56 letters; make one with: recorder nats key %s", name, name)
	}
}
