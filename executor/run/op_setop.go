package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// setOp is UNION, INTERSECT and EXCEPT. All but UNION ALL count each distinct
// row on both sides; what the counts outgrow is set aside in partitions.
type setOp struct {
	base
	node        *plan.SetOp
	left, right operator
	onRight     bool
	keys        keyer
	key         []byte

	counted bool
	table   groupTable
	groups  []setGroup
	pending pending
	at      int   // group being given
	copies  int64 // further copies of it
}

// setGroup is one distinct row and how often it came from each side.
type setGroup struct {
	row   types.Row
	count [2]int64
}

func newSetOp(b base, n *plan.SetOp) (*setOp, error) {
	o := &setOp{base: b, node: n, keys: b.x.rowKeys(n.Left.Common().Columns)}
	var err error
	if o.left, err = b.x.build(n.Left); err != nil {
		return nil, err
	}
	o.right, err = b.x.build(n.Right)
	return o, err
}

func (o *setOp) open() error {
	o.release()
	o.onRight, o.counted, o.at, o.copies = false, false, 0, 0
	return o.left.open()
}

func (o *setOp) next() (types.Row, error) {
	if o.node.Op == "UNION" && o.node.All {
		_, row, err := o.pull()
		return row, err
	}
	if !o.counted {
		o.table = o.x.newGroupTable(0)
		if err := o.count(); err != nil {
			return nil, err
		}
		o.counted = true
	}
	for {
		if row := o.give(); row != nil {
			return row, nil
		}
		o.pending.push(o.table.parts.take())
		part, ok := o.pending.pop()
		if !ok {
			return nil, nil
		}
		if err := o.recount(part); err != nil {
			return nil, err
		}
	}
}

// pull reads the left child and then the right one.
func (o *setOp) pull() (side uint64, row types.Row, err error) {
	if !o.onRight {
		row, err := o.left.next()
		if err != nil || row != nil {
			return 0, row, err
		}
		if err := o.left.close(); err != nil {
			return 0, nil, err
		}
		o.onRight = true
		if err := o.right.open(); err != nil {
			return 0, nil, err
		}
	}
	row, err = o.right.next()
	return 1, row, err
}

func (o *setOp) count() error {
	for {
		side, row, err := o.pull()
		if err != nil || row == nil {
			return err
		}
		if o.key, _, err = o.keys.append(o.key[:0], row); err != nil {
			return err
		}
		if err := o.note(side, o.key, row); err != nil {
			return err
		}
	}
}

func (o *setOp) note(side uint64, key []byte, row types.Row) error {
	i, isNew, kept := o.table.find(key)
	if !kept {
		return o.table.setAside(side, key, row)
	}
	if isNew {
		o.groups = append(o.groups, setGroup{row: copyRow(row)})
		o.table.mem += rowBytes(row) + 40
	}
	o.groups[i].count[side]++
	return nil
}

func (o *setOp) recount(part partition) error {
	defer part.file.close()
	o.table = o.x.newGroupTable(part.level)
	clear(o.groups)
	o.groups, o.at, o.copies = o.groups[:0], 0, 0
	in, err := newRecordReader(part.file)
	if err != nil {
		return err
	}
	for {
		rec, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		if err := o.note(rec.tag, rec.key, rec.row); err != nil {
			return err
		}
	}
}

// give returns the next row of the groups counted so far.
func (o *setOp) give() types.Row {
	for o.copies == 0 {
		if o.at == len(o.groups) {
			return nil
		}
		o.copies = o.times(o.groups[o.at].count)
		o.at++
	}
	o.copies--
	return o.groups[o.at-1].row
}

// times is how often a row is in the result.
func (o *setOp) times(count [2]int64) int64 {
	n := int64(1)
	switch o.node.Op {
	case "INTERSECT":
		n = min(count[0], count[1])
	case "EXCEPT":
		n = max(count[0]-count[1], 0)
		if !o.node.All && count[1] > 0 {
			n = 0
		}
	}
	if !o.node.All {
		n = min(n, 1)
	}
	return n
}

func (o *setOp) release() {
	o.table.parts.free()
	o.pending.free()
	o.table, o.groups = groupTable{}, nil
}

func (o *setOp) close() error {
	o.release()
	return closeBoth(o.left, o.right)
}
