package run

import "github.com/akidb/akidb/internal/types"

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
	if err := o.check(row); err != nil {
		return err
	}
	newID, err := o.x.env.Rows.Update(o.x.live, o.table, id, old, row, o.x.env.Wait)
	if err != nil {
		return err
	}
	o.markDone(input, id)
	o.done[newID] = struct{}{}
	return o.finishRow(row, o.childRow)
}

// markDone notes that a row has been dealt with, by the id the child gave and
// the one it has now.
func (o *modifyOp) markDone(input types.Row, id types.RowID) {
	o.done[id] = struct{}{}
	if given, ok := input[o.node.RowID].(int64); ok {
		o.done[types.RowID(given)] = struct{}{}
	}
}
