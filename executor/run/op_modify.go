package run

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// modifyOp is INSERT, UPDATE and DELETE. It does everything at its first row
// and keeps what RETURNING gives, so that a client that stops reading leaves
// no statement half done.
type modifyOp struct {
	base
	node  *plan.ModifyTable
	child operator
	// table is the one that the present row lies in: of a partitioned table the
	// leaf, whose number is leaf.
	table    *catalog.Table
	leaf     int
	width    int
	all      []int16 // the attnums of all live columns
	affected int64
	ran      bool

	// done are the ids (plan.LeafID) of rows that this statement wrote or deleted:
	// each row is changed once.
	done doneSet
	// incomplete says that the child does not read all of the target's columns.
	incomplete bool
	strength   storage.RowLock
	childRow   types.Row // the child's row with the target's part brought up to date
	pair       types.Row // ON CONFLICT: existing ++ excluded

	// own are the table's foreign keys and referring those that refer to it.
	own, referring []*Foreign

	returned spool
	retRow   types.Row
	out      types.Row
	at       int
}

func newModify(b base, n *plan.ModifyTable) (*modifyOp, error) {
	o := &modifyOp{base: b, node: n, table: n.Table, width: len(n.Table.Columns), returned: b.x.newSpool()}
	for i := range n.Table.Columns {
		if c := &n.Table.Columns[i]; !c.Dropped {
			o.all = append(o.all, c.Num)
		}
	}
	if n.Op != "INSERT" {
		o.incomplete = !readsAll(n.Child, n.Table, n.Op == "DELETE")
		for _, leaf := range n.Leaves {
			o.incomplete = o.incomplete || !readsAll(n.Child, leaf, n.Op == "DELETE")
		}
	}
	o.strength = o.lockStrength()
	if s := b.x.env.Session; s != nil && s.Catalog() != nil {
		var err error
		if o.own, o.referring, err = ForeignKeys(s.Catalog(), n.Table); err != nil {
			return nil, err
		}
	}
	child, err := b.x.build(n.Child)
	o.child = child
	return o, err
}

// lockStrength is PostgreSQL's: an UPDATE that leaves all unique keys alone
// does not stand in the way of FOR KEY SHARE.
func (o *modifyOp) lockStrength() storage.RowLock {
	sets := o.node.Set
	if o.node.Op == "INSERT" && o.node.Conflict != nil {
		sets = o.node.Conflict.Set
	}
	if o.node.Op == "DELETE" || o.x.env.Session == nil {
		return storage.ForUpdate
	}
	snap := o.x.env.Session.Catalog()
	if snap == nil {
		return storage.ForUpdate
	}
	set := make(map[int16]bool, len(sets))
	for _, a := range sets {
		set[a.Column] = true
	}
	for _, x := range snap.Indexes(o.table.ID) {
		for i := range x.Keys {
			if x.Unique && (x.Keys[i].Column == 0 || set[x.Keys[i].Column]) {
				return storage.ForUpdate
			}
		}
	}
	return storage.ForNoKeyUpdate
}

// readsAll says whether every scan of the table below n reads all its columns;
// a DELETE needs no vectors, which are not part of btree keys.
func readsAll(n plan.Node, table *catalog.Table, withoutVectors bool) bool {
	found := false
	for _, s := range scansOf(n, nil) {
		t, cols := scanned(s)
		if t.ID != table.ID {
			continue
		}
		found = true
		have := make(map[int16]bool, len(cols))
		for _, c := range cols {
			have[c] = true
		}
		for i := range table.Columns {
			c := &table.Columns[i]
			if !c.Dropped && !have[c.Num] && !(withoutVectors && isVector(c.Type)) {
				return false
			}
		}
	}
	return found
}

func isVector(oid types.OID) bool {
	return oid == types.VectorOID || oid == types.HalfVecOID || oid == types.SparseVecOID
}

func scanned(n plan.Node) (*catalog.Table, []int16) {
	switch n := n.(type) {
	case *plan.SeqScan:
		return n.Table, n.Cols
	case *plan.IndexScan:
		return n.Table, n.Cols
	case *plan.KNN:
		return n.Table, n.Cols
	}
	return nil, nil
}

