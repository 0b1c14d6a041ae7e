package report

import "testing"

func TestCommitmentsAreShortForPeople(t *testing.T) {
	const whole = "redacted:xsk44j4ry432foyrz5co47q5ijp5jrkky4b7fowh2hxyoamdyzpoq"
	for _, c := range []struct{ name, in, want string }{
		{"nothing hidden", "by anna", "by anna"},
		{"a person", "by " + whole, "by redacted:xsk44j4ry"},
		{"a host with its port", "from " + whole + ":4002", "from redacted:xsk44j4ry:4002"},
		{"what is too short to be one", "redacted:xsk44", "redacted:xsk44"},
	} {
		if got := veiled(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
