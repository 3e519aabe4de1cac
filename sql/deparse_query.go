package sql

import (
	"strings"

	"github.com/akidb/akidb/sql/ast"
)

// DeparseStmt prints SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE as SQL that
// parses back to the same tree; any other statement gives "".
func DeparseStmt(s ast.Stmt) string {
	p := &printer{}
	p.stmt(s)
	return p.String()
}

func (p *printer) stmt(s ast.Stmt) {
	switch v := s.(type) {
	case *ast.Select:
		p.query(v)
	case *ast.Insert:
		p.insert(v)
	case *ast.Update:
		p.update(v)
	case *ast.Delete:
		p.delete(v)
	case *ast.Merge:
		p.merge(v)
	}
}

func (p *printer) query(s *ast.Select) {
	p.with(s.With)
	switch {
	case s.SetOp != "":
		p.leftOperand(s)
		p.write(" ", s.SetOp, " ")
		if s.All {
			p.write("ALL ")
		}
		p.setOperand(s.Right)
	case len(s.Values) > 0:
		p.write("VALUES ")
		list(p, s.Values, func(row []ast.Expr) {
			p.write("(")
			p.exprs(row)
			p.write(")")
		})
	default:
		p.body(s)
	}
	if len(s.OrderBy) > 0 {
		p.write(" ")
		p.orderBy(s.OrderBy)
	}
	p.limit(s)
	for _, l := range s.Locking {
		p.locking(l)
	}
}

// leftOperand prints the left side of a set operation; UNIONs in a row need no parentheses.
func (p *printer) leftOperand(s *ast.Select) {
	if s.Left.SetOp == s.SetOp && bare(s.Left) {
		p.query(s.Left)
		return
	}
	p.setOperand(s.Left)
}

// bare says whether a query has none of the clauses that belong to a whole set operation.
func bare(s *ast.Select) bool {
	return s.With == nil && len(s.OrderBy) == 0 && s.Limit == nil && s.Offset == nil && len(s.Locking) == 0
}

// setOperand prints an operand of a set operation, in parentheses unless it is
// a plain SELECT or VALUES.
func (p *printer) setOperand(s *ast.Select) {
	if s.SetOp == "" && bare(s) {
		p.query(s)
		return
	}
	p.write("(")
	p.query(s)
	p.write(")")
}

func (p *printer) body(s *ast.Select) {
	p.write("SELECT")
	if len(s.DistinctOn) > 0 {
		p.write(" DISTINCT ON (")
		p.exprs(s.DistinctOn)
		p.write(")")
	} else if s.Distinct {
		p.write(" DISTINCT")
	}
	if len(s.Targets) > 0 {
		p.write(" ")
		p.targets(s.Targets)
	}
	if len(s.From) > 0 {
		p.write(" FROM ")
		p.fromItems(s.From)
	}
	p.where(s.Where)
	if len(s.GroupBy) > 0 {
		p.write(" GROUP BY ")
		if s.GroupDistinct {
			p.write("DISTINCT ")
		}
		list(p, s.GroupBy, p.groupItem)
	}
	if s.Having != nil {
		p.write(" HAVING ")
		p.top(s.Having)
	}
	if len(s.Windows) > 0 {
		p.write(" WINDOW ")
		list(p, s.Windows, func(w ast.Window) {
			p.write(QuoteIdent(w.Name), " AS ")
			p.window(&w)
		})
	}
}

func (p *printer) limit(s *ast.Select) {
	if s.Limit != nil && !s.WithTies {
		p.write(" LIMIT ")
		p.inner(s.Limit)
	}
	if s.Offset != nil {
		p.write(" OFFSET ")
		p.inner(s.Offset)
	}
	if s.Limit != nil && s.WithTies {
		p.write(" FETCH FIRST (")
		p.top(s.Limit)
		p.write(") ROWS WITH TIES")
	}
}

func (p *printer) locking(l ast.Locking) {
	p.write(" FOR ", l.Strength)
	if len(l.Of) > 0 {
		p.write(" OF ")
		p.idents(l.Of)
	}
	if l.NoWait {
		p.write(" NOWAIT")
	}
	if l.SkipLocked {
		p.write(" SKIP LOCKED")
	}
}

func (p *printer) with(w *ast.With) {
	if w == nil {
		return
	}
	p.write("WITH ")
	if w.Recursive {
		p.write("RECURSIVE ")
	}
	list(p, w.CTEs, func(c ast.CTE) {
		p.write(QuoteIdent(c.Name))
		p.columns(c.Columns)
		p.write(" AS ")
		switch c.Materialized {
		case "always":
			p.write("MATERIALIZED ")
		case "never":
			p.write("NOT MATERIALIZED ")
		}
		p.write("(")
		p.stmt(c.Query)
		p.write(")")
	})
	p.write(" ")
}

// columns prints (a, b), or nothing when there are none.
func (p *printer) columns(names []string) {
	if len(names) == 0 {
		return
	}
	p.write("(")
	p.idents(names)
	p.write(")")
}

func (p *printer) targets(targets []ast.Target) {
	list(p, targets, func(t ast.Target) {
		p.top(t.Expr)
		if t.Name != "" {
			p.write(" AS ", QuoteIdent(t.Name))
		}
	})
}

func (p *printer) where(e ast.Expr) {
	if e != nil {
		p.write(" WHERE ")
		p.top(e)
	}
}

