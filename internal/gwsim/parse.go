package gwsim

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// SyntaxError is what is wrong with a script.
type SyntaxError struct {
	Line   int    // from 1; 0 if it is about no line
	Reason string // what to change
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("gwsim: script line %d: %s", e.Line, e.Reason)
}

// Parse reads a script. What is wrong in it is a *SyntaxError; any other error
// comes from r.
func Parse(r io.Reader) (*Script, error) {
	p := parser{script: &Script{processes: [][]section{nil}}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.line++
		if err := p.parseLine(lines.Text()); err != nil {
			return nil, err
		}
	}
	if lines.Err() == bufio.ErrTooLong {
		p.line++
		return nil, p.errorf("longer than %d bytes", bufio.MaxScanTokenSize)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("gwsim: reading the script after line %d: %w", p.line, err)
	}
	if err := p.endProcess(); err != nil {
		return nil, err
	}
	return p.script, nil
}

type parser struct {
	script *Script
	line   int
	over   bool // the current section's last line ended the connection
}

func (p *parser) errorf(format string, args ...any) error {
	return &SyntaxError{Line: p.line, Reason: fmt.Sprintf(format, args...)}
}

// process is the sections of the process being described.
func (p *parser) process() *[]section { return &p.script.processes[len(p.script.processes)-1] }

func (p *parser) parseLine(line string) error {
	words, err := split(line)
	if err != nil {
		return p.errorf("%v", err)
	}
	if len(words) == 0 {
		return nil
	}
	head := strings.Join(words, " ")
	switch {
	case head == "on restart:":
		if err := p.endProcess(); err != nil {
			return err
		}
		p.script.processes = append(p.script.processes, nil)
		return nil
	case words[0] == "connection":
		return p.beginSection(words[1:])
	}
	sections := p.process()
	if len(*sections) == 0 { // lines without a section are one for every connection
		*sections, p.over = append(*sections, section{from: 1}), false
	}
	current := &(*sections)[len(*sections)-1]
	steps, err := parseSteps(words)
	if err != nil {
		return p.errorf("%v", err)
	}
	for _, s := range steps {
		if p.over {
			return p.errorf("%s is never reached: the line before it ends the connection", s.verb)
		}
		p.over = s.ends()
		current.steps = append(current.steps, s)
	}
	return nil
}

// ends reports whether nothing can follow s.
func (s step) ends() bool {
	switch s.verb {
	case doFin, doRst, doRestart:
		return true
	case doSilence:
		return s.wait == 0
	case doServe:
		return s.n == none
	}
	return false
}

func (p *parser) beginSection(words []string) error {
	span, ok := strings.CutSuffix(strings.Join(words, " "), ":")
	if !ok {
		return p.errorf(`write "connection N:", "connection N..M:" or "connection N..:"`)
	}
	low, high, isRange := strings.Cut(span, "..")
	from, err := strconv.Atoi(low)
	if err != nil || from < 1 {
		return p.errorf("%q is no connection number; they start at 1", low)
	}
	to := from
	switch {
	case isRange && high == "":
		to = 0
	case isRange:
		if to, err = strconv.Atoi(high); err != nil || to < from {
			return p.errorf("%q is no connection number from %d up", high, from)
		}
	}
	sections, next := p.process(), 1
	if n := len(*sections); n > 0 {
		last := (*sections)[n-1]
		if err := p.endSection(last); err != nil {
			return err
		}
		if last.to == 0 {
			return p.errorf("connection %s: is never reached: the section before it has no end", span)
		}
		if last.to == math.MaxInt {
			return p.errorf("connection %s: comes after the largest number", span)
		}
		next = last.to + 1
	}
	if from != next {
		return p.errorf("connection %s: starts at %d, the next one without a section is %d", span, from, next)
	}
	*sections, p.over = append(*sections, section{from: from, to: to}), false
	return nil
}

func (p *parser) endSection(s section) error {
	if len(s.steps) == 0 {
		return p.errorf("the section before has no lines; to accept and do nothing, write: silence")
	}
	return nil
}

// endProcess checks that the process covers every connection.
func (p *parser) endProcess() error {
	sections := *p.process()
	if len(sections) == 0 {
		return p.errorf("nothing says what a connection does; try: play healthy")
	}
	last := sections[len(sections)-1]
	if err := p.endSection(last); err != nil {
		return err
	}
	if last.to != 0 {
		return p.errorf("nothing says what connection %d does; add a section: connection %d..:", last.to+1, last.to+1)
	}
	return nil
}

