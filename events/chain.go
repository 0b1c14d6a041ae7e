package events

import (
	"errors"
	"fmt"
)

// What a chain can be broken by. A *ChainError wraps one of these.
var (
	ErrSequence = errors.New("sequence is not gapless")
	ErrPrev     = errors.New("does not continue the hash chain")
	ErrGateway  = errors.New("belongs to another gateway")
)

// ChainError says where a stream stops being one unbroken history.
type ChainError struct {
	Seq  uint64 // of the event that does not fit
	Want string
	Got  string
	Err  error
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("event %d %s: want %s, got %s", e.Seq, e.Err, e.Want, e.Got)
}

func (e *ChainError) Unwrap() error { return e.Err }

// Chain checks that records form one unbroken history of one gateway. The zero
// Chain takes its first record as the anchor: with sequence 1 that record must
// have no predecessor, with a later one the history before it is not judged.
type Chain struct {
	gateway string
	first   uint64
	seq     uint64
	head    Hash
}

// Add checks that r follows, and makes it the head. After an error the chain is
// unchanged.
func (c *Chain) Add(r Record) error {
	switch {
	case c.seq == 0:
		if r.Seq == 1 && r.Prev != (Hash{}) {
			return &ChainError{Seq: r.Seq, Want: "no predecessor", Got: r.Prev.String(), Err: ErrPrev}
		}
		c.gateway, c.first = r.Gateway, r.Seq
	case r.Gateway != c.gateway:
		return &ChainError{Seq: r.Seq, Want: c.gateway, Got: r.Gateway, Err: ErrGateway}
	case r.Seq != c.seq+1:
		return &ChainError{Seq: r.Seq, Want: fmt.Sprint(c.seq + 1), Got: fmt.Sprint(r.Seq), Err: ErrSequence}
	case r.Prev != c.head:
		return &ChainError{Seq: r.Seq, Want: c.head.String(), Got: r.Prev.String(), Err: ErrPrev}
	}
	c.seq, c.head = r.Seq, r.Hash()
	return nil
}

// Head returns the sequence and hash of the last record, zero for an empty chain.
func (c *Chain) Head() (seq uint64, hash Hash) { return c.seq, c.head }

// First returns the sequence of the anchor, zero for an empty chain.
func (c *Chain) First() uint64 { return c.first }
