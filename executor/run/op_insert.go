package run

import (
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// insert adds one row, or does what ON CONFLICT says.
func (o *modifyOp) insert(input types.Row) error {
	row := make(types.Row, o.width)
	copy(row, input)
	for i, e := range o.node.Defaults {
		if e == nil {
			continue
		}
		d, err := o.x.eval(e, nil)
		if err != nil {
			return err
		}
		row[i] = d
	}
	if err := o.generate(row, o.node.Generated); err != nil {
		return err
	}
	if err := o.route(row); err != nil {
		return err
	}
	if err := o.check(row); err != nil {
		return err
	}
	spec := o.node.Conflict
	opts := storage.InsertOptions{Wait: o.x.env.Wait}
	if spec != nil {
		opts.OnConflict, opts.Arbiters = true, o.arbiters(spec.Arbiters)
	}
	for {
		id, conflict, err := o.x.env.Rows.Insert(o.x.live, o.table, row, opts)
		if err != nil {
			return err
		}
		if conflict == nil {
			if spec != nil && spec.DoUpdate {
				o.setDone(id)
			}
			if err := o.x.foreign.Written(o.own, nil, row); err != nil {
				return err
			}
			return o.finishRow(row, input)
		}
		if !spec.DoUpdate {
			return nil
		}
		again, err := o.resolve(conflict, row, input)
		if err != nil || !again {
			return err
		}
		// The row in the way has gone meanwhile: the insert may succeed now.
		if err := o.x.canceled(); err != nil {
			return err
		}
	}
}

// resolve is DO UPDATE: again says that the conflicting row is no more.
func (o *modifyOp) resolve(conflict *storage.Conflict, row, input types.Row) (again bool, err error) {
	if o.isDone(conflict.ID) {
		return false, o.secondTime()
	}
	got, err := o.x.env.Rows.LockRow(o.x.live, o.table, conflict.ID, o.strength, o.x.env.Wait)
	if err != nil {
		return false, err
	}
	id := got.ID
	o.pair = append(append(o.pair[:0], make(types.Row, o.width)...), row...)
	switch got.Outcome {
	case storage.LockDeleted:
		return true, nil
	case storage.LockSkipped:
		return false, nil
	case storage.LockChanged:
		copy(o.pair[:o.width], got.Row)
	default:
		if id == 0 {
			id = conflict.ID
		}
		found, err := o.x.env.Rows.Get(o.x.live, o.table, id, o.all, o.pair[:o.width])
		if err != nil {
			return false, err
		}
		if !found {
			// Written by this very statement, whose writes it does not see.
			return false, o.secondTime()
		}
	}
	if o.isDone(id) {
		return false, o.secondTime()
	}
	return false, o.updateExisting(id, input)
}

func (o *modifyOp) secondTime() error {
	return pgerr.New(pgerr.CardinalityViolation, "ON CONFLICT DO UPDATE command cannot affect row a second time").
		WithHint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}

// updateExisting updates the locked row that stands in pair.
func (o *modifyOp) updateExisting(id types.RowID, input types.Row) error {
	spec := o.node.Conflict
	ok, err := o.x.test(spec.Where, o.pair)
	if err != nil || !ok {
		return err
	}
	generated := spec.Generated
	if generated == nil {
		generated = o.node.Generated
	}
	old := copyRow(o.pair[:o.width])
	row, err := o.assign(old, o.pair, spec.Set, generated)
	if err != nil {
		return err
	}
	from := o.table
	if err := o.route(row); err != nil {
		return err
	}
	if o.table != from {
		return pgerr.New(pgerr.FeatureNotSupported, "invalid ON UPDATE specification").
			WithDetail("The result tuple would appear in a different partition than the original tuple.")
	}
	return o.replace(id, old, row, input)
}

// arbiters are the indexes of the present leaf that stand for those of the
// partitioned table.
func (o *modifyOp) arbiters(list []types.OID) []types.OID {
	if o.node.Partitions == nil || list == nil {
		return list
	}
	snap := o.x.env.Session.Catalog()
	out := []types.OID{}
	for _, x := range snap.Indexes(o.table.ID) {
		for up := x; up != nil; {
			if slices.Contains(list, up.ID) {
				out = append(out, x.ID)
				break
			}
			up, _ = snap.Object(up.Parent).(*catalog.Index)
		}
	}
	return out
}
