package gwsim_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/gwsim"
)

func TestScriptErrorsNameTheLine(t *testing.T) {
	for _, test := range []struct {
		name, script string
		line         int
		reason       string
	}{
		{"an empty script", "# nothing\n", 1, "try: play healthy"},
		{"an unknown command", "hello\nreddy", 2, `unknown command "reddy"`},
		{"half a command", "wait", 1, `unknown command "wait"`},
		{"an unknown behaviour", "play dead", 1, `no behaviour "dead"; known are healthy, silent`},
		{"a word too many", "fin now", 1, "fin takes at most 0 words after it, not 1"},
		{"a version that is no number", "hello v176", 1, `"v176" is no number`},
		{"a version that is missing", "version", 1, `"" is no number`},
		{"a duration without its unit", "silence 30", 1, `"30" is no positive duration such as 30s`},
		{"a duration that is not positive", "slow 0s", 1, `"0s" is no positive duration`},
		{"a restart with another option", "restart before=1s", 1, "write restart after=90s"},
		{"an error without its code", "error -1", 1, `write error ID CODE "TEXT"`},
		{"a text without quotes", "error -1 326 used", 1, `"used" is not in double quotes`},
		{"a text without its end", `frame "abc`, 1, "without its closing quote"},
		{"a text that runs into the next word", `frame "abc"def`, 1, "a space is missing"},
		{"half a byte", "send 414", 1, "an even number of hex digits"},
		{"a line that is never reached", "hello\nfin\nready", 3, "ready is never reached"},
		{"a line after a serve without a limit", "serve\nfin", 2, "fin is never reached"},
		{"a section without a colon", "connection 1\nfin", 1, `write "connection N:"`},
		{"a section from zero", "connection 0:\nfin", 1, "they start at 1"},
		{"a section that ends before it starts", "connection 2..1:\nfin", 1, `"1" is no connection number from 2 up`},
		{"a gap between sections", "connection 1:\nfin\nconnection 3..:\nfin", 3, "the next one without a section is 2"},
		{"sections that overlap", "connection 1..3:\nfin\nconnection 3..:\nfin", 3, "the next one without a section is 4"},
		{"a section after one without an end", "connection 1..:\nfin\nconnection 2..:\nfin", 3, "never reached"},
		{"a section after lines for every connection", "fin\nconnection 2..:\nfin", 2, "never reached"},
		{"a plan that ends", "connection 1:\nfin\n", 2, "add a section: connection 2..:"},
		{"a plan that ends before a restart", "connection 1:\nfin\non restart:\nfin", 3, "add a section: connection 2..:"},
		{"a restart that nothing comes after", "fin\non restart:\n", 2, "try: play healthy"},
		{"a section without lines", "connection 1:\nconnection 2..:\nfin", 2, "to accept and do nothing, write: silence"},
		{"a line without an end", strings.Repeat("x", 1<<17), 1, "longer than 65536 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			script, err := gwsim.Parse(strings.NewReader(test.script))
			var syntax *gwsim.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("error %v, script:\n%v", err, script)
			}
			if syntax.Line != test.line || !strings.Contains(syntax.Reason, test.reason) {
				t.Errorf("got  line %d: %s\nwant line %d: ... %s ...", syntax.Line, syntax.Reason, test.line, test.reason)
			}
		})
	}
}

func TestAReaderThatFailsIsNoSyntaxError(t *testing.T) {
	broken := errors.New("broken")
	_, err := gwsim.Parse(iotest.ErrReader(broken))
	var syntax *gwsim.SyntaxError
	if !errors.Is(err, broken) || errors.As(err, &syntax) {
		t.Errorf("error %v", err)
	}
}

// The full form of a script, with every command in it.
const everything = `connection 1:
    wait hello
    version 30
    slow 5ms
    accounts
    accounts DU1,DU2
    next-id
    next-id 42
    error -1 1100
    error 3 321 "a \"quoted\" text # no comment"
    frame "banana\x00"
    send "API\x00"
    half-close
    refuse
    silence 1m30s
    listen
    wedge
    accept
    serve 2
    fin
connection 2..3:
    hello 176
    wait start-api
    ready
    restart after=1m30s
connection 4..:
    rst
on restart:
connection 1..:
    silence
on restart:
connection 1..:
    hello
    restart
`

func TestScriptFullForm(t *testing.T) {
	if diff := cmp.Diff(everything, parse(t, everything).String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	short := "play mute-after-ready # what a phone sees\n"
	long := "connection 1..:\n    hello\n    wait start-api\n    ready\n    serve 1\n    silence\n"
	if diff := cmp.Diff(long, parse(t, short).String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(parse(t, `send "API\x00"`+"\nfin").String(), parse(t, "send 41504900\nfin").String()); diff != "" {
		t.Errorf("hex and text differ (-text +hex):\n%s", diff)
	}
}

// Each connection gets its own section, each process its own plan, and the last
// plan stays in force.
func TestPlanOverConnectionsAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gwsim.New(gwsim.Options{Script: parse(t, `
			connection 1:
				hello 101
			connection 2..3:
				hello 102
			connection 4..:
				hello 103
			on restart:
				hello 104
			on restart:
				connection 1:
					hello 105
				connection 2..:
					hello 106`)})
		defer g.Close()
		for process, want := range [][]string{
			{"version 101", "version 102", "version 102", "version 103", "version 103"},
			{"version 104", "version 104"},
			{"version 105", "version 106", "version 106"},
			{"version 105", "version 106"},
		} {
			if process > 0 {
				if err := g.Restart(); err != nil {
					t.Fatal(err)
				}
			}
			for _, version := range want {
				c := connect(dialMemory(t, g), everyVersion, 1, 0)
				c.expect(t, time.Hour, version)
				c.close()
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(everything)
	for _, b := range gwsim.Behaviours() {
		f.Add(b.Script)
		f.Add("connection 1:\nplay " + b.Name + "\nconnection 2..:\nfin\non restart:\nplay " + b.Name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		script, err := gwsim.Parse(strings.NewReader(text))
		if err != nil {
			var syntax *gwsim.SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 0 || syntax.Line > strings.Count(text, "\n")+1 || syntax.Reason == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		full := script.String()
		again, err := gwsim.Parse(strings.NewReader(full))
		if err != nil {
			t.Fatalf("the full form of %q does not parse: %v\n%s", text, err, full)
		}
		if diff := cmp.Diff(full, again.String()); diff != "" {
			t.Fatalf("the full form of %q changes (-once +twice):\n%s", text, diff)
		}
	})
}
