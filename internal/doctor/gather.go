package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/config"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/watch"
	"ibrecorder/store"
)

// Subject is what is to be looked at.
type Subject struct {
	Config  config.Config
	File    string // that the configuration was read from, empty if from none
	Wrong   error  // what is wrong with the configuration
	Unset   bool   // it names no gateway, and has one by default
	Only    string // the one gateway that is wanted, empty for all
	Version string // of this program
}

// ErrNoGateway: neither the configuration nor a running recorder has one of that name.
var ErrNoGateway = errors.New("no such gateway")

const (
	// answer bounds the wait for a recorder that may hang.
	answer = 5 * time.Second
	// again is the time between two looks at a queue of the Gateway's: what waits at
	// both of them was not just passing through.
	again = 500 * time.Millisecond
)

// usual are the ports on which IB Gateway, TWS and the usual container listen.
var usual = []uint16{4001, 4002, 4003, 4004, 7496, 7497}

// Gather reads the facts. What it cannot read is a fact too; the error is ErrNoGateway,
// or that ctx ended.
func Gather(ctx context.Context, s Subject) (Facts, error) {
	f := Facts{Version: s.Version, User: os.Geteuid(), LogLimit: s.Config.LogMaxBytes}
	if f.File = (Path{Name: s.File}); s.File != "" {
		f.File = lookAt(s.File)
	}
	if s.Wrong != nil {
		f.Problems = problems(s.Wrong)
		return f, nil
	}
	f.Folder = folder(s.Config.Data)
	f.Live, f.LiveErr = live(ctx, s.Config.Data)
	if f.LiveErr != nil && f.Folder.Err == nil {
		f.Logs, f.LogsErr = store.Examine(ctx, s.Config.Data)
	}
	f.Clock = clock()
	for _, c := range s.Config.Channels() {
		f.Channels = append(f.Channels, way(c, os.Environ()))
	}
	if s.Unset && len(f.Live) > 0 { // then the recorder was started with flags, and they say which
		s.Config.Gateways = nil
	}
	for _, p := range places(s.Config, f.Live) {
		p.Configured = p.Configured || s.Unset
		if s.Only == "" || s.Only == p.Name {
			f.Gateways = append(f.Gateways, p)
		}
	}
	if s.Only != "" {
		if len(f.Gateways) == 0 {
			return f, fmt.Errorf("%w: %s", ErrNoGateway, s.Only)
		}
		f.Logs = slices.DeleteFunc(f.Logs, func(x store.Examined) bool { return x.Gateway != s.Only })
	}
	for i := range f.Gateways {
		look(ctx, &f, &f.Gateways[i])
	}
	f.Now = time.Now() // after every event that was read
	return f, context.Cause(ctx)
}

// problems are those of a configuration, one by one.
func problems(err error) (all []string) {
	if many := (config.Problems)(nil); errors.As(err, &many) {
		for _, p := range many {
			all = append(all, p.Error())
		}
		return all
	}
	return []string{err.Error()}
}

func lookAt(path string) Path {
	info, err := os.Stat(path)
	if err != nil {
		return Path{Name: path, Err: err, User: -1}
	}
	return Path{Name: path, Mode: info.Mode(), User: userOf(info)}
}

func folder(dir string) Folder {
	f := Folder{Path: lookAt(dir)}
	if f.Err != nil || !f.Mode.IsDir() {
		return f
	}
	disk(dir, &f)
	for _, name := range []string{httpapi.SocketName, "account.key"} {
		if p := lookAt(filepath.Join(dir, name)); !errors.Is(p.Err, fs.ErrNotExist) {
			f.Private = append(f.Private, p)
		}
	}
	return f
}

// live asks the recorder on a folder for all that it guards.
func live(ctx context.Context, dir string) (all []httpapi.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	c := httpapi.Dial(dir)
	names, err := c.Gateways(ctx)
	for _, name := range names {
		s, failed := c.Status(ctx, name)
		if failed != nil {
			return nil, failed
		}
		all = append(all, s)
	}
	return all, err
}

