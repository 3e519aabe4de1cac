package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// inserting is an INSERT: modifying with the columns that it gives values for.
type inserting struct {
	*modifying
	t        *ast.Insert
	columns  []*catalog.Column
	explicit bool // the columns were written out
	defaults []expr.Expr
	bound    []bool // defaults that are bound
}

// insert plans an INSERT.
func (b *binder) insert(t *ast.Insert, s *scope) (Node, error) {
	m, err := b.modify("INSERT", t.Table, s)
	if err != nil {
		return nil, err
	}
	if err := b.with(m.s, t.With); err != nil {
		return nil, err
	}
	n := len(m.table.Columns)
	in := &inserting{modifying: m, t: t, defaults: make([]expr.Expr, n), bound: make([]bool, n)}
	if err := in.targets(); err != nil {
		return nil, err
	}
	if err := in.source(); err != nil {
		return nil, err
	}
	if err := in.fill(); err != nil {
		return nil, err
	}
	if err := in.constraints(); err != nil {
		return nil, err
	}
	if err := in.onConflict(); err != nil {
		return nil, err
	}
	out := &scope{ctes: m.s.ctes, rels: []*relation{tableRelation(m.table, m.alias, 0)}}
	out.rels[0].leaves = m.node.Leaves
	err = in.returning(t.Returning, out, unmovedExpr)
	in.leafPlaces(len(m.table.Columns))
	return m.node, err
}

// targets finds the columns that get values.
func (in *inserting) targets() error {
	in.explicit = len(in.t.Columns) > 0
	if !in.explicit {
		in.columns = in.table.Live()
		return nil
	}
	seen := map[int16]bool{}
	for i := range in.t.Columns {
		c, err := in.column(in.t.Columns[i].Name, in.t.Columns[i].Pos)
		if err != nil {
			return err
		}
		if seen[c.Num] {
			return pgerr.Newf(pgerr.DuplicateColumn, "column %q specified more than once", c.Name).At(in.t.Columns[i].Pos)
		}
		seen[c.Num] = true
		in.columns = append(in.columns, c)
	}
	return nil
}

// source plans where the rows come from.
func (in *inserting) source() error {
	q := in.t.Query
	switch {
	case q == nil: // DEFAULT VALUES
		in.columns = nil
		return in.values([][]ast.Expr{{}})
	case q.Values != nil && q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil:
		return in.values(q.Values)
	default:
		return in.query(q)
	}
}

// width checks the number of values against the columns.
func (in *inserting) width(n, pos int) error {
	if n > len(in.columns) {
		return pgerr.New(pgerr.SyntaxError, "INSERT has more expressions than target columns").At(pos)
	}
	if in.explicit && n < len(in.columns) {
		return pgerr.New(pgerr.SyntaxError, "INSERT has more target columns than expressions").At(in.t.Columns[n].Pos)
	}
	in.columns = in.columns[:n]
	return nil
}

// values makes one Values node whose rows are the table's, casts folded.
func (in *inserting) values(rows [][]ast.Expr) error {
	s := in.s
	s.level = &level{refused: "VALUES"}
	n := len(rows[0])
	if in.t.Query != nil {
		if err := in.width(n, in.firstPos(rows[0])); err != nil {
			return err
		}
	}
	v := &Values{Lists: make([][]expr.Expr, len(rows))}
	v.Columns, v.Rows, v.Cost = tableColumns(in.table), float64(len(rows)), float64(len(rows))*cpuTupleCost
	null := make([]expr.Expr, len(in.table.Columns))
	for i := range null {
		null[i] = &expr.Const{Typ: columnType(&in.table.Columns[i])}
	}
	cells := make([]expr.Expr, len(rows)*len(null))
	for i, row := range rows {
		if len(row) != n {
			return pgerr.New(pgerr.SyntaxError, "VALUES lists must all be the same length").At(in.firstPos(row))
		}
		list := cells[i*len(null) : (i+1)*len(null) : (i+1)*len(null)]
		copy(list, null)
		for k, e := range row {
			x, err := in.value(s, e, in.columns[k])
			if err != nil {
				return err
			}
			list[in.columns[k].Num-1] = x
		}
		v.Lists[i] = list
	}
	in.node.Child = v
	return nil
}

