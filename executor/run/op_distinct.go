package run

import (
	"bytes"
	"fmt"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// distinctOp removes duplicates: of sorted rows by comparing neighbours, of
// others by a hash table.
type distinctOp struct {
	base
	node   *plan.Distinct
	child  operator
	sorted bool
	keys   keyer
	key    []byte
	last   []byte
	any    bool

	table   groupTable
	pending pending
	reading *recordReader
	onFile  bool
	disk    int64
}

func newDistinct(b base, n *plan.Distinct, child operator) *distinctOp {
	o := &distinctOp{base: b, node: n, child: child}
	if n.On != nil {
		o.sorted = true
		o.keys = b.x.keysOf(n.On)
		return o
	}
	o.sorted = sortedByAll(n.Child)
	o.keys = b.x.rowKeys(n.Child.Common().Columns)
	return o
}

// sortedByAll says whether a node sorts by every one of its columns.
func sortedByAll(n plan.Node) bool {
	s, ok := n.(*plan.Sort)
	if !ok {
		return false
	}
	covered := make(map[int]bool)
	for _, k := range s.Keys {
		if c, ok := k.Expr.(*expr.Column); ok {
			covered[c.Index] = true
		}
	}
	return len(covered) == rowWidth(n)
}

func (o *distinctOp) open() error {
	o.release()
	o.any, o.onFile = false, false
	if !o.sorted {
		o.table = o.x.newGroupTable(0)
	}
	return o.child.open()
}

func (o *distinctOp) next() (types.Row, error) {
	if o.sorted {
		return o.nextSorted()
	}
	for !o.onFile {
		row, err := o.child.next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			o.onFile = true
			break
		}
		if o.key, _, err = o.keys.append(o.key[:0], row); err != nil {
			return nil, err
		}
		isNew, err := o.note(o.key, row)
		if err != nil {
			return nil, err
		}
		if isNew {
			return row, nil
		}
	}
	return o.nextSpilled()
}

func (o *distinctOp) nextSorted() (types.Row, error) {
	for {
		row, err := o.child.next()
		if err != nil || row == nil {
			return nil, err
		}
		if o.key, _, err = o.keys.append(o.key[:0], row); err != nil {
			return nil, err
		}
		if o.any && bytes.Equal(o.key, o.last) {
			continue
		}
		o.any = true
		o.key, o.last = o.last, o.key
		return row, nil
	}
}

// note says whether the key is new; a row that cannot be told yet is set aside.
func (o *distinctOp) note(key []byte, row types.Row) (bool, error) {
	_, isNew, kept := o.table.find(key)
	if !kept {
		return false, o.table.setAside(0, key, row)
	}
	return isNew, nil
}

func (o *distinctOp) nextSpilled() (types.Row, error) {
	for {
		if o.reading == nil {
			more, err := o.nextPartition()
			if err != nil || !more {
				return nil, err
			}
		}
		rec, ok, err := o.reading.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			o.reading.file.close()
			o.reading = nil
			continue
		}
		isNew, err := o.note(rec.key, rec.row)
		if err != nil {
			return nil, err
		}
		if isNew {
			return rec.row, nil
		}
	}
}

func (o *distinctOp) nextPartition() (bool, error) {
	o.disk += o.table.spilled()
	o.pending.push(o.table.parts.take())
	part, ok := o.pending.pop()
	if !ok {
		o.table = groupTable{}
		return false, nil
	}
	o.table = o.x.newGroupTable(part.level)
	r, err := newRecordReader(part.file)
	if err != nil {
		part.file.close()
		return false, err
	}
	o.reading = r
	return true, nil
}

func (o *distinctOp) release() {
	o.table.parts.free()
	o.pending.free()
	if o.reading != nil {
		o.reading.file.close()
		o.reading = nil
	}
	o.table = groupTable{}
}

func (o *distinctOp) close() error {
	o.release()
	return o.child.close()
}

func (o *distinctOp) report() [][2]string {
	if o.disk == 0 {
		return nil
	}
	return [][2]string{{"Disk Usage", fmt.Sprintf("%dkB", (o.disk+1023)/1024)}}
}
