package sql

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

func (c *converter) exprs(list []*pg.Node) []ast.Expr { return each(list, c.expr) }

// expr converts an expression; nil gives nil.
func (c *converter) expr(n *pg.Node) ast.Expr {
	if n == nil || n.Node == nil {
		return nil
	}
	switch v := n.Node.(type) {
	case *pg.Node_AConst:
		return c.constant(v.AConst)
	case *pg.Node_ColumnRef:
		return c.columnRef(v.ColumnRef)
	case *pg.Node_ParamRef:
		return &ast.ParamRef{Number: int(v.ParamRef.Number), Pos: c.pos(v.ParamRef.Location)}
	case *pg.Node_AExpr:
		return c.operator(v.AExpr)
	case *pg.Node_TypeCast:
		return c.typeCast(v.TypeCast)
	case *pg.Node_FuncCall:
		return c.funcCall(v.FuncCall)
	case *pg.Node_BoolExpr:
		return c.boolExpr(v.BoolExpr)
	case *pg.Node_NullTest:
		return &ast.NullTest{Arg: c.expr(v.NullTest.Arg), Not: v.NullTest.Nulltesttype == pg.NullTestType_IS_NOT_NULL, Pos: c.pos(v.NullTest.Location)}
	case *pg.Node_SubLink:
		return c.subLink(v.SubLink)
	case *pg.Node_CollateClause:
		return &ast.Collate{Arg: c.expr(v.CollateClause.Arg), Name: stringsOf(v.CollateClause.Collname), Pos: c.pos(v.CollateClause.Location)}
	case *pg.Node_RowExpr:
		return &ast.RowExpr{Args: c.exprs(v.RowExpr.Args), Pos: c.pos(v.RowExpr.Location)}
	case *pg.Node_AArrayExpr:
		return &ast.ArrayExpr{Elems: c.exprs(v.AArrayExpr.Elements), Pos: c.pos(v.AArrayExpr.Location)}
	case *pg.Node_AIndirection:
		return c.indirection(v.AIndirection)
	case *pg.Node_SetToDefault:
		return &ast.Default{Pos: c.pos(v.SetToDefault.Location)}
	}
	return c.specialExpr(n)
}

// specialExpr converts the expressions with a syntax of their own.
func (c *converter) specialExpr(n *pg.Node) ast.Expr {
	switch v := n.Node.(type) {
	case *pg.Node_BooleanTest:
		return c.booleanTest(v.BooleanTest)
	case *pg.Node_CaseExpr:
		return c.caseExpr(v.CaseExpr)
	case *pg.Node_CoalesceExpr:
		return &ast.Coalesce{Args: c.exprs(v.CoalesceExpr.Args), Pos: c.pos(v.CoalesceExpr.Location)}
	case *pg.Node_MinMaxExpr:
		return &ast.MinMax{Least: v.MinMaxExpr.Op == pg.MinMaxOp_IS_LEAST, Args: c.exprs(v.MinMaxExpr.Args), Pos: c.pos(v.MinMaxExpr.Location)}
	case *pg.Node_SqlvalueFunction:
		return c.valueFunction(v.SqlvalueFunction)
	case *pg.Node_GroupingFunc:
		return &ast.Grouping{Args: c.exprs(v.GroupingFunc.Args), Pos: c.pos(v.GroupingFunc.Location)}
	case *pg.Node_List:
		return &ast.RowExpr{Args: c.exprs(v.List.Items)}
	case *pg.Node_NamedArgExpr:
		return c.expr(v.NamedArgExpr.Arg)
	case *pg.Node_String_, *pg.Node_Integer, *pg.Node_Float, *pg.Node_Boolean:
		return c.optionValue(n)
	case *pg.Node_TypeName: // DefElem values and the like
		return c.optionValue(n)
	case *pg.Node_CurrentOfExpr:
		c.unsupported("WHERE CURRENT OF", -1)
	case *pg.Node_XmlExpr:
		c.unsupported("XML", v.XmlExpr.Location)
	case *pg.Node_XmlSerialize:
		c.unsupported("XML", v.XmlSerialize.Location)
	case *pg.Node_JsonIsPredicate:
		c.unsupported("IS JSON", v.JsonIsPredicate.Location)
	default:
		c.unsupported(nodeWords(n, "Expr"), -1)
	}
	return nil
}

func (c *converter) constant(a *pg.A_Const) ast.Expr {
	pos := c.pos(a.Location)
	switch v := a.Val.(type) {
	case *pg.A_Const_Ival:
		return &ast.Const{Kind: ast.ConstInt, Int: int64(v.Ival.GetIval()), Pos: pos}
	case *pg.A_Const_Fval:
		return numberConst(v.Fval.GetFval(), pos)
	case *pg.A_Const_Sval:
		return &ast.Const{Kind: ast.ConstString, Text: v.Sval.GetSval(), Pos: pos}
	case *pg.A_Const_Boolval:
		return &ast.Const{Kind: ast.ConstBool, Bool: v.Boolval.GetBoolval(), Pos: pos}
	case *pg.A_Const_Bsval:
		return &ast.Const{Kind: ast.ConstBit, Text: v.Bsval.GetBsval(), Pos: pos}
	}
	return &ast.Const{Kind: ast.ConstNull, Pos: pos}
}

