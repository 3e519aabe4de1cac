package ddl

import (
	"context"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

var boolean = expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod}

// stored is an expression that goes into the catalog.
type stored struct {
	Text  string
	Bound expr.Expr
	// Columns are the attnums used, in order of appearance.
	Columns []int16
}

// store binds an expression over a table's row (nil: no columns) and prints it.
// The text is parsed again, so that nothing gets into the catalog that could not
// be read back.
func (s *statement) store(table *catalog.Table, e ast.Expr, want expr.Type, what string) (stored, error) {
	bound, err := s.bind(table, e, want, what)
	if err != nil {
		return stored{}, err
	}
	if table != nil {
		unqualify(e)
	}
	s.qualifyLiterals(e)
	text := sql.Deparse(e)
	if _, err := sql.ParseExpr(text); err != nil {
		return stored{}, err
	}
	return stored{Text: text, Bound: bound, Columns: columnsOf(bound)}, nil
}

// conditions are the words before a condition, by what it stands in.
var conditions = map[string]string{"check constraints": "CHECK", "index predicates": "WHERE"}

// bind binds an expression to be stored. A condition must be boolean by itself.
func (s *statement) bind(table *catalog.Table, e ast.Expr, want expr.Type, what string) (expr.Expr, error) {
	word, condition := conditions[what]
	if !condition {
		return plan.BindTableExpr(s.Plan(), table, e, want, what)
	}
	bound, err := plan.BindTableExpr(s.Plan(), table, e, expr.Type{}, what)
	if err != nil {
		return nil, err
	}
	switch t := bound.Type(); t.OID {
	case types.BoolOID:
		return bound, nil
	case types.UnknownOID:
		return plan.BindTableExpr(s.Plan(), table, e, want, what)
	default:
		return nil, pgerr.Newf(pgerr.DatatypeMismatch, "argument of %s must be type boolean, not type %s", word, s.formatType(t.OID, t.Typmod))
	}
}

// unqualify takes the table's name off column references, so that the text
// survives a rename of the table and serves a copy of it. The expression is bound
// over one table only, so nothing becomes ambiguous.
func unqualify(e ast.Expr) {
	ast.Walk(e, func(n any) bool {
		if r, ok := n.(*ast.ColumnRef); ok && !r.Star && len(r.Parts) > 1 {
			r.Parts = r.Parts[len(r.Parts)-1:]
		}
		return true
	})
}

// parse reads a stored expression and binds it.
func (s *statement) parse(table *catalog.Table, text string, want expr.Type, what string) (expr.Expr, error) {
	e, err := sql.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	return plan.BindTableExpr(s.Plan(), table, e, want, what)
}

// columnsOf lists the columns of the table's row that a bound expression reads.
func columnsOf(e expr.Expr) []int16 {
	var out []int16
	seen := map[int]bool{}
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && !seen[c.Index] {
			seen[c.Index] = true
			out = append(out, int16(c.Index+1))
		}
		return true
	})
	return out
}

func typeOf(c *catalog.Column) expr.Type { return expr.Type{OID: c.Type, Typmod: c.Typmod} }

// context makes what expressions are evaluated in.
func (s *statement) context(ctx context.Context) *expr.Context {
	return &expr.Context{Ctx: ctx, Env: s.Run.Types, Session: s.Run.Session}
}

// eachRow calls fn for every row of a table; the row is valid during the call.
func (s *statement) eachRow(ctx context.Context, t *catalog.Table, columns []int16, fn func(types.Row) error) (err error) {
	it, err := s.Txn.Scan(ctx, storage.ScanSpec{Table: t, Columns: columns})
	if err != nil {
		return err
	}
	defer func() {
		if e := it.Close(); err == nil {
			err = e
		}
	}()
	row := make(types.Row, len(t.Columns))
	for {
		_, ok, err := it.Next(row)
		if err != nil || !ok {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
}

func containsNulls(t *catalog.Table, column string) error {
	return pgerr.Newf(pgerr.NotNullViolation, `column "%s" of relation "%s" contains null values`, column, t.Name).Of(t.Schema, t.Name, column, "")
}
