package run

import (
	"bytes"
	"container/heap"
	"fmt"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// appendOp reads the partitions of a table, one after the other or, where their
// rows are sorted, merged.
type appendOp struct {
	base
	node     *plan.Append
	children []operator
	keys     keyer
	// kept are the children that this opening reads; at is the one that is read.
	kept []int
	at   int
	heap partHeap
	last *partRow // the row that was given last, whose child goes on
}

// partRow is the present row of a child.
type partRow struct {
	child int
	key   []byte
	row   types.Row
}

// partHeap has the least row first; of equal ones that of the first partition.
type partHeap []*partRow

func (h partHeap) Len() int { return len(h) }
func (h partHeap) Less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return h[i].child < h[j].child
}
func (h partHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *partHeap) Push(x any)   { *h = append(*h, x.(*partRow)) }
func (h *partHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func newAppend(b base, n *plan.Append) (*appendOp, error) {
	o := &appendOp{base: b, node: n, children: make([]operator, len(n.Children))}
	for i, c := range n.Children {
		child, err := b.x.build(c)
		if err != nil {
			return nil, err
		}
		o.children[i] = child
	}
	if n.Order != nil {
		o.keys = b.x.sortKeysOf(n.Order)
	}
	return o, nil
}

func (o *appendOp) open() error {
	if err := o.prune(); err != nil {
		return err
	}
	o.at, o.heap, o.last = 0, o.heap[:0], nil
	if o.node.Order == nil {
		if len(o.kept) > 0 {
			return o.children[o.kept[0]].open()
		}
		return nil
	}
	for _, i := range o.kept {
		if err := o.children[i].open(); err != nil {
			return err
		}
		if err := o.push(&partRow{child: i}); err != nil {
			return err
		}
	}
	return nil
}

// prune picks the children that can have rows.
func (o *appendOp) prune() error {
	o.kept = o.kept[:0]
	if o.node.Prune == nil {
		for i := range o.children {
			o.kept = append(o.kept, i)
		}
		return nil
	}
	keep, err := o.node.Prune.Keep(o.x.eval, false)
	if err != nil {
		return err
	}
	for i, p := range o.node.Parts {
		if keep[o.node.Prune.Index(p)] {
			o.kept = append(o.kept, i)
		}
	}
	return nil
}

// push reads a child's next row and puts it into the heap.
func (o *appendOp) push(p *partRow) error {
	row, err := o.children[p.child].next()
	if err != nil || row == nil {
		return err
	}
	p.row = row
	if p.key, _, err = o.keys.append(p.key[:0], row); err != nil {
		return err
	}
	heap.Push(&o.heap, p)
	return nil
}

func (o *appendOp) next() (types.Row, error) {
	if o.node.Order != nil {
		return o.merged()
	}
	for o.at < len(o.kept) {
		i := o.kept[o.at]
		row, err := o.children[i].next()
		if err != nil {
			return nil, err
		}
		if row != nil {
			return o.given(i, row), nil
		}
		if err := o.children[i].close(); err != nil {
			return nil, err
		}
		if o.at++; o.at < len(o.kept) {
			if err := o.children[o.kept[o.at]].open(); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func (o *appendOp) merged() (types.Row, error) {
	if o.last != nil {
		if err := o.push(o.last); err != nil {
			return nil, err
		}
		o.last = nil
	}
	if len(o.heap) == 0 {
		return nil, nil
	}
	o.last = heap.Pop(&o.heap).(*partRow)
	return o.given(o.last.child, o.last.row), nil
}

// given puts the leaf's number into a row's id; a partitioned child has done so.
func (o *appendOp) given(child int, row types.Row) types.Row {
	if at := o.node.RowID; at >= 0 && o.node.Parts[child].Below == nil {
		if id, ok := row[at].(int64); ok {
			row[at] = plan.LeafID(o.node.Parts[child].Number, types.RowID(id))
		}
	}
	return row
}

func (o *appendOp) report() [][2]string {
	if n := len(o.children) - len(o.kept); o.node.Prune != nil && n > 0 {
		return [][2]string{{"Subplans Removed", fmt.Sprint(n)}}
	}
	return nil
}

func (o *appendOp) close() error {
	var err error
	for _, c := range o.children {
		if cerr := c.close(); err == nil {
			err = cerr
		}
	}
	return err
}
