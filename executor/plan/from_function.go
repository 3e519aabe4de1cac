package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// functionRows is PostgreSQL's guess for a set-returning function.
const functionRows = 1000

// functions binds f(…) and ROWS FROM (…) in FROM. They see the items before
// them with or without LATERAL.
func (f *fromBinder) functions(t *ast.FunctionFrom, seen fromPart) (fromPart, error) {
	inner, lateral := f.inner(true, seen)
	inner.level = &level{}
	n := &FunctionScan{Ordinality: t.Ordinality}
	n.Rows = 1
	name := ""
	trees := spreadUnnest(t.Funcs)
	for _, tree := range trees {
		fn := outputName(tree)
		if name == "" {
			name = fn
		}
		e, err := f.b.expr(inner, tree)
		if err != nil {
			return fromPart{}, err
		}
		if len(inner.level.aggs) > 0 {
			return fromPart{}, pgerr.New(pgerr.GroupingError, "aggregate functions are not allowed in functions in FROM").At(t.Pos)
		}
		if len(inner.level.windows) > 0 {
			return fromPart{}, pgerr.New(pgerr.WindowingError, "window functions are not allowed in functions in FROM").At(t.Pos)
		}
		var rowTypes []expr.Type
		if len(t.Columns) > 0 {
			if e, err = f.withColumns(e, t); err != nil {
				return fromPart{}, at(err, t.Pos)
			}
		} else {
			e, rowTypes = f.withRowType(e)
		}
		if err := n.add(e, fn, len(trees) == 1, t.Alias); err != nil {
			return fromPart{}, at(err, t.Pos)
		}
		n.modify(rowTypes)
	}
	if t.Ordinality {
		n.Columns = append(n.Columns, Column{Name: "ordinality", Type: int8Type})
	}
	n.Cost = n.Rows / 100
	n.Alias = aliasName(t.Alias, name)
	part, err := f.node(n, n.Alias, t.Alias, "")
	if err == nil {
		part.tree.leaf.link = lateral
		part.rels[0].scalar = len(n.Columns) == 1 && !t.Ordinality && n.Calls[0].Typ.OID != types.RecordOID
	}
	return part, err
}

// withRowType gives a call whose result has a table's row type the columns of
// that table, whose types it returns.
func (f *fromBinder) withRowType(e expr.Expr) (expr.Expr, []expr.Type) {
	call, ok := e.(*expr.Call)
	if !ok || !types.IsRow(call.Typ.OID) || f.b.env.Catalog == nil {
		return e, nil
	}
	t := f.b.env.Catalog.RowType(call.Typ.OID)
	if t == nil {
		return e, nil
	}
	var names []string
	var columns []expr.Type
	for _, c := range t.Live() {
		names, columns = append(names, c.Name), append(columns, columnType(c))
	}
	fn, ok := call.Func.WithColumns(names, columns)
	if !ok {
		return e, nil
	}
	out := *call
	out.Func = fn
	return &out, columns
}

// modify gives the last columns their types with modifiers.
func (n *FunctionScan) modify(columns []expr.Type) {
	for i, c := range columns {
		n.Columns[len(n.Columns)-len(columns)+i].Type = c
	}
}

// withColumns gives a call of a function that returns record its column
// definition list.
func (f *fromBinder) withColumns(e expr.Expr, t *ast.FunctionFrom) (expr.Expr, error) {
	names, columns := make([]string, len(t.Columns)), make([]expr.Type, len(t.Columns))
	for i, c := range t.Columns {
		typ, err := ResolveType(f.b.env, c.Type)
		if err != nil {
			return nil, err
		}
		names[i], columns[i] = c.Name, typ
	}
	call, ok := e.(*expr.Call)
	if ok {
		if fn, ok := call.Func.WithColumns(names, columns); ok {
			bound := *call
			bound.Func = fn
			return &bound, nil
		}
	}
	return nil, pgerr.New(pgerr.SyntaxError, "a column definition list is only allowed for functions returning \"record\"")
}

// spreadUnnest makes unnest(a, b) ROWS FROM (unnest(a), unnest(b)).
func spreadUnnest(list []ast.Expr) []ast.Expr {
	var out []ast.Expr
	for _, e := range list {
		c, ok := e.(*ast.FuncCall)
		if !ok || len(c.Args) < 2 || c.Name[len(c.Name)-1] != "unnest" {
			out = append(out, e)
			continue
		}
		for _, a := range c.Args {
			one := *c
			one.Args = []ast.Expr{a}
			out = append(out, &one)
		}
	}
	return out
}

// identity gives a value that is no function call (current_date) a call to be in.
var identity = &expr.Function{Name: "identity", Args: []types.OID{types.AnyOID}, NotStrict: true, Volatility: expr.Immutable,
	Eval: func(_ *expr.Context, args []types.Datum) (types.Datum, error) { return args[0], nil }}

// add adds a call's columns.
func (n *FunctionScan) add(e expr.Expr, name string, alone bool, alias *ast.Alias) error {
	call, ok := e.(*expr.Call)
	if !ok {
		call = &expr.Call{Func: identity, Args: []expr.Expr{e}, Typ: e.Type()}
	}
	n.Calls = append(n.Calls, call)
	if call.Func.Rows != nil {
		n.Rows = functionRows
	}
	if out := call.Func.Columns; len(out) > 1 || len(out) == 1 && (call.Typ.OID == types.RecordOID || types.IsRow(call.Typ.OID)) {
		n.Widths = append(n.Widths, len(out))
		for _, c := range out {
			n.Columns = append(n.Columns, Column{Name: c.Name, Type: expr.Type{OID: c.Type, Typmod: types.NoTypmod}})
		}
		return nil
	}
	if call.Typ.OID == types.RecordOID {
		return pgerr.Newf(pgerr.SyntaxError, "a column definition list is required for functions returning \"record\"")
	}
	n.Widths = append(n.Widths, 1)
	column := name
	if out := call.Func.Columns; len(out) == 1 && out[0].Name != "" && out[0].Name != call.Func.Name {
		column = out[0].Name
	} else if alone && alias != nil && alias.Name != "" {
		column = alias.Name
	}
	n.Columns = append(n.Columns, Column{Name: column, Type: call.Typ})
	return nil
}
