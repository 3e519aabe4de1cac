package ddl

import (
	"context"
	"fmt"
	"slices"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// addColumnAction is ADD COLUMN.
func (a *alteration) addColumnAction(_ context.Context, act *ast.AlterAction) error {
	def := act.Column
	if a.table.Column(def.Name) != nil {
		e := columnExists(def.Name, a.table.Name)
		if !act.IfExists {
			return e
		}
		e.Message += ", skipping"
		e.Severity = "NOTICE"
		a.s.send(e)
		return nil
	}
	if err := a.addColumn(def); err != nil {
		return err
	}
	a.added = append(a.added, def.Name)
	return nil
}

// dropColumnAction is DROP COLUMN: indexes and constraints on the column go
// with it, views and generated columns only with CASCADE.
func (a *alteration) dropColumnAction(ctx context.Context, act *ast.AlterAction) error {
	if slices.Contains(systemColumns, act.Name) {
		return pgerr.Newf(pgerr.FeatureNotSupported, `cannot drop system column "%s"`, act.Name)
	}
	c := a.table.Column(act.Name)
	if c == nil {
		if !act.IfExists {
			return noColumn(a.table, act.Name)
		}
		a.s.notice("00000", `column "%s" of relation "%s" does not exist, skipping`, act.Name, a.table.Name)
		return nil
	}
	d := a.s.deletion(act.Cascade)
	heading := "column " + sql.QuoteIdent(c.Name) + " of " + a.s.describe(a.table)
	d.heading = heading
	generated := a.generatedFrom(c.Num)
	for _, g := range generated {
		what := "column " + sql.QuoteIdent(a.table.Columns[g-1].Name) + " of " + a.s.describe(a.table)
		d.reasons = append(d.reasons, what+" depends on "+heading)
		d.cascaded = append(d.cascaded, what)
	}
	for _, num := range append([]int16{c.Num}, generated...) {
		if err := a.dropWithColumn(ctx, d, num); err != nil {
			return err
		}
	}
	if err := d.report(); err != nil {
		return err
	}
	if err := d.execute(ctx); err != nil {
		return err
	}
	a.forgetForeign(d)
	for _, num := range append([]int16{c.Num}, generated...) {
		if err := a.s.forgetColumn(ctx, a.table, num); err != nil {
			return err
		}
		a.erase(num)
	}
	return a.s.Txn.Change(ctx, catalog.Put(a.table.Clone()))
}

// dropWithColumn gathers what goes with a column.
func (a *alteration) dropWithColumn(ctx context.Context, d *deletion, num int16) error {
	what := "column " + sql.QuoteIdent(a.table.Columns[num-1].Name) + " of " + a.s.describe(a.table)
	for _, x := range a.s.catalog().Indexes(a.table.ID) {
		uses, err := a.s.indexUses(a.from, x, num)
		if err != nil {
			return err
		}
		if uses && !d.isGone(x) {
			d.take(x)
		}
	}
	for _, q := range a.s.catalog().Sequences(a.table.ID) {
		if q.OwnerColumn != num {
			continue
		}
		d.take(q)
		a.table.Columns[num-1].Default = "" // not a dependent of its own sequence
		if err := a.followOwnSequence(d, q, num); err != nil {
			return err
		}
	}
	d.followForeign(a.table, func(f *catalog.Foreign) bool { return slices.Contains(f.RefColumns, num) }, what)
	views, err := a.s.viewsUsing(a.table, num)
	if err != nil {
		return err
	}
	for _, v := range views {
		if d.isGone(v) {
			continue
		}
		if err := d.depend(v, what); err != nil {
			return err
		}
	}
	return nil
}

// followOwnSequence takes the defaults of other columns that use a column's sequence.
func (a *alteration) followOwnSequence(d *deletion, q *catalog.Sequence, num int16) error {
	before := len(d.defaults)
	if err := d.followDefaults(q); err != nil {
		return err
	}
	for i := before; i < len(d.defaults); i++ {
		if ref := d.defaults[i]; ref.table.ID == a.table.ID {
			if ref.column == num { // its own default is no dependent
				n := len(d.reasons) - (len(d.defaults) - i)
				d.reasons, d.cascaded = slices.Delete(d.reasons, n, n+1), slices.Delete(d.cascaded, n, n+1)
			} else {
				a.table.Columns[ref.column-1].Default = ""
			}
			d.defaults = slices.Delete(d.defaults, i, i+1)
			i--
		}
	}
	return nil
}

// erase makes a column a dropped one: its place stays.
func (a *alteration) erase(num int16) {
	c := &a.table.Columns[num-1]
	*c = catalog.Column{Num: c.Num, Name: fmt.Sprintf("........pg.dropped.%d........", c.Num), Type: c.Type, Typmod: c.Typmod, Dropped: true}
	a.table.Checks = slices.DeleteFunc(a.table.Checks, func(k catalog.Check) bool { return slices.Contains(k.Columns, num) })
	a.table.Foreign = slices.DeleteFunc(a.table.Foreign, func(f catalog.Foreign) bool { return slices.Contains(f.Columns, num) })
}

// generatedFrom are the generated columns that are computed from a column.
func (a *alteration) generatedFrom(num int16) []int16 {
	var out []int16
	for _, c := range a.table.Live() {
		if c.Generated == "" || c.Num == num {
			continue
		}
		e, err := a.s.parse(a.table, c.Generated, typeOf(c), "column generation expressions")
		if err == nil && slices.Contains(columnsOf(e), num) {
			out = append(out, c.Num)
		}
	}
	return out
}

// indexUses says whether an index reads a column.
func (s *statement) indexUses(t *catalog.Table, x *catalog.Index, num int16) (bool, error) {
	if slices.Contains(x.Include, num) {
		return true, nil
	}
	texts := []string{x.Predicate}
	for _, k := range x.Keys {
		if k.Column == num {
			return true, nil
		}
		texts = append(texts, k.Expr)
	}
	for _, text := range texts {
		if text == "" {
			continue
		}
		e, err := s.parse(t, text, expr.Type{}, "index expressions")
		if err != nil {
			return false, err
		}
		if slices.Contains(columnsOf(e), num) {
			return true, nil
		}
	}
	return false, nil
}

// viewsUsing are the views whose query needs a column: it cannot be planned
// without the column, or its plan reads it.
func (s *statement) viewsUsing(t *catalog.Table, num int16) ([]catalog.Object, error) {
	var out []catalog.Object
	without := t.Clone()
	without.Columns[num-1].Dropped = true
	env := s.Plan()
	env.Catalog = env.Catalog.Apply(catalog.Put(without))
	for _, o := range s.viewsOf(t) {
		query, err := parseView(o.(*catalog.View))
		if err != nil {
			return nil, err
		}
		eachMention(query, nameOf(t), func(r *ast.RangeVar) { unaliasColumn(r, placeOf(t, num)) })
		p, err := plan.Prepare(env, query, nil)
		if err == nil {
			if query, err = parseView(o.(*catalog.View)); err != nil {
				return nil, err
			}
			p, err = plan.Prepare(s.Plan(), query, nil)
		}
		if err != nil || plan.Reads(p, t.ID, num) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (a *alteration) setDefaultAction(_ context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	switch {
	case c.Identity != 0:
		return isIdentity(a.table, c)
	case c.Generated != "":
		return isGeneratedColumn(a.table, c)
	}
	return a.setDefault(c, act.Expr)
}

func isIdentity(t *catalog.Table, c *catalog.Column) *pgerr.Error {
	return pgerr.Newf(pgerr.SyntaxError, `column "%s" of relation "%s" is an identity column`, c.Name, t.Name)
}

func isGeneratedColumn(t *catalog.Table, c *catalog.Column) *pgerr.Error {
	return pgerr.Newf(pgerr.SyntaxError, `column "%s" of relation "%s" is a generated column`, c.Name, t.Name)
}

func (a *alteration) dropDefault(_ context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	switch {
	case c.Identity != 0:
		return isIdentity(a.table, c).WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
	case c.Generated != "":
		return isGeneratedColumn(a.table, c).WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.")
	}
	c.Default = ""
	return nil
}

func (a *alteration) setNotNull(_ context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil || c.NotNull {
		return err
	}
	c.NotNull = true
	a.newNotNull = append(a.newNotNull, c.Name)
	return nil
}

func (a *alteration) dropNotNull(_ context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	if c.Identity != 0 {
		return isIdentity(a.table, c)
	}
	for _, x := range a.s.catalog().Indexes(a.table.ID) {
		if x.Primary && slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return k.Column == c.Num }) {
			return pgerr.Newf(pgerr.InvalidTableDefinition, `column "%s" is in a primary key`, c.Name)
		}
	}
	c.NotNull = false
	return nil
}

func (a *alteration) dropExpression(_ context.Context, act *ast.AlterAction) error {
	c, err := a.column(act.Name)
	if err != nil {
		return err
	}
	if c.Generated == "" {
		if !act.IfExists {
			return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, `column "%s" of relation "%s" is not a stored generated column`, c.Name, a.table.Name)
		}
		a.s.notice("00000", `column "%s" of relation "%s" is not a stored generated column, skipping`, c.Name, a.table.Name)
	}
	c.Generated = ""
	return nil
}

// columnHint is SET STATISTICS, STORAGE and COMPRESSION: nothing here reads them.
func (a *alteration) columnHint(_ context.Context, act *ast.AlterAction) error {
	_, err := a.column(act.Name)
	return err
}
