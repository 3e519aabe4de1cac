package sql

import (
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// converter turns pg_query's protobuf tree into sql/ast. The first error sticks,
// and what is made after it is not used.
type converter struct {
	text  string
	ascii bool
	base  int // added to every position
	// The byte and character counted last, so that positions in text that is
	// not ASCII do not start from the beginning each time.
	lastByte, lastChar int
	err                error
}

func newConverter(text string) *converter {
	return &converter{text: text, ascii: isASCII(text)}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// charPosition is the 1-based character at a byte of text.
func charPosition(text string, offset int) int {
	return utf8.RuneCountInString(text[:offset]) + 1
}

// pos turns a byte location, -1 if unknown, into a position.
func (c *converter) pos(location int32) int {
	n := int(location)
	if n < 0 || n > len(c.text) {
		return 0
	}
	if c.ascii {
		return max(n+1+c.base, 0)
	}
	if n < c.lastByte {
		if c.lastByte-n < n {
			c.lastChar -= utf8.RuneCountInString(c.text[n:c.lastByte])
		} else {
			c.lastChar = utf8.RuneCountInString(c.text[:n])
		}
	} else {
		c.lastChar += utf8.RuneCountInString(c.text[c.lastByte:n])
	}
	c.lastByte = n
	return max(c.lastChar+1+c.base, 0)
}

func (c *converter) unsupported(feature string, location int32) {
	if c.err == nil {
		c.err = pgerr.Unsupported(feature).At(c.pos(location))
	}
}

// each converts a list.
func each[T any](list []*pg.Node, f func(*pg.Node) T) []T {
	if len(list) == 0 {
		return nil
	}
	out := make([]T, len(list))
	for i, n := range list {
		out[i] = f(n)
	}
	return out
}

// stringOf is the text of a String node, or the name of another name-like node.
func stringOf(n *pg.Node) string {
	switch v := n.GetNode().(type) {
	case *pg.Node_String_:
		return v.String_.Sval
	case *pg.Node_RoleSpec:
		return roleName(v.RoleSpec)
	case *pg.Node_AStar:
		return "*"
	case *pg.Node_AConst:
		return v.AConst.GetSval().GetSval()
	case *pg.Node_ResTarget:
		return v.ResTarget.Name
	case *pg.Node_IndexElem:
		return v.IndexElem.Name
	case *pg.Node_AccessPriv:
		return v.AccessPriv.PrivName
	}
	return ""
}

func stringsOf(list []*pg.Node) []string { return each(list, stringOf) }

func roleName(r *pg.RoleSpec) string {
	switch r.GetRoletype() {
	case pg.RoleSpecType_ROLESPEC_CURRENT_ROLE, pg.RoleSpecType_ROLESPEC_CURRENT_USER:
		return "current_user"
	case pg.RoleSpecType_ROLESPEC_SESSION_USER:
		return "session_user"
	case pg.RoleSpecType_ROLESPEC_PUBLIC:
		return "public"
	}
	return r.GetRolename()
}

func (c *converter) rangeVar(v *pg.RangeVar) *ast.RangeVar {
	if v == nil {
		return nil
	}
	return &ast.RangeVar{
		Catalog: v.Catalogname, Schema: v.Schemaname, Name: v.Relname, Alias: c.alias(v.Alias),
		Only: !v.Inh, Temp: v.Relpersistence == "t", Pos: c.pos(v.Location),
	}
}

func (c *converter) rangeVars(list []*pg.Node) []*ast.RangeVar {
	return each(list, func(n *pg.Node) *ast.RangeVar { return c.rangeVar(n.GetRangeVar()) })
}

func (c *converter) alias(a *pg.Alias) *ast.Alias {
	if a == nil {
		return nil
	}
	return &ast.Alias{Name: a.Aliasname, Columns: stringsOf(a.Colnames)}
}

// nameOf is the qualified name an object node holds.
func nameOf(n *pg.Node) []string {
	switch v := n.GetNode().(type) {
	case *pg.Node_List:
		return stringsOf(v.List.Items)
	case *pg.Node_RangeVar:
		if v.RangeVar.Schemaname != "" {
			return []string{v.RangeVar.Schemaname, v.RangeVar.Relname}
		}
		return []string{v.RangeVar.Relname}
	case *pg.Node_TypeName:
		return stringsOf(v.TypeName.Names)
	case *pg.Node_ObjectWithArgs:
		return stringsOf(v.ObjectWithArgs.Objname)
	case nil:
		return nil
	}
	return []string{stringOf(n)}
}

// rangeVarOf is nameOf as a relation's name.
func rangeVarOf(n *pg.Node) *ast.RangeVar {
	names := nameOf(n)
	v := &ast.RangeVar{}
	if len(names) > 0 {
		v.Name = names[len(names)-1]
	}
	if len(names) > 1 {
		v.Schema = names[len(names)-2]
	}
	return v
}

// objectWord is the SQL word of an object type.
func objectWord(t pg.ObjectType) string {
	switch t {
	case pg.ObjectType_OBJECT_MATVIEW:
		return "MATERIALIZED VIEW"
	case pg.ObjectType_OBJECT_TABCONSTRAINT:
		return "CONSTRAINT"
	case pg.ObjectType_OBJECT_DOMCONSTRAINT:
		return "DOMAIN CONSTRAINT"
	case pg.ObjectType_OBJECT_FDW:
		return "FOREIGN DATA WRAPPER"
	case pg.ObjectType_OBJECT_FOREIGN_SERVER:
		return "SERVER"
	case pg.ObjectType_OBJECT_OPCLASS:
		return "OPERATOR CLASS"
	case pg.ObjectType_OBJECT_OPFAMILY:
		return "OPERATOR FAMILY"
	case pg.ObjectType_OBJECT_STATISTIC_EXT:
		return "STATISTICS"
	case pg.ObjectType_OBJECT_TSCONFIGURATION:
		return "TEXT SEARCH CONFIGURATION"
	case pg.ObjectType_OBJECT_TSDICTIONARY:
		return "TEXT SEARCH DICTIONARY"
	case pg.ObjectType_OBJECT_TSPARSER:
		return "TEXT SEARCH PARSER"
	case pg.ObjectType_OBJECT_TSTEMPLATE:
		return "TEXT SEARCH TEMPLATE"
	case pg.ObjectType_OBJECT_LARGEOBJECT:
		return "LARGE OBJECT"
	}
	return strings.ReplaceAll(strings.TrimPrefix(t.String(), "OBJECT_"), "_", " ")
}

// options converts DefElems.
func (c *converter) options(list []*pg.Node) []ast.Option {
	return each(list, func(n *pg.Node) ast.Option {
		d := n.GetDefElem()
		name := d.GetDefname()
		if d.GetDefnamespace() != "" {
			name = d.Defnamespace + "." + name
		}
		return ast.Option{Name: name, Value: c.optionValue(d.GetArg()), Pos: c.pos(d.GetLocation())}
	})
}

// optionValue is a Const, a ColumnRef for a bare word, or an ArrayExpr for a list of names.
func (c *converter) optionValue(n *pg.Node) ast.Expr {
	switch v := n.GetNode().(type) {
	case nil:
		return nil
	case *pg.Node_String_:
		return &ast.Const{Kind: ast.ConstString, Text: v.String_.Sval}
	case *pg.Node_Integer:
		return &ast.Const{Kind: ast.ConstInt, Int: int64(v.Integer.Ival)}
	case *pg.Node_Float:
		return numberConst(v.Float.Fval, 0)
	case *pg.Node_Boolean:
		return &ast.Const{Kind: ast.ConstBool, Bool: v.Boolean.Boolval}
	case *pg.Node_TypeName:
		return &ast.ColumnRef{Parts: stringsOf(v.TypeName.Names), Pos: c.pos(v.TypeName.Location)}
	case *pg.Node_AStar:
		return &ast.ColumnRef{Star: true}
	case *pg.Node_RoleSpec:
		return &ast.Const{Kind: ast.ConstString, Text: roleName(v.RoleSpec)}
	case *pg.Node_List:
		return &ast.ArrayExpr{Elems: each(v.List.Items, c.optionValue)}
	case *pg.Node_DefElem:
		return &ast.Const{Kind: ast.ConstString, Text: v.DefElem.Defname}
	}
	return c.expr(n)
}

// exprText converts an expression and prints it, for the catalog.
func (c *converter) exprText(n *pg.Node) (ast.Expr, string) {
	e := c.expr(n)
	if e == nil || c.err != nil {
		return e, ""
	}
	return e, Deparse(e)
}
