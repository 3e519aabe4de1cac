package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/sql/ast"
)

// changing is an UPDATE or DELETE: the target table joined with what FROM or
// USING adds.
type changing struct {
	*modifying
	f      *fromBinder
	target *leaf
	where  []expr.Expr
	sel    *selecting // what binds WHERE
}

// change binds the target and the other items.
func (b *binder) change(op string, r *ast.RangeVar, with *ast.With, items []ast.FromItem, where ast.Expr, s *scope) (*changing, error) {
	m, err := b.modify(op, r, s)
	if err != nil {
		return nil, err
	}
	if err := b.with(m.s, with); err != nil {
		return nil, err
	}
	m.s.level = &level{}
	c := &changing{modifying: m, f: &fromBinder{b: b, s: m.s, tree: &fromTree{}}}
	rel := tableRelation(m.table, m.alias, 0)
	rel.leaves = m.node.Leaves
	part, err := c.f.leaf(&leaf{rel: rel, table: m.table, wantID: true}, r.Alias)
	if err != nil {
		return nil, err
	}
	c.target = part.tree.leaf
	c.f.tree.root, m.s.rels, m.s.star = part.tree, part.rels, part.star
	if err := c.f.add(items); err != nil {
		return nil, err
	}
	c.sel = &selecting{b: b, s: m.s, from: c.f.tree, rechecks: true}
	if err := c.sel.bindWhere(where); err != nil {
		return nil, err
	}
	c.where = c.sel.where
	return c, nil
}

// source plans the join; its row begins with the target's row and its row id.
// reads are further expressions that are computed of it.
func (c *changing) source(reads []expr.Expr) (*joined, error) {
	p := &joiner{b: c.b, leaves: c.f.tree.leaves, width: c.s.width, need: make([]bool, c.s.width)}
	p.owner = owners(p.leaves, p.width)
	for _, e := range append(append(reads, c.where...), c.sel.again...) {
		p.markNeeded(e)
	}
	p.markTree(c.f.tree.root)
	c.markTarget(p)
	part := c.sel.noRows(p)
	if !never(c.where) {
		p.reduce(c.f.tree.root, p.allNeed(c.where))
		var err error
		if part, err = p.plan(c.f.tree.root, c.where); err != nil {
			return nil, err
		}
	}
	part = c.targetFirst(part)
	c.node.Child = part.node
	c.node.RowID = int(part.at[c.target.rowID()])
	if recheck := c.sel.recheck(); len(recheck) > 0 {
		c.node.Recheck = part.place(andOf(recheck))
	}
	if len(part.node.Common().Columns) > c.node.RowID+1 {
		c.node.OtherOffset = c.node.RowID + 1
	}
	return part, nil
}

// markTarget reads all columns of rows that are likely to be changed; where
// many are only looked at, the rest of a row is read when it is changed.
func (c *changing) markTarget(p *joiner) {
	p.need[c.target.rowID()] = true
	if len(c.where) > 0 && !c.keyed(p) {
		return
	}
	for i := range c.table.Columns {
		col := &c.table.Columns[i]
		if !col.Dropped && !(c.node.Op == "DELETE" && isVectorType(col.Type)) {
			p.need[i] = true
		}
	}
}

// keyed says whether a condition compares the first column of an index.
func (c *changing) keyed(p *joiner) bool {
	for _, w := range c.where {
		call, ok := w.(*expr.Call)
		if !ok || call.Operator != "=" {
			continue
		}
		for _, a := range call.Args {
			col, ok := a.(*expr.Column)
			if !ok || p.owner[col.Index] != int16(c.target.index) {
				continue
			}
			for _, x := range c.b.env.Catalog.Indexes(c.table.ID) {
				if x.Method == "btree" && int(x.Keys[0].Column) == col.Index+1 {
					return true
				}
			}
		}
	}
	return false
}

