package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// alterType is ALTER COLUMN TYPE [USING].
func (a *alteration) alterType(ctx context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	if slices.Contains(a.retyped, c.Num) {
		return pgerr.Newf(pgerr.FeatureNotSupported, `cannot alter type of column "%s" twice`, c.Name)
	}
	if err := a.refuseForeign(c); err != nil {
		return err
	}
	typ, domain, err := plan.ResolveDeclared(a.s.Plan(), act.Type)
	if err != nil {
		return err
	}
	if err := storable(c.Name, typ.OID); err != nil {
		return err
	}
	value, err := a.conversion(c, typ, act)
	if err != nil {
		return err
	}
	if value, err = plan.CheckDomain(a.s.Plan(), domain, value); err != nil {
		return err
	}
	if err := a.requireUnused(c); err != nil {
		return err
	}
	collate, err := collation(act.Column.Collation, typ.OID, act.Pos)
	if err != nil {
		return err
	}
	if err := a.retypeDefault(c, typ); err != nil {
		return err
	}
	old := typeOf(c)
	c.Type, c.Typmod, c.Collation, c.Domain = typ.OID, typ.Typmod, collate, domain
	if c.Missing != nil && old.OID != typ.OID && !(isText(old.OID) && isText(typ.OID)) {
		c.Missing = nil // a rewrite writes it
	}
	a.retyped = append(a.retyped, c.Num)
	if !(sameBytes(old, typ) && isColumn(value, c.Num)) {
		a.converted = append(a.converted, conversion{c.Num, value})
	}
	if err := a.retypeSequence(ctx, c); err != nil {
		return err
	}
	if err := a.s.Txn.Change(ctx, catalog.Put(a.table.Clone())); err != nil {
		return err
	}
	a.retryChecks(c.Num)
	return a.retypeIndexes(ctx, c)
}

// conversion binds USING, or the column itself, over the old row.
func (a *alteration) conversion(c *catalog.Column, typ expr.Type, act *ast.AlterAction) (expr.Expr, error) {
	source := act.Using
	if source == nil {
		source = &ast.ColumnRef{Parts: []string{c.Name}}
	}
	env := a.s.Plan()
	bound, err := plan.BindTableExpr(env, a.from, source, expr.Type{}, "transform expressions")
	if err != nil {
		return nil, err
	}
	out, err := expr.Coerce(env.Types, bound, typ, expr.CastAssignment)
	if err == nil {
		return expr.Fold(env.Types, out), nil
	}
	name := a.s.formatType(typ.OID, typ.Typmod)
	if act.Using != nil {
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, `result of USING clause for column "%s" cannot be cast automatically to type %s`, c.Name, name).
			WithHint("You might need to add an explicit cast.")
	}
	e := pgerr.Newf(pgerr.DatatypeMismatch, `column "%s" cannot be cast automatically to type %s`, c.Name, name)
	if expr.CanCoerce(c.Type, typ.OID, expr.CastExplicit) {
		e.Hint = `You might need to specify "USING ` + sql.QuoteIdent(c.Name) + "::" + name + `".`
	}
	return nil, e
}

// requireUnused refuses to change a column that views or generated columns read.
func (a *alteration) requireUnused(c *catalog.Column) error {
	if list := a.generatedFrom(c.Num); len(list) > 0 {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type of a column used by a generated column").
			WithDetail(`Column "%s" is used by generated column "%s".`, c.Name, a.table.Columns[list[0]-1].Name)
	}
	views, err := a.s.viewsUsing(a.table, c.Num)
	if err != nil || len(views) == 0 {
		return err
	}
	return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
		WithDetail(`rule _RETURN on %s depends on column "%s"`, a.s.describe(views[0]), c.Name)
}