// places are the gateways of the configuration, as the running recorder has them if it
// has, and then those that it alone knows.
func places(c config.Config, live []httpapi.Status) (all []Place) {
	for _, g := range c.Gateways {
		p := Place{Name: g.Name, Address: g.Address, Tap: g.Tap, Configured: true}
		for _, s := range live {
			if s.Gateway != g.Name {
				continue
			}
			anyPort := strings.HasSuffix(g.Tap, ":0")
			if s.Address != g.Address || s.Tap != g.Tap && !anyPort {
				p.Elsewhere = g.Address + " and " + g.Tap
			}
			p.Address, p.Tap = s.Address, s.Tap
		}
		all = append(all, p)
	}
	for _, s := range live {
		if !slices.ContainsFunc(all, func(p Place) bool { return p.Name == s.Gateway }) {
			all = append(all, Place{Name: s.Gateway, Address: s.Address, Tap: s.Tap})
		}
	}
	return all
}

// look reads what there is to know of one gateway, from tables and logs.
func look(ctx context.Context, f *Facts, p *Place) {
	p.Seen = observe(ctx, p.Address)
	if waits(p.Seen) {
		select {
		case <-time.After(again):
			p.Seen = observe(ctx, p.Address)
		case <-ctx.Done():
		}
	}
	bounded, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	p.Peers, p.PeersErr = watch.Peers(bounded, p.Address)
	p.TapSeen = observe(ctx, p.Tap)
	if host, _, err := net.SplitHostPort(p.Address); err == nil && p.Seen.Listening == events.ListeningNo && isLoopback(host) {
		there := watch.Ports(bounded, usual...)
		for _, port := range usual {
			if name, listens := there[port]; listens && name != "recorder" {
				p.Others = append(p.Others, Port{port, name})
			}
		}
	}
	for _, x := range f.Logs {
		if x.Gateway == p.Name {
			p.Last = x.Last
		}
	}
	if s, ok := f.live(p.Name); ok && s.Seq > 0 {
		for rec, err := range httpapi.Dial(f.Folder.Name).Read(bounded, p.Name, s.Seq, s.Seq) {
			if err == nil {
				p.Last = rec.Time
			}
		}
	}
}

func observe(ctx context.Context, address string) events.GatewayObserved {
	ctx, cancel := context.WithTimeout(ctx, watch.Bound)
	defer cancel()
	return (&watch.Listener{Address: address}).Observe(ctx)
}

// waits reports whether somebody waits to be accepted.
func waits(s events.GatewayObserved) bool {
	return s.UnacceptedSockets != nil && (*s.UnacceptedSockets > 0 || *s.QueueSockets > 0)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// way is a channel, and whether its secrets can be read. It is not tried.
func way(c config.Channel, env []string) Channel {
	out := Channel{Name: c.Name, Type: c.Type}
	if c.Type == "command" {
		out.Command = command(c.Command)
		if out.Command.Problem != "" {
			out.Problem = out.Command.Word + ": " + out.Command.Problem
		}
	}
	for _, s := range c.Secrets() {
		_, err := config.ReadSecret(s.Ref, env)
		switch {
		case err == nil:
		case strings.HasPrefix(s.Ref, "env:"): // the recorder may have what we have not
			out.Unknown = fmt.Sprintf("%s: %s is not set here; whether it is for the recorder nobody can see", s.Key, strings.TrimPrefix(s.Ref, "env:"))
		case errors.Is(err, fs.ErrPermission):
			out.Unknown = fmt.Sprintf("%s: %v", s.Key, err)
		default:
			out.Problem = fmt.Sprintf("%s: %v", s.Key, err)
		}
	}
	return out
}

// command finds the program that a line of shell begins with, if that is plain. It is
// not run.
func command(line string) Command {
	c := Command{Line: line}
	words := strings.Fields(line)
	if len(words) == 0 || strings.ContainsAny(words[0], "|&;<>()$`\\\"'*?[]#~=%{}!") {
		return c
	}
	word := words[0]
	if !strings.Contains(word, "/") {
		if _, err := exec.LookPath(word); err == nil {
			c.Word = word
		}
		return c // what is not found may be the shell's own
	}
	if !filepath.IsAbs(word) {
		return c // from where the recorder runs, nobody knows
	}
	c.Word = word
	info, err := os.Stat(word)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Problem = "there is no such file"
	case err != nil:
		c.Problem = err.Error()
	case info.IsDir():
		c.Problem = "it is a folder"
	case info.Mode().Perm()&0o111 == 0:
		c.Problem = "it is not executable"
	}
	return c
}
