package plan

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// binder makes the plan of one statement.
type binder struct {
	env    *Env
	plan   *Plan
	params []*expr.Param
	given  []types.OID
	views  int  // views being expanded, against recursion
	fixed  bool // no parameters: stored expressions
	// stmt is the statement, names how often it names each relation.
	stmt  any
	names map[string]int
	// parts are the partitions of the tables named.
	parts map[types.OID]*Partitions
}

func newBinder(env *Env, given []types.OID) *binder {
	return &binder{env: env, plan: &Plan{}, given: given}
}

// Prepare binds and plans SELECT, VALUES, INSERT, UPDATE, DELETE (with CTEs).
// params may be short or hold 0 for unknown types.
func Prepare(env *Env, stmt ast.Stmt, params []types.OID) (*Plan, error) {
	b := newBinder(env, params)
	for i := range params {
		if _, err := b.param(i+1, 0); err != nil {
			return nil, err
		}
	}
	if err := b.statement(stmt); err != nil {
		return nil, err
	}
	for i, p := range b.params {
		if p == nil || p.Typ.OID == types.UnknownOID {
			return nil, pgerr.Newf(pgerr.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
		b.plan.Params = append(b.plan.Params, p.Typ.OID)
	}
	b.plan.CatalogVersion = env.Catalog.Version()
	b.plan.estimate()
	return b.plan, nil
}

func (b *binder) statement(stmt ast.Stmt) error {
	b.stmt = stmt
	var node Node
	var err error
	switch t := stmt.(type) {
	case *ast.Select:
		b.plan.Tag = "SELECT"
		node, err = b.query(t, nil)
		if err == nil {
			b.plan.Columns = node.Common().Columns
			if b.plan.Columns == nil {
				b.plan.Columns = []Column{}
			}
		}
	case *ast.Insert:
		b.plan.Tag = "INSERT"
		node, err = b.insert(t, nil)
	case *ast.Update:
		b.plan.Tag = "UPDATE"
		node, err = b.update(t, nil)
	case *ast.Delete:
		b.plan.Tag = "DELETE"
		node, err = b.delete(t, nil)
	case *ast.Merge:
		return pgerr.Unsupported("MERGE")
	default:
		return pgerr.Unsupported("this statement")
	}
	if err != nil {
		return err
	}
	if m, ok := node.(*ModifyTable); ok && m.Returning != nil {
		b.plan.Columns = m.Columns
	}
	b.plan.Root = node
	return nil
}

// param is $n: one node a number, so that what one use says of its type holds for all.
func (b *binder) param(n, pos int) (*expr.Param, error) {
	if b.fixed {
		return nil, pgerr.Newf(pgerr.UndefinedParameter, "there is no parameter $%d", n).At(pos)
	}
	if n < 1 || n > 65535 {
		return nil, pgerr.Newf(pgerr.UndefinedParameter, "there is no parameter $%d", n).At(pos)
	}
	for len(b.params) < n {
		b.params = append(b.params, nil)
	}
	if p := b.params[n-1]; p != nil {
		return p, nil
	}
	p := &expr.Param{Number: n, Typ: unknownType}
	if n <= len(b.given) && b.given[n-1] != 0 {
		p.Typ.OID = b.given[n-1]
	}
	b.params[n-1] = p
	return p, nil
}

// use notes a table with the lock that it needs.
func (b *binder) use(t *catalog.Table, lock storage.LockMode) {
	for i := range b.plan.Tables {
		if u := &b.plan.Tables[i]; u.Table.ID == t.ID {
			u.Lock = max(u.Lock, lock)
			return
		}
	}
	b.plan.Tables = append(b.plan.Tables, TableUse{t, lock})
}

// ResolveTable finds a table by name along the search path.
func ResolveTable(env *Env, r *ast.RangeVar) (*catalog.Table, error) {
	o := env.relation(r)
	switch t := o.(type) {
	case *catalog.Table:
		return t, nil
	case nil:
		return nil, noRelation(r)
	case *catalog.View:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "%q is a view", r.Name).At(r.Pos)
	default:
		return nil, pgerr.Newf(pgerr.WrongObjectType, "%q is not a table", r.Name).At(r.Pos)
	}
}

func noRelation(r *ast.RangeVar) error {
	name := r.Name
	if r.Schema != "" {
		name = r.Schema + "." + name
	}
	return pgerr.Newf(pgerr.UndefinedTable, "relation %q does not exist", name).At(r.Pos)
}

// relation finds a relation of the catalog by name, or nil.
func (e *Env) relation(r *ast.RangeVar) catalog.Object {
	if r.Schema != "" {
		schema := r.Schema
		if schema == "pg_temp" {
			for _, s := range e.searchPath() {
				if len(s) > 8 && s[:8] == "pg_temp_" {
					schema = s
				}
			}
		}
		return e.Catalog.Relation(schema, r.Name)
	}
	for _, schema := range e.searchPath() {
		if o := e.Catalog.Relation(schema, r.Name); o != nil {
			return o
		}
	}
	return nil
}

// BindTableExpr binds an expression over one table's row (Column.Index = attnum-1):
// defaults, checks, generated columns, index expressions and predicates. table may be nil (no
// columns). When want.OID is not 0 the result is coerced to it by assignment. what is
// for messages ("DEFAULT expressions"); subqueries and aggregates are refused.
func BindTableExpr(env *Env, table *catalog.Table, e ast.Expr, want expr.Type, what string) (expr.Expr, error) {
	b := newBinder(env, nil)
	b.fixed = true
	s := &scope{level: &level{refused: what}}
	if table != nil {
		s.rels = []*relation{tableRelation(table, table.Name, 0)}
		s.width = len(table.Columns)
	}
	bound, err := b.expr(s, e)
	if err != nil {
		return nil, err
	}
	var inner error
	expr.Walk(bound, func(x expr.Expr) bool {
		if _, ok := x.(*expr.SubPlan); ok {
			inner = pgerr.Newf(pgerr.FeatureNotSupported, "cannot use subquery in %s", strings.TrimSuffix(what, "s"))
		}
		return true
	})
	if inner != nil {
		return nil, inner
	}
	if want.OID != 0 {
		if bound, err = expr.Coerce(env.Types, bound, want, expr.CastAssignment); err != nil {
			return nil, err
		}
	}
	return expr.Fold(env.Types, bound), nil
}

// tableRelation is a table as an item of FROM.
func tableRelation(t *catalog.Table, name string, start int) *relation {
	r := &relation{name: name, schema: t.Schema, start: start, table: t, hidden: make([]bool, len(t.Columns))}
	r.columns = tableColumns(t)
	for i := range t.Columns {
		r.hidden[i] = t.Columns[i].Dropped
	}
	return r
}

func tableColumns(t *catalog.Table) []Column {
	out := make([]Column, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		out[i] = Column{Name: c.Name, Type: expr.Type{OID: c.Type, Typmod: c.Typmod}, Table: t.ID, Attnum: c.Num}
	}
	return out
}

// BindScalar binds an expression without a table and without parameters.
func BindScalar(env *Env, e ast.Expr) (expr.Expr, error) {
	return BindTableExpr(env, nil, e, expr.Type{}, "this expression")
}

// storedExpr binds an expression text of the catalog over a table's row.
func (b *binder) storedExpr(table *catalog.Table, text string, want expr.Type) (expr.Expr, error) {
	tree, err := storedExprs.tree(text, sql.ParseExpr)
	if err != nil {
		return nil, err
	}
	e, err := BindTableExpr(b.env, table, tree, want, "this expression")
	if x := pgerr.As(err); x != nil && x.Position > 0 {
		placed := *x
		placed.Position = 0 // a place in the stored text, not in the statement
		return nil, &placed
	}
	return e, err
}
