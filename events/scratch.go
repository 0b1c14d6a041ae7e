package events

import "reflect"

// scratch is a zero payload to decode into. Its fields are found by reflection
// once, for many events.
type scratch struct {
	slots []slot         // in the order of plan.fields
	take  func() Payload // copies the payload and makes it zero again
}

// slot points at one field; which pointer is set depends on op.
type slot struct {
	text   *string // opString, opSet
	truth  *bool
	number *int64
	count  *uint64
	maybe  **int64
	list   *[]string
}

func newScratch[P Payload](p *plan) *scratch {
	var zero P
	payload := new(P)
	s := &scratch{slots: make([]slot, len(p.fields)), take: func() Payload {
		out := *payload
		*payload = zero
		return out
	}}
	for i := range p.fields {
		f := &p.fields[i]
		at := f.in(reflect.ValueOf(payload).Elem()).Addr()
		switch s := &s.slots[i]; f.op {
		case opString, opSet: // *FailReason and *string have one underlying type
			s.text = at.Convert(reflect.TypeFor[*string]()).Interface().(*string)
		case opBool:
			s.truth = at.Interface().(*bool)
		case opInt:
			s.number = at.Interface().(*int64)
		case opUint:
			s.count = at.Interface().(*uint64)
		case opIntPtr:
			s.maybe = at.Interface().(**int64)
		case opList:
			s.list = at.Interface().(*[]string)
		}
	}
	return s
}
