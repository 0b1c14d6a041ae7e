package report

import (
	"slices"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// Catalogue is the judge's, with what this package judges by other means.
func Catalogue() []rule.Entry {
	all := rule.Catalogue()
	return slices.Insert(all, audit.After(all, func(e rule.Entry) string { return e.ID }), audit.Rule)
}

// Lookup returns one entry of Catalogue by its id.
func Lookup(id string) (rule.Entry, bool) {
	if id == audit.Rule.ID {
		return audit.Rule, true
	}
	return rule.Lookup(id)
}

// auditing is an audit on a goroutine of its own, which owns it: the judge does not wait
// for it, and the result does not depend on who is faster.
type auditing struct {
	batch       []events.Event
	full, empty chan []events.Event
	done        chan audit.Result
}

const (
	auditBatch   = 256
	auditBatches = 4 // one is filled, one is read, and two are on the way
)

func audited() *auditing {
	a := &auditing{full: make(chan []events.Event, auditBatches), empty: make(chan []events.Event, auditBatches), done: make(chan audit.Result, 1)}
	for range auditBatches - 1 {
		a.empty <- make([]events.Event, 0, auditBatch)
	}
	a.batch = make([]events.Event, 0, auditBatch)
	go func() {
		of := audit.New()
		for batch := range a.full {
			for i := range batch {
				of.Step(batch[i])
			}
			a.empty <- batch[:0]
		}
		a.done <- of.Result()
	}()
	return a
}

func (a *auditing) step(e events.Event) {
	if a.batch = append(a.batch, e); len(a.batch) == auditBatch {
		a.full <- a.batch
		a.batch = <-a.empty
	}
}

// end returns when all of it is audited.
func (a *auditing) end() audit.Result {
	a.full <- a.batch
	close(a.full)
	return <-a.done
}
