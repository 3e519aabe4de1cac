package expr

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/types"
)

// String prints e as EXPLAIN does: (price < '20'::numeric). Types that users made
// have no names here; see StringIn.
func String(e Expr) string { return StringIn(e, nil) }

// StringIn prints e with the names and the forms of a session.
func StringIn(e Expr, env *types.Env) string {
	p := printer{env: env}
	p.expr(e, false)
	return p.out.String()
}

// printer writes expressions as ruleutils.c of PostgreSQL does, with all its
// parentheses.
type printer struct {
	out strings.Builder
	env *types.Env // nil: no names of users' types
}

func (p *printer) text(parts ...string) {
	for _, s := range parts {
		p.out.WriteString(s)
	}
}

// expr prints e; implicit says whether casts that nobody wrote are shown. They
// are below operators and functions, where they explain which one was taken.
func (p *printer) expr(e Expr, implicit bool) {
	switch x := e.(type) {
	case nil:
	case *Const:
		p.constant(x, 0)
	case *Column:
		p.text(x.Name)
	case *Param:
		p.text("$", strconv.Itoa(x.Number))
	case *ExecParam:
		if x.Name != "" {
			p.text(x.Name)
		} else {
			p.text("$", strconv.Itoa(x.Slot))
		}
	case *Call:
		p.call(x)
	case *Cast:
		if !x.Explicit && !implicit {
			p.expr(x.Arg, false)
		} else {
			p.cast(x)
		}
	case *AggRef:
		p.text("agg", strconv.Itoa(x.Index+1))
	case *WindowRef:
		p.text("window", strconv.Itoa(x.Index+1))
	default:
		p.condition(e)
	}
}

func (p *printer) list(list []Expr, implicit bool) {
	for i, e := range list {
		if i > 0 {
			p.text(", ")
		}
		p.expr(e, implicit)
	}
}

// call prints an operator with its operands or a function.
func (p *printer) call(x *Call) {
	switch {
	case x.Operator != "" && len(x.Args) == 2:
		p.infix(x.Args[0], x.Operator, x.Args[1])
	case x.Operator != "" && len(x.Args) == 1:
		p.text("(", x.Operator, " ")
		p.expr(x.Args[0], true)
		p.text(")")
	case x.Implicit && len(x.Args) == 1:
		p.expr(x.Args[0], true)
	default:
		p.text(quoteIdent(x.Func.Name), "(")
		for i, a := range x.Args {
			if i > 0 {
				p.text(", ")
			}
			if x.Variadic && i == len(x.Args)-1 {
				p.text("VARIADIC ")
			}
			p.expr(a, true)
		}
		p.text(")")
	}
}

func (p *printer) infix(left Expr, op string, right Expr) {
	p.text("(")
	p.expr(left, true)
	p.text(" ", op, " ")
	p.expr(right, true)
	p.text(")")
}

func (p *printer) cast(x *Cast) {
	if c, ok := x.Arg.(*Const); ok && c.Typ.OID == x.Typ.OID && c.Typ.Typmod < 0 {
		p.constant(c, -1)
	} else {
		p.text("(")
		p.expr(x.Arg, false)
		p.text(")")
	}
	p.text("::", p.formatType(x.Typ))
}

func (p *printer) formatType(t Type) string {
	if t.OID != 0 && !types.IsUserType(t.OID) {
		if s := types.FormatType(t.OID, t.Typmod); s != "" {
			return s
		}
	}
	return typeName(p.env, t.OID)
}

// constant prints a literal; label is 0 to add the type where the literal alone
// would be read as another, -1 to leave it out.
func (p *printer) constant(c *Const, label int) {
	if c.Value == nil {
		p.text("NULL")
		if label >= 0 {
			p.text("::", p.formatType(c.Typ))
		}
		return
	}
	s := types.FormatString(c.Typ.OID, c.Value, p.env)
	var needed bool
	switch {
	case c.Typ.OID == types.Int4OID && s[0] != '-':
		p.text(s)
		needed = false
	case c.Typ.OID == types.NumericOID && s[0] >= '0' && s[0] <= '9' && strings.ContainsAny(s, "eE."):
		p.text(s)
		needed = c.Typ.Typmod >= 0
	case c.Typ.OID == types.BoolOID:
		p.text(strconv.FormatBool(c.Value.(bool)))
		needed = false
	default:
		p.text(quoteLiteral(s))
		needed = c.Typ.OID != types.UnknownOID
	}
	if needed && label >= 0 {
		p.text("::", p.formatType(c.Typ))
	}
}