// numberConst is a number that did not fit int4: an integer if it fits int8, a
// numeric otherwise.
func numberConst(text string, pos int) *ast.Const {
	digits := strings.ReplaceAll(text, "_", "")
	base := 10
	if unsigned := strings.TrimPrefix(digits, "-"); len(unsigned) > 2 && unsigned[0] == '0' && isLetter(unsigned[1]) {
		base = 0
	}
	if n, err := strconv.ParseInt(digits, base, 64); err == nil {
		return &ast.Const{Kind: ast.ConstInt, Int: n, Pos: pos}
	}
	return &ast.Const{Kind: ast.ConstFloat, Text: digits, Pos: pos}
}

func (c *converter) columnRef(r *pg.ColumnRef) ast.Expr {
	out := &ast.ColumnRef{Parts: make([]string, 0, len(r.Fields)), Pos: c.pos(r.Location)}
	for _, f := range r.Fields {
		if f.GetAStar() != nil {
			out.Star = true
			continue
		}
		out.Parts = append(out.Parts, stringOf(f))
	}
	return out
}

// operatorName splits [schema.]operator.
func operatorName(list []*pg.Node) (schema, name string) {
	if len(list) > 1 {
		schema = stringOf(list[len(list)-2])
	}
	if len(list) > 0 {
		name = stringOf(list[len(list)-1])
	}
	return schema, name
}

func (c *converter) operator(e *pg.A_Expr) ast.Expr {
	schema, name := operatorName(e.Name)
	pos := c.pos(e.Location)
	switch e.Kind {
	case pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP_ALL:
		return &ast.AnyAll{Name: name, All: e.Kind == pg.A_Expr_Kind_AEXPR_OP_ALL, Left: c.expr(e.Lexpr), Right: c.expr(e.Rexpr), Pos: pos}
	case pg.A_Expr_Kind_AEXPR_DISTINCT, pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return &ast.DistinctFrom{Left: c.expr(e.Lexpr), Right: c.expr(e.Rexpr), Not: e.Kind == pg.A_Expr_Kind_AEXPR_NOT_DISTINCT, Pos: pos}
	case pg.A_Expr_Kind_AEXPR_NULLIF:
		return &ast.NullIf{Left: c.expr(e.Lexpr), Right: c.expr(e.Rexpr), Pos: pos}
	case pg.A_Expr_Kind_AEXPR_IN:
		return &ast.In{Left: c.expr(e.Lexpr), List: c.exprs(e.Rexpr.GetList().GetItems()), Not: name == "<>", Pos: pos}
	case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN, pg.A_Expr_Kind_AEXPR_BETWEEN_SYM, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return c.between(e, pos)
	}
	return &ast.Op{Schema: schema, Name: name, Left: c.expr(e.Lexpr), Right: c.expr(e.Rexpr), Pos: pos}
}

func (c *converter) between(e *pg.A_Expr, pos int) ast.Expr {
	b := &ast.Between{Arg: c.expr(e.Lexpr), Pos: pos}
	if bounds := e.Rexpr.GetList().GetItems(); len(bounds) == 2 {
		b.Low, b.High = c.expr(bounds[0]), c.expr(bounds[1])
	}
	b.Not = e.Kind == pg.A_Expr_Kind_AEXPR_NOT_BETWEEN || e.Kind == pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM
	b.Symmetric = e.Kind == pg.A_Expr_Kind_AEXPR_BETWEEN_SYM || e.Kind == pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM
	return b
}

// typeCast converts a cast; TRUE and FALSE, which the parser gives as casts of a
// boolean constant, become constants.
func (c *converter) typeCast(t *pg.TypeCast) ast.Expr {
	if a := t.Arg.GetAConst(); a != nil && t.TypeName.GetLocation() < 0 {
		if _, ok := a.Val.(*pg.A_Const_Boolval); ok {
			return c.constant(a)
		}
	}
	return &ast.TypeCast{Arg: c.expr(t.Arg), Type: c.typeName(t.TypeName), Pos: c.pos(t.Location)}
}

// intervalMasks are the words of INTERVAL's field masks: 1 << MONTH (1), YEAR (2),
// DAY (3), HOUR (10), MINUTE (11), SECOND (12).
var intervalMasks = map[int64]string{
	1 << 2: "YEAR", 1 << 1: "MONTH", 1 << 3: "DAY", 1 << 10: "HOUR", 1 << 11: "MINUTE", 1 << 12: "SECOND",
	1<<2 | 1<<1: "YEAR TO MONTH", 1<<3 | 1<<10: "DAY TO HOUR", 1<<3 | 1<<10 | 1<<11: "DAY TO MINUTE",
	1<<3 | 1<<10 | 1<<11 | 1<<12: "DAY TO SECOND", 1<<10 | 1<<11: "HOUR TO MINUTE",
	1<<10 | 1<<11 | 1<<12: "HOUR TO SECOND", 1<<11 | 1<<12: "MINUTE TO SECOND",
}

