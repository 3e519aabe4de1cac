package run

import (
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// lockRowsOp is FOR UPDATE and the like. A row that somebody changed while its
// lock was waited for is read again and must still pass WHERE.
type lockRowsOp struct {
	base
	node  *plan.LockRows
	child operator
	out   types.Row
}

func (o *lockRowsOp) open() error { return o.child.open() }

func (o *lockRowsOp) next() (types.Row, error) {
	for {
		row, err := o.child.next()
		if err != nil || row == nil {
			return nil, err
		}
		if err := o.x.tick(); err != nil {
			return nil, err
		}
		o.out = append(o.out[:0], row...)
		ok, err := o.lock()
		if err != nil {
			return nil, err
		}
		if ok {
			return o.out, nil
		}
	}
}

// lock locks the row's parts and brings those that changed up to date.
func (o *lockRowsOp) lock() (bool, error) {
	for i := range o.node.Locks {
		spec := &o.node.Locks[i]
		id, ok := o.out[spec.RowID].(int64)
		if !ok {
			continue // the NULL side of an outer join
		}
		table, leaf, row := spec.Table, 0, types.RowID(id)
		if spec.Leaves != nil {
			leaf, row = plan.SplitID(id)
			table = spec.Leaves[leaf]
		}
		got, err := o.x.env.Rows.LockRow(o.x.live, table, row, spec.Strength, spec.Wait)
		if err != nil {
			return false, err
		}
		switch got.Outcome {
		case storage.LockDeleted, storage.LockSkipped:
			return false, nil
		case storage.LockChanged:
			copy(o.out[spec.Offset:spec.Offset+len(spec.Table.Columns)], got.Row)
			o.out[spec.RowID] = plan.LeafID(leaf, got.ID)
			if ok, err := o.x.test(spec.Recheck, o.out); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (o *lockRowsOp) close() error { return o.child.close() }
