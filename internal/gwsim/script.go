package gwsim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Script is a parsed plan: for each process of the simulated Gateway, what
// happens to each connection. It does not change once parsed.
type Script struct {
	processes [][]section // never empty; the last one stays in force
}

// section is what connections from..to of a process do; to is 0 for "..".
type section struct {
	from, to int
	steps    []step
}

// step is one line of a connection's script.
type step struct {
	verb verb
	n    int           // hello, version, next-id, error's id, serve's count; unset is none
	code int           // error
	text string        // error's text, frame's payload, send's bytes, accounts
	wait time.Duration // silence, slow, restart; 0 is none
}

type verb string

const (
	doWaitHello    verb = "wait hello"
	doWaitStartAPI verb = "wait start-api"
	doHello        verb = "hello"
	doVersion      verb = "version"
	doAccounts     verb = "accounts"
	doNextID       verb = "next-id"
	doReady        verb = "ready"
	doErrorMessage verb = "error"
	doFrame        verb = "frame"
	doSend         verb = "send"
	doSlow         verb = "slow"
	doSilence      verb = "silence"
	doServe        verb = "serve"
	doFin          verb = "fin"
	doRst          verb = "rst"
	doHalfClose    verb = "half-close"
	doRefuse       verb = "refuse"
	doListen       verb = "listen"
	doWedge        verb = "wedge"
	doAccept       verb = "accept"
	doRestart      verb = "restart"
)

// none marks an optional number that was not given. No number of the protocol
// that a script can name is as small.
const none = -1 << 40

// steps is the script of connection n of process p, both from 1.
func (s *Script) steps(p, n int) []step {
	for _, section := range s.processes[min(p, len(s.processes))-1] {
		if section.to == 0 || n <= section.to {
			return section.steps
		}
	}
	return nil // not reached: the last section has no end
}

// String is the script in its full form: sections written out, behaviours
// expanded. It parses to the same script.
func (s *Script) String() string {
	var b strings.Builder
	for i, sections := range s.processes {
		if i > 0 {
			b.WriteString("on restart:\n")
		}
		for _, section := range sections {
			fmt.Fprintf(&b, "connection %s:\n", section.span())
			for _, step := range section.steps {
				fmt.Fprintf(&b, "    %s\n", step)
			}
		}
	}
	return b.String()
}

func (s section) span() string {
	switch s.to {
	case 0:
		return fmt.Sprintf("%d..", s.from)
	case s.from:
		return strconv.Itoa(s.from)
	default:
		return fmt.Sprintf("%d..%d", s.from, s.to)
	}
}

func (s step) String() string {
	word := string(s.verb)
	switch s.verb {
	case doHello, doVersion, doNextID, doServe:
		if s.n != none {
			word += " " + strconv.Itoa(s.n)
		}
	case doAccounts:
		if s.text != "" {
			word += " " + s.text
		}
	case doErrorMessage:
		word += fmt.Sprintf(" %d %d", s.n, s.code)
		if s.text != "" {
			word += " " + strconv.Quote(s.text)
		}
	case doFrame, doSend:
		word += " " + strconv.Quote(s.text)
	case doSlow, doSilence:
		if s.wait != 0 {
			word += " " + s.wait.String()
		}
	case doRestart:
		if s.wait != 0 {
			word += " after=" + s.wait.String()
		}
	}
	return word
}
