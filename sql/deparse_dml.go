package sql

import "github.com/akidb/akidb/sql/ast"

func (p *printer) insert(s *ast.Insert) {
	p.with(s.With)
	p.write("INSERT INTO ")
	p.table(s.Table)
	if len(s.Columns) > 0 {
		p.write(" (")
		list(p, s.Columns, func(t ast.Target) { p.write(QuoteIdent(t.Name)) })
		p.write(")")
	}
	if s.Overriding != "" {
		p.write(" OVERRIDING ", s.Overriding, " VALUE")
	}
	if s.Query == nil {
		p.write(" DEFAULT VALUES")
	} else {
		p.write(" ")
		p.query(s.Query)
	}
	if s.OnConflict != nil {
		p.onConflict(s.OnConflict)
	}
	p.returning(s.Returning)
}

func (p *printer) onConflict(o *ast.OnConflict) {
	p.write(" ON CONFLICT")
	switch {
	case o.Constraint != "":
		p.write(" ON CONSTRAINT ", QuoteIdent(o.Constraint))
	case len(o.Columns) > 0:
		p.write(" (")
		list(p, o.Columns, p.indexElem)
		p.write(")")
		p.where(o.InferWhere)
	}
	if !o.DoUpdate {
		p.write(" DO NOTHING")
		return
	}
	p.write(" DO UPDATE SET ")
	p.setClauses(o.Set)
	p.where(o.Where)
}

func (p *printer) indexElem(e ast.IndexElem) {
	if e.Expr == nil {
		p.write(QuoteIdent(e.Column))
	} else {
		p.parenthesized(e.Expr)
	}
	if len(e.Collation) > 0 {
		p.write(" COLLATE ")
		p.qualified(e.Collation)
	}
	if len(e.Opclass) > 0 {
		p.write(" ")
		p.qualified(e.Opclass)
	}
}

func (p *printer) setClauses(clauses []ast.SetClause) {
	list(p, clauses, func(s ast.SetClause) {
		switch {
		case s.Part != nil:
			p.top(s.Part)
		case len(s.Columns) == 1:
			p.write(QuoteIdent(s.Columns[0]))
		default:
			p.columns(s.Columns)
		}
		p.write(" = ")
		p.top(s.Expr)
	})
}

func (p *printer) returning(targets []ast.Target) {
	if len(targets) > 0 {
		p.write(" RETURNING ")
		p.targets(targets)
	}
}

func (p *printer) update(s *ast.Update) {
	p.with(s.With)
	p.write("UPDATE ")
	p.table(s.Table)
	p.write(" SET ")
	p.setClauses(s.Set)
	if len(s.From) > 0 {
		p.write(" FROM ")
		p.fromItems(s.From)
	}
	p.where(s.Where)
	p.returning(s.Returning)
}

func (p *printer) delete(s *ast.Delete) {
	p.with(s.With)
	p.write("DELETE FROM ")
	p.table(s.Table)
	if len(s.Using) > 0 {
		p.write(" USING ")
		p.fromItems(s.Using)
	}
	p.where(s.Where)
	p.returning(s.Returning)
}

func (p *printer) merge(s *ast.Merge) {
	p.with(s.With)
	p.write("MERGE INTO ")
	p.table(s.Table)
	p.write(" USING ")
	p.fromItem(s.Source)
	p.write(" ON ")
	p.top(s.On)
	for _, w := range s.Whens {
		p.mergeWhen(w)
	}
}

func (p *printer) mergeWhen(w ast.MergeWhen) {
	p.write(" WHEN", not(!w.Matched), " MATCHED")
	if w.Cond != nil {
		p.write(" AND ")
		p.inner(w.Cond)
	}
	p.write(" THEN ")
	switch w.Action {
	case "UPDATE":
		p.write("UPDATE SET ")
		p.setClauses(w.Set)
	case "INSERT":
		p.mergeInsert(w)
	case "DELETE":
		p.write("DELETE")
	default:
		p.write("DO NOTHING")
	}
}

func (p *printer) mergeInsert(w ast.MergeWhen) {
	p.write("INSERT")
	if len(w.Columns) > 0 {
		p.write(" (")
		list(p, w.Columns, func(t ast.Target) { p.write(QuoteIdent(t.Name)) })
		p.write(")")
	}
	if w.Overriding != "" {
		p.write(" OVERRIDING ", w.Overriding, " VALUE")
	}
	if w.Values == nil {
		p.write(" DEFAULT VALUES")
		return
	}
	p.write(" VALUES (")
	p.exprs(w.Values)
	p.write(")")
}
