package tty

import (
	"strings"
	"testing"
)

func TestASheet(t *testing.T) {
	for _, c := range []struct {
		name string
		rows [][]string
		want string
	}{
		{"without a row it has its columns", nil, "seq,says\n"},
		{"what has a comma, a quote or a line break is quoted", [][]string{{"1", "a, \"b\"\nc"}}, "seq,says\n1,\"a, \"\"b\"\"\nc\"\n"},
		{"no text is a formula", [][]string{{"1", "=1+1"}, {"2", "@x"}, {"3", "+49"}, {"4", "-x"}}, "seq,says\n1,'=1+1\n2,'@x\n3,+49\n4,'-x\n"},
		{"and a number is a number", [][]string{{"-1", "-0.5"}}, "seq,says\n-1,-0.5\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			s := NewSheet(&b, "seq", "says")
			for _, row := range c.rows {
				if err := s.Row(row...); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.End(); err != nil || b.String() != c.want {
				t.Errorf("%q, %v; want %q", b.String(), err, c.want)
			}
		})
	}
}
