package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// target is one bound output column.
type target struct {
	name   string
	value  expr.Expr
	column Column
}

func (sel *selecting) bindTargets() error {
	keep := sel.s.keep
	sel.s.keep = keep || sel.s.wants != nil
	for i := range sel.q.Targets {
		list, err := sel.b.target(sel.s, &sel.q.Targets[i])
		if err != nil {
			return err
		}
		for _, t := range list {
			if !keep && t.value.Type().OID == types.UnknownOID {
				want := textType
				if n := len(sel.targets); n < len(sel.s.wants) {
					want = sel.s.wants[n]
				}
				if t.value, err = expr.Coerce(sel.b.env.Types, t.value, want, expr.CastAssignment); err != nil {
					return at(err, positionOf(sel.q.Targets[i].Expr))
				}
			}
			sel.targets = append(sel.targets, t)
		}
	}
	sel.s.keep = keep
	return nil
}

// target binds one item of a target list; a star gives several.
func (b *binder) target(s *scope, t *ast.Target) ([]target, error) {
	if c, ok := t.Expr.(*ast.ColumnRef); ok && c.Star {
		return b.starRelations(s, c)
	}
	if f, ok := t.Expr.(*ast.FieldSelect); ok && f.Star {
		e, err := b.expr(s, f.Arg)
		if err != nil {
			return nil, err
		}
		var out []target
		r, ok := e.(*expr.RowCtor)
		if !ok {
			fields := b.origin(s, e).Fields
			if fields == nil {
				fields = b.rowFields(e.Type().OID)
			}
			for i, field := range fields {
				out = append(out, target{name: field.Name, value: selectField(e, i, field)})
			}
			if out == nil {
				return nil, pgerr.Unsupported("expansion of this record").At(f.Pos)
			}
			return out, nil
		}
		for i, v := range r.Fields {
			out = append(out, target{name: r.Names[i], value: v})
		}
		return out, nil
	}
	e, err := b.expr(s, t.Expr)
	if err != nil {
		return nil, err
	}
	if !s.keep {
		if e, err = b.known(e); err != nil {
			return nil, at(err, positionOf(t.Expr))
		}
	}
	name := t.Name
	if name == "" {
		if name = outputName(t.Expr); name == "" { // SELECT (SELECT * …)
			name = b.subqueryName(e)
		}
	}
	return []target{{name: name, value: e, column: b.origin(s, e)}}, nil
}

// subqueryName is the column that a subquery in an expression returns.
func (b *binder) subqueryName(e expr.Expr) string {
	switch t := e.(type) {
	case *expr.Cast:
		return b.subqueryName(t.Arg)
	case *expr.SubPlan:
		return b.plan.SubPlans[t.Plan].Root.Common().Columns[0].Name
	}
	return "?column?"
}

// fieldsOf are the fields of a record that an expression makes, nil where they
// are not known.
func fieldsOf(e expr.Expr) []expr.OutColumn {
	switch t := e.(type) {
	case *expr.Call:
		if len(t.Func.Columns) > 1 {
			return t.Func.Columns
		}
	case *expr.RowCtor:
		out := make([]expr.OutColumn, len(t.Fields))
		for i, f := range t.Fields {
			out[i] = expr.OutColumn{Name: t.Names[i], Type: f.Type().OID}
		}
		return out
	}
	return nil
}

// origin finds the table column that an expression is, if it is one.
func (b *binder) origin(s *scope, e expr.Expr) Column {
	c, ok := e.(*expr.Column)
	if !ok {
		return Column{Fields: fieldsOf(e)}
	}
	for _, r := range s.rels {
		if i := c.Index - r.start; r.exprs == nil && i >= 0 && i < len(r.columns) {
			return Column{Table: r.columns[i].Table, Attnum: r.columns[i].Attnum, Fields: r.columns[i].Fields}
		}
	}
	return Column{}
}

// starRelations expands * or t.*.
func (b *binder) starRelations(s *scope, c *ast.ColumnRef) ([]target, error) {
	only := ""
	if len(c.Parts) > 0 {
		only = c.Parts[len(c.Parts)-1]
		if s.relation(only) == nil {
			return nil, pgerr.Newf(pgerr.UndefinedTable, "missing FROM-clause entry for table %q", only).At(c.Pos)
		}
	} else if len(s.rels) == 0 {
		return nil, pgerr.New(pgerr.SyntaxError, "SELECT * with no tables specified is not valid").At(c.Pos)
	}
	if only == "" && s.star != nil {
		return append([]target(nil), s.star...), nil
	}
	var out []target
	for _, r := range s.rels {
		if only != "" && r.name != only {
			continue
		}
		for i := range r.columns {
			if r.hidden != nil && r.hidden[i] {
				continue
			}
			out = append(out, target{name: r.columns[i].Name, value: r.columnAt(i), column: r.columns[i]})
		}
	}
	return out, nil
}

// namesItself says whether an expression's name is better than that of a cast
// or a CASE around it.
func namesItself(e ast.Expr) bool {
	switch t := e.(type) {
	case *ast.TypeCast:
		return namesItself(t.Arg)
	case *ast.Case:
		return t.Else != nil && namesItself(t.Else)
	case *ast.Collate:
		return namesItself(t.Arg)
	}
	return outputName(e) != "?column?"
}

// outputName is FigureColname: the name of a target without AS.
func outputName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.ColumnRef:
		if t.Star {
			return "" // known once it is bound
		}
		return t.Parts[len(t.Parts)-1]
	case *ast.FuncCall:
		return t.Name[len(t.Name)-1]
	case *ast.TypeCast:
		if namesItself(t.Arg) {
			return outputName(t.Arg)
		}
		return t.Type.Names[len(t.Type.Names)-1]
	case *ast.FieldSelect:
		return t.Name
	case *ast.Subscript:
		return outputName(t.Arg)
	case *ast.Collate:
		return outputName(t.Arg)
	case *ast.Case:
		if t.Else != nil && namesItself(t.Else) {
			return outputName(t.Else)
		}
		return "case"
	case *ast.Coalesce:
		return "coalesce"
	case *ast.MinMax:
		if t.Least {
			return "least"
		}
		return "greatest"
	case *ast.NullIf:
		return "nullif"
	case *ast.ArrayExpr:
		return "array"
	case *ast.RowExpr:
		return "row"
	case *ast.ValueFunction:
		return t.Name
	case *ast.Grouping:
		return "grouping"
	case *ast.SubLink:
		switch t.Kind {
		case ast.SubLinkExists:
			return "exists"
		case ast.SubLinkArray:
			return "array"
		case ast.SubLinkScalar:
			if q, ok := t.Query.(*ast.Select); ok && len(q.Targets) == 1 {
				if q.Targets[0].Name != "" {
					return q.Targets[0].Name
				}
				return outputName(q.Targets[0].Expr)
			}
		}
	}
	return "?column?"
}