// targetFirst brings the target's row to the front of the joined row, its row
// id behind it.
func (c *changing) targetFirst(part *joined) *joined {
	width := len(c.table.Columns)
	if int(part.at[c.target.rowID()]) == width && (width == 0 || part.at[0] == 0) {
		return part
	}
	in := part.node.Common()
	p := &Project{Child: part.node}
	moved := make([]int32, len(in.Columns)) // physical place before: after
	for i := range moved {
		moved[i] = -1
	}
	take := func(from int) {
		moved[from] = int32(len(p.Exprs))
		col := in.Columns[from]
		p.Exprs = append(p.Exprs, &expr.Column{Index: from, Typ: col.Type, Name: col.Name})
		p.Columns = append(p.Columns, col)
	}
	for i := range width {
		take(int(part.at[i]))
	}
	take(int(part.at[c.target.rowID()]))
	for i := range in.Columns {
		if moved[i] < 0 {
			take(i)
		}
	}
	p.Rows, p.Startup, p.Cost = in.Rows, in.Startup, in.Cost
	out := &joined{node: p, set: part.set, at: make([]int32, len(part.at))}
	for i, at := range part.at {
		out.at[i] = -1
		if at >= 0 {
			out.at[i] = moved[at]
		}
	}
	return out
}

// place moves expressions over the child's row to the row of RETURNING: the
// target's row and then what stands from OtherOffset.
func (c *changing) returnPlace(part *joined) func(expr.Expr) expr.Expr {
	shift := c.node.OtherOffset - len(c.table.Columns)
	return func(e expr.Expr) expr.Expr {
		return expr.Rewrite(part.place(e), func(x expr.Expr) expr.Expr {
			col, ok := x.(*expr.Column)
			if !ok || c.node.OtherOffset == 0 || col.Index < c.node.OtherOffset {
				return x
			}
			return &expr.Column{Index: col.Index - shift, Typ: col.Typ, Name: col.Name}
		})
	}
}

// update plans an UPDATE.
func (b *binder) update(t *ast.Update, s *scope) (Node, error) {
	c, err := b.change("UPDATE", t.Table, t.With, t.From, t.Where, s)
	if err != nil {
		return nil, err
	}
	c.s.level.refused = "UPDATE"
	set, err := c.setClauses(t.Set, c.s, unmovedExpr)
	if err != nil {
		return nil, err
	}
	reads := make([]expr.Expr, 0, len(set))
	for _, a := range set {
		reads = append(reads, a.Value)
	}
	if err := c.constraints(); err != nil {
		return nil, err
	}
	return c.end(set, reads, t.Returning)
}

// delete plans a DELETE.
func (b *binder) delete(t *ast.Delete, s *scope) (Node, error) {
	c, err := b.change("DELETE", t.Table, t.With, t.Using, t.Where, s)
	if err != nil {
		return nil, err
	}
	return c.end(nil, nil, t.Returning)
}

// end plans the join and binds RETURNING, whose columns the join must read.
func (c *changing) end(set []Assignment, reads []expr.Expr, returning []ast.Target) (Node, error) {
	m := c.node
	m.Child = oneRow()
	if err := c.returning(returning, c.s, unmovedExpr); err != nil {
		return nil, err
	}
	part, err := c.source(append(reads, m.Returning...))
	if err != nil {
		return nil, err
	}
	for i := range set {
		set[i].Value = part.place(set[i].Value)
	}
	m.Set = set
	move := c.returnPlace(part)
	for i, e := range m.Returning {
		m.Returning[i] = move(e)
	}
	width := len(m.Table.Columns)
	if m.OtherOffset > 0 {
		width += len(m.Child.Common().Columns) - m.OtherOffset
	}
	c.leafPlaces(width)
	in := m.Child.Common()
	m.Startup, m.Cost = in.Startup, in.Cost
	if m.Returning != nil {
		m.Rows = in.Rows
	}
	return m, nil
}