// parseSteps parses one line; "play" makes several steps of it.
func parseSteps(words []string) ([]step, error) {
	if words[0] == "play" {
		if len(words) != 2 {
			return nil, fmt.Errorf("play needs the name of one behaviour")
		}
		script, err := Named(words[1])
		if err != nil {
			return nil, err
		}
		return script.steps(1, 1), nil
	}
	s, err := parseStep(words)
	return []step{s}, err
}

func parseStep(words []string) (s step, err error) {
	name, args := words[0], words[1:]
	if name == "wait" && len(args) > 0 {
		name, args = name+" "+args[0], args[1:]
	}
	s = step{verb: verb(name), n: none}
	most := 1
	switch s.verb {
	case doWaitHello, doWaitStartAPI, doReady, doFin, doRst, doHalfClose, doRefuse, doListen, doWedge, doAccept:
		most = 0
	case doErrorMessage:
		most = 3
	case doHello, doVersion, doAccounts, doNextID, doFrame, doSend, doSlow, doSilence, doServe, doRestart:
	default:
		return s, fmt.Errorf("unknown command %q", name)
	}
	if len(args) > most {
		return s, fmt.Errorf("%s takes at most %d words after it, not %d", name, most, len(args))
	}
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	switch s.verb {
	case doHello:
		err = optionalNumber(&s.n, arg, 1, 999999999)
	case doVersion:
		err = number(&s.n, arg, 0, 999999999)
	case doNextID:
		err = optionalNumber(&s.n, arg, 0, math.MaxInt32)
	case doServe:
		err = optionalNumber(&s.n, arg, 1, math.MaxInt32)
	case doAccounts:
		if strings.ContainsAny(arg, "\"# \x00") {
			err = fmt.Errorf("account ids are letters and digits, with commas between them")
		}
		s.text = arg
	case doErrorMessage:
		if len(args) < 2 {
			return s, fmt.Errorf(`write error ID CODE "TEXT"`)
		}
		if err = number(&s.n, args[0], math.MinInt32, math.MaxInt32); err != nil {
			return s, err
		}
		if err = number(&s.code, args[1], math.MinInt32, math.MaxInt32); err != nil {
			return s, err
		}
		if len(args) == 3 {
			s.text, err = quoted(args[2])
		}
	case doFrame:
		s.text, err = quoted(arg)
	case doSend:
		if s.text, err = quoted(arg); err != nil {
			var raw []byte
			if raw, err = hex.DecodeString(arg); err != nil || arg == "" {
				err = fmt.Errorf(`send needs "TEXT" or an even number of hex digits`)
			}
			s.text = string(raw)
		}
	case doSlow:
		err = duration(&s.wait, arg)
	case doSilence:
		if arg != "" {
			err = duration(&s.wait, arg)
		}
	case doRestart:
		if after, ok := strings.CutPrefix(arg, "after="); ok {
			err = duration(&s.wait, after)
		} else if arg != "" {
			err = fmt.Errorf("write restart after=90s")
		}
	}
	return s, err
}

func optionalNumber(n *int, arg string, low, high int) error {
	if arg == "" {
		return nil
	}
	return number(n, arg, low, high)
}

func number(n *int, arg string, low, high int) error {
	v, err := strconv.Atoi(arg)
	if err != nil || v < low || v > high {
		return fmt.Errorf("%q is no number from %d to %d", arg, low, high)
	}
	*n = v
	return nil
}

func duration(d *time.Duration, arg string) error {
	v, err := time.ParseDuration(arg)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no positive duration such as 30s", arg)
	}
	*d = v
	return nil
}

func quoted(arg string) (string, error) {
	if !strings.HasPrefix(arg, `"`) {
		return "", fmt.Errorf("%q is not in double quotes", arg)
	}
	return strconv.Unquote(arg)
}

// split cuts a line into words; a word in double quotes keeps its spaces and its
// quotes. A # outside of quotes ends the line.
func split(line string) (words []string, err error) {
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' {
			return words, nil
		}
		end := strings.IndexAny(line, " \t\r#")
		if line[0] == '"' {
			word, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, fmt.Errorf("a string without its closing quote, or with an unknown escape")
			}
			end = len(word)
			if end < len(line) && !strings.ContainsRune(" \t\r#", rune(line[end])) {
				return nil, fmt.Errorf("a space is missing after %s", word)
			}
		}
		if end < 0 {
			end = len(line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
}
