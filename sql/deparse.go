package sql

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/sql/ast"
)

// Deparse prints an expression as SQL that parses back to the same tree, in the
// manner of pg_get_expr: operators in parentheses, except the outermost.
func Deparse(e ast.Expr) string {
	p := &printer{}
	p.top(e)
	return p.String()
}

// printer builds SQL text.
type printer struct{ strings.Builder }

func (p *printer) write(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// top prints an expression where no parentheses are needed around it.
func (p *printer) top(e ast.Expr) { p.exprIn(e, false) }

// inner prints an operand.
func (p *printer) inner(e ast.Expr) { p.exprIn(e, true) }

// list prints items with commas between.
func list[T any](p *printer, items []T, print func(T)) {
	for i, item := range items {
		if i > 0 {
			p.write(", ")
		}
		print(item)
	}
}

func (p *printer) exprs(items []ast.Expr) { list(p, items, p.top) }

func (p *printer) idents(names []string) {
	list(p, names, func(s string) { p.write(QuoteIdent(s)) })
}

func (p *printer) qualified(names []string) {
	for i, s := range names {
		if i > 0 {
			p.write(".")
		}
		p.write(QuoteIdent(s))
	}
}

func (p *printer) exprIn(e ast.Expr, operand bool) {
	switch v := e.(type) {
	case nil:
		p.write("NULL")
	case *ast.Const:
		p.constant(v)
	case *ast.ColumnRef:
		p.columnRef(v)
	case *ast.ParamRef:
		p.write("$", strconv.Itoa(v.Number))
	case *ast.FuncCall:
		p.funcCall(v)
	case *ast.Case:
		p.caseExpr(v)
	case *ast.Coalesce:
		p.call("COALESCE", v.Args)
	case *ast.MinMax:
		name := "GREATEST"
		if v.Least {
			name = "LEAST"
		}
		p.call(name, v.Args)
	case *ast.NullIf:
		p.call("NULLIF", []ast.Expr{v.Left, v.Right})
	case *ast.ArrayExpr:
		p.write("ARRAY[")
		p.exprs(v.Elems)
		p.write("]")
	case *ast.RowExpr:
		if len(v.Args) > 1 { // not ROW(…): GROUP BY (a, b) groups by both
			p.call("", v.Args)
		} else {
			p.call("ROW", v.Args)
		}
	case *ast.ValueFunction:
		p.valueFunction(v)
	case *ast.Grouping:
		p.call("GROUPING", v.Args)
	case *ast.Default:
		p.write("DEFAULT")
	case *ast.TypeCast:
		p.typeCast(v)
	case *ast.Subscript:
		p.subscript(v)
	case *ast.FieldSelect:
		p.parenthesized(v.Arg)
		p.write(".")
		if v.Star {
			p.write("*")
		} else {
			p.write(QuoteIdent(v.Name))
		}
	default:
		if standsAlone(e) {
			p.operation(e)
			return
		}
		if operand {
			p.write("(")
			p.operation(e)
			p.write(")")
		} else {
			p.operation(e)
		}
	}
}

// standsAlone says whether an operation needs no parentheses as an operand.
func standsAlone(e ast.Expr) bool {
	sub, ok := e.(*ast.SubLink)
	return ok && sub.Test == nil
}

// operation prints what needs parentheses as an operand.
func (p *printer) operation(e ast.Expr) {
	switch v := e.(type) {
	case *ast.Op:
		p.operator(v)
	case *ast.BoolExpr:
		p.boolExpr(v)
	case *ast.AnyAll:
		p.inner(v.Left)
		p.write(" ", v.Name, " ", anyAll(v.All), " (")
		p.top(v.Right)
		p.write(")")
	case *ast.In:
		p.inner(v.Left)
		p.write(not(v.Not), " IN (")
		p.exprs(v.List)
		p.write(")")
	case *ast.Between:
		p.between(v)
	case *ast.DistinctFrom:
		p.inner(v.Left)
		p.write(" IS", not(v.Not), " DISTINCT FROM ")
		p.inner(v.Right)
	case *ast.NullTest:
		p.inner(v.Arg)
		p.write(" IS", not(v.Not), " NULL")
	case *ast.BooleanTest:
		p.inner(v.Arg)
		p.write(" IS", not(v.Not), " ", v.Test)
	case *ast.Collate:
		p.inner(v.Arg)
		p.write(" COLLATE ")
		p.qualified(v.Name)
	case *ast.SubLink:
		p.subLink(v)
	}
}

func not(yes bool) string {
	if yes {
		return " NOT"
	}
	return ""
}

func anyAll(all bool) string {
	if all {
		return "ALL"
	}
	return "ANY"
}

func (p *printer) constant(k *ast.Const) {
	switch k.Kind {
	case ast.ConstNull:
		p.write("NULL")
	case ast.ConstInt:
		p.number(strconv.FormatInt(k.Int, 10))
	case ast.ConstFloat:
		p.number(k.Text)
	case ast.ConstString:
		p.write(QuoteLiteral(k.Text))
	case ast.ConstBit:
		if k.Text != "" {
			p.write(k.Text[:1], "'", k.Text[1:], "'")
		}
	case ast.ConstBool:
		p.write(strconv.FormatBool(k.Bool))
	}
}

// number prints a negative number in parentheses, or -1::int would cast 1 first.
func (p *printer) number(text string) {
	if strings.HasPrefix(text, "-") {
		text = "(" + text + ")"
	}
	p.write(text)
}

func (p *printer) columnRef(r *ast.ColumnRef) {
	p.qualified(r.Parts)
	if r.Star {
		if len(r.Parts) > 0 {
			p.write(".")
		}
		p.write("*")
	}
}

func (p *printer) call(name string, args []ast.Expr) {
	p.write(name, "(")
	p.exprs(args)
	p.write(")")
}

func (p *printer) operator(o *ast.Op) {
	if o.Left != nil {
		if left, ok := o.Left.(*ast.Op); ok && chains(left, o) {
			p.operator(left)
		} else {
			p.inner(o.Left)
		}
		p.write(" ")
	}
	if o.Schema != "" {
		p.write("OPERATOR(", QuoteIdent(o.Schema), ".", o.Name, ")")
	} else {
		p.write(o.Name)
	}
	p.write(" ")
	p.inner(o.Right)
}

// chains says whether left may stand before o without parentheses: a || b || c.
// Long chains must not become nested parentheses, which the guard caps earlier.
func chains(left, o *ast.Op) bool {
	if left.Left == nil || left.Name != o.Name || left.Schema != o.Schema {
		return false
	}
	switch o.Name {
	case "<", ">", "=", "<=", ">=", "<>": // not associative
		return false
	}
	return true
}

func (p *printer) boolExpr(b *ast.BoolExpr) {
	word := " AND "
	switch b.Kind {
	case ast.Not:
		p.write("NOT ")
	case ast.Or:
		word = " OR "
	}
	for i, a := range b.Args {
		if i > 0 {
			p.write(word)
		}
		p.inner(a)
	}
}

func (p *printer) between(b *ast.Between) {
	p.inner(b.Arg)
	p.write(not(b.Not), " BETWEEN ")
	if b.Symmetric {
		p.write("SYMMETRIC ")
	}
	p.inner(b.Low)
	p.write(" AND ")
	p.inner(b.High)
}

// parenthesized prints an operand in parentheses whatever it is.
func (p *printer) parenthesized(e ast.Expr) {
	p.write("(")
	p.top(e)
	p.write(")")
}

func (p *printer) subscript(s *ast.Subscript) {
	switch s.Arg.(type) {
	case *ast.ColumnRef, *ast.Subscript, *ast.ParamRef:
		p.inner(s.Arg)
	default:
		p.parenthesized(s.Arg)
	}
	p.write("[")
	if s.Low != nil {
		p.top(s.Low)
	}
	if s.Slice {
		p.write(":")
		if s.High != nil {
			p.top(s.High)
		}
	}
	p.write("]")
}

func (p *printer) typeCast(t *ast.TypeCast) {
	switch t.Arg.(type) {
	case *ast.Const, *ast.ParamRef, *ast.ColumnRef, *ast.FuncCall, *ast.TypeCast, *ast.ArrayExpr:
		p.inner(t.Arg)
	default:
		p.parenthesized(t.Arg)
	}
	p.write("::")
	p.typeName(t.Type)
}

// typeWords are the SQL names of pg_catalog's types.
var typeWords = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "bool": "boolean",
	"bpchar": "character", "varchar": "character varying", "varbit": "bit varying", "timestamptz": "timestamp with time zone",
	"timetz": "time with time zone", "timestamp": "timestamp without time zone", "time": "time without time zone",
	"numeric": "numeric", "interval": "interval", "bit": "bit",
}

