package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// ConstraintDefinition is pg_get_constraintdef; false when there is no such constraint.
func (d *Definer) ConstraintDefinition(id types.OID, pretty bool) (string, bool) {
	for _, o := range d.Catalog.Objects(catalog.KindIndex) {
		if x := o.(*catalog.Index); x.Constraint == id && id != 0 {
			return d.KeyDefinition(x), true
		}
	}
	for _, o := range d.Catalog.Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		for i := range t.Checks {
			if t.Checks[i].ID == id {
				return d.CheckDefinition(&t.Checks[i], pretty), true
			}
		}
		for i := range t.Foreign {
			if t.Foreign[i].ID == id {
				return d.ForeignDefinition(t, &t.Foreign[i]), true
			}
		}
	}
	for _, o := range d.Catalog.Objects(catalog.KindType) {
		for _, c := range o.(*catalog.UserType).Checks {
			if c.ID == id {
				return d.CheckDefinition(&c, pretty), true
			}
		}
	}
	return "", false
}

// KeyDefinition prints a PRIMARY KEY or UNIQUE constraint.
func (d *Definer) KeyDefinition(x *catalog.Index) string {
	t := d.Catalog.Table(x.Table)
	if t == nil {
		return ""
	}
	text := "UNIQUE "
	switch {
	case x.Primary:
		text = "PRIMARY KEY "
	case x.NullsNotDistinct:
		text = "UNIQUE NULLS NOT DISTINCT "
	}
	text += "(" + columnNames(t, KeyColumns(x)) + ")"
	if len(x.Include) > 0 {
		text += " INCLUDE (" + columnNames(t, x.Include) + ")"
	}
	return text
}

// KeyColumns are the attnums of an index's keys, 0 for expressions.
func KeyColumns(x *catalog.Index) []int16 {
	nums := make([]int16, len(x.Keys))
	for i := range x.Keys {
		nums[i] = x.Keys[i].Column
	}
	return nums
}

// CheckDefinition prints a CHECK constraint.
func (d *Definer) CheckDefinition(c *catalog.Check, pretty bool) string {
	text := "CHECK (" + d.expressionFor(c.Expr, pretty) + ")"
	if c.NotValid {
		text += " NOT VALID"
	}
	return text
}

// CheckText is a check's expression alone.
func (d *Definer) CheckText(c *catalog.Check) string { return d.expressionFor(c.Expr, false) }

// ForeignDefinition prints a FOREIGN KEY constraint.
func (d *Definer) ForeignDefinition(t *catalog.Table, f *catalog.Foreign) string {
	text := "FOREIGN KEY (" + columnNames(t, f.Columns) + ") REFERENCES "
	ref := d.Catalog.Table(f.RefTable)
	if ref == nil {
		return text + "?"
	}
	text += d.RelationName(ref) + "(" + columnNames(ref, f.RefColumns) + ")"
	if f.MatchFull {
		text += " MATCH FULL"
	}
	for _, action := range []struct{ when, what string }{{" ON UPDATE ", f.OnUpdate}, {" ON DELETE ", f.OnDelete}} {
		if what := strings.ToUpper(action.what); what != "" && what != "NO ACTION" {
			text += action.when + what
		}
	}
	if len(f.SetColumns) > 0 {
		text += " (" + columnNames(t, f.SetColumns) + ")"
	}
	if f.Deferrable {
		text += " DEFERRABLE"
	}
	if f.InitDeferred {
		text += " INITIALLY DEFERRED"
	}
	if f.NotValid {
		text += " NOT VALID"
	}
	return text
}

// PredicateText is a partial index's condition, "" for none.
func (d *Definer) PredicateText(x *catalog.Index) string {
	if x.Predicate == "" {
		return ""
	}
	return d.expressionFor(x.Predicate, false)
}

// KeyExpressions lists an index's expressions as pg_index.indexprs prints, "" for none.
func (d *Definer) KeyExpressions(x *catalog.Index) string {
	var out []string
	for i := range x.Keys {
		if x.Keys[i].Column == 0 {
			out = append(out, d.expressionFor(x.Keys[i].Expr, false))
		}
	}
	return strings.Join(out, ", ")
}