func (p *printer) orderBy(items []ast.SortBy) {
	p.write("ORDER BY ")
	list(p, items, func(s ast.SortBy) {
		p.top(s.Expr)
		switch {
		case s.Using != "":
			p.write(" USING ", s.Using)
		case s.Desc:
			p.write(" DESC")
		}
		switch s.Nulls {
		case ast.NullsFirst:
			p.write(" NULLS FIRST")
		case ast.NullsLast:
			p.write(" NULLS LAST")
		}
	})
}

func (p *printer) groupItem(g ast.GroupItem) {
	switch g.Kind {
	case "":
		p.exprs(g.Exprs)
	case "EMPTY":
		p.write("()")
	case "SETS":
		p.write("GROUPING SETS (")
		list(p, g.Sets, p.groupItem)
		p.write(")")
	case "SIMPLE":
		p.write("(")
		p.exprs(g.Exprs)
		p.write(")")
	default:
		p.call(g.Kind, g.Exprs)
	}
}

func (p *printer) over(w *ast.Window) {
	p.write(" OVER ")
	if w.Name != "" {
		p.write(QuoteIdent(w.Name))
		return
	}
	p.window(w)
}

func (p *printer) window(w *ast.Window) {
	var parts []string
	if w.Ref != "" {
		parts = append(parts, QuoteIdent(w.Ref))
	}
	if len(w.PartitionBy) > 0 {
		part := &printer{}
		part.write("PARTITION BY ")
		part.exprs(w.PartitionBy)
		parts = append(parts, part.String())
	}
	if len(w.OrderBy) > 0 {
		part := &printer{}
		part.orderBy(w.OrderBy)
		parts = append(parts, part.String())
	}
	if f := w.Frame; f != nil {
		text := f.Mode + " BETWEEN " + bound(f.Start) + " AND " + bound(f.End)
		if f.Exclude != "" {
			text += " EXCLUDE " + f.Exclude
		}
		parts = append(parts, text)
	}
	p.write("(", strings.Join(parts, " "), ")")
}

func bound(b ast.FrameBound) string {
	if b.Offset == nil {
		return b.Kind
	}
	p := &printer{}
	p.inner(b.Offset)
	return p.String() + " " + b.Kind
}

func (p *printer) fromItems(items []ast.FromItem) { list(p, items, p.fromItem) }

func (p *printer) fromItem(f ast.FromItem) {
	switch v := f.(type) {
	case *ast.RangeVar:
		p.table(v)
	case *ast.SubqueryFrom:
		p.lateral(v.Lateral)
		p.write("(")
		p.stmt(v.Query)
		p.write(")")
		p.alias(v.Alias)
	case *ast.FunctionFrom:
		p.functionFrom(v)
	case *ast.Join:
		p.join(v)
	case *ast.TableSample:
		p.fromItem(v.Rel)
		p.write(" TABLESAMPLE ", v.Method, "(")
		p.exprs(v.Args)
		p.write(")")
		if v.Repeat != nil {
			p.write(" REPEATABLE (")
			p.top(v.Repeat)
			p.write(")")
		}
	}
}

func (p *printer) lateral(yes bool) {
	if yes {
		p.write("LATERAL ")
	}
}

func (p *printer) table(v *ast.RangeVar) {
	if v.Only {
		p.write("ONLY ")
	}
	for _, part := range []string{v.Catalog, v.Schema} {
		if part != "" {
			p.write(QuoteIdent(part), ".")
		}
	}
	p.write(QuoteIdent(v.Name))
	p.alias(v.Alias)
}

func (p *printer) alias(a *ast.Alias) {
	if a != nil {
		p.write(" AS ", QuoteIdent(a.Name))
		p.columns(a.Columns)
	}
}

func (p *printer) functionFrom(f *ast.FunctionFrom) {
	p.lateral(f.Lateral)
	if len(f.Funcs) > 1 {
		p.call("ROWS FROM", f.Funcs)
	} else {
		p.exprs(f.Funcs)
	}
	if f.Ordinality {
		p.write(" WITH ORDINALITY")
	}
	if len(f.Columns) == 0 {
		p.alias(f.Alias)
		return
	}
	p.write(" AS ")
	if f.Alias != nil {
		p.write(QuoteIdent(f.Alias.Name))
	}
	p.write("(")
	list(p, f.Columns, func(c ast.ColumnDef) {
		p.write(QuoteIdent(c.Name), " ")
		p.typeName(c.Type)
	})
	p.write(")")
}

func (p *printer) join(j *ast.Join) {
	if j.Alias != nil {
		p.write("(")
	}
	p.fromItem(j.Left)
	p.write(" ")
	if j.Natural {
		p.write("NATURAL ")
	}
	switch {
	case j.Kind == ast.JoinLeft:
		p.write("LEFT ")
	case j.Kind == ast.JoinRight:
		p.write("RIGHT ")
	case j.Kind == ast.JoinFull:
		p.write("FULL ")
	case !j.Natural && j.On == nil && len(j.Using) == 0:
		p.write("CROSS ")
	}
	p.write("JOIN ")
	if right, ok := j.Right.(*ast.Join); ok && right.Alias == nil {
		p.write("(")
		p.fromItem(j.Right)
		p.write(")")
	} else {
		p.fromItem(j.Right)
	}
	if len(j.Using) > 0 {
		p.write(" USING ")
		p.columns(j.Using)
		if j.UsingAlias != "" {
			p.write(" AS ", QuoteIdent(j.UsingAlias))
		}
	}
	if j.On != nil {
		p.write(" ON ")
		p.top(j.On)
	}
	if j.Alias != nil {
		p.write(")")
		p.alias(j.Alias)
	}
}
