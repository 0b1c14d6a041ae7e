package checkpoint

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the root of the tree over some lines, and what it takes to go on: the roots of
// its complete subtrees, the largest first. The zero Tree is over nothing.
type Tree struct {
	Size uint64      `json:"size"`
	Tops []tlog.Hash `json:"tops"`
}

// Add puts a line behind the others.
func (t *Tree) Add(line []byte) {
	h := tlog.RecordHash(line)
	for n := t.Size; n&1 == 1; n >>= 1 { // each one is a subtree as large as what h stands for
		last := len(t.Tops) - 1
		h = tlog.NodeHash(t.Tops[last], h)
		t.Tops = t.Tops[:last]
	}
	t.Tops = append(t.Tops, h)
	t.Size++
}

// Root is the hash of all lines.
func (t *Tree) Root() tlog.Hash {
	if t.Size == 0 {
		empty, _ := tlog.TreeHash(0, nil) // never fails: it reads nothing
		return empty
	}
	last := len(t.Tops) - 1
	root := t.Tops[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(t.Tops[i], root)
	}
	return root
}

// ErrTree: what was kept is no tree.
var ErrTree = errors.New("no tree")

func (t *Tree) check() error {
	if len(t.Tops) != bits.OnesCount64(t.Size) {
		return fmt.Errorf("%w: %d subtrees of %d lines", ErrTree, len(t.Tops), t.Size)
	}
	return nil
}
