package plan

import (
	"slices"
	"strconv"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

func (b *binder) array(s *scope, t *ast.ArrayExpr) (expr.Expr, error) {
	if len(t.Elems) == 0 {
		return nil, pgerr.New(pgerr.IndeterminateDatatype, "cannot determine type of empty array").
			WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].").At(t.Pos)
	}
	args, typ, err := b.common(s, t.Elems, "ARRAY")
	if err != nil {
		return nil, at(err, t.Pos)
	}
	row := types.Lookup(typ.OID)
	if row != nil && row.Elem != 0 && row.Category == 'A' {
		return &expr.ArrayCtor{Elems: args, Typ: typ, Nested: true}, nil
	}
	if row == nil || row.Array == 0 {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "could not find array type for data type %s", types.FormatType(typ.OID, -1)).At(t.Pos)
	}
	return &expr.ArrayCtor{Elems: args, Typ: expr.Type{OID: row.Array, Typmod: -1}}, nil
}

func (b *binder) row(s *scope, t *ast.RowExpr) (expr.Expr, error) {
	out := &expr.RowCtor{Typ: expr.Type{OID: types.RecordOID, Typmod: -1}}
	for i, a := range t.Args {
		if c, ok := a.(*ast.ColumnRef); ok && c.Star {
			rels, err := b.starRelations(s, c)
			if err != nil {
				return nil, err
			}
			for _, tg := range rels {
				out.Fields = append(out.Fields, tg.value)
				out.Names = append(out.Names, tg.name)
			}
			continue
		}
		e, err := b.expr(s, a)
		if err != nil {
			return nil, err
		}
		if e, err = b.known(e); err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, e)
		out.Names = append(out.Names, "f"+strconv.Itoa(i+1))
	}
	return out, nil
}

// subscript binds a[1][2], which is one subscript of two dimensions.
func (b *binder) subscript(s *scope, t *ast.Subscript) (expr.Expr, error) {
	levels := []*ast.Subscript{t}
	base := t.Arg
	for {
		inner, ok := base.(*ast.Subscript)
		if !ok {
			break
		}
		levels, base = append(levels, inner), inner.Arg
	}
	slices.Reverse(levels)
	arg, err := b.expr(s, base)
	if err != nil {
		return nil, err
	}
	row := types.Lookup(arg.Type().OID)
	if arg.Type().OID == types.JSONBOID {
		return b.jsonSubscript(s, arg, levels)
	}
	if row == nil || row.Elem == 0 {
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", types.FormatType(arg.Type().OID, -1)).At(positionOf(base))
	}
	out := &expr.Subscript{Arg: arg, Typ: arg.Type()}
	out.Slice = slices.ContainsFunc(levels, func(l *ast.Subscript) bool { return l.Slice })
	if !out.Slice {
		out.Typ.OID = row.Elem
	}
	for _, l := range levels {
		if err := b.arrayLevel(s, out, l); err != nil {
			return nil, at(err, l.Pos)
		}
	}
	return out, nil
}

// arrayLevel adds the bounds of one dimension; among slices, an index n means 1:n.
func (b *binder) arrayLevel(s *scope, out *expr.Subscript, l *ast.Subscript) error {
	bound := func(e ast.Expr) (expr.Expr, error) {
		if e == nil {
			return nil, nil
		}
		x, err := b.expr(s, e)
		if err != nil {
			return nil, err
		}
		return expr.Coerce(b.env.Types, x, expr.Type{OID: types.Int4OID, Typmod: -1}, expr.CastAssignment)
	}
	low, err := bound(l.Low)
	if err != nil {
		return err
	}
	high, err := bound(l.High)
	if err != nil {
		return err
	}
	if out.Slice && !l.Slice {
		low, high = &expr.Const{Value: int64(1), Typ: expr.Type{OID: types.Int4OID, Typmod: -1}}, low
	}
	out.Low = append(out.Low, low)
	if out.Slice {
		out.High = append(out.High, high)
	}
	return nil
}

func (b *binder) jsonSubscript(s *scope, arg expr.Expr, levels []*ast.Subscript) (expr.Expr, error) {
	out := &expr.Subscript{Arg: arg, Typ: arg.Type()}
	for _, l := range levels {
		if l.Slice {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "jsonb subscript does not support slices").At(l.Pos)
		}
		key, err := b.expr(s, l.Low)
		if err != nil {
			return nil, err
		}
		if key, err = b.known(key); err != nil {
			return nil, err
		}
		out.Low = append(out.Low, key)
	}
	return out, nil
}

func (b *binder) field(s *scope, t *ast.FieldSelect) (expr.Expr, error) {
	arg, err := b.expr(s, t.Arg)
	if err != nil {
		return nil, err
	}
	if r, ok := arg.(*expr.RowCtor); ok {
		for i, n := range r.Names {
			if n == t.Name {
				return &expr.FieldSelect{Arg: arg, Index: i, Name: t.Name, Typ: r.Fields[i].Type()}, nil
			}
		}
	}
	for i, f := range b.origin(s, arg).Fields {
		if f.Name == t.Name {
			return selectField(arg, i, f), nil
		}
	}
	for i, f := range b.rowFields(arg.Type().OID) {
		if f.Name == t.Name {
			return selectField(arg, i, f), nil
		}
	}
	return nil, pgerr.Newf(pgerr.UndefinedColumn, "could not identify column %q in record data type", t.Name).At(t.Pos)
}

// rowFields are the columns of a table's row type.
func (b *binder) rowFields(oid types.OID) []expr.OutColumn {
	if b.env.Catalog == nil || !types.IsRow(oid) {
		return nil
	}
	t := b.env.Catalog.RowType(oid)
	if t == nil {
		return nil
	}
	var out []expr.OutColumn
	for _, c := range t.Live() {
		out = append(out, expr.OutColumn{Name: c.Name, Type: c.Type})
	}
	return out
}

func selectField(arg expr.Expr, i int, f expr.OutColumn) expr.Expr {
	return &expr.FieldSelect{Arg: arg, Index: i, Name: f.Name, Typ: expr.Type{OID: f.Type, Typmod: types.NoTypmod}}
}
