package events

import (
	"errors"
	"fmt"
)

// ErrReserved is returned for a draft that sets what only the loop may set, or
// that is of a kind no outside reporter may send.
var ErrReserved = errors.New("not a reporter's to say")

// DecodeDraft reads a report from outside: a CloudEvents 1.0 JSON object in any
// order of keys. seq, boot, mono, prev, epoch and sourcetime are refused, and so is
// a kind that only the recorder may emit. The reporter's time becomes sourcetime, a
// claim. It returns the gateway that the report is about. An error is a
// *DecodeError.
//
// Long texts and account ids are let through: a Redactor puts both right.
func DecodeDraft(report []byte) (gateway string, d Draft, err error) {
	o, err := parseObject(report)
	if err != nil {
		return "", Draft{}, err
	}
	for _, key := range []string{"seq", "boot", "mono", "prev", "epoch", "sourcetime"} {
		if m, set := o.members[key]; set {
			return "", Draft{}, &DecodeError{Offset: m.offset, Field: key, Err: fmt.Errorf("%w: the recorder stamps it", ErrReserved)}
		}
	}
	var info *Info
	data, hasData := o.members["data"]
	delete(o.members, "data")
	err = o.takeAll([]attribute{
		{"specversion", true, exactly("1.0")},
		{"id", true, token(&d.ID)},
		{"source", true, func(s string) error {
			if !isSource(s) {
				return fmt.Errorf("%w: %q, want a path such as /runner/robo-1", ErrNotAllowed, shown(s))
			}
			d.Source = s
			return nil
		}},
		{"type", true, func(s string) (err error) {
			if info, err = lookupType(s); err == nil && !info.Outside {
				err = fmt.Errorf("%w: %s comes from the recorder alone", ErrReserved, info.Kind)
			}
			return err
		}},
		{"subject", true, func(s string) error { gateway = s; return CheckGatewayName(s) }},
		{"time", false, func(s string) error {
			if _, err := parseTime(s); err != nil {
				return err
			}
			if len(s) > maxToken {
				return fmt.Errorf("%w: %d bytes of time, at most %d", ErrTooLong, len(s), maxToken)
			}
			d.SourceTime = s
			return nil
		}},
		{"datacontenttype", false, exactly("application/json")},
		{"conn", false, token(&d.Conn)},
		{"attempt", false, token(&d.Attempt)},
		{"cause", false, token(&d.Cause)},
	})
	if err == nil {
		err = o.leftover(attributes)
	}
	if err == nil && !hasData {
		err = &DecodeError{Field: "data", Err: ErrMissingField}
	}
	if err != nil {
		return "", Draft{}, err
	}
	if d.Data, err = o.decodeData(info, data); err != nil {
		return "", Draft{}, err
	}
	switch q := d.Data.(type) {
	case AttemptRequested:
		if q.LeaseMS != 0 {
			return "", Draft{}, &DecodeError{Offset: data.offset, Field: "lease_ms", Err: fmt.Errorf("%w: ask for a permit instead", ErrReserved)}
		}
	case DisconnectRequested:
		if q.Asked {
			return "", Draft{}, &DecodeError{Offset: data.offset, Field: "asked", Err: fmt.Errorf("%w: ask for a disconnect instead", ErrReserved)}
		}
	}
	return gateway, d, nil
}

func token(dst *string) func(string) error {
	return func(s string) error {
		if !isToken(s) {
			return fmt.Errorf("%w: %q, want 1 to %d of letters, digits and the signs - _ . / : only", ErrNotAllowed, shown(s), maxToken)
		}
		*dst = s
		return nil
	}
}
