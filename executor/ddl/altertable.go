package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// alteration is one ALTER TABLE. Its actions change a clone of the table, in
// PostgreSQL's order of passes and not in the order written; then the rows are
// rewritten, or only tried, once for all of them; then indexes are built.
type alteration struct {
	*definition
	// from is the table as its rows lie now.
	from  *catalog.Table
	added []string // new columns
	// converted are existing columns that get new values, computed over the old row.
	converted []conversion
	retyped   []int16
	// rebuilt are indexes whose keys have changed.
	rebuilt []*catalog.Index
	// tried are the CHECK constraints that all rows must pass.
	tried []string
}

// conversion computes a column.
type conversion struct {
	num   int16
	value expr.Expr
}

// pass is the order in which actions run.
type pass uint8

const (
	passDrop pass = iota
	passType
	passAdd
	passConstraint
	passAttribute
	passOther
	passes
)

// action is what one ALTER TABLE action does and when.
type action struct {
	pass pass
	run  func(a *alteration, ctx context.Context, act *ast.AlterAction) error
}

// actions are those that change a table; the others are refused by their name.
var actions map[string]action

func init() { // methods that look the table up
	actions = map[string]action{
		"DROP COLUMN": {passDrop, (*alteration).dropColumnAction}, "DROP CONSTRAINT": {passDrop, (*alteration).dropConstraint},
		"DROP DEFAULT": {passDrop, (*alteration).dropDefault}, "DROP NOT NULL": {passDrop, (*alteration).dropNotNull},
		"DROP IDENTITY": {passDrop, (*alteration).dropIdentity}, "DROP EXPRESSION": {passDrop, (*alteration).dropExpression},
		"ALTER TYPE":       {passType, (*alteration).alterType},
		"ADD COLUMN":       {passAdd, (*alteration).addColumnAction},
		"ADD CONSTRAINT":   {passConstraint, (*alteration).addConstraint},
		"ALTER CONSTRAINT": {passConstraint, (*alteration).alterForeign},
		"SET NOT NULL":     {passAttribute, (*alteration).setNotNull}, "SET DEFAULT": {passAttribute, (*alteration).setDefaultAction},
		"ADD IDENTITY": {passAttribute, (*alteration).addIdentityAction}, "SET IDENTITY": {passAttribute, (*alteration).setIdentity},
		"VALIDATE CONSTRAINT": {passOther, (*alteration).validate}, "OWNER": {passOther, (*alteration).setOwner},
		"SET OPTIONS": {passOther, (*alteration).setOptions}, "RESET OPTIONS": {passOther, (*alteration).resetOptions},
		"SET STATISTICS": {passOther, (*alteration).columnHint}, "SET STORAGE": {passOther, (*alteration).columnHint},
		"SET COMPRESSION": {passOther, (*alteration).columnHint},
		"CLUSTER ON":      {passOther, (*alteration).indexHint}, "SET WITHOUT CLUSTER": {passOther, accepted}, "REPLICA IDENTITY": {passOther, accepted},
		"SET LOGGED": {passOther, accepted}, "SET UNLOGGED": {passOther, accepted}, "SET WITHOUT OIDS": {passOther, accepted},
		"ATTACH PARTITION": {passOther, (*alteration).attachPartition}, "DETACH PARTITION": {passOther, (*alteration).detachPartition},
		"DETACH PARTITION FINALIZE": {passOther, accepted},
		"SET TABLESPACE":            {passOther, (*alteration).tablespace}, "SET ACCESS METHOD": {passOther, (*alteration).accessMethod},
	}
}

// accepted is an action whose result always holds here.
func accepted(*alteration, context.Context, *ast.AlterAction) error { return nil }

func (s *statement) alterTable(ctx context.Context, t *ast.AlterTable) error {
	for i := range t.Actions {
		if _, ok := actions[t.Actions[i].Op]; !ok {
			return pgerr.Unsupported("ALTER " + t.Kind + " ... " + t.Actions[i].Op).At(t.Actions[i].Pos)
		}
	}
	switch t.Kind {
	case "SCHEMA":
		return s.changeSchemaOwner(ctx, t.Table.Name, t.Actions[0].Name)
	case "DATABASE":
		return s.changeDatabaseOwner(t.Table.Name, t.Actions[0].Name)
	case "TYPE", "DOMAIN":
		return s.changeTypeOwner(ctx, t.Table, t.Actions[0].Name)
	}
	o, err := s.altered(ctx, t.Table, t.Kind, t.IfExists)
	if err != nil || o == nil {
		return err
	}
	table, ok := o.(*catalog.Table)
	if !ok {
		return s.alterOther(ctx, o, t)
	}
	a := &alteration{definition: s.define(table.Clone()), from: table}
	a.table.Version++
	s.only = t.Table.Only
	if err := a.refuseInherited(t.Actions); err != nil {
		return err
	}
	if err := a.refusePartitioned(t.Actions); err != nil {
		return err
	}
	for p := passDrop; p < passes; p++ {
		if err := a.runPass(ctx, p, t.Actions); err != nil {
			return err
		}
	}
	if err := a.finishAlter(ctx); err != nil {
		return err
	}
	return s.alterPartitions(ctx, a, t.Actions)
}