// enter makes the leaf that a row id names the present table.
func (o *modifyOp) enter(id int64) types.RowID {
	leaf, row := plan.SplitID(id)
	if o.node.Leaves != nil {
		o.leaf, o.table = leaf, o.node.Leaves[leaf]
	}
	return row
}

// route makes the leaf of a new row the present table, and tests that the row of a
// partition is one of its own.
func (o *modifyOp) route(row types.Row) error {
	for _, b := range o.node.Bounds {
		ok, err := b.Parts.Takes(o.x.eval, row, b.Child)
		if err != nil {
			return err
		}
		if !ok {
			return pgerr.Newf(pgerr.CheckViolation, "new row for relation \"%s\" violates partition constraint", o.node.Table.Name).
				WithDetail("%s", o.failingRow(row)).Of(o.node.Table.Schema, o.node.Table.Name, "", "")
		}
	}
	if o.node.Partitions == nil {
		return nil
	}
	part, err := o.node.Partitions.Route(o.x.eval, row)
	if err != nil {
		return err
	}
	o.leaf, o.table = part.Number, part.Table
	return nil
}

func (o *modifyOp) isDone(id types.RowID) bool {
	return o.done.has(plan.LeafID(o.leaf, id))
}

func (o *modifyOp) setDone(id types.RowID) { o.done.add(plan.LeafID(o.leaf, id)) }

// scansOf lists the table scans of a tree that a row can come from unchanged.
func scansOf(n plan.Node, out []plan.Node) []plan.Node {
	switch n := n.(type) {
	case *plan.SeqScan, *plan.IndexScan, *plan.KNN:
		return append(out, n)
	case *plan.Append:
		for _, c := range n.Children {
			out = scansOf(c, out)
		}
		return out
	case *plan.NestLoop:
		return scansOf(n.Right, scansOf(n.Left, out))
	case *plan.HashJoin:
		return scansOf(n.Right, scansOf(n.Left, out))
	case *plan.Filter, *plan.Project, *plan.Sort, *plan.Limit, *plan.Distinct, *plan.LockRows:
		return scansOf(onlyChild(n), out)
	}
	return out
}

func (o *modifyOp) open() error {
	o.at = 0
	return nil
}

func (o *modifyOp) next() (types.Row, error) {
	if !o.ran {
		o.ran = true
		if err := o.run(); err != nil {
			return nil, err
		}
	}
	if o.at == o.returned.len() {
		return nil, nil
	}
	o.at++
	return o.returned.row(o.at - 1)
}

func (o *modifyOp) run() error {
	step := o.insert
	switch o.node.Op {
	case "UPDATE":
		step = o.update
	case "DELETE":
		step = o.delete
	}
	if err := o.child.open(); err != nil {
		return err
	}
	for {
		row, err := o.child.next()
		if err != nil {
			return err
		}
		if row == nil {
			return o.child.close()
		}
		if err := o.x.tick(); err != nil {
			return err
		}
		if err := step(row); err != nil {
			return err
		}
	}
}

// lockTarget locks the row that a child's row stands for and brings it up to
// date; false when it is to be left alone.
func (o *modifyOp) lockTarget(row types.Row) (types.RowID, bool, error) {
	n, ok := row[o.node.RowID].(int64)
	if !ok {
		return 0, false, nil // the NULL side of an outer join
	}
	if o.done.has(n) {
		return 0, false, nil
	}
	id := o.enter(n)
	got, err := o.x.env.Rows.LockRow(o.x.live, o.table, id, o.strength, o.x.env.Wait)
	if err != nil {
		return 0, false, err
	}
	o.childRow = append(o.childRow[:0], row...)
	switch got.Outcome {
	case storage.LockDeleted, storage.LockSkipped:
		return 0, false, nil
	case storage.LockChanged:
		if o.isDone(got.ID) {
			return 0, false, nil
		}
		copy(o.childRow[:o.width], got.Row)
		o.childRow[o.node.RowID] = plan.LeafID(o.leaf, got.ID)
		ok, err := o.x.test(o.node.Recheck, o.childRow)
		return got.ID, ok, err
	}
	if o.incomplete {
		found, err := o.x.env.Rows.Get(o.x.live, o.table, id, o.all, o.childRow[:o.width])
		return id, found, err
	}
	return id, true, nil
}

