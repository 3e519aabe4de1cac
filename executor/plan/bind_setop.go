package plan

import (
	"strconv"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// values plans VALUES lists.
func (b *binder) values(q *ast.Select, s *scope) (Node, error) {
	s.level = &level{refused: "VALUES"}
	n := len(q.Values[0])
	rows := make([][]expr.Expr, len(q.Values))
	for i, list := range q.Values {
		if len(list) != n {
			return nil, pgerr.New(pgerr.SyntaxError, "VALUES lists must all be the same length").At(q.Pos)
		}
		var err error
		if rows[i], err = b.exprs(s, list); err != nil {
			return nil, err
		}
	}
	v := &Values{Lists: rows}
	v.Rows = float64(len(rows))
	for c := range n {
		column := make([]expr.Expr, len(rows))
		for i := range rows {
			column[i] = rows[i][c]
		}
		column, typ, err := b.unify(column, "VALUES")
		if err != nil {
			return nil, err
		}
		for i := range rows {
			rows[i][c] = expr.Fold(b.env.Types, column[i])
		}
		v.Columns = append(v.Columns, Column{Name: "column" + strconv.Itoa(c+1), Type: typ})
	}
	return b.finish(v, q, s)
}

// finish adds ORDER BY by output columns, LIMIT and OFFSET to a node whose rows
// are the result.
func (b *binder) finish(n Node, q *ast.Select, s *scope) (Node, error) {
	cols := n.Common().Columns
	out := &selecting{b: b, s: &scope{outer: s.outer, link: s.link, ctes: s.ctes}, q: q}
	for i, c := range cols {
		out.targets = append(out.targets, target{name: c.Name, value: &expr.Column{Index: i, Typ: c.Type, Name: c.Name}})
	}
	out.s.rels = []*relation{{columns: cols}}
	out.s.level = &level{}
	if err := out.bindOrder(); err != nil {
		return nil, err
	}
	if err := out.bindLimit(); err != nil {
		return nil, err
	}
	if len(q.Locking) > 0 {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "FOR %s is not allowed with UNION/INTERSECT/EXCEPT", q.Locking[0].Strength)
	}
	n = sorted(n, out.order, wanted(out.limit, out.offset))
	return limited(n, q, out.order, out.limit, out.offset), nil
}

// setOperation plans UNION, INTERSECT, EXCEPT.
func (b *binder) setOperation(q *ast.Select, s *scope) (Node, error) {
	left, err := b.queryIn(q.Left, &scope{outer: s.outer, link: s.link, ctes: s.ctes, keep: true})
	if err != nil {
		return nil, err
	}
	right, err := b.queryIn(q.Right, &scope{outer: s.outer, link: s.link, ctes: s.ctes, keep: true})
	if err != nil {
		return nil, err
	}
	if left, right, err = b.matchSides(left, right, q.SetOp); err != nil {
		if len(q.Right.Targets) > 0 {
			err = at(err, positionOf(q.Right.Targets[0].Expr))
		}
		return nil, err
	}
	n := &SetOp{Op: q.SetOp, All: q.All, Left: left, Right: right}
	n.Columns = plainColumns(left.Common().Columns)
	n.Rows = left.Common().Rows + right.Common().Rows
	n.Cost = left.Common().Cost + right.Common().Cost
	return b.finish(n, q, s)
}

func plainColumns(cols []Column) []Column {
	out := make([]Column, len(cols))
	for i, c := range cols {
		out[i] = Column{Name: c.Name, Type: c.Type}
	}
	return out
}

// matchSides brings two queries' columns to common types.
func (b *binder) matchSides(left, right Node, op string) (Node, Node, error) {
	lc, rc := left.Common().Columns, right.Common().Columns
	if len(lc) != len(rc) {
		return nil, nil, pgerr.Newf(pgerr.SyntaxError, "each %s query must have the same number of columns", op)
	}
	want := make([]expr.Type, len(lc))
	for i := range lc {
		l, r := constantColumn(left, i), constantColumn(right, i)
		typ, err := expr.CommonType(op, []expr.Expr{l, r})
		if err != nil {
			return nil, nil, err
		}
		want[i] = typ
	}
	l, err := b.castColumns(left, want)
	if err != nil {
		return nil, nil, err
	}
	r, err := b.castColumns(right, want)
	return l, r, err
}

func constantColumn(n Node, i int) expr.Expr {
	return &expr.Column{Index: i, Typ: n.Common().Columns[i].Type}
}

// castColumns casts a node's columns to types.
func (b *binder) castColumns(n Node, want []expr.Type) (Node, error) {
	cols := n.Common().Columns
	p := &Project{Child: n}
	changed := false
	for i, c := range cols {
		col := &expr.Column{Index: i, Typ: c.Type, Name: c.Name}
		e, err := expr.Coerce(b.env.Types, col, want[i], expr.CastImplicit)
		if err != nil {
			return nil, err
		}
		if c.Type.OID == types.UnknownOID {
			if err := b.retype(n, i, want[i]); err != nil {
				return nil, err
			}
			if col.Typ = n.Common().Columns[i].Type; col.Typ.OID != types.UnknownOID {
				e = col
			}
		}
		changed = changed || col.Typ.OID != want[i].OID
		p.Exprs = append(p.Exprs, e)
		p.Columns = append(p.Columns, Column{Name: c.Name, Type: want[i]})
	}
	if !changed {
		return n, nil
	}
	p.Info.Rows, p.Startup, p.Cost = n.Common().Rows, n.Common().Startup, n.Common().Cost
	return p, nil
}

// retype gives literals and parameters of unknown type that a column of n is
// made of the type that the other side of a set operation has.
func (b *binder) retype(n Node, i int, want expr.Type) error {
	cast := func(e expr.Expr) (expr.Expr, error) {
		if e.Type().OID != types.UnknownOID {
			return e, nil
		}
		return expr.Coerce(b.env.Types, e, want, expr.CastImplicit)
	}
	var err error
	switch t := n.(type) {
	case *Project:
		t.Exprs[i], err = cast(t.Exprs[i])
	case *Values:
		for r := range t.Lists {
			if t.Lists[r][i], err = cast(t.Lists[r][i]); err != nil {
				return err
			}
		}
	case *SetOp:
		if err = b.retype(t.Left, i, want); err == nil {
			err = b.retype(t.Right, i, want)
		}
	case *Limit:
		err = b.retype(t.Child, i, want)
	case *Sort:
		err = b.retype(t.Child, i, want)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	in := n.Common()
	in.Columns = append([]Column(nil), in.Columns...)
	in.Columns[i].Type = want
	return nil
}
