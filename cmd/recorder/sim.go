package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/wire"

	"github.com/spf13/cobra"
)

func newSim() *cobra.Command {
	var listen, script, behaviour, output string
	var serverVersion int
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run a simulated Gateway, to try a program against it",
		Long: `sim is an IB Gateway made of a script. It speaks the real connection protocol, and
nothing else: no market data, no orders. It prints each connection, and a summary
when Ctrl-C ends it.

Behaviours:
` + behaviours() + `
A script says the same in lines, for one connection after the other:

  connection 1:
      hello
      silence
  connection 2..:
      play healthy`,
		Example: `  recorder sim --behaviour silent
  recorder sim --listen 127.0.0.1:4002 --script incident.txt -o json > summary.json`,
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serverVersion < 100 || serverVersion > 999 {
				return usage(fmt.Errorf("--server-version %d: want 100 to 999", serverVersion))
			}
			plan, err := plan(script, behaviour, cmd.InOrStdin())
			if err != nil {
				return usage(err)
			}
			if host, _, err := net.SplitHostPort(listen); err != nil || !loopback(host) {
				return usage(fmt.Errorf("--listen %s: want HOST:PORT on loopback, such as 127.0.0.1:4002", listen))
			}
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return usage(fmt.Errorf("%w; choose another address: recorder sim --listen HOST:PORT", err))
			}
			errs := cmd.ErrOrStderr()
			show := watcher{w: errs, last: map[int]string{}}
			sim := gwsim.New(gwsim.Options{Script: plan, Version: serverVersion, Observe: show.observe})
			fmt.Fprintf(errs, "a simulated Gateway, server version %d, listens on %s; Ctrl-C ends it\n", serverVersion, ln.Addr())
			if err := sim.Serve(cmd.Context(), ln); err != nil {
				return err
			}
			sim.Close()
			return summary(cmd.OutOrStdout(), output, sim.Summary())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4002", "`HOST:PORT` to listen on, loopback")
	cmd.Flags().StringVar(&script, "script", "", "script `FILE`, - for standard input")
	cmd.Flags().StringVar(&behaviour, "behaviour", "", "`NAME` of a behaviour (default healthy)")
	cmd.Flags().IntVar(&serverVersion, "server-version", 176, "server version `N`, 100 to 999: text messages up to 200, protobuf from 201 on, more of it with each")
	outputFlag(cmd, &output, "table", "json")
	return cmd
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// plan is the script that the flags name.
func plan(file, behaviour string, in io.Reader) (*gwsim.Script, error) {
	switch {
	case file != "" && behaviour != "":
		return nil, errors.New("--script and --behaviour both say what to do; leave one of them out")
	case file == "-":
		return parse("standard input", in)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("--script: %w", err)
		}
		defer f.Close()
		return parse(file, f)
	case behaviour == "":
		behaviour = "healthy"
	}
	plan, err := gwsim.Named(behaviour)
	if err == nil {
		return plan, nil
	}
	var names []string
	for _, b := range gwsim.Behaviours() {
		names = append(names, b.Name)
	}
	if near := nearest(behaviour, names); near != "" {
		return nil, fmt.Errorf("--behaviour %s: there is none of that name; did you mean: recorder sim --behaviour %s", behaviour, near)
	}
	return nil, fmt.Errorf("--behaviour %s: there is none of that name; there are %s", behaviour, strings.Join(names, ", "))
}

// parse names the place of a mistake as compilers do.
func parse(name string, r io.Reader) (*gwsim.Script, error) {
	plan, err := gwsim.Parse(r)
	if wrong, ok := errors.AsType[*gwsim.SyntaxError](err); ok {
		return nil, fmt.Errorf("%s:%d: %s", name, wrong.Line, wrong.Reason)
	}
	return plan, err
}

func behaviours() string {
	var b strings.Builder
	for _, x := range gwsim.Behaviours() {
		fmt.Fprintf(&b, "  %-22s %s\n", x.Name, x.About)
	}
	return b.String()
}

// watcher prints what changes of a connection. The simulator calls it in order.
type watcher struct {
	w    io.Writer
	last map[int]string // by connection
}

func (p *watcher) observe(c gwsim.Connection) {
	line := string(c.Stage)
	switch {
	case c.EndedBy != "":
		line = fmt.Sprintf("ended at %s by the %s (%s)", c.Stage, c.EndedBy, c.EndedHow)
	case c.Stage == gwsim.StageAccepted && c.FirstBytesHex == "":
		line = "connected"
	case c.Stage == gwsim.StageAccepted && c.NotHello && c.Kind == wire.KindHello:
		line = fmt.Sprintf("first bytes %s: a malformed hello", c.FirstBytesHex)
	case c.Stage == gwsim.StageAccepted && c.NotHello:
		line = fmt.Sprintf("first bytes %s: no hello, %s", c.FirstBytesHex, c.Kind)
	case c.Stage == gwsim.StageAccepted:
		return // a part of a hello
	case c.Stage == gwsim.StageHello:
		line = fmt.Sprintf("first bytes %s: hello, offers %s", c.FirstBytesHex, c.Offered)
	case c.Stage == gwsim.StageVersion:
		line = fmt.Sprintf("answered with version %d", c.ServerVersion)
	case c.Stage == gwsim.StageStartAPI && c.ClientID != nil:
		line = fmt.Sprintf("startAPI, client %d", *c.ClientID)
	}
	if p.last[c.Number] != line {
		p.last[c.Number] = line
		fmt.Fprintf(p.w, "%s  connection %d: %s\n", time.Now().Format("15:04:05.000"), c.Number, line)
	}
}

// simAnswer is what sim -o json prints when it ends.
type simAnswer struct {
	Schema int `json:"schema_version"`
	gwsim.Summary
}

func summary(w io.Writer, output string, s gwsim.Summary) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(simAnswer{schema, s})
	}
	_, err := fmt.Fprintf(w, "connects %d, hellos %d, no hellos %d, handshakes completed %d, client ids %v, open at the end %d\n",
		s.Connects, s.Hellos, s.NotHellos, s.HandshakesCompleted, s.ClientIDs, s.OpenAtEnd)
	return err
}