// assign computes a new table row: old with the assignments, whose expressions
// are over input.
func (o *modifyOp) assign(old, input types.Row, sets, generated []plan.Assignment) (types.Row, error) {
	row := make(types.Row, o.width)
	copy(row, old)
	for i := range sets {
		d, err := o.x.eval(sets[i].Value, input)
		if err != nil {
			return nil, err
		}
		row[sets[i].Column-1] = d
	}
	return row, o.generate(row, generated)
}

// generate computes generated columns over the row itself.
func (o *modifyOp) generate(row types.Row, generated []plan.Assignment) error {
	for i := range generated {
		d, err := o.x.eval(generated[i].Value, row)
		if err != nil {
			return err
		}
		row[generated[i].Column-1] = d
	}
	return nil
}

// check enforces NOT NULL and CHECK.
func (o *modifyOp) check(row types.Row) error {
	for i := range o.table.Columns {
		c := &o.table.Columns[i]
		if c.NotNull && !c.Dropped && row[i] == nil {
			return pgerr.Newf(pgerr.NotNullViolation,
				"null value in column \"%s\" of relation \"%s\" violates not-null constraint", c.Name, o.table.Name).
				WithDetail("%s", o.failingRow(row)).Of(o.table.Schema, o.table.Name, c.Name, "")
		}
	}
	if err := o.checkAll(row, o.node.Checks); err != nil || o.node.LeafChecks == nil {
		return err
	}
	return o.checkAll(row, o.node.LeafChecks[o.leaf])
}

func (o *modifyOp) checkAll(row types.Row, checks []plan.CheckExpr) error {
	for i := range checks {
		c := &checks[i]
		d, err := o.x.eval(c.Cond, row)
		if err != nil {
			return err
		}
		if d == false {
			return pgerr.Newf(pgerr.CheckViolation,
				"new row for relation \"%s\" violates check constraint \"%s\"", o.table.Name, c.Name).
				WithDetail("%s", o.failingRow(row)).Of(o.table.Schema, o.table.Name, "", c.Name)
		}
	}
	return nil
}

// maxFailingField is how much of a value PostgreSQL shows in a message.
const maxFailingField = 64

func (o *modifyOp) failingRow(row types.Row) string {
	b := []byte("Failing row contains (")
	first := true
	for i := range o.table.Columns {
		c := &o.table.Columns[i]
		if c.Dropped {
			continue
		}
		if !first {
			b = append(b, ", "...)
		}
		first = false
		if row[i] == nil {
			b = append(b, "null"...)
			continue
		}
		b = append(b, clip(types.FormatString(c.Type, row[i], o.x.env.Types))...)
	}
	return string(append(b, ")."...))
}

func clip(s string) string {
	if len(s) <= maxFailingField {
		return s
	}
	n := maxFailingField
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "..."
}

// finishRow counts a row and keeps what RETURNING makes of it.
func (o *modifyOp) finishRow(row, childRow types.Row) error {
	o.affected++
	if o.node.Returning == nil {
		return nil
	}
	o.retRow = append(o.retRow[:0], row[:o.width]...)
	if from := o.node.OtherOffset; from > 0 && from < len(childRow) {
		o.retRow = append(o.retRow, childRow[from:]...)
	}
	if o.node.LeafPlace > 0 {
		o.retRow = append(o.retRow[:o.node.LeafPlace], int64(o.table.ID))
	}
	if o.out == nil {
		o.out = make(types.Row, len(o.node.Returning))
	}
	for i, e := range o.node.Returning {
		if c, ok := e.(*expr.Column); ok {
			o.out[i] = o.retRow[c.Index]
			continue
		}
		d, err := o.x.eval(e, o.retRow)
		if err != nil {
			return err
		}
		o.out[i] = d
	}
	return o.returned.append(o.out)
}

func (o *modifyOp) close() error {
	o.returned.free()
	return o.child.close()
}