func (p *printer) typeName(t *ast.TypeName) {
	if t.SetOf {
		p.write("SETOF ")
	}
	var mods string
	if len(t.Mods) > 0 {
		m := &printer{}
		m.write("(")
		m.exprs(t.Mods)
		m.write(")")
		mods = m.String()
	}
	word := ""
	if len(t.Names) == 2 && t.Names[0] == "pg_catalog" {
		word = typeWords[t.Names[1]]
		if t.Names[1] == "bpchar" && mods == "" { // character alone is character(1)
			word = ""
		}
	}
	head, tail, zoned := strings.Cut(word, " with")
	switch {
	case word == "":
		p.qualified(t.Names)
		p.write(mods)
	case zoned: // timestamp(3) with time zone
		p.write(head, mods, " with", tail)
	case word == "interval" && t.IntervalFields != "":
		p.write(word, " ", t.IntervalFields, mods)
	default:
		p.write(word, mods)
	}
	for _, n := range t.Bounds {
		if n < 0 {
			p.write("[]")
		} else {
			p.write("[", strconv.Itoa(n), "]")
		}
	}
}

func (p *printer) caseExpr(c *ast.Case) {
	p.write("CASE")
	if c.Arg != nil {
		p.write(" ")
		p.top(c.Arg)
	}
	for _, w := range c.Whens {
		p.write(" WHEN ")
		p.top(w.Cond)
		p.write(" THEN ")
		p.top(w.Result)
	}
	if c.Else != nil {
		p.write(" ELSE ")
		p.top(c.Else)
	}
	p.write(" END")
}

