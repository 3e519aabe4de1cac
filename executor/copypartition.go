package executor

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// copyParts divides the rows of a COPY among the partitions of its table.
type copyParts struct {
	// parts are those of a partitioned table; bounds are what the rows of a partition must keep.
	parts  *plan.Partitions
	bounds []plan.PartitionOf
	// checks are the constraints of leaves beyond the table's own.
	checks  map[types.OID][]plan.CheckExpr
	batches map[types.OID][]types.Row
}

// lockLeaves locks the tables that rows of a partitioned table go to.
func (p *portal) lockLeaves(table *catalog.Table) error {
	s := p.session
	if table.Partitioned == nil {
		return nil
	}
	for _, leaf := range s.Catalog().Leaves(table, nil) {
		if err := s.tx.txn.LockTable(p.ctx, leaf.ID, storage.LockRowExclusive, s.wait()); err != nil {
			return err
		}
	}
	return nil
}

// prepareParts reads the partitions of the table, or its own bounds.
func (c *copyIn) prepareParts() (err error) {
	env := c.portal.session.planEnv()
	if c.table.Partitioned == nil && c.table.Parent == 0 {
		return nil
	}
	c.parts = &copyParts{checks: map[types.OID][]plan.CheckExpr{}, batches: map[types.OID][]types.Row{}}
	if c.parts.bounds, err = plan.BoundsOf(env, c.table); err != nil || c.table.Partitioned == nil {
		return err
	}
	if c.parts.parts, err = plan.NewPartitions(env, c.table); err != nil {
		return err
	}
	for _, leaf := range c.parts.parts.Leaves(nil) {
		for _, k := range leaf.Checks {
			e, err := c.portal.session.tableExpr(leaf, k.Expr, expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod}, true)
			if err != nil {
				return err
			}
			c.parts.checks[leaf.ID] = append(c.parts.checks[leaf.ID], plan.CheckExpr{Name: k.Name, Cond: e})
		}
	}
	return nil
}

func (c *copyIn) evalRow(e expr.Expr, row types.Row) (types.Datum, error) {
	c.ctx.Row = row
	return e.Eval(&c.ctx)
}

// insertParts writes the batch to the partitions.
func (c *copyIn) insertParts() error {
	p := c.parts
	for _, b := range p.bounds {
		for _, row := range c.batch {
			if ok, err := b.Parts.Takes(c.evalRow, row, b.Child); err != nil {
				return err
			} else if !ok {
				return pgerr.Newf(pgerr.CheckViolation, "new row for relation %q violates partition constraint", c.table.Name).
					Of(c.table.Schema, c.table.Name, "", "")
			}
		}
	}
	if p.parts == nil {
		return c.insert(c.table, c.batch)
	}
	clear(p.batches)
	var leaves []*catalog.Table
	for _, row := range c.batch {
		part, err := p.parts.Route(c.evalRow, row)
		if err != nil {
			return err
		}
		if err := c.checkLeaf(part.Table, row); err != nil {
			return err
		}
		if p.batches[part.Table.ID] == nil {
			leaves = append(leaves, part.Table)
		}
		p.batches[part.Table.ID] = append(p.batches[part.Table.ID], row)
	}
	for _, leaf := range leaves {
		if err := c.insert(leaf, p.batches[leaf.ID]); err != nil {
			return err
		}
	}
	return nil
}

// checkLeaf tests a row by the constraints of its leaf.
func (c *copyIn) checkLeaf(leaf *catalog.Table, row types.Row) error {
	for _, col := range leaf.Live() {
		if col.NotNull && row[col.Num-1] == nil {
			return pgerr.Newf(pgerr.NotNullViolation, "null value in column %q of relation %q violates not-null constraint", col.Name, leaf.Name).
				Of(leaf.Schema, leaf.Name, col.Name, "")
		}
	}
	for _, check := range c.parts.checks[leaf.ID] {
		d, err := c.evalRow(check.Cond, row)
		if err != nil {
			return err
		}
		if d == false {
			return pgerr.Newf(pgerr.CheckViolation, "new row for relation %q violates check constraint %q", leaf.Name, check.Name).
				Of(leaf.Schema, leaf.Name, "", check.Name)
		}
	}
	return nil
}