// retypeDefault casts a default, or a generation expression, to the new type.
func (a *alteration) retypeDefault(c *catalog.Column, typ expr.Type) error {
	text, table, what := &c.Default, (*catalog.Table)(nil), "default"
	if c.Generated != "" {
		text, table, what = &c.Generated, a.table, "generation expression"
	}
	if *text == "" {
		return nil
	}
	env := a.s.Plan()
	bound, err := a.s.parse(table, *text, typeOf(c), "DEFAULT expressions")
	if err != nil {
		return err
	}
	if _, err := expr.Coerce(env.Types, bound, typ, expr.CastAssignment); err != nil {
		return pgerr.Newf(pgerr.DatatypeMismatch, `%s for column "%s" cannot be cast automatically to type %s`, what, c.Name, a.s.formatType(typ.OID, typ.Typmod))
	}
	if _, err := a.s.parse(table, *text, typ, "DEFAULT expressions"); err != nil {
		*text = "(" + *text + ")::" + a.s.formatType(c.Type, c.Typmod)
	}
	return nil
}

// retypeSequence gives an identity column's sequence the new type.
func (a *alteration) retypeSequence(ctx context.Context, c *catalog.Column) error {
	q := identitySequence(a.s.catalog(), a.table, c)
	if q == nil {
		return nil
	}
	if !isInteger(c.Type) {
		return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
	}
	changed := *q
	o := sequenceOptions{typ: c.Type}
	if err := o.apply(&changed, false); err != nil {
		return err
	}
	return a.s.Txn.Change(ctx, catalog.Put(&changed))
}

// retryChecks has the CHECK constraints on a column tried on all rows again.
func (a *alteration) retryChecks(num int16) {
	for _, k := range a.table.Checks {
		if slices.Contains(k.Columns, num) && !slices.Contains(a.tried, k.Name) {
			a.tried = append(a.tried, k.Name)
		}
	}
}

// retypeIndexes gives the indexes that read a column their new key types.
func (a *alteration) retypeIndexes(ctx context.Context, c *catalog.Column) error {
	for _, old := range a.s.catalog().Indexes(a.table.ID) {
		uses, err := a.s.indexUses(a.table, old, c.Num)
		if err != nil {
			return err
		}
		if !uses {
			continue
		}
		x := old.Clone()
		x.Version++
		for i := range x.Keys {
			if err := a.retypeKey(x, &x.Keys[i]); err != nil {
				return err
			}
		}
		if err := a.s.Txn.Change(ctx, catalog.Put(x)); err != nil {
			return err
		}
		if !slices.ContainsFunc(a.rebuilt, func(y *catalog.Index) bool { return y.ID == x.ID }) {
			a.rebuilt = append(a.rebuilt, x)
		}
	}
	return nil
}

// retypeKey takes a key's type from its column or expression and tries its operator class on it.
func (a *alteration) retypeKey(x *catalog.Index, k *catalog.IndexKey) (err error) {
	if k.Column != 0 {
		c := &a.table.Columns[k.Column-1]
		k.Type, k.Typmod = c.Type, c.Typmod
	} else {
		e, err := a.s.parse(a.table, k.Expr, expr.Type{}, "index expressions")
		if err != nil {
			return err
		}
		k.Type, k.Typmod = e.Type().OID, e.Type().Typmod
	}
	var class []string
	if k.Opclass != "" {
		class = []string{k.Opclass}
	}
	if !x.Vector() {
		_, err = keyClass(x.Method, k.Type, class)
		return err
	}
	if _, _, err = nearestClass(x.Method, k.Type, class); err != nil {
		return err
	}
	return checkDimensions(x.Method, k)
}

func isColumn(e expr.Expr, num int16) bool {
	for {
		cast, ok := e.(*expr.Cast)
		if !ok {
			break
		}
		e = cast.Arg
	}
	c, ok := e.(*expr.Column)
	return ok && c.Index == int(num)-1
}

func isText(oid types.OID) bool { return oid == types.TextOID || oid == types.VarcharOID }

// sameBytes says whether every value of a type is one of another type, stored
// alike: then a change of type needs no rewrite.
func sameBytes(from, to expr.Type) bool {
	wider := to.Typmod == types.NoTypmod || to.Typmod == from.Typmod
	switch {
	case isText(from.OID) && isText(to.OID):
		return wider || from.Typmod != types.NoTypmod && to.Typmod >= from.Typmod
	case from.OID != to.OID:
		return false
	}
	return wider
}