func (p *printer) valueFunction(f *ast.ValueFunction) {
	p.write(strings.ToUpper(f.Name))
	if f.Typmod >= 0 && strings.Contains(f.Name, "time") {
		p.write("(", strconv.Itoa(int(f.Typmod)), ")")
	}
}

// funcCall prints a call. What has a syntax of its own is printed in it.
func (p *printer) funcCall(f *ast.FuncCall) {
	if p.sqlCall(f) {
		return
	}
	if n := f.Name; len(n) == 1 && (n[0] == "rollup" || n[0] == "cube") {
		p.write(`"`, n[0], `"`) // in GROUP BY the bare word begins a grouping set
	} else {
		p.qualified(n)
	}
	p.write("(")
	if f.Distinct {
		p.write("DISTINCT ")
	}
	if f.Star {
		p.write("*")
	}
	for i, a := range f.Args {
		if i > 0 {
			p.write(", ")
		}
		if f.Variadic && i == len(f.Args)-1 {
			p.write("VARIADIC ")
		}
		if f.ArgNames != nil && f.ArgNames[i] != "" {
			p.write(QuoteIdent(f.ArgNames[i]), " => ")
		}
		p.top(a)
	}
	if len(f.OrderBy) > 0 && !f.WithinGroup {
		p.write(" ")
		p.orderBy(f.OrderBy)
	}
	p.write(")")
	if f.WithinGroup {
		p.write(" WITHIN GROUP (")
		p.orderBy(f.OrderBy)
		p.write(")")
	}
	if f.Filter != nil {
		p.write(" FILTER (WHERE ")
		p.top(f.Filter)
		p.write(")")
	}
	if f.Over != nil {
		p.over(f.Over)
	}
}

// sqlCall prints AT TIME ZONE and EXTRACT, which the parser gives as functions
// of pg_catalog; false when f is another call.
func (p *printer) sqlCall(f *ast.FuncCall) bool {
	if len(f.Name) != 2 || f.Name[0] != "pg_catalog" || len(f.Args) != 2 || f.ArgNames != nil || f.Distinct || f.Variadic ||
		f.OrderBy != nil || f.Filter != nil || f.Over != nil {
		return false
	}
	switch f.Name[1] {
	case "timezone":
		p.write("(")
		p.inner(f.Args[1])
		p.write(" AT TIME ZONE ")
		p.inner(f.Args[0])
		p.write(")")
	case "extract":
		field, ok := f.Args[0].(*ast.Const)
		if !ok || field.Kind != ast.ConstString {
			return false
		}
		p.write("EXTRACT(", extractField(field.Text), " FROM ")
		p.top(f.Args[1])
		p.write(")")
	default:
		return false
	}
	return true
}

func extractField(name string) string {
	switch name {
	case "year", "month", "day", "hour", "minute", "second":
		return name
	}
	if _, keyword := keywordCategories[name]; keyword || !isPlainIdent(name) {
		return QuoteLiteral(name)
	}
	return name
}

// subLink prints [test op ANY|ALL] (query), EXISTS (query), ARRAY(query).
func (p *printer) subLink(s *ast.SubLink) {
	switch s.Kind {
	case ast.SubLinkExists:
		p.write("EXISTS ")
	case ast.SubLinkArray:
		p.write("ARRAY")
	case ast.SubLinkAny:
		p.inner(s.Test)
		if s.Op == "=" {
			p.write(" IN ")
		} else {
			p.write(" ", s.Op, " ANY ")
		}
	case ast.SubLinkAll:
		p.inner(s.Test)
		p.write(" ", s.Op, " ALL ")
	}
	p.write("(")
	p.stmt(s.Query)
	p.write(")")
}
