package ddl

import (
	"context"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// rowChange makes new rows of old ones and tries them.
type rowChange struct {
	a         *alteration
	ec        *expr.Context
	ctx       context.Context
	added     []conversion // over no row
	identity  map[int16]types.OID
	generated []conversion // over the new row
	notNull   []int16
	checks    []boundCheck
	out       types.Row
}

type boundCheck struct {
	name string
	cond expr.Expr
}

// rowChange binds what the table's rows need.
func (a *alteration) rowChange(ctx context.Context) (*rowChange, error) {
	r := &rowChange{a: a, ec: a.s.context(ctx), ctx: ctx, identity: map[int16]types.OID{}, out: make(types.Row, len(a.table.Columns))}
	for _, name := range a.added {
		if err := r.addColumn(a.table.Column(name)); err != nil {
			return nil, err
		}
	}
	for _, c := range a.table.Live() {
		if c.Generated != "" && (r.isNew(c) || a.retypedUses(c)) {
			e, err := a.s.parse(a.table, c.Generated, typeOf(c), "column generation expressions")
			if err != nil {
				return nil, err
			}
			r.generated = append(r.generated, conversion{c.Num, e})
		}
		if c.NotNull && (r.isNew(c) || a.isConverted(c.Num) || a.becameNotNull(c.Name)) {
			r.notNull = append(r.notNull, c.Num)
		}
	}
	for _, name := range append(a.addedChecks, a.tried...) {
		k := check(a.table, name)
		if k == nil {
			continue
		}
		cond, err := a.s.parse(a.table, k.Expr, boolean, "check constraints")
		if err != nil {
			return nil, err
		}
		r.checks = append(r.checks, boundCheck{name, cond})
	}
	return r, nil
}

// addColumn binds the value of a new column.
func (r *rowChange) addColumn(c *catalog.Column) error {
	switch {
	case c == nil || c.Generated != "" || c.Missing != nil:
		return nil
	case c.Identity != 0:
		if q := identitySequence(r.a.s.catalog(), r.a.table, c); q != nil {
			r.identity[c.Num] = q.ID
		}
		return nil
	case c.Default == "" && c.Domain == 0:
		return nil
	}
	e, err := r.a.s.defaultValue(c)
	r.added = append(r.added, conversion{c.Num, e})
	return err
}

func (r *rowChange) isNew(c *catalog.Column) bool { return int(c.Num) > len(r.a.from.Columns) }

func (a *alteration) isConverted(num int16) bool {
	for _, c := range a.converted {
		if c.num == num {
			return true
		}
	}
	return false
}

func (a *alteration) becameNotNull(name string) bool { return contains(a.newNotNull, name) }

// retypedUses says whether a generated column is computed anew: its own type
// has changed (what it is computed from cannot).
func (a *alteration) retypedUses(c *catalog.Column) bool {
	for _, num := range a.retyped {
		if num == c.Num {
			return true
		}
	}
	return false
}

// row makes the new row; it is valid until the next call.
func (r *rowChange) row(old types.Row) (types.Row, error) {
	clear(r.out)
	copy(r.out, old)
	for _, c := range r.a.table.Columns[len(r.a.from.Columns):] {
		if c.Missing != nil {
			d, err := types.Parse(c.Type, c.Typmod, *c.Missing, types.DefaultEnv())
			if err != nil {
				return nil, err
			}
			r.out[c.Num-1] = d
		}
	}
	for num, q := range r.identity {
		v, err := r.a.s.Run.Session.NextValue(r.ctx, q)
		if err != nil {
			return nil, err
		}
		r.out[num-1] = v
	}
	for _, step := range []struct {
		row  types.Row
		list []conversion
	}{{old, r.a.converted}, {nil, r.added}, {r.out, r.generated}} {
		r.ec.Row = step.row
		for _, c := range step.list {
			d, err := c.value.Eval(r.ec)
			if err != nil {
				return nil, err
			}
			r.out[c.num-1] = d
		}
	}
	return r.out, r.try(r.out)
}

// try demands that a row keeps the new constraints.
func (r *rowChange) try(row types.Row) error {
	t := r.a.table
	for _, num := range r.notNull {
		if row[num-1] == nil {
			return containsNulls(t, t.Columns[num-1].Name)
		}
	}
	r.ec.Row = row
	for _, k := range r.checks {
		d, err := k.cond.Eval(r.ec)
		if err != nil {
			return err
		}
		if d == false {
			return pgerr.Newf(pgerr.CheckViolation, `check constraint "%s" of relation "%s" is violated by some row`, k.name, t.Name).
				Of(t.Schema, t.Name, "", k.name)
		}
	}
	return nil
}

// rewriteRows writes every row anew. Missing values are written too, so that
// the new descriptor has none.
func (a *alteration) rewriteRows(ctx context.Context) error {
	r, err := a.rowChange(ctx)
	if err != nil {
		return err
	}
	bare := a.table.Clone()
	for i := range bare.Columns {
		bare.Columns[i].Missing = nil
	}
	if err := a.s.Txn.Change(ctx, catalog.Put(bare)); err != nil {
		return err
	}
	if err := a.s.Txn.Rewrite(ctx, a.from, bare, r.row); err != nil {
		return err
	}
	a.table = bare
	return nil
}

// tryRows tries the rows that stay as they are, if anything is new for them.
func (a *alteration) tryRows(ctx context.Context) error {
	r, err := a.rowChange(ctx)
	if err != nil || len(r.notNull) == 0 && len(r.checks) == 0 {
		return err
	}
	columns := append([]int16(nil), r.notNull...)
	for _, k := range r.checks {
		columns = append(columns, columnsOf(k.cond)...)
	}
	return a.s.eachRow(ctx, a.table, columns, r.try)
}
