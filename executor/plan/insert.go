package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
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
	return m.node, in.returning(t.Returning, out, unmovedExpr)
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

// onConflict binds ON CONFLICT.
func (in *inserting) onConflict() error {
	o := in.t.OnConflict
	if o == nil {
		return nil
	}
	spec := &ConflictSpec{DoUpdate: o.DoUpdate}
	var err error
	if spec.Arbiters, err = in.arbiters(o); err != nil {
		return err
	}
	in.node.Conflict = spec
	if !o.DoUpdate {
		return nil
	}
	width := len(in.table.Columns)
	s := &scope{ctes: in.s.ctes, width: 2 * width, level: &level{refused: "UPDATE"}}
	s.rels = []*relation{tableRelation(in.table, in.alias, 0), tableRelation(in.table, "excluded", width)}
	if spec.Set, err = in.setClauses(o.Set, s, unmovedExpr); err != nil {
		return err
	}
	if o.Where != nil {
		s.level.refused = "WHERE"
		w, err := in.b.condition(s, o.Where, "WHERE")
		if err != nil {
			return err
		}
		spec.Where = expr.Fold(in.b.env.Types, w)
	}
	return nil
}

// arbiters are the unique indexes that ON CONFLICT names; nil is all of them.
func (in *inserting) arbiters(o *ast.OnConflict) ([]types.OID, error) {
	indexes := in.b.env.Catalog.Indexes(in.table.ID)
	if o.Constraint != "" {
		for _, x := range indexes {
			if x.Name == o.Constraint && x.Constraint != 0 && x.Unique {
				return []types.OID{x.ID}, nil
			}
		}
		return nil, pgerr.Newf(pgerr.UndefinedObject, "constraint %q for table %q does not exist", o.Constraint, in.table.Name)
	}
	if len(o.Columns) == 0 {
		if o.DoUpdate {
			return nil, pgerr.New(pgerr.SyntaxError, "ON CONFLICT DO UPDATE requires inference specification or constraint name").
				WithHint("For example, ON CONFLICT (column_name).").At(o.Pos)
		}
		return nil, nil
	}
	want, err := in.inferred(o)
	if err != nil {
		return nil, err
	}
	var predicate []expr.Expr
	if o.InferWhere != nil {
		e, err := BindTableExpr(in.b.env, in.table, o.InferWhere, boolType, "ON CONFLICT")
		if err != nil {
			return nil, err
		}
		predicate = conjuncts(e)
	}
	var out []types.OID
	for _, x := range indexes {
		ok, err := in.arbitrates(x, want, predicate)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, x.ID)
		}
	}
	if len(out) == 0 {
		return nil, pgerr.New(pgerr.InvalidColumnReference, "there is no unique or exclusion constraint matching the ON CONFLICT specification")
	}
	return out, nil
}

// inferred binds the elements of the conflict target.
func (in *inserting) inferred(o *ast.OnConflict) ([]expr.Expr, error) {
	var out []expr.Expr
	for i := range o.Columns {
		e := &o.Columns[i]
		if e.Column != "" {
			c := in.table.Column(e.Column)
			if c == nil {
				return nil, pgerr.Newf(pgerr.UndefinedColumn, "column %q does not exist", e.Column).At(e.Pos)
			}
			out = append(out, &expr.Column{Index: int(c.Num) - 1, Typ: columnType(c), Name: c.Name})
			continue
		}
		x, err := BindTableExpr(in.b.env, in.table, e.Expr, expr.Type{}, "ON CONFLICT")
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// arbitrates says whether a unique index has exactly the wanted keys, and all
// the rows that the predicate selects.
func (in *inserting) arbitrates(x *catalog.Index, want, predicate []expr.Expr) (bool, error) {
	if !x.Unique || !x.Valid {
		return false, nil
	}
	for _, k := range x.Keys {
		e, err := in.indexKey(&k)
		if err != nil {
			return false, err
		}
		if !grouped(want, e) {
			return false, nil
		}
	}
	for _, w := range want {
		found := false
		for _, k := range x.Keys {
			e, err := in.indexKey(&k)
			if err != nil {
				return false, err
			}
			found = found || expr.Equal(w, e)
		}
		if !found {
			return false, nil
		}
	}
	if x.Predicate == "" {
		return true, nil
	}
	p, err := in.b.storedExpr(in.table, x.Predicate, boolType)
	if err != nil {
		return false, err
	}
	for _, c := range conjuncts(p) {
		if !grouped(predicate, c) {
			return false, nil
		}
	}
	return true, nil
}

func (in *inserting) indexKey(k *catalog.IndexKey) (expr.Expr, error) {
	if k.Column != 0 {
		c := &in.table.Columns[k.Column-1]
		return &expr.Column{Index: int(k.Column) - 1, Typ: columnType(c), Name: c.Name}, nil
	}
	return in.b.storedExpr(in.table, k.Expr, expr.Type{})
}
