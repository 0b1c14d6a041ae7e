package tty

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// Sheet writes rows as CSV (RFC 4180), the names of the columns first, also where there is
// no row. Spreadsheets take a text for a formula that begins with one of = + - @; such a text
// gets an apostrophe before it, and a number does not.
type Sheet struct {
	w       *csv.Writer
	columns []string
	begun   bool
}

// NewSheet writes nothing yet.
func NewSheet(w io.Writer, columns ...string) *Sheet {
	return &Sheet{w: csv.NewWriter(w), columns: columns}
}

// Row writes one line, and at once: somebody may follow.
func (s *Sheet) Row(cells ...string) error {
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
			if _, err := strconv.ParseFloat(cell, 64); err != nil {
				cells[i] = "'" + cell
			}
		}
	}
	s.heading()
	_ = s.w.Write(cells) // Error has it
	s.w.Flush()
	return s.w.Error()
}

// End must be called after the last row.
func (s *Sheet) End() error {
	s.heading()
	s.w.Flush()
	return s.w.Error()
}

func (s *Sheet) heading() {
	if !s.begun {
		s.begun = true
		_ = s.w.Write(s.columns) // Error has it
	}
}
