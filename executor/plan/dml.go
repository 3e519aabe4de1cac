package plan

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// generatedAlways is the SQLSTATE of writing to generated and identity columns.
const generatedAlways = "428C9"

// modifying is one INSERT, UPDATE or DELETE being bound.
type modifying struct {
	b     *binder
	s     *scope
	table *catalog.Table
	alias string
	node  *ModifyTable
}

// writeWords are what PostgreSQL says of a view that cannot be written to.
var writeWords = map[string][2]string{
	"INSERT": {"insert into", "inserting into"}, "UPDATE": {"update", "updating"}, "DELETE": {"delete from", "deleting from"},
}

// modify finds the table that a statement changes.
func (b *binder) modify(op string, r *ast.RangeVar, s *scope) (*modifying, error) {
	if s == nil {
		s = &scope{}
	}
	object, virtual := b.env.fromRelation(r)
	switch t := object.(type) {
	case *catalog.Table:
		b.use(t, storage.LockRowExclusive)
		b.plan.Writes = true
		m := &modifying{b: b, s: s, table: t, alias: aliasName(r.Alias, t.Name)}
		m.node = &ModifyTable{Op: op, Table: t, Alias: m.alias}
		return m, m.partitions(r.Only && op != "INSERT")
	case *catalog.View:
		w := writeWords[op]
		return nil, pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "cannot %s view %q", w[0], t.Name).
			WithDetail("Views are not automatically updatable.").
			WithHint("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional ON %s DO INSTEAD rule.", w[1], op, op)
	case *catalog.Sequence:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "cannot change sequence %q", t.Name).At(r.Pos)
	case *catalog.Index:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "cannot open relation %q", t.Name).
			WithDetail("This operation is not supported for indexes.").At(r.Pos)
	}
	if virtual != "" {
		return nil, pgerr.Newf(pgerr.InsufficientPrivilege, "permission denied: %q is a system catalog", r.Name).At(r.Pos)
	}
	return nil, noRelation(r)
}

// partitions notes where the rows of a partitioned table lie, and what those of a
// partition must keep.
func (m *modifying) partitions(only bool) error {
	b, t := m.b, m.table
	if only && t.Partitioned != nil {
		return nil
	}
	if err := b.loadPartitions(t); err != nil {
		return err
	}
	m.node.Partitions, m.node.Leaves = b.parts[t.ID], b.leavesOf(t)
	for _, leaf := range m.node.Leaves {
		b.use(leaf, storage.LockRowExclusive)
	}
	var err error
	m.node.Bounds, err = BoundsOf(b.env, t)
	return err
}

// BoundsOf are what the rows of a partition must keep, for all tables above it.
func BoundsOf(env *Env, t *catalog.Table) ([]PartitionOf, error) {
	var out []PartitionOf
	for child := t; child.Parent != 0; {
		parent := env.Catalog.Table(child.Parent)
		p, err := NewPartitions(env, parent)
		if err != nil {
			return nil, err
		}
		out = append(out, PartitionOf{p, child.ID})
		child = parent
	}
	return out, nil
}

// leavesOf are the tables that hold a partitioned table's rows, by number.
func (b *binder) leavesOf(t *catalog.Table) []*catalog.Table {
	if p := b.parts[t.ID]; p != nil {
		return p.Leaves(nil)
	}
	return nil
}

// leafChecks binds the constraints that only some of the leaves have.
func (m *modifying) leafChecks() error {
	for i, leaf := range m.node.Leaves {
		for k := range leaf.Checks {
			own := &leaf.Checks[k]
			if slices.ContainsFunc(m.table.Checks, func(c catalog.Check) bool { return c.Name == own.Name && c.Expr == own.Expr }) {
				continue
			}
			e, err := m.b.storedExpr(leaf, own.Expr, boolType)
			if err != nil {
				return err
			}
			if m.node.LeafChecks == nil {
				m.node.LeafChecks = make([][]CheckExpr, len(m.node.Leaves))
			}
			m.node.LeafChecks[i] = append(m.node.LeafChecks[i], CheckExpr{Name: own.Name, Cond: e})
		}
	}
	return nil
}

