package logfile

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// line is what stands on one line of a log: when it was written, by which process if
// it says so, and what it says.
type line struct {
	when    when
	process string
	text    string
	headed  bool // it has a time or a level: it is not the continuation of another
}

const (
	level   = `(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)`
	boxed   = `(?:debug|info|warning|warn|error|critical|exception)` // as structlog writes them
	name    = `(?P<name>[\w.<>-]+)`
	process = `(?P<process>\d+)`
)

// heads are the usual beginnings of a line behind its time. The first that fits is
// taken; what it names process and text are those.
var heads = compile(
	`\| `+level+` +\| \S+ - (?P<text>.*)`,                              // loguru
	`- `+name+` - `+level+` - (?P<text>.*)`,                            // 2025-11-10 18:10:23,123 - ib_async.client - INFO - text
	`- `+level+` - (?P<text>.*)`,                                       // the same without a name
	`(?:\[?`+process+`\]? )?`+name+` `+level+`:? +(?P<text>.*)`,        // ib_async.util.logToConsole, with or without a process
	`\[?`+level+` *\]?:? +(?:\[`+process+`\] )?`+name+`: (?P<text>.*)`, // [time] INFO name: text
	`\[`+boxed+` *\] (?P<text>.*?) +\[`+name+`\].*`,                    // structlog on a terminal
	`\[`+boxed+` *\] (?P<text>.*)`,
	`\[?`+level+`\b *\]?:? +(?P<text>.*)`, // time INFO text
	`(?P<text>IBC: .*)`,
	`\S+ [\w.-]+\[`+process+`\]: (?P<text>.*)`, // syslog and journald
)

// bare are beginnings without a time.
var bare = compile(
	`(?:`+level+`):`+name+`:(?P<text>.*)`, // logging.basicConfig
	`\[`+level+`\] (?P<text>.*)`,
)

func compile(patterns ...string) (all []*regexp.Regexp) {
	for _, p := range patterns {
		all = append(all, regexp.MustCompile(`^`+p+`$`))
	}
	return all
}

var (
	colours = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)
	service = regexp.MustCompile(`^[\w.-]+ +\| `) // docker compose
	levels  = regexp.MustCompile(`^` + level + `$`)
)

// readLine takes a line apart. One that it does not know the form of is all text.
func readLine(s string, zone *time.Location) line {
	s = strings.TrimRight(colours.ReplaceAllString(s, ""), " \t\r")
	if m := service.FindString(s); m != "" && !levels.MatchString(strings.TrimRight(m, " |")) {
		s = s[len(m):]
	}
	if strings.HasPrefix(s, "{") {
		if l, ok := readJSON(s, zone); ok {
			return l
		}
	}
	l := readHead(s, zone)
	// The container engine or journald may have put a time and a process before it.
	if inner := readHead(l.text, zone); inner.headed {
		outer := l
		l = inner
		if !outer.when.utc.IsZero() || inner.when.printed == "" {
			l.when = outer.when
		}
		if l.process == "" {
			l.process = outer.process
		}
	}
	// Python programs like to begin with a picture.
	l.text = strings.TrimLeftFunc(l.text, func(r rune) bool { return r == ' ' || r >= 0x80 })
	return l
}

func readHead(s string, zone *time.Location) (l line) {
	w, rest := readTime(strings.TrimPrefix(s, "["), zone)
	forms := heads
	if w.printed == "" {
		forms, rest = bare, s
	}
	l.when, l.headed = w, w.printed != ""
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "]"), " ")
	l.text = rest
	for _, form := range forms {
		m := form.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		if i := form.SubexpIndex("name"); i >= 0 && levels.MatchString(m[i]) {
			continue // such as DEBUG: at the beginning of a text
		}
		l.text, l.headed = m[form.SubexpIndex("text")], true
		if i := form.SubexpIndex("process"); i >= 0 {
			l.process = m[i]
		}
		break
	}
	return l
}

// readJSON reads a line of structured logging: python-json-logger, structlog, bunyan.
func readJSON(s string, zone *time.Location) (l line, ok bool) {
	var o map[string]any
	if json.Unmarshal([]byte(s), &o) != nil {
		return line{}, false
	}
	text := func(keys ...string) string {
		i := slices.IndexFunc(keys, func(k string) bool { v, is := o[k].(string); return is && v != "" })
		if i < 0 {
			return ""
		}
		return o[keys[i]].(string)
	}
	l.headed = true
	l.text = text("message", "msg", "event", "error")
	if o["requires_restart"] == true { // what the worker answers, whatever it says beside
		l.text = requiresRestart
	}
	for _, key := range []string{"process", "pid"} {
		if n, is := o[key].(float64); is && n == math.Trunc(n) && n >= 0 && n < 1<<31 {
			l.process = fmt.Sprintf("%.0f", n)
		}
	}
	for _, key := range []string{"timestamp", "time", "asctime", "ts", "@timestamp", "created"} {
		switch v := o[key].(type) {
		case string:
			if w, rest := readTime(v, zone); w.printed != "" && rest == "" && l.when.printed == "" {
				l.when = w
			}
		case float64: // seconds since 1970
			if v > 1e9 && v < 4e9 && l.when.printed == "" {
				at := time.UnixMilli(int64(v * 1000)).UTC()
				l.when = when{printed: fmt.Sprintf("%.3f", v), wall: at, utc: at}
			}
		}
	}
	return l, l.text != "" || l.when.printed != ""
}