func (a *alteration) runPass(ctx context.Context, p pass, list []ast.AlterAction) error {
	for i := range list {
		if do := actions[list[i].Op]; do.pass == p {
			if err := do.run(a, ctx, &list[i]); err != nil {
				return err
			}
		}
	}
	if p == passDrop {
		a.names.cat = a.s.catalog() // names that fell are free
	}
	return nil
}

// column finds a column that an action names.
func (a *alteration) column(name string) (*catalog.Column, error) {
	if slices.Contains(systemColumns, name) {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, `cannot alter system column "%s"`, name)
	}
	c := a.table.Column(name)
	if c == nil {
		return nil, noColumn(a.table, name)
	}
	return c, nil
}

// finishAlter makes the table, its rows and its indexes what the actions ask for.
func (a *alteration) finishAlter(ctx context.Context) error {
	s := a.s
	if err := a.finish(ctx); err != nil {
		return err
	}
	for _, q := range a.sequences {
		if err := s.Txn.Change(ctx, catalog.Put(q)); err != nil {
			return err
		}
	}
	rewrite, err := a.fillAdded(ctx)
	if err != nil {
		return err
	}
	changes := []catalog.Change{catalog.Put(a.table)}
	for _, x := range a.adopted {
		changes = append(changes, catalog.Put(x))
	}
	if err := s.Txn.Change(ctx, changes...); err != nil {
		return err
	}
	switch {
	case a.table.Partitioned != nil: // it has no rows
	case rewrite:
		err = a.rewriteRows(ctx)
	default:
		err = a.tryRows(ctx)
	}
	if err != nil {
		return err
	}
	s.Txn.Advance()
	for _, x := range a.indexes {
		if err := s.Txn.Change(ctx, catalog.Put(x)); err != nil {
			return err
		}
	}
	if err := a.build(ctx); err != nil {
		return err
	}
	if err := a.rebuildIndexes(ctx); err != nil {
		return err
	}
	return a.tryForeign(ctx)
}

// rebuildIndexes builds the indexes anew whose keys have changed; a rewrite has
// refilled the btrees among them already.
func (a *alteration) rebuildIndexes(ctx context.Context) error {
	for _, x := range a.rebuilt {
		now, ok := a.s.catalog().Object(x.ID).(*catalog.Index)
		if !ok || !now.Vector() && len(a.converted) > 0 {
			continue
		}
		if a.table.Partitioned != nil {
			continue
		}
		if err := a.s.dropAndBuild(ctx, a.table, now); err != nil {
			return err
		}
	}
	return nil
}

// fillAdded decides how existing rows get the values of new columns: a constant
// is kept once, as Missing; anything else means a rewrite.
func (a *alteration) fillAdded(ctx context.Context) (rewrite bool, err error) {
	rewrite = len(a.converted) > 0
	for _, name := range a.added {
		c := a.table.Column(name)
		switch {
		case c == nil:
		case c.Generated != "" || c.Identity != 0:
			rewrite = true
		case c.Default != "" || c.Domain != 0:
			e, err := a.s.defaultValue(c)
			if err != nil {
				return false, err
			}
			if expr.VolatilityOf(e) == expr.Volatile || ownKey(c.Type) {
				rewrite = true
				continue
			}
			d, err := e.Eval(a.s.context(ctx))
			if err != nil {
				return false, err
			}
			if d != nil {
				text := types.FormatString(c.Type, d, types.DefaultEnv())
				c.Missing = &text
			}
		}
	}
	return rewrite, nil
}

// defaultValue binds what a column is filled with, tested by its domain.
func (s *statement) defaultValue(c *catalog.Column) (expr.Expr, error) {
	env := s.Plan()
	var e expr.Expr = &expr.Const{Typ: typeOf(c)}
	if text := plan.DefaultText(env.Catalog, c); text != "" {
		var err error
		if e, err = s.parse(nil, text, typeOf(c), "DEFAULT expressions"); err != nil {
			return nil, err
		}
	}
	return plan.CheckDomain(env, c.Domain, e)
}

// ownKey says whether a type's values lie apart from their rows, where no
// missing value can stand for them.
func ownKey(oid types.OID) bool {
	return oid == types.VectorOID || oid == types.HalfVecOID || oid == types.SparseVecOID
}
