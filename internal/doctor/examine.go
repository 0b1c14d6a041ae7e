package doctor

import "fmt"

// Examine is what the facts say, group by group, gateway by gateway.
func Examine(f Facts) []Finding {
	e := examination{Facts: f}
	if e.config(); len(f.Problems) > 0 {
		e.add(Data, "", Skip, "nothing else was looked at: without its configuration nobody knows where", "mend it, then: recorder doctor")
		return e.found
	}
	e.folder()
	e.logs()
	e.running()
	e.clock()
	for _, p := range f.Gateways {
		e.listener(p)
		e.sockets(p)
		e.direct(p)
	}
	for _, p := range f.Gateways {
		e.tap(p)
	}
	e.alerts()
	e.security()
	return e.found
}

// examination collects findings.
type examination struct {
	Facts
	found []Finding
}

func (e *examination) add(g Group, gateway string, l Level, text, fix string) {
	e.found = append(e.found, Finding{Group: g, Gateway: gateway, Level: l, Text: text, Fix: fix})
}

func (e *examination) ok(g Group, gateway, format string, args ...any) {
	e.add(g, gateway, OK, fmt.Sprintf(format, args...), "")
}

func (e *examination) config() {
	for _, p := range e.Problems {
		e.add(Config, "", Fail, p, "mend it, then: recorder config check")
	}
	if len(e.Problems) > 0 {
		return
	}
	from := "no file, so the defaults and the environment"
	if e.File.Name != "" {
		from = e.File.Name
	}
	e.ok(Config, "", "%s; %s", from, count(len(e.Gateways), "gateway"))
	for _, p := range e.Gateways {
		switch {
		case len(e.Live) == 0:
		case !p.Configured:
			e.add(Config, p.Name, Warn, "the running recorder guards it, and the configuration does not name it",
				fmt.Sprintf("so that it is still guarded after a restart, name it in the configuration: recorder config show --gateway %s=%s", p.Name, p.Address))
		case p.Elsewhere != "":
			e.add(Config, p.Name, Warn, fmt.Sprintf("the running recorder has the Gateway at %s and its tap at %s, the configuration has %s", p.Address, p.Tap, p.Elsewhere),
				"if the configuration is right, stop the recorder, then: recorder run")
		default:
			if _, guarded := e.live(p.Name); !guarded {
				e.add(Config, p.Name, Warn, "it is in the configuration, and the running recorder does not guard it", "stop the recorder, then: recorder run")
			}
		}
	}
}

// count writes a number of things.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Size writes bytes as people say them.
func Size(bytes int64) string {
	const k = 1024
	switch {
	case bytes < k:
		return fmt.Sprintf("%d B", bytes)
	case bytes < k*k:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/k)
	case bytes < k*k*k:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(k*k))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(k*k*k))
}
