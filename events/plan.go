package events

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// op is how a field is read and written.
type op uint8

const (
	opString op = iota // free text
	opSet              // a closed set
	opBool
	opInt    // int64
	opUint   // uint64
	opIntPtr // *int64: absent is not zero
	opList   // []string, identifiers
)

// plan is how one payload type is encoded: its fields in canonical order. Plans
// are made once, when the package is initialised, by reflection; so there is one
// description of a payload, its Go type.
type plan struct {
	typ     reflect.Type
	fields  []field
	scratch sync.Pool // of *scratch
}

type field struct {
	name     string
	key      string // `,"name":`
	index    []int
	op       op
	optional bool     // left out when zero
	set      []string // opSet: the values
}

// planOf panics for a type that the codec does not carry: that is a programming
// error, met by the first test that runs.
func planOf[P Payload]() *plan {
	t := reflect.TypeFor[P]()
	p := &plan{typ: t}
	p.scratch.New = func() any { return newScratch[P](p) }
	p.add(t, nil)
	return p
}

func (p *plan) add(t reflect.Type, index []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		at := append(append([]int(nil), index...), i)
		if sf.Anonymous {
			p.add(sf.Type, at)
			continue
		}
		name, rest, _ := strings.Cut(sf.Tag.Get("json"), ",")
		f := field{name: name, key: `,"` + name + `":`, index: at, optional: rest == "omitempty"}
		switch {
		case closedSets[sf.Type] != nil:
			f.op, f.set = opSet, closedSets[sf.Type]
		case sf.Type == reflect.TypeFor[string]():
			f.op = opString
		case sf.Type == reflect.TypeFor[bool]():
			f.op = opBool
		case sf.Type == reflect.TypeFor[int64]():
			f.op = opInt
		case sf.Type == reflect.TypeFor[uint64]():
			f.op = opUint
		case sf.Type == reflect.TypeFor[*int64]():
			f.op = opIntPtr
		case sf.Type == reflect.TypeFor[[]string]():
			f.op = opList
		default:
			panic(fmt.Sprintf("events: %s.%s has type %s, which no event carries", t, sf.Name, sf.Type))
		}
		if name == "" || f.op == opIntPtr && !f.optional || f.op == opList && !f.optional {
			panic(fmt.Sprintf("events: %s.%s needs a json name, and omitempty if it may be absent", t, sf.Name))
		}
		p.fields = append(p.fields, f)
	}
}

// pick returns the value of the closed set that equals s.
func (f *field) pick(s string) (value string, ok bool) {
	for _, v := range f.set {
		if v == s {
			return v, true
		}
	}
	return "", false
}

func (f *field) notInSet(s string) error {
	return fmt.Errorf("%w: %q, want one of %s", ErrNotAllowed, shown(s), strings.Join(f.set, ", "))
}

func (f *field) in(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	return v.FieldByIndex(f.index)
}
