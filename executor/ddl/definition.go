package ddl

import (
	"context"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// maxColumns is PostgreSQL's MaxHeapAttributeNumber.
const maxColumns = 1600

// definition is a table to which columns and constraints are added: a new one,
// or a clone of one that ALTER TABLE changes. What needs all columns is kept
// until finish.
type definition struct {
	s     *statement
	table *catalog.Table
	names *chooser
	// keys, checks and generated wait for all columns.
	keys      []ast.Constraint
	checks    []ast.Constraint
	foreigns  []ast.Constraint
	generated []generatedColumn
	sequences []*catalog.Sequence
	indexes   []*catalog.Index
	adopted   []*catalog.Index // existing indexes that became constraints
	// addedChecks and newNotNull are what existing rows must be tried on.
	addedChecks  []string
	addedForeign []string
	newNotNull   []string
}

type generatedColumn struct {
	column string
	expr   ast.Expr
	pos    int
}

func (s *statement) define(t *catalog.Table) *definition {
	return &definition{s: s, table: t, names: s.chooser(t.Schema)}
}

// systemColumns are the names that every PostgreSQL table has.
var systemColumns = []string{"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"}

// checkColumnName refuses a name that a new column cannot have.
func (d *definition) checkColumnName(name string) error {
	if slices.Contains(systemColumns, name) {
		return pgerr.Newf(pgerr.DuplicateColumn, `column name "%s" conflicts with a system column name`, name)
	}
	if len(d.table.Columns) >= maxColumns {
		return pgerr.Newf(pgerr.TooManyColumns, "tables can have at most %d columns", maxColumns)
	}
	return nil
}

// constrain adds a table constraint.
func (d *definition) constrain(k ast.Constraint) error {
	switch k.Kind {
	case ast.ConstraintForeign:
		d.foreigns = append(d.foreigns, k)
	case ast.ConstraintExclusion:
		return pgerr.Unsupported("EXCLUDE").At(k.Pos)
	case ast.ConstraintCheck:
		if k.Deferrable {
			return pgerr.New(pgerr.SyntaxError, "misplaced DEFERRABLE clause").At(k.Pos)
		}
		d.checks = append(d.checks, k)
	case ast.ConstraintPrimary, ast.ConstraintUnique:
		if k.Deferrable {
			return pgerr.Unsupported("DEFERRABLE").At(k.Pos)
		}
		d.keys = append(d.keys, k)
	}
	return nil
}

// finish binds what had to wait and makes the descriptors of checks and keys.
func (d *definition) finish(ctx context.Context) error {
	for _, g := range d.generated {
		if err := d.bindGenerated(g); err != nil {
			return err
		}
	}
	for _, k := range d.checks {
		if err := d.addCheck(k); err != nil {
			return err
		}
	}
	// The primary key comes first, so that its name is never taken by another.
	for _, primary := range []bool{true, false} {
		for _, k := range d.keys {
			if (k.Kind == ast.ConstraintPrimary) != primary {
				continue
			}
			if err := d.addKey(k); err != nil {
				return err
			}
		}
	}
	for _, k := range d.foreigns { // they may refer to the keys
		if err := d.addForeign(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// changes are the catalog changes that make what was defined, the table first.
func (d *definition) changes() []catalog.Change {
	changes := []catalog.Change{catalog.Put(d.table)}
	for _, q := range d.sequences {
		changes = append(changes, catalog.Put(q))
	}
	for _, x := range append(d.adopted, d.indexes...) {
		changes = append(changes, catalog.Put(x))
	}
	return changes
}

// build fills the new indexes.
func (d *definition) build(ctx context.Context) error {
	for _, x := range d.indexes {
		if d.table.Partitioned != nil {
			continue // its partitions have the entries
		}
		if err := d.s.Txn.BuildIndex(ctx, d.table, x); err != nil {
			return err
		}
	}
	return nil
}

// bindGenerated checks a generated column's expression and stores it.
func (d *definition) bindGenerated(g generatedColumn) error {
	c := d.table.Column(g.column)
	e, err := d.s.store(d.table, g.expr, typeOf(c), "column generation expressions")
	if err != nil {
		return err
	}
	if !immutable(e.Bound) {
		return pgerr.New(pgerr.InvalidObjectDefinition, "generation expression is not immutable")
	}
	for _, num := range e.Columns {
		used := &d.table.Columns[num-1]
		if used.Name == g.column || used.Generated != "" || d.isGenerated(used.Name) {
			return pgerr.Newf(pgerr.InvalidObjectDefinition, `cannot use generated column "%s" in column generation expression`, used.Name).
				WithDetail("A generated column cannot reference another generated column.").At(g.pos)
		}
	}
	c.Generated = e.Text
	return nil
}

func (d *definition) isGenerated(column string) bool {
	return slices.ContainsFunc(d.generated, func(g generatedColumn) bool { return g.column == column })
}

// addCheck binds a CHECK constraint and names it.
func (d *definition) addCheck(k ast.Constraint) error {
	e, err := d.s.store(d.table, k.Expr, boolean, "check constraints")
	if err != nil {
		return err
	}
	name := k.Name
	if name == "" {
		column := ""
		if len(e.Columns) == 1 {
			column = d.table.Columns[e.Columns[0]-1].Name
		}
		name = d.names.constraint(d.table, column, "check")
	} else if check(d.table, name) != nil && d.s.catalog().Table(d.table.ID) == nil {
		return pgerr.Newf(pgerr.DuplicateObject, `check constraint "%s" already exists`, name)
	} else if hasConstraint(d.s.catalog(), d.table, name) {
		return constraintExists(d.table, name)
	}
	id, err := d.s.NewID()
	if err != nil {
		return err
	}
	d.table.Checks = append(d.table.Checks, catalog.Check{ID: id, Name: name, Expr: e.Text, Columns: e.Columns, NotValid: k.NotValid})
	if !k.NotValid {
		d.addedChecks = append(d.addedChecks, name)
	}
	return nil
}

func constraintExists(t *catalog.Table, name string) *pgerr.Error {
	return pgerr.Newf(pgerr.DuplicateObject, `constraint "%s" for relation "%s" already exists`, name, t.Name)
}