func (in *inserting) firstPos(row []ast.Expr) int {
	if len(row) == 0 {
		return 0
	}
	return positionOf(row[len(row)-1])
}

// value binds one value of a VALUES list.
func (in *inserting) value(s *scope, e ast.Expr, c *catalog.Column) (expr.Expr, error) {
	if _, ok := e.(*ast.Default); ok {
		d, err := in.defaultFor(c)
		return orNull(d, c), err
	}
	if err := in.insertable(c); err != nil {
		return nil, err
	}
	x, err := in.b.expr(s, e)
	if err != nil {
		return nil, err
	}
	if in.ignored(c) {
		d, err := in.defaultFor(c)
		return orNull(d, c), err
	}
	return in.assigned(x, c, positionOf(e))
}

// ignored says whether OVERRIDING USER VALUE puts the default in a value's place.
func (in *inserting) ignored(c *catalog.Column) bool {
	return c.Identity != 0 && in.t.Overriding == "USER"
}

// insertable refuses values for columns that only take their default.
func (in *inserting) insertable(c *catalog.Column) error {
	e := pgerr.Newf(generatedAlways, "cannot insert a non-DEFAULT value into column %q", c.Name)
	switch {
	case c.Generated != "":
		return e.WithDetail("Column %q is a generated column.", c.Name)
	case c.Identity == 'a' && in.t.Overriding == "":
		return e.WithDetail("Column %q is an identity column defined as GENERATED ALWAYS.", c.Name).
			WithHint("Use OVERRIDING SYSTEM VALUE to override.")
	}
	return nil
}

func (in *inserting) defaultFor(c *catalog.Column) (expr.Expr, error) {
	i := c.Num - 1
	if !in.bound[i] {
		e, err := in.b.defaultOf(in.table, c)
		if err != nil {
			return nil, err
		}
		in.defaults[i], in.bound[i] = e, true
	}
	return in.defaults[i], nil
}

// query plans INSERT … SELECT: the rows are put in the table's order.
func (in *inserting) query(q *ast.Select) error {
	s := &scope{ctes: in.s.ctes}
	for _, c := range in.columns {
		s.wants = append(s.wants, columnType(c))
	}
	n, err := in.b.queryIn(q, s)
	if err != nil {
		return err
	}
	cols := n.Common().Columns
	if err := in.width(len(cols), 0); err != nil {
		return err
	}
	p := &Project{Child: n, Exprs: make([]expr.Expr, len(in.table.Columns))}
	p.Columns, p.Rows, p.Startup, p.Cost = tableColumns(in.table), n.Common().Rows, n.Common().Startup, n.Common().Cost
	for i := range p.Exprs {
		p.Exprs[i] = &expr.Const{Typ: columnType(&in.table.Columns[i])}
	}
	for i, c := range in.columns {
		if err := in.insertable(c); err != nil {
			return err
		}
		var e expr.Expr = &expr.Column{Index: i, Typ: cols[i].Type, Name: cols[i].Name}
		if in.ignored(c) {
			d, err := in.defaultFor(c)
			if err != nil {
				return err
			}
			e = orNull(d, c)
		} else if e, err = in.assigned(e, c, in.outputPos(q, i)); err != nil {
			return err
		}
		p.Exprs[c.Num-1] = e
	}
	in.node.Child = p
	return nil
}

// outputPos is where output i of the query stands, 0 where that is not plain.
func (in *inserting) outputPos(q *ast.Select, i int) int {
	for n := range q.Targets {
		if c, ok := q.Targets[n].Expr.(*ast.ColumnRef); ok && c.Star {
			return 0
		}
	}
	if i < len(q.Targets) {
		return positionOf(q.Targets[i].Expr)
	}
	return 0
}

// fill gives the defaults of the columns without values.
func (in *inserting) fill() error {
	given := make([]bool, len(in.table.Columns))
	for _, c := range in.columns {
		given[c.Num-1] = true
	}
	out := make([]expr.Expr, len(in.table.Columns))
	any := false
	for i := range in.table.Columns {
		c := &in.table.Columns[i]
		if given[i] || c.Dropped || c.Generated != "" {
			continue
		}
		e, err := in.defaultFor(c)
		if err != nil {
			return err
		}
		out[i] = e
		any = any || e != nil
	}
	if any {
		in.node.Defaults = out
	}
	return nil
}
