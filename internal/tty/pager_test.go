package tty

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// onScreen pages text for a screen of ten rows and 20 columns, written in pieces, and
// returns what is on it. What the scripts of the programs add is a real terminal.
func onScreen(t *testing.T, command, text string, piece int) (shown string, written error) {
	t.Helper()
	path := t.TempDir() + "/screen"
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &Pager{out: f, columns: 20, rows: 10, command: command}
	for rest := text; rest != "" && written == nil; {
		n := min(piece, len(rest))
		_, written = p.Write([]byte(rest[:n]))
		rest = rest[n:]
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), written
}

func numbered(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "line %d\n", i+1)
	}
	return b.String()
}

func TestWhatFitsIsNotPaged(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                    "",
		"one line":                   "one\n",
		"as many as there are rows":  numbered(9),
		"long ones":                  strings.Repeat(strings.Repeat("x", 40)+"\n", 4),
		"colours have no width":      strings.Repeat("\x1b[31m"+strings.Repeat("x", 20)+"\x1b[0m\n", 9),
		"nor has a rune more than 1": strings.Repeat(strings.Repeat("█", 20)+"\n", 9),
	} {
		t.Run(name, func(t *testing.T) {
			if shown, err := onScreen(t, "echo paged", text, len(text)+1); err != nil || shown != text {
				t.Errorf("shown %q, %v", shown, err)
			}
		})
	}
}

func TestWhatDoesNotFitIsPaged(t *testing.T) {
	for name, text := range map[string]string{
		"more lines than rows": numbered(10),
		"long ones":            strings.Repeat(strings.Repeat("x", 41)+"\n", 4),
		"many":                 numbered(50_000),
	} {
		for _, piece := range []int{7, 4096, len(text)} {
			t.Run(fmt.Sprint(name, " in pieces of ", piece), func(t *testing.T) {
				shown, err := onScreen(t, "echo paged; cat", text, piece)
				if err != nil || shown != "paged\n"+text {
					t.Errorf("%d bytes shown of %d, %v", len(shown), len(text), err)
				}
			})
		}
	}
}

// Whoever leaves the pager has seen enough: the writer is told as by any reader that goes.
func TestAPagerThatIsLeft(t *testing.T) {
	if _, err := onScreen(t, "head -n 1", numbered(200_000), 4096); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the writer is told %v, want %v", err, syscall.EPIPE)
	}
	if shown, _ := onScreen(t, "exit 3", numbered(20), 4096); shown != "" {
		t.Errorf("a pager that fails shows %q", shown)
	}
}
