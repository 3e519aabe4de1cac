package plan

import (
	"maps"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

const invalidRecursion = "42P19"

// with binds a WITH clause: its queries become visible in s by name.
func (b *binder) with(s *scope, w *ast.With) error {
	if w == nil {
		return nil
	}
	s.ctes = maps.Clone(s.ctes)
	if s.ctes == nil {
		s.ctes = map[string]*cteBinding{}
	}
	seen := map[string]bool{}
	for i := range w.CTEs {
		c := &w.CTEs[i]
		if seen[c.Name] {
			return pgerr.Newf(pgerr.DuplicateAlias, "WITH query name %q specified more than once", c.Name).At(c.Pos)
		}
		seen[c.Name] = true
		bound, err := b.cte(s, c, w.Recursive)
		if err != nil {
			return err
		}
		s.ctes[c.Name] = bound
	}
	return nil
}

// cte binds one WITH query.
func (b *binder) cte(s *scope, c *ast.CTE, recursive bool) (*cteBinding, error) {
	q, ok := c.Query.(*ast.Select)
	switch {
	case !ok:
		return b.modifyingCTE(s, c)
	case recursive && refers(q, c.Name):
		return b.recursiveCTE(s, c, q)
	}
	out := &cteBinding{name: c.Name, home: s, visible: maps.Clone(s.ctes), renamed: c.Columns}
	repeatable := !isVolatile(q)
	if c.Materialized != "always" && repeatable && b.references(c.Name) == 1 {
		out.inline = q
		return out, nil
	}
	inner, link := cteScope(s)
	n, err := b.queryIn(q, inner)
	if err != nil {
		return nil, err
	}
	if correlated := joinLink(s, link); correlated {
		if !repeatable {
			return nil, pgerr.Unsupported("a volatile WITH query that reads columns of an outer query").At(c.Pos)
		}
		out.inline = q
		return out, nil
	}
	return out, b.keepCTE(out, n, c)
}

// cteScope is where a WITH query is bound: it sees what is outside the level. Its
// link tells whether it reads columns of outer levels.
func cteScope(s *scope) (*scope, *link) {
	l := &link{params: map[int]bool{}}
	if s.link != nil {
		l.slots, l.args = s.link.slots, s.link.args
	}
	return &scope{outer: s.outer, link: l, ctes: s.ctes}, l
}

// joinLink adds what a WITH query reads of outer levels to its level's link.
func joinLink(s *scope, l *link) (correlated bool) {
	if s.link == nil {
		return false
	}
	s.link.slots, s.link.args = l.slots, l.args
	maps.Copy(s.link.params, l.params)
	return len(l.params) > 0
}

// keepCTE makes a WITH query one that is computed once.
func (b *binder) keepCTE(out *cteBinding, n Node, c *ast.CTE) error {
	cols := plainColumns(n.Common().Columns)
	if err := renameCTE(c.Name, cols, c.Columns); err != nil {
		return at(err, c.Pos)
	}
	for i, from := range n.Common().Columns {
		cols[i].Table, cols[i].Attnum = from.Table, from.Attnum
	}
	out.columns, out.rows = cols, n.Common().Rows
	out.index = len(b.plan.CTEs)
	_, modifies := n.(*ModifyTable)
	b.plan.CTEs = append(b.plan.CTEs, &CTE{Name: c.Name, Root: n, Columns: cols, Modifies: modifies})
	return nil
}

func renameCTE(name string, cols []Column, names []string) error {
	if len(names) > len(cols) {
		return pgerr.Newf(pgerr.InvalidColumnReference, "WITH query %q has %d columns available but %d columns specified", name, len(cols), len(names))
	}
	for i, n := range names {
		cols[i].Name = n
	}
	return nil
}

// references counts how often the statement names a relation.
func (b *binder) references(name string) int {
	if b.names == nil {
		b.names = map[string]int{}
		ast.Walk(b.stmt, func(n any) bool {
			if r, ok := n.(*ast.RangeVar); ok && r.Schema == "" {
				b.names[r.Name]++
			}
			return true
		})
	}
	return b.names[name]
}

// refers says whether a query names a relation.
func refers(q any, name string) (found bool) {
	ast.Walk(q, func(n any) bool {
		if r, ok := n.(*ast.RangeVar); ok && r.Schema == "" && r.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// isVolatile says whether a query gives other rows, or does more, when it is
// run again.
func isVolatile(q *ast.Select) (found bool) {
	ast.Walk(q, func(n any) bool {
		switch t := n.(type) {
		case *ast.Select:
			found = found || len(t.Locking) > 0
		case *ast.FuncCall:
			for _, f := range expr.FunctionsNamed(t.Name[len(t.Name)-1]) {
				found = found || f.Volatility == expr.Volatile
			}
		case *ast.TableSample:
			found = true
		}
		return !found
	})
	return found
}

// modifyingCTE binds INSERT, UPDATE or DELETE in WITH.
func (b *binder) modifyingCTE(s *scope, c *ast.CTE) (*cteBinding, error) {
	if s.outer != nil {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "WITH clause containing a data-modifying statement must be at the top level").At(c.Pos)
	}
	inner := &scope{ctes: s.ctes}
	var n Node
	var err error
	switch t := c.Query.(type) {
	case *ast.Insert:
		n, err = b.insert(t, inner)
	case *ast.Update:
		n, err = b.update(t, inner)
	case *ast.Delete:
		n, err = b.delete(t, inner)
	default:
		return nil, pgerr.Unsupported("this statement in WITH").At(c.Pos)
	}
	if err != nil {
		return nil, err
	}
	out := &cteBinding{name: c.Name, silent: n.(*ModifyTable).Returning == nil}
	return out, b.keepCTE(out, n, c)
}

// recursiveCTE binds a query that refers to itself.
func (b *binder) recursiveCTE(s *scope, c *ast.CTE, q *ast.Select) (*cteBinding, error) {
	if q.SetOp != "UNION" {
		return nil, pgerr.Newf(invalidRecursion, "recursive query %q does not have the form non-recursive-term UNION [ALL] recursive-term", c.Name).At(c.Pos)
	}
	if refers(q.Left, c.Name) {
		return nil, pgerr.Newf(invalidRecursion, "recursive reference to query %q must not appear within its non-recursive term", c.Name).At(c.Pos)
	}
	if inSubLink(q.Right, c.Name) {
		return nil, pgerr.Newf(invalidRecursion, "recursive reference to query %q must not appear within a subquery", c.Name).At(c.Pos)
	}
	if len(q.OrderBy) > 0 || q.Limit != nil || q.Offset != nil || len(q.Locking) > 0 {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "ORDER BY, LIMIT and FOR UPDATE in a recursive query are not implemented").At(c.Pos)
	}
	inner, link := cteScope(s)
	u, err := b.recursiveUnion(inner, c, q)
	if err != nil {
		return nil, err
	}
	if correlated := joinLink(s, link); correlated {
		if isVolatile(q) {
			return nil, pgerr.Unsupported("a volatile WITH query that reads columns of an outer query").At(c.Pos)
		}
		return &cteBinding{name: c.Name, home: s, visible: maps.Clone(s.ctes), again: c}, nil
	}
	done := &cteBinding{name: c.Name}
	return done, b.keepCTE(done, u, &ast.CTE{Name: c.Name})
}

// recursiveUnion plans both terms of a recursive query in a scope made for it.
func (b *binder) recursiveUnion(inner *scope, c *ast.CTE, q *ast.Select) (*RecursiveUnion, error) {
	if err := b.with(inner, q.With); err != nil {
		return nil, err
	}
	left, err := b.queryIn(q.Left, &scope{outer: inner.outer, link: inner.link, ctes: inner.ctes})
	if err != nil {
		return nil, err
	}
	u := &RecursiveUnion{Left: left, Distinct: !q.All}
	u.Columns = plainColumns(left.Common().Columns)
	if err := renameCTE(c.Name, u.Columns, c.Columns); err != nil {
		return nil, at(err, c.Pos)
	}
	u.Rows = left.Common().Rows * 10
	out := &cteBinding{name: c.Name, recursive: u, columns: u.Columns, rows: u.Rows}
	visible := maps.Clone(inner.ctes)
	if visible == nil {
		visible = map[string]*cteBinding{}
	}
	visible[c.Name] = out
	right, err := b.queryIn(q.Right, &scope{outer: inner.outer, link: inner.link, ctes: visible})
	if err != nil {
		return nil, err
	}
	if u.Right, err = b.recursiveColumns(c.Name, u.Columns, left, right); err != nil {
		return nil, at(err, c.Pos)
	}
	u.Cost = left.Common().Cost + 10*right.Common().Cost
	return u, nil
}

// recursiveColumns casts the recursive part's columns to the types of the other.
func (b *binder) recursiveColumns(name string, cols []Column, left, right Node) (Node, error) {
	have := right.Common().Columns
	if len(have) != len(cols) {
		return nil, pgerr.New(pgerr.SyntaxError, "each UNION query must have the same number of columns")
	}
	want := make([]expr.Type, len(cols))
	for i := range cols {
		typ, err := expr.CommonType("UNION", []expr.Expr{constantColumn(left, i), constantColumn(right, i)})
		if err != nil {
			return nil, err
		}
		if typ.OID != cols[i].Type.OID {
			return nil, pgerr.Newf(pgerr.DatatypeMismatch, "recursive query %q column %d has type %s in non-recursive term but type %s overall",
				name, i+1, typeName(cols[i].Type), typeName(typ)).WithHint("Cast the output of the non-recursive term to the correct type.")
		}
		want[i] = cols[i].Type
	}
	return b.castColumns(right, want)
}

// inSubLink says whether a subquery of an expression names a relation.
func inSubLink(q any, name string) (found bool) {
	ast.Walk(q, func(n any) bool {
		if l, ok := n.(*ast.SubLink); ok && refers(l.Query, name) {
			found = true
		}
		return !found
	})
	return found
}

// cte reads a WITH query in FROM.
func (f *fromBinder) cte(c *cteBinding, r *ast.RangeVar) (fromPart, error) {
	name := aliasName(r.Alias, c.name)
	switch {
	case c.silent:
		return fromPart{}, pgerr.Newf(pgerr.FeatureNotSupported, "WITH query %q does not have a RETURNING clause", c.name).At(r.Pos)
	case c.recursive != nil:
		n := &WorkTableScan{Table: c.recursive, Alias: name}
		n.Columns, n.Rows = c.columns, c.rows
		return f.node(n, name, r.Alias, "")
	case c.again != nil:
		u, err := f.b.recursiveUnion(f.s.inside(c), c.again, c.again.Query.(*ast.Select))
		if err != nil {
			return fromPart{}, err
		}
		return f.node(u, name, r.Alias, "")
	case c.inline != nil:
		part, err := f.query(c.inline, f.s.inside(c), name, "")
		if err != nil {
			return part, err
		}
		if err := renameCTE(c.name, part.rels[0].columns, c.renamed); err != nil {
			return part, err
		}
		return part.renamed(r.Alias)
	}
	n := &CTEScan{CTE: c.index, Alias: name}
	n.Columns, n.Rows, n.Cost = c.columns, c.rows, c.rows*cpuTupleCost
	return f.node(n, name, r.Alias, "")
}

// inside is the scope of a WITH query that is planned where it is referred to:
// of the levels between here and its home it sees no names, but what it reads
// of outer levels is handed down through them.
func (s *scope) inside(c *cteBinding) *scope {
	if s.joined {
		return s.outer.inside(c)
	}
	out := &scope{outer: c.home.outer, link: s.link, ctes: c.visible}
	if s.outer != c.home.outer {
		out.outer = s.outer.inside(c)
	}
	return out
}
