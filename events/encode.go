package events

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// maxDecimal is the largest seq, epoch and mono: 18 digits, so that a pattern in
// a JSON Schema says exactly what is allowed. As nanoseconds it is 31 years.
const maxDecimal = 1e18 - 1

// Encode returns the canonical bytes of e, without a newline: the CloudEvents
// attributes in a fixed order, then the payload with its fields in the order of
// its Go type, no white space, strings escaped as in RFC 8785. It fails for an
// event that Decode would refuse.
func Encode(e Event) ([]byte, error) {
	b, err := encode(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %s (%s): %w", shown(e.ID), e.Kind(), err)
	}
	return b, nil
}

func encode(e Event) ([]byte, error) {
	info, err := infoOf(e.Data)
	if err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 768)
	b = append(b, `{"specversion":"1.0","id":"`...)
	b = append(b, e.ID...)
	b = append(b, `","source":"`...)
	b = append(b, e.Source...)
	b = append(b, `","type":"`...)
	b = append(b, info.typ...)
	b = append(b, `","subject":"`...)
	b = append(b, e.Gateway...)
	if !e.Time.IsZero() {
		b = append(b, `","time":"`...)
		b = e.Time.AppendFormat(b, time.RFC3339Nano)
	}
	b = append(b, `","datacontenttype":"application/json","seq":"`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `","boot":"`...)
	b = append(b, e.Boot...)
	if e.Mono != NoMono {
		b = append(b, `","mono":"`...)
		b = strconv.AppendInt(b, e.Mono, 10)
	}
	b = appendOptional(b, `","conn":"`, e.Conn)
	b = appendOptional(b, `","attempt":"`, e.Attempt)
	b = append(b, `","epoch":"`...)
	b = strconv.AppendUint(b, e.Epoch, 10)
	b = appendOptional(b, `","cause":"`, e.Cause)
	b = appendOptional(b, `","sourcetime":"`, e.SourceTime)
	b = append(b, `","prev":"`...)
	b = hex.AppendEncode(b, e.Prev[:])
	b = append(b, `","data":`...)
	if b, err = info.plan.append(b, e.Data); err != nil {
		return nil, err
	}
	b = append(b, '}')
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(b), MaxBytes)
	}
	return b, nil
}

func appendOptional(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return append(append(b, key...), value...)
}

// check validates the attributes and names the first that is wrong.
func (e *Event) check() error {
	for _, a := range [...]struct{ name, value string }{
		{"id", e.ID}, {"source", e.Source}, {"boot", e.Boot}, {"conn", e.Conn}, {"attempt", e.Attempt}, {"cause", e.Cause},
	} {
		optional := a.name == "conn" || a.name == "attempt" || a.name == "cause"
		if optional && a.value == "" {
			continue
		}
		if err := checkToken(a.value); err != nil {
			return fieldError{a.name, err}
		}
	}
	refuse := func(field, format string, args ...any) error {
		return fieldError{field, fmt.Errorf("%w: "+format, append([]any{ErrNotAllowed}, args...)...)}
	}
	switch {
	case !isSource(e.Source):
		return refuse("source", "%q, want a path such as /tap", shown(e.Source))
	case !isGatewayName(e.Gateway):
		return fieldError{"subject", CheckGatewayName(e.Gateway)}
	case e.Seq == 0 || e.Seq > maxDecimal:
		return refuse("seq", "%d, sequences start at 1 and have 18 digits", e.Seq)
	case e.Mono < NoMono || e.Mono > maxDecimal:
		return refuse("mono", "%d, want nanoseconds since the boot, 18 digits at most", e.Mono)
	case e.Epoch > maxDecimal:
		return refuse("epoch", "%d, want 18 digits at most", e.Epoch)
	case e.Time.Location() != time.UTC || e.Time.Year() < 0 || e.Time.Year() > 9999:
		return refuse("time", "%v, want UTC between the years 0 and 9999", e.Time)
	case e.SourceTime != "" && !isPrintable(e.SourceTime):
		return refuse("sourcetime", "%q, want up to %d printable ASCII characters", shown(e.SourceTime), maxToken)
	case hasAccountID(e.SourceTime):
		return fieldError{"sourcetime", ErrUnredacted}
	}
	return nil
}

func checkToken(s string) error {
	n, _, risky := scan(s, inToken)
	switch {
	case n < len(s) || n == 0 || n > maxToken:
		return fmt.Errorf("%w: %q, want 1 to %d of letters, digits and the signs - _ . / : only", ErrNotAllowed, shown(s), maxToken)
	case risky && hasAccountID(s):
		return ErrUnredacted
	}
	return nil
}
