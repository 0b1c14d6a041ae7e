package tty

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"unicode/utf8"
)

// PagerVariable names the pager before PAGER does.
const PagerVariable = "IBRECORDER_PAGER"

// defaultPager ends by itself if the text fits after all, keeps colours, and leaves what it
// showed on the screen: as git calls it.
const defaultPager = "less -FRX"

// Pager is a writer to a terminal. What is longer than the screen goes through the pager
// that its owner has chosen, and what fits is written as it is. One goroutine uses it.
// Close must be called.
type Pager struct {
	out           *os.File
	columns, rows int
	command       string
	held          bytes.Buffer // what has come while it may still fit
	to            *os.File     // the pager's input once it runs
	run           *exec.Cmd
	plain         bool // nothing is held any more, and nothing is paged
	interrupts    chan os.Signal
}

// NewPager returns nil where nothing is to be paged: no terminal, no pager, or a screen of
// unknown height.
func NewPager(out io.Writer) *Pager {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return nil
	}
	columns, rows := Size(f)
	command := cmp.Or(os.Getenv(PagerVariable), os.Getenv("PAGER"), defaultPager)
	if rows < 1 || command == "cat" {
		return nil
	}
	if program, _, _ := strings.Cut(strings.TrimSpace(command), " "); !strings.ContainsAny(program, "'\"$=") {
		if _, err := exec.LookPath(program); err != nil {
			if command != defaultPager {
				errorf("the pager %q is not there; name another one in %s or PAGER, or add --no-pager", program, PagerVariable)
			}
			return nil
		}
	}
	return &Pager{out: f, columns: columns, rows: rows, command: command}
}

// Write fails with EPIPE once the person has left the pager.
func (p *Pager) Write(b []byte) (int, error) {
	switch {
	case p.plain:
		return p.out.Write(b)
	case p.to != nil:
		return p.to.Write(b)
	}
	p.held.Write(b)
	rows := 0
	for line := range bytes.Lines(p.held.Bytes()) { // at most a screen of them, and what came now
		rows += height(line, p.columns)
	}
	if rows < p.rows { // the prompt needs one too
		return len(b), nil
	}
	if err := p.start(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// start begins the pager with what was held. If it cannot be started the text is written
// as it is.
func (p *Pager) start() error {
	r, w, err := os.Pipe()
	if err == nil {
		// Ctrl-C goes to the pager too, and only the pager knows what it means there. The verb
		// may end what it does, but not go before the pager: the screen is the pager's.
		p.interrupts = make(chan os.Signal, 1)
		signal.Notify(p.interrupts, os.Interrupt)
		p.run = exec.Command("/bin/sh", "-c", p.command)
		p.run.Stdin, p.run.Stdout, p.run.Stderr = r, p.out, os.Stderr
		err = p.run.Start()
		if err = errors.Join(err, r.Close()); err != nil {
			err = errors.Join(err, w.Close())
		}
	}
	to := w
	if err != nil {
		errorf("the pager %q does not start: %v", p.command, err)
		p.plain, to = true, p.out
	} else {
		p.to = w
	}
	_, err = to.Write(p.held.Bytes())
	p.held.Reset()
	return err
}

// Close writes what fitted, or waits until the person has left the pager.
func (p *Pager) Close() error {
	if p.to == nil {
		_, err := p.out.Write(p.held.Bytes())
		return err
	}
	defer signal.Stop(p.interrupts)
	err := p.to.Close()
	if waited := p.run.Wait(); waited != nil {
		if _, left := errors.AsType[*exec.ExitError](waited); !left { // how it ends is its own affair
			err = errors.Join(err, waited)
		}
	}
	return err
}

// height is how many rows of the screen a line takes. Colours have no width.
func height(line []byte, columns int) int {
	n := 0
	for i := 0; i < len(line); {
		if bytes.HasPrefix(line[i:], []byte("\x1b[")) {
			if end := bytes.IndexByte(line[i:], 'm'); end > 0 {
				i += end + 1
				continue
			}
		}
		_, size := utf8.DecodeRune(line[i:])
		i += size
		n++
	}
	if bytes.HasSuffix(line, []byte("\n")) {
		n--
	}
	if columns > 0 && n > columns {
		return 1 + (n-1)/columns
	}
	return 1
}