// column finds a column that is assigned to.
func (m *modifying) column(name string, pos int) (*catalog.Column, error) {
	if c := m.table.Column(name); c != nil {
		return c, nil
	}
	return nil, pgerr.Newf(pgerr.UndefinedColumn, "column %q of relation %q does not exist", name, m.table.Name).At(pos)
}

func columnType(c *catalog.Column) expr.Type { return expr.Type{OID: c.Type, Typmod: c.Typmod} }

// assigned casts a value to its column's type.
func (m *modifying) assigned(e expr.Expr, c *catalog.Column, pos int) (expr.Expr, error) {
	out, err := expr.Coerce(m.b.env.Types, e, columnType(c), expr.CastAssignment)
	if err != nil {
		if x := pgerr.As(err); x != nil && x.Code == pgerr.DatatypeMismatch && strings.HasPrefix(x.Message, "column is of type") {
			named := *x
			named.Message = "column \"" + c.Name + "\"" + strings.TrimPrefix(x.Message, "column")
			err = &named
		}
		return nil, at(err, pos)
	}
	return CheckDomain(m.b.env, c.Domain, expr.Fold(m.b.env.Types, out))
}

// defaultOf is what a column is filled with; nil for NULL.
func (b *binder) defaultOf(t *catalog.Table, c *catalog.Column) (expr.Expr, error) {
	text := DefaultText(b.env.Catalog, c)
	if c.Identity != 0 {
		for _, q := range b.env.Catalog.Sequences(t.ID) {
			if q.OwnerColumn == c.Num {
				text = "nextval(" + sql.QuoteLiteral(sql.QuoteIdent(q.Schema)+"."+sql.QuoteIdent(q.Name)) + ")"
			}
		}
	}
	if text == "" && c.Domain == 0 {
		return nil, nil
	}
	var e, none expr.Expr
	none = &expr.Const{Typ: columnType(c)}
	e = none
	var err error
	if text != "" {
		if e, err = b.storedExpr(nil, text, columnType(c)); err != nil {
			return nil, err
		}
	}
	if e, err = CheckDomain(b.env, c.Domain, e); e == none {
		return nil, err
	}
	return e, err
}

// orNull is a default as an expression.
func orNull(e expr.Expr, c *catalog.Column) expr.Expr {
	if e != nil {
		return e
	}
	return &expr.Const{Typ: columnType(c)}
}

// constraints binds generated columns and checks over the table's row.
func (m *modifying) constraints() error {
	for i := range m.table.Columns {
		c := &m.table.Columns[i]
		if c.Dropped || c.Generated == "" {
			continue
		}
		e, err := m.b.storedExpr(m.table, c.Generated, columnType(c))
		if err != nil {
			return err
		}
		m.node.Generated = append(m.node.Generated, Assignment{Column: c.Num, Value: e})
	}
	for i := range m.table.Checks {
		k := &m.table.Checks[i]
		e, err := m.b.storedExpr(m.table, k.Expr, boolType)
		if err != nil {
			return err
		}
		m.node.Checks = append(m.node.Checks, CheckExpr{Name: k.Name, Cond: e})
	}
	return m.leafChecks()
}

// returning binds RETURNING over rels; place moves columns to the row that
// RETURNING is computed over.
func (m *modifying) returning(list []ast.Target, s *scope, place func(expr.Expr) expr.Expr) error {
	n := m.node
	n.Rows = n.Child.Common().Rows
	n.Cost = n.Child.Common().Cost
	if len(list) == 0 {
		n.Rows = 0
		return nil
	}
	s.level = &level{refused: "RETURNING"}
	n.Returning = []expr.Expr{}
	n.Columns = []Column{}
	for i := range list {
		targets, err := m.b.target(s, &list[i])
		if err != nil {
			return err
		}
		for _, t := range targets {
			n.Returning = append(n.Returning, expr.Fold(m.b.env.Types, place(t.value)))
			n.Columns = append(n.Columns, Column{Name: t.name, Type: t.value.Type(), Table: t.column.Table, Attnum: t.column.Attnum})
		}
	}
	return nil
}