// condition prints what has keywords.
func (p *printer) condition(e Expr) {
	switch x := e.(type) {
	case *And:
		p.logic(x.Args, " AND ")
	case *Or:
		p.logic(x.Args, " OR ")
	case *Not:
		p.text("(NOT ")
		p.expr(x.Arg, false)
		p.text(")")
	case *NullTest:
		p.test(x.Arg, "IS", x.Not, "NULL")
	case *BoolTest:
		want := "UNKNOWN"
		if b, ok := x.Want.(bool); ok {
			want = strings.ToUpper(strconv.FormatBool(b))
		}
		p.test(x.Arg, "IS", x.Not, want)
	case *DistinctFrom:
		if x.Not {
			p.text("(NOT ")
			defer p.text(")")
		}
		p.infix(x.Left, "IS DISTINCT FROM", x.Right)
	case *NullIf:
		p.function("NULLIF", []Expr{x.Left, x.Right})
	case *Coalesce:
		p.function("COALESCE", x.Args)
	case *MinMax:
		if x.Least {
			p.function("LEAST", x.Args)
		} else {
			p.function("GREATEST", x.Args)
		}
	case *Case:
		p.caseExpr(x)
	default:
		p.composite(e)
	}
}

func (p *printer) logic(args []Expr, op string) {
	p.text("(")
	for i, a := range args {
		if i > 0 {
			p.text(op)
		}
		p.expr(a, false)
	}
	p.text(")")
}

func (p *printer) test(arg Expr, is string, not bool, what string) {
	p.text("(")
	p.expr(arg, true)
	p.text(" ", is, " ")
	if not {
		p.text("NOT ")
	}
	p.text(what, ")")
}

func (p *printer) function(name string, args []Expr) {
	p.text(name, "(")
	p.list(args, true)
	p.text(")")
}

func (p *printer) caseExpr(x *Case) {
	p.text("CASE")
	for _, w := range x.Whens {
		p.text(" WHEN ")
		p.expr(w.Cond, false)
		p.text(" THEN ")
		p.expr(w.Result, true)
	}
	p.text(" ELSE ")
	if x.Else != nil {
		p.expr(x.Else, true)
	} else {
		p.constant(&Const{Typ: x.Typ}, 0)
	}
	p.text(" END")
}

// composite prints arrays, rows, lists and subqueries.
func (p *printer) composite(e Expr) {
	switch x := e.(type) {
	case *AnyAll:
		p.anyAll(x.Left, x.Operator, x.All, x.Array)
	case *InList:
		p.inList(x)
	case *ArrayCtor:
		p.text("ARRAY[")
		p.list(x.Elems, true)
		p.text("]")
		if len(x.Elems) == 0 {
			p.text("::", p.formatType(x.Typ))
		}
	case *RowCtor:
		p.row(x.Fields)
	case *RowCompare:
		p.rowCompare(x)
	case *Subscript:
		p.subscript(x)
	case *FieldSelect:
		p.text("(")
		p.expr(x.Arg, false)
		p.text(").", quoteIdent(x.Name))
	case *SubPlan:
		p.text("(SubPlan ", strconv.Itoa(x.Plan+1), ")")
	}
}

func (p *printer) row(fields []Expr) {
	p.text("ROW(")
	p.list(fields, true)
	p.text(")")
}

func (p *printer) anyAll(left Expr, op string, all bool, array Expr) {
	p.text("(")
	p.expr(left, true)
	p.text(" ", op)
	if all {
		p.text(" ALL (")
	} else {
		p.text(" ANY (")
	}
	p.expr(array, true)
	p.text("))")
}

// inList prints a list as the array that PostgreSQL makes of it.
func (p *printer) inList(x *InList) {
	op := "="
	if x.Not {
		op = "<>"
	}
	if len(x.List) == 1 {
		p.infix(x.Left, op, x.List[0])
		return
	}
	elem := x.Left.Type().OID
	if len(x.List) > 0 {
		elem = x.List[0].Type().OID
	}
	typ := Type{OID: arrayOf(elem), Typmod: types.NoTypmod}
	values := make([]types.Datum, 0, len(x.List))
	for _, item := range x.List {
		c, ok := item.(*Const)
		if !ok {
			p.anyAll(x.Left, op, x.Not, &ArrayCtor{Elems: x.List, Typ: typ})
			return
		}
		values = append(values, c.Value)
	}
	p.anyAll(x.Left, op, x.Not, &Const{Value: types.NewArray(elem, values), Typ: typ})
}

// rowCompare prints = as the conjunction that it is.
func (p *printer) rowCompare(x *RowCompare) {
	if x.Op != "=" && x.Op != "<>" {
		p.text("(")
		p.row(x.Left)
		p.text(" ", x.Op, " ")
		p.row(x.Right)
		p.text(")")
		return
	}
	joint := " AND "
	if x.Op == "<>" {
		joint = " OR "
	}
	p.text("(")
	for i := range x.Left {
		if i > 0 {
			p.text(joint)
		}
		p.infix(x.Left[i], x.Op, x.Right[i])
	}
	p.text(")")
}

func (p *printer) subscript(x *Subscript) {
	if _, plain := x.Arg.(*Column); plain {
		p.expr(x.Arg, false)
	} else {
		p.text("(")
		p.expr(x.Arg, false)
		p.text(")")
	}
	for i, low := range x.Low {
		p.text("[")
		p.expr(low, false)
		if x.Slice {
			p.text(":")
			if i < len(x.High) {
				p.expr(x.High[i], false)
			}
		}
		p.text("]")
	}
}
