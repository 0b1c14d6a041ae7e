package events

import (
	"errors"
	"strings"
	"testing"
)

// history makes n linked records of one gateway, the first with sequence from.
func history(t *testing.T, from uint64, n int) []Record {
	t.Helper()
	var all []Record
	var prev Hash
	if from > 1 {
		prev = HashOf([]byte("an older event"))
	}
	for i := range n {
		r := next(t, prev, from+uint64(i), "live")
		all, prev = append(all, r), r.Hash()
	}
	return all
}

func next(t *testing.T, prev Hash, seq uint64, gateway string) Record {
	t.Helper()
	e := sample()
	e.Prev, e.Seq, e.Gateway = prev, seq, gateway
	r, err := NewRecord(e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChain(t *testing.T) {
	h := history(t, 1, 4)
	head := h[1].Hash()
	zero := Hash{}
	for _, c := range []struct {
		name    string
		records []Record
		first   uint64 // of the chain at the end
		head    uint64
		err     error
		says    string
	}{
		{"nothing", nil, 0, 0, nil, ""},
		{"a history from the first event", h, 1, 4, nil, ""},
		{"a history from a later event has that as its anchor", h[2:], 3, 4, nil, ""},
		{"a later anchor is not asked for what came before it", history(t, 100, 3), 100, 102, nil, ""},
		{"a first event that has a predecessor", []Record{next(t, head, 1, "live")}, 0, 0, ErrPrev, "want no predecessor"},
		{"a gap", []Record{h[0], h[2]}, 1, 1, ErrSequence, "event 3 sequence is not gapless: want 2, got 3"},
		{"an event twice", []Record{h[0], h[1], h[1]}, 1, 2, ErrSequence, "want 3, got 2"},
		{"two events in the wrong order", []Record{h[1], h[0]}, 2, 2, ErrSequence, "want 3, got 1"},
		{"an event of another history", []Record{h[0], h[1], next(t, h[0].Hash(), 3, "live")}, 1, 2, ErrPrev, "want " + head.String()},
		{"an event without a predecessor in the middle", []Record{h[0], h[1], next(t, zero, 3, "live")}, 1, 2, ErrPrev, "got " + zero.String()},
		{"an event of another gateway", []Record{h[0], h[1], next(t, head, 3, "paper")}, 1, 2, ErrGateway, "want live, got paper"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var chain Chain
			var err error
			var good Record
			for _, r := range c.records {
				if err = chain.Add(r); err != nil {
					break
				}
				good = r
			}
			seq, hash := chain.Head()
			if !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v that says %q", err, c.err, c.says)
			}
			if chain.First() != c.first || seq != c.head {
				t.Errorf("the chain runs from %d to %d, want %d to %d", chain.First(), seq, c.first, c.head)
			}
			if seq > 0 && hash != good.Hash() {
				t.Errorf("the head is %s, want %s", hash, good.Hash())
			}
		})
	}
}

func TestAChainGoesOnAfterARefusedRecord(t *testing.T) {
	h := history(t, 1, 3)
	var chain Chain
	for _, r := range []Record{h[0], h[2], h[1], h[2]} {
		err := chain.Add(r)
		if seq, _ := chain.Head(); err == nil && seq != r.Seq || err != nil && seq != 1 {
			t.Fatalf("after %d: head %d, %v", r.Seq, seq, err)
		}
	}
	if seq, _ := chain.Head(); seq != 3 {
		t.Errorf("head %d, want 3", seq)
	}
}

func TestAChainIsOverTheStoredBytes(t *testing.T) {
	h := history(t, 1, 2)
	h[0].Raw = append(h[0].Raw, ' ') // the same event, other bytes
	var chain Chain
	if err := chain.Add(h[0]); err != nil {
		t.Fatal(err)
	}
	var broken *ChainError
	if err := chain.Add(h[1]); !errors.Is(err, ErrPrev) || !errors.As(err, &broken) || broken.Seq != 2 {
		t.Errorf("got %v, want a broken chain at 2", err)
	}
}

func TestAHashIsItsHexadecimalText(t *testing.T) {
	h := HashOf([]byte("x"))
	text, err := h.MarshalText()
	if err != nil || len(text) != 64 {
		t.Fatalf("%q %v", text, err)
	}
	var back Hash
	if err := back.UnmarshalText(text); err != nil || back != h {
		t.Errorf("%s came back as %s, %v", h, back, err)
	}
	for _, bad := range []string{"", "00", strings.ToUpper(h.String()), strings.Repeat("g", 64), h.String() + "0"} {
		if _, err := ParseHash(bad); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("ParseHash(%q): %v", bad, err)
		}
	}
}
