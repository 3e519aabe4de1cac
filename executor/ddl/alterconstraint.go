package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// addConstraint is ADD CONSTRAINT.
func (a *alteration) addConstraint(_ context.Context, act *ast.AlterAction) error {
	if k := act.Constraint; k.Kind == ast.ConstraintPrimary { // its columns become NOT NULL first
		for _, name := range k.Columns {
			if _, err := a.column(name); err != nil {
				return err
			}
		}
	}
	return a.constrain(*act.Constraint)
}

// dropConstraint is DROP CONSTRAINT; a key goes with its index.
func (a *alteration) dropConstraint(ctx context.Context, act *ast.AlterAction) error {
	if x := keyConstraint(a.s.catalog(), a.table, act.Name); x != nil {
		return a.dropKey(ctx, x, act.Cascade)
	}
	if foreign(a.table, act.Name) != nil {
		a.table.Foreign = slices.DeleteFunc(a.table.Foreign, func(f catalog.Foreign) bool { return f.Name == act.Name })
		return a.s.Txn.Change(ctx, catalog.Put(a.table.Clone()))
	}
	if check(a.table, act.Name) != nil {
		a.table.Checks = slices.DeleteFunc(a.table.Checks, func(k catalog.Check) bool { return k.Name == act.Name })
		return a.s.Txn.Change(ctx, catalog.Put(a.table.Clone()))
	}
	if !act.IfExists {
		return noConstraint(act.Name, a.table)
	}
	a.s.notice("00000", `constraint "%s" of relation "%s" does not exist, skipping`, act.Name, a.table.Name)
	return nil
}

// dropKey drops a key with its index; foreign keys that refer to it go with CASCADE only.
func (a *alteration) dropKey(ctx context.Context, x *catalog.Index, cascade bool) error {
	d := a.s.deletion(cascade)
	d.heading = "constraint " + sql.QuoteIdent(x.Name) + " on " + a.s.describe(a.table)
	d.followForeign(a.table, d.ofIndex(x), a.s.describe(x))
	d.take(x)
	if err := d.report(); err != nil {
		return err
	}
	if err := d.execute(ctx); err != nil {
		return err
	}
	a.forgetForeign(d)
	return nil
}

// forgetForeign takes off what a deletion has dropped from this very table.
func (a *alteration) forgetForeign(d *deletion) {
	a.table.Foreign = slices.DeleteFunc(a.table.Foreign, func(f catalog.Foreign) bool {
		return slices.Contains(d.foreign, foreignRef{a.table.ID, f.Name})
	})
}

func noConstraint(name string, t *catalog.Table) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedObject, `constraint "%s" of relation "%s" does not exist`, name, t.Name)
}

// validate is VALIDATE CONSTRAINT.
func (a *alteration) validate(_ context.Context, act *ast.AlterAction) error {
	if f := foreign(a.table, act.Name); f != nil {
		if f.NotValid {
			f.NotValid = false
			a.addedForeign = append(a.addedForeign, f.Name)
		}
		return nil
	}
	k := check(a.table, act.Name)
	if k == nil {
		if keyConstraint(a.s.catalog(), a.table, act.Name) == nil {
			return noConstraint(act.Name, a.table)
		}
		return pgerr.Newf(pgerr.WrongObjectType, `constraint "%s" of relation "%s" is not a foreign key or check constraint`, act.Name, a.table.Name)
	}
	if k.NotValid {
		k.NotValid = false
		a.tried = append(a.tried, k.Name)
	}
	return nil
}

// addIdentityAction is ADD GENERATED … AS IDENTITY.
func (a *alteration) addIdentityAction(_ context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	switch {
	case !c.NotNull:
		return notReady(`column "%s" of relation "%s" must be declared NOT NULL before identity can be added`, c, a.table)
	case c.Identity != 0:
		return notReady(`column "%s" of relation "%s" is already an identity column`, c, a.table)
	case c.Default != "":
		return notReady(`column "%s" of relation "%s" already has a default value`, c, a.table)
	}
	return a.addIdentity(c, act.Constraint)
}

func notReady(format string, c *catalog.Column, t *catalog.Table) *pgerr.Error {
	return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, format, c.Name, t.Name)
}

// setIdentity is SET GENERATED, SET sequence option and RESTART.
func (a *alteration) setIdentity(ctx context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	q := identitySequence(a.s.catalog(), a.table, c)
	if c.Identity == 0 || q == nil {
		return notReady(`column "%s" of relation "%s" is not an identity column`, c, a.table)
	}
	var o sequenceOptions
	if err := o.read(act.Options); err != nil {
		return err
	}
	if o.generated != 0 {
		c.Identity = o.generated
		if err := a.s.Txn.Change(ctx, catalog.Put(a.table.Clone())); err != nil {
			return err
		}
		o.generated = 0
	}
	return a.s.changeSequence(ctx, q, &o)
}

// dropIdentity is DROP IDENTITY: the column stays NOT NULL.
func (a *alteration) dropIdentity(ctx context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	if c.Identity == 0 {
		if !act.IfExists {
			return notReady(`column "%s" of relation "%s" is not an identity column`, c, a.table)
		}
		a.s.notice("00000", `column "%s" of relation "%s" is not an identity column, skipping`, c.Name, a.table.Name)
		return nil
	}
	q := identitySequence(a.s.catalog(), a.table, c)
	c.Identity = 0
	changes := []catalog.Change{catalog.Put(a.table.Clone())}
	if q != nil {
		changes = append(changes, catalog.Delete(q))
	}
	return a.s.Txn.Change(ctx, changes...)
}
