package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

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
