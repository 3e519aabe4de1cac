package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// nestLoopOp joins by running the right child for each row of the left one.
type nestLoopOp struct {
	base
	node        *plan.NestLoop
	left, right operator
	nl          int
	out         types.Row
	current     types.Row // the left row under way
	matched     bool

	keep      bool  // right rows are kept and read again
	kept      spool // as far as they were read
	keptAll   bool
	rightOpen bool
	at        int
	hit       []bool // right rows that matched, for right and full joins
	tail      bool   // only unmatched right rows are left
	ended     bool
}

func newNestLoop(b base, n *plan.NestLoop) (*nestLoopOp, error) {
	o := &nestLoopOp{base: b, node: n, nl: rowWidth(n.Left)}
	o.keep = n.Kind == plan.RightOuter || n.Kind == plan.FullOuter || n.Materialize && len(n.Slots) == 0
	o.out = make(types.Row, o.nl+rowWidth(n.Right))
	o.kept = b.x.newSpool()
	var err error
	if o.left, err = b.x.build(n.Left); err != nil {
		return nil, err
	}
	o.right, err = b.x.build(n.Right)
	return o, err
}

func (o *nestLoopOp) open() error {
	o.current, o.tail, o.ended, o.keptAll, o.rightOpen = nil, false, false, false, false
	o.kept.reset()
	o.hit = o.hit[:0]
	return o.left.open()
}

func (o *nestLoopOp) next() (types.Row, error) {
	for !o.ended {
		if err := o.x.tick(); err != nil {
			return nil, err
		}
		if o.tail {
			return o.unmatchedRight()
		}
		if o.current == nil {
			more, err := o.nextLeft()
			if err != nil {
				return nil, err
			}
			if !more {
				o.tail, o.at = true, 0
				continue
			}
		}
		row, err := o.pair()
		if err != nil || row != nil {
			return row, err
		}
	}
	return nil, nil
}

// nextLeft takes a left row and starts the right side for it.
func (o *nestLoopOp) nextLeft() (bool, error) {
	row, err := o.left.next()
	if err != nil || row == nil {
		return false, err
	}
	o.current, o.matched, o.at = row, false, 0
	copy(o.out, row)
	if o.keep && o.rightOpen {
		return true, nil
	}
	if len(o.node.Slots) > 0 {
		if err := o.x.setSlots(o.node.Slots, o.node.Args, row); err != nil {
			return false, err
		}
	}
	o.rightOpen = true
	return true, o.right.open()
}

// pair looks at the next right row for the current left row.
func (o *nestLoopOp) pair() (types.Row, error) {
	right, err := o.nextRight()
	if err != nil {
		return nil, err
	}
	if right == nil {
		left := o.current
		o.current = nil
		if o.matched {
			return nil, nil
		}
		switch o.node.Kind {
		case plan.LeftOuter, plan.FullOuter:
			clear(o.out[o.nl:])
			return o.out, nil
		case plan.Anti:
			return left, nil
		}
		return nil, nil
	}
	copy(o.out[o.nl:], right)
	ok, err := o.x.test(o.node.Cond, o.out)
	if err != nil {
		return nil, err
	}
	if !ok {
		o.stats.Removed++
		return nil, nil
	}
	o.matched = true
	if o.hit != nil && o.keep && o.at <= len(o.hit) {
		o.hit[o.at-1] = true
	}
	switch o.node.Kind {
	case plan.Semi:
		left := o.current
		o.current = nil
		return left, nil
	case plan.Anti:
		o.current = nil
		return nil, nil
	}
	return o.out, nil
}

func (o *nestLoopOp) nextRight() (types.Row, error) {
	if !o.keep {
		return o.right.next()
	}
	if o.at < o.kept.len() {
		o.at++
		return o.kept.row(o.at - 1)
	}
	if o.keptAll {
		return nil, nil
	}
	row, err := o.right.next()
	if err != nil {
		return nil, err
	}
	if row == nil {
		o.keptAll = true
		return nil, nil
	}
	o.at++
	if o.outerRight() {
		o.hit = append(o.hit, false)
	}
	return row, o.kept.append(row)
}

func (o *nestLoopOp) outerRight() bool {
	return o.node.Kind == plan.RightOuter || o.node.Kind == plan.FullOuter
}

// unmatchedRight gives the right rows without a partner after all else.
func (o *nestLoopOp) unmatchedRight() (types.Row, error) {
	if !o.outerRight() {
		o.ended = true
		return nil, nil
	}
	if !o.rightOpen {
		o.rightOpen = true
		if err := o.right.open(); err != nil {
			return nil, err
		}
	}
	for {
		right, err := o.nextRight()
		if err != nil {
			return nil, err
		}
		if right == nil {
			o.ended = true
			return nil, nil
		}
		if !o.hit[o.at-1] {
			clear(o.out[:o.nl])
			copy(o.out[o.nl:], right)
			return o.out, nil
		}
	}
}

func (o *nestLoopOp) close() error {
	o.kept.free()
	return closeBoth(o.left, o.right)
}