// leafPlaces has tableoid in RETURNING read where the leaf's oid stands: behind
// the row that RETURNING sees, which has width places.
func (m *modifying) leafPlaces(width int) {
	for i, e := range m.node.Returning {
		m.node.Returning[i] = expr.Rewrite(e, func(x expr.Expr) expr.Expr {
			c, ok := x.(*expr.Call)
			if !ok || c.Func.Name != leafOIDName {
				return x
			}
			m.node.LeafPlace = width
			return &expr.Column{Index: width, Typ: c.Typ, Name: leafOIDName}
		})
	}
}

func unmovedExpr(e expr.Expr) expr.Expr { return e }

// setClauses binds SET. place moves columns from the logical row to the row
// that the values are computed over.
func (m *modifying) setClauses(list []ast.SetClause, s *scope, place func(expr.Expr) expr.Expr) ([]Assignment, error) {
	var out []Assignment
	parts := map[int]*expr.Call{} // the parts assigned to, by place in out
	for i := range list {
		if list[i].Part != nil {
			if err := m.setPart(&list[i], s, &out, parts); err != nil {
				return nil, err
			}
			continue
		}
		these, err := m.setClause(&list[i], s)
		if err != nil {
			return nil, err
		}
		for _, a := range these {
			for _, o := range out {
				if o.Column == a.Column {
					return nil, pgerr.Newf(pgerr.SyntaxError, "multiple assignments to same column %q", m.table.Columns[a.Column-1].Name)
				}
			}
			out = append(out, a)
		}
	}
	for i := range out {
		out[i].Value = place(out[i].Value)
	}
	return out, nil
}

// setPart binds SET column[i] = value. Several parts of a column are assigned
// one after another.
func (m *modifying) setPart(c *ast.SetClause, s *scope, out *[]Assignment, parts map[int]*expr.Call) error {
	column, err := m.column(c.Columns[0], c.Pos)
	if err != nil {
		return err
	}
	if err := m.settable(column); err != nil {
		return err
	}
	e, err := m.b.subscript(s, qualifiedPart(c.Part, s.rels[0].name))
	if err != nil {
		return err
	}
	target := e.(*expr.Subscript)
	value, err := m.partValue(c, target, s)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(*out, func(a Assignment) bool { return a.Column == column.Num })
	if at >= 0 {
		if parts[at] == nil {
			return pgerr.Newf(pgerr.SyntaxError, "multiple assignments to same column %q", column.Name)
		}
		target.Arg = parts[at]
	} else {
		at = len(*out)
		*out = append(*out, Assignment{Column: column.Num})
	}
	parts[at] = expr.AssignSubscript(target, value)
	(*out)[at].Value, err = m.assigned(parts[at], column, c.Pos)
	return err
}

// partValue is the value for a part: of the element's type, or of the array's for
// a slice.
func (m *modifying) partValue(c *ast.SetClause, target *expr.Subscript, s *scope) (expr.Expr, error) {
	value, err := m.b.expr(s, c.Expr)
	if err != nil {
		return nil, err
	}
	if !expr.CanCoerce(value.Type().OID, target.Typ.OID, expr.CastAssignment) {
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, "subscripted assignment to %q requires type %s but expression is of type %s",
			c.Columns[0], types.FormatType(target.Typ.OID, -1), types.FormatType(value.Type().OID, -1)).
			WithHint("You will need to rewrite or cast the expression.").At(c.Pos)
	}
	value, err = expr.Coerce(m.b.env.Types, value, target.Typ, expr.CastAssignment)
	return value, at(err, positionOf(c.Expr))
}

// qualifiedPart is column[i]… with the column's table named, so that EXCLUDED
// and the tables of FROM do not make it ambiguous.
func qualifiedPart(t *ast.Subscript, table string) *ast.Subscript {
	out := *t
	switch arg := t.Arg.(type) {
	case *ast.Subscript:
		out.Arg = qualifiedPart(arg, table)
	case *ast.ColumnRef:
		out.Arg = &ast.ColumnRef{Parts: []string{table, arg.Parts[len(arg.Parts)-1]}, Pos: arg.Pos}
	}
	return &out
}

