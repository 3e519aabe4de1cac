package run

import (
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// update changes the row that a child's row stands for.
func (o *modifyOp) update(input types.Row) error {
	id, ok, err := o.lockTarget(input)
	if err != nil || !ok {
		return err
	}
	old := copyRow(o.childRow[:o.width])
	row, err := o.assign(old, o.childRow, o.node.Set, o.node.Generated)
	if err != nil {
		return err
	}
	if given, ok := input[o.node.RowID].(int64); ok {
		o.done.add(given)
	}
	return o.replace(id, old, row, o.childRow)
}

// replace writes the new version of a locked row of the present table, which may
// belong into another partition: then the row is deleted here and inserted there.
func (o *modifyOp) replace(id types.RowID, old, row, input types.Row) error {
	from := o.table
	o.setDone(id)
	if err := o.route(row); err != nil {
		return err
	}
	if err := o.check(row); err != nil {
		return err
	}
	if o.table == from {
		newID, err := o.x.env.Rows.Update(o.x.live, o.table, id, old, row, o.x.env.Wait)
		if err != nil {
			return err
		}
		o.setDone(newID)
		if err := o.x.foreign.Written(o.own, old, row); err != nil {
			return err
		}
		o.x.foreign.Gone(o.referring, old, row)
		return o.finishRow(row, input)
	}
	if err := o.x.env.Rows.Delete(o.x.live, from, id, old); err != nil {
		return err
	}
	newID, _, err := o.x.env.Rows.Insert(o.x.live, o.table, row, storage.InsertOptions{Wait: o.x.env.Wait})
	if err != nil {
		return err
	}
	o.setDone(newID)
	return o.finishRow(row, input)
}

// markDone notes that a row has been dealt with, by the id the child gave and
// the one it has now.
func (o *modifyOp) markDone(input types.Row, id types.RowID) {
	o.setDone(id)
	if given, ok := input[o.node.RowID].(int64); ok {
		o.done.add(given)
	}
}
