package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// recursiveOp is WITH RECURSIVE: the left child's rows are the first working
// table; the right child runs over the working table and makes the next one,
// until one is empty. Rows are given as they come.
type recursiveOp struct {
	base
	node        *plan.RecursiveUnion
	left, right operator
	working     spool
	coming      spool
	onRight     bool
	seen        map[string]struct{}
	keys        keyer
	key         []byte
}

func newRecursive(b base, n *plan.RecursiveUnion) (*recursiveOp, error) {
	o := &recursiveOp{base: b, node: n, working: b.x.newSpool(), coming: b.x.newSpool()}
	if b.x.unions == nil {
		b.x.unions = make(map[*plan.RecursiveUnion]*recursiveOp)
	}
	b.x.unions[n] = o
	o.keys = b.x.rowKeys(n.Columns)
	var err error
	if o.left, err = b.x.build(n.Left); err != nil {
		return nil, err
	}
	o.right, err = b.x.build(n.Right)
	return o, err
}

func (o *recursiveOp) open() error {
	o.onRight = false
	o.working.reset()
	o.coming.reset()
	if o.node.Distinct {
		o.seen = make(map[string]struct{})
	}
	return o.left.open()
}

func (o *recursiveOp) next() (types.Row, error) {
	for {
		if err := o.x.tick(); err != nil {
			return nil, err
		}
		row, err := o.pull()
		if err != nil {
			return nil, err
		}
		if row == nil {
			more, err := o.turn()
			if err != nil || !more {
				return nil, err
			}
			continue
		}
		if o.node.Distinct {
			isNew, err := o.note(row)
			if err != nil {
				return nil, err
			}
			if !isNew {
				continue
			}
		}
		return row, o.coming.append(row)
	}
}

func (o *recursiveOp) pull() (types.Row, error) {
	if o.onRight {
		return o.right.next()
	}
	return o.left.next()
}

// turn makes the rows that came the working table and starts the next step.
func (o *recursiveOp) turn() (more bool, err error) {
	if o.coming.len() == 0 {
		return false, nil
	}
	o.working, o.coming = o.coming, o.working
	o.coming.reset()
	o.onRight = true
	return true, o.right.open()
}

func (o *recursiveOp) note(row types.Row) (isNew bool, err error) {
	if o.key, _, err = o.keys.append(o.key[:0], row); err != nil {
		return false, err
	}
	if _, ok := o.seen[string(o.key)]; ok {
		return false, nil
	}
	o.seen[string(o.key)] = struct{}{}
	return true, nil
}

func (o *recursiveOp) close() error {
	o.working.free()
	o.coming.free()
	return closeBoth(o.left, o.right)
}

func closeBoth(a, b operator) error {
	err := a.close()
	if berr := b.close(); err == nil {
		err = berr
	}
	return err
}

// workTableOp reads the working table of the recursion around it.
type workTableOp struct {
	base
	node *plan.WorkTableScan
	at   int
}

func (o *workTableOp) open() error {
	o.at = 0
	return nil
}

func (o *workTableOp) next() (types.Row, error) {
	if err := o.x.tick(); err != nil {
		return nil, err
	}
	table := &o.x.unions[o.node.Table].working
	if o.at == table.len() {
		return nil, nil
	}
	o.at++
	return table.row(o.at - 1)
}

func (o *workTableOp) close() error { return nil }
