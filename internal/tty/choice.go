package tty

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Choice is a flag with a closed set of values. The first is the default unless Value has
// another one.
type Choice struct {
	Value *string
	Of    []string
	Name  string // of its value in the help, FORMAT if it is empty
}

// NewChoice gives value its default.
func NewChoice(value *string, of ...string) *Choice {
	*value = of[0]
	return &Choice{Value: value, Of: of}
}

func (c *Choice) String() string {
	if c.Value == nil { // pflag asks a zero value for the default
		return ""
	}
	return *c.Value
}

func (c *Choice) Type() string {
	if c.Name == "" {
		return "FORMAT"
	}
	return c.Name
}

// Set fails for a value that there is not.
func (c *Choice) Set(s string) error {
	for _, v := range c.Of {
		if s == v {
			*c.Value = s
			return nil
		}
	}
	return errors.New("want " + Either(c.Of))
}

// Either writes a choice: "a, b or c".
func Either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// WrongValue says of a flag's value what would be right, in place of the flag library's own
// words. It is nil if err is about something else.
func WrongValue(err error) error {
	wrong, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return nil
	}
	f := wrong.GetFlag()
	want := "a whole number"
	switch f.Value.Type() {
	case "bool":
		want = "true or false"
	case "uint64", "uint":
		want = "a whole number, 0 or more"
	case "duration":
		want = "a span such as 90s or 10m"
	}
	if c, ok := f.Value.(*Choice); ok {
		want = Either(c.Of)
	}
	return fmt.Errorf("--%s %s: want %s", f.Name, wrong.GetValue(), want)
}