func (m *modifying) setClause(c *ast.SetClause, s *scope) ([]Assignment, error) {
	if len(c.Columns) == 1 {
		if _, row := c.Expr.(*ast.RowExpr); !row {
			a, err := m.set(c.Columns[0], c.Expr, s, c.Pos)
			return []Assignment{a}, err
		}
	}
	var values []ast.Expr
	switch e := c.Expr.(type) {
	case *ast.RowExpr:
		values = e.Args
	case *ast.SubLink:
		return m.setSubquery(c, e, s)
	default:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression").At(c.Pos)
	}
	if len(values) != len(c.Columns) {
		return nil, pgerr.New(pgerr.SyntaxError, "number of columns does not match number of values").At(c.Pos)
	}
	var out []Assignment
	for i, name := range c.Columns {
		a, err := m.set(name, values[i], s, c.Pos)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// set binds column = value.
func (m *modifying) set(name string, value ast.Expr, s *scope, pos int) (Assignment, error) {
	c, err := m.column(name, pos)
	if err != nil {
		return Assignment{}, err
	}
	if _, ok := value.(*ast.Default); ok {
		e, err := m.b.defaultOf(m.table, c)
		return Assignment{Column: c.Num, Value: orNull(e, c)}, err
	}
	if err := m.settable(c); err != nil {
		return Assignment{}, err
	}
	e, err := m.b.expr(s, value)
	if err != nil {
		return Assignment{}, err
	}
	e, err = m.assigned(e, c, positionOf(value))
	return Assignment{Column: c.Num, Value: e}, err
}

// settable refuses values for columns that only take their default.
func (m *modifying) settable(c *catalog.Column) error {
	e := pgerr.Newf(generatedAlways, "column %q can only be updated to DEFAULT", c.Name)
	switch {
	case c.Generated != "":
		return e.WithDetail("Column %q is a generated column.", c.Name)
	case c.Identity == 'a':
		return e.WithDetail("Column %q is an identity column defined as GENERATED ALWAYS.", c.Name)
	}
	return nil
}

// setSubquery binds (a, b) = (SELECT x, y).
func (m *modifying) setSubquery(c *ast.SetClause, sub *ast.SubLink, s *scope) ([]Assignment, error) {
	q, ok := sub.Query.(*ast.Select)
	if !ok || sub.Kind != ast.SubLinkScalar {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression").At(c.Pos)
	}
	fields, err := m.b.recordSubquery(s, q)
	if err != nil {
		return nil, err
	}
	if len(fields) != len(c.Columns) {
		return nil, pgerr.New(pgerr.SyntaxError, "number of columns does not match number of values").At(c.Pos)
	}
	var out []Assignment
	for i, name := range c.Columns {
		col, err := m.column(name, c.Pos)
		if err == nil {
			err = m.settable(col)
		}
		if err != nil {
			return nil, err
		}
		e, err := m.assigned(fields[i], col, c.Pos)
		if err != nil {
			return nil, err
		}
		out = append(out, Assignment{Column: col.Num, Value: e})
	}
	return out, nil
}

// recordSubquery binds a subquery whose one row is used as several values.
func (b *binder) recordSubquery(s *scope, q *ast.Select) ([]expr.Expr, error) {
	l := &link{params: map[int]bool{}}
	n, err := b.queryIn(q, &scope{outer: s, link: l})
	if err != nil {
		return nil, err
	}
	record := expr.Type{OID: types.RecordOID, Typmod: types.NoTypmod}
	row := &expr.RowCtor{Typ: record}
	plan := &expr.SubPlan{Kind: expr.SubPlanScalar, Typ: record}
	var fields []expr.Expr
	for i, c := range n.Common().Columns {
		row.Fields = append(row.Fields, &expr.Column{Index: i, Typ: c.Type, Name: c.Name})
		row.Names = append(row.Names, c.Name)
		fields = append(fields, &expr.FieldSelect{Arg: plan, Index: i, Name: c.Name, Typ: c.Type})
	}
	p := &Project{Child: n, Exprs: []expr.Expr{row}}
	p.Info = Info{Columns: []Column{{Name: "row", Type: record}}, Rows: n.Common().Rows, Cost: n.Common().Cost}
	b.addSubPlan(plan, p, l)
	return fields, nil
}
