package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is matched by every complaint about a configuration.
var ErrInvalid = errors.New("invalid configuration")

// Problem is one thing that is wrong, where it was set, and what to write instead.
type Problem struct {
	// Origin is where: "file /etc/x.yaml:4:5", "env IBRECORDER_MODE", "flag --mode",
	// "default".
	Origin string
	// Text is what is wrong and what is wanted.
	Text string
	// Excerpt shows the place in the file with a caret, or is empty.
	Excerpt string
}

func (p *Problem) Error() string {
	s := p.Origin + ": " + p.Text
	if p.Excerpt != "" {
		s += "\n" + p.Excerpt
	}
	return s
}

// Unwrap makes it match ErrInvalid.
func (p *Problem) Unwrap() error { return ErrInvalid }

// problems collects what is wrong, in the order in which it was found.
type problems []*Problem

func (ps *problems) add(origin, format string, args ...any) {
	*ps = append(*ps, &Problem{Origin: origin, Text: fmt.Sprintf(format, args...)})
}

// err is all of them as one error, nil for none.
func (ps problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return Problems(ps)
}

// Problems is everything that is wrong with a configuration, at least one.
type Problems []*Problem

func (ps Problems) Error() string {
	var lines []string
	for _, p := range ps {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each.
func (ps Problems) Unwrap() []error {
	var all []error
	for _, p := range ps {
		all = append(all, p)
	}
	return all
}