func (c *converter) typeName(t *pg.TypeName) *ast.TypeName {
	if t == nil {
		return nil
	}
	if t.PctType {
		c.unsupported("%TYPE", t.Location)
	}
	out := &ast.TypeName{Names: stringsOf(t.Names), Mods: c.exprs(t.Typmods), SetOf: t.Setof, Pos: c.pos(t.Location)}
	for _, b := range t.ArrayBounds {
		out.Bounds = append(out.Bounds, int(b.GetInteger().GetIval()))
	}
	if len(out.Mods) > 0 && len(out.Names) == 2 && out.Names[0] == "pg_catalog" && out.Names[1] == "interval" {
		if mask, ok := out.Mods[0].(*ast.Const); ok && mask.Kind == ast.ConstInt {
			out.IntervalFields = intervalMasks[mask.Int]
			out.Mods = out.Mods[1:]
		}
	}
	return out
}

func (c *converter) funcCall(f *pg.FuncCall) ast.Expr {
	out := &ast.FuncCall{
		Name: stringsOf(f.Funcname), Args: c.exprs(f.Args), Star: f.AggStar, Distinct: f.AggDistinct, Variadic: f.FuncVariadic,
		OrderBy: c.sortBy(f.AggOrder), WithinGroup: f.AggWithinGroup, Filter: c.expr(f.AggFilter), Pos: c.pos(f.Location),
	}
	for i, a := range f.Args {
		if named := a.GetNamedArgExpr(); named != nil {
			if out.ArgNames == nil {
				out.ArgNames = make([]string, len(f.Args))
			}
			out.ArgNames[i] = named.Name
		}
	}
	if f.Over != nil {
		w := c.window(f.Over)
		out.Over = &w
	}
	return out
}

func (c *converter) boolExpr(b *pg.BoolExpr) ast.Expr {
	kind := ast.And
	switch b.Boolop {
	case pg.BoolExprType_OR_EXPR:
		kind = ast.Or
	case pg.BoolExprType_NOT_EXPR:
		kind = ast.Not
	}
	return &ast.BoolExpr{Kind: kind, Args: c.exprs(b.Args), Pos: c.pos(b.Location)}
}

func (c *converter) booleanTest(b *pg.BooleanTest) ast.Expr {
	words := strings.TrimPrefix(b.Booltesttype.String(), "IS_")
	test, not := strings.CutPrefix(words, "NOT_")
	return &ast.BooleanTest{Arg: c.expr(b.Arg), Test: test, Not: not, Pos: c.pos(b.Location)}
}

func (c *converter) caseExpr(e *pg.CaseExpr) ast.Expr {
	out := &ast.Case{Arg: c.expr(e.Arg), Else: c.expr(e.Defresult), Pos: c.pos(e.Location)}
	out.Whens = each(e.Args, func(n *pg.Node) ast.When {
		w := n.GetCaseWhen()
		return ast.When{Cond: c.expr(w.GetExpr()), Result: c.expr(w.GetResult())}
	})
	return out
}

func (c *converter) subLink(s *pg.SubLink) ast.Expr {
	out := &ast.SubLink{Test: c.expr(s.Testexpr), Query: c.stmt(s.Subselect), Pos: c.pos(s.Location)}
	switch s.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		out.Kind = ast.SubLinkExists
	case pg.SubLinkType_ANY_SUBLINK:
		out.Kind = ast.SubLinkAny
	case pg.SubLinkType_ALL_SUBLINK:
		out.Kind = ast.SubLinkAll
	case pg.SubLinkType_ARRAY_SUBLINK:
		out.Kind = ast.SubLinkArray
	default:
		out.Kind = ast.SubLinkScalar
	}
	_, out.Op = operatorName(s.OperName)
	if out.Op == "" && out.Kind == ast.SubLinkAny {
		out.Op = "="
	}
	return out
}

// indirection converts (arg).field[i]….
func (c *converter) indirection(a *pg.A_Indirection) ast.Expr {
	return c.steps(c.expr(a.Arg), a.Indirection)
}

// steps converts the fields and subscripts after an expression.
func (c *converter) steps(out ast.Expr, list []*pg.Node) ast.Expr {
	for _, step := range list {
		switch v := step.Node.(type) {
		case *pg.Node_String_:
			out = &ast.FieldSelect{Arg: out, Name: v.String_.Sval}
		case *pg.Node_AStar:
			out = &ast.FieldSelect{Arg: out, Star: true}
		case *pg.Node_AIndices:
			i := v.AIndices
			s := &ast.Subscript{Arg: out, Slice: i.IsSlice}
			if i.IsSlice {
				s.Low, s.High = c.expr(i.Lidx), c.expr(i.Uidx)
			} else {
				s.Low = c.expr(i.Uidx)
			}
			out = s
		}
	}
	return out
}

func (c *converter) valueFunction(f *pg.SQLValueFunction) ast.Expr {
	name := strings.TrimPrefix(f.Op.String(), "SVFOP_")
	name = strings.ToLower(strings.TrimSuffix(name, "_N"))
	return &ast.ValueFunction{Name: name, Typmod: f.Typmod, Pos: c.pos(f.Location)}
}
