package ddl

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/sql/ast"
)

// maxName is the longest name in bytes (NAMEDATALEN - 1).
const maxName = 63

// objectName is PostgreSQL's makeObjectName: name1_name2_label, the longer of
// the two names shortened until all fit.
func objectName(name1, name2, label string) string {
	overhead := 0
	if name2 != "" {
		overhead++
	}
	if label != "" {
		overhead += len(label) + 1
	}
	for available := maxName - overhead; len(name1)+len(name2) > available; {
		if len(name1) > len(name2) {
			name1 = clip(name1, len(name1)-1)
		} else {
			name2 = clip(name2, len(name2)-1)
		}
	}
	for _, part := range []string{name2, label} {
		if part != "" {
			name1 += "_" + part
		}
	}
	return name1
}

// clip shortens s to at most n bytes without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// chooser makes up names that are not taken; taken holds those of the statement
// that are not in the catalog yet.
type chooser struct {
	cat    *catalog.Snapshot
	schema string
	taken  map[string]bool
}

func (s *statement) chooser(schema string) *chooser {
	return &chooser{cat: s.catalog(), schema: schema, taken: map[string]bool{}}
}

// relation is PostgreSQL's ChooseRelationName.
func (c *chooser) relation(name1, name2, label string) string {
	return choose(name1, name2, label, func(name string) bool {
		return c.taken[name] || c.cat.Relation(c.schema, name) != nil
	}, c.taken)
}

// choose tries label, label1, label2 … until a name is free, and takes it.
func choose(name1, name2, label string, used func(string) bool, taken map[string]bool) string {
	for pass := 0; ; pass++ {
		try := label
		if pass > 0 {
			try += strconv.Itoa(pass)
		}
		if name := objectName(name1, name2, try); !used(name) {
			taken[name] = true
			return name
		}
	}
}

// constraint is PostgreSQL's ChooseConstraintName, over the constraints of one table.
func (c *chooser) constraint(t *catalog.Table, column, label string) string {
	return choose(t.Name, column, label, func(name string) bool {
		return c.taken[name] || hasConstraint(c.cat, t, name)
	}, c.taken)
}

func hasConstraint(cat *catalog.Snapshot, t *catalog.Table, name string) bool {
	if check(t, name) != nil {
		return true
	}
	return foreign(t, name) != nil || keyConstraint(cat, t, name) != nil
}

// check finds a CHECK constraint by name, or nil.
func check(t *catalog.Table, name string) *catalog.Check {
	for i := range t.Checks {
		if t.Checks[i].Name == name {
			return &t.Checks[i]
		}
	}
	return nil
}

// keyConstraint finds the index of a PRIMARY KEY or UNIQUE constraint by name, or nil.
func keyConstraint(cat *catalog.Snapshot, t *catalog.Table, name string) *catalog.Index {
	for _, x := range cat.Indexes(t.ID) {
		if x.Constraint != 0 && x.Name == name {
			return x
		}
	}
	return nil
}

// nameAddition is ChooseIndexNameAddition: the columns' names in one.
func nameAddition(columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(c)
		if b.Len() > maxName {
			break
		}
	}
	return b.String()
}

// elemNames are the names of an index's columns as ChooseIndexColumnNames makes
// them: no two alike.
func elemNames(elems []ast.IndexElem) []string {
	names := make([]string, 0, len(elems))
	for _, e := range elems {
		base := e.Column
		if e.Expr != nil {
			if base, _ = columnName(e.Expr); base == "" {
				base = "expr"
			}
		}
		name := base
		for i := 1; contains(names, name); i++ {
			suffix := strconv.Itoa(i)
			name = clip(base, maxName-len(suffix)) + suffix
		}
		names = append(names, name)
	}
	return names
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// columnName is PostgreSQL's FigureColname: the name that an expression gives to
// a column ("" for none), and how sure it is (0 to 2).
func columnName(e ast.Expr) (string, int) {
	switch v := e.(type) {
	case *ast.ColumnRef:
		if !v.Star && len(v.Parts) > 0 {
			return v.Parts[len(v.Parts)-1], 2
		}
	case *ast.FieldSelect:
		if !v.Star {
			return v.Name, 2
		}
	case *ast.Subscript:
		return columnName(v.Arg)
	case *ast.FuncCall:
		return v.Name[len(v.Name)-1], 2
	case *ast.NullIf:
		return "nullif", 2
	case *ast.TypeCast:
		if name, sure := columnName(v.Arg); sure > 1 {
			return name, sure
		}
		return v.Type.Names[len(v.Type.Names)-1], 1
	case *ast.Collate:
		return columnName(v.Arg)
	case *ast.Case:
		if v.Else != nil {
			if name, sure := columnName(v.Else); sure > 1 {
				return name, sure
			}
		}
		return "case", 1
	case *ast.ArrayExpr:
		return "array", 2
	case *ast.RowExpr:
		return "row", 2
	case *ast.Coalesce:
		return "coalesce", 2
	case *ast.MinMax:
		if v.Least {
			return "least", 2
		}
		return "greatest", 2
	case *ast.ValueFunction:
		return v.Name, 2
	case *ast.Grouping:
		return "grouping", 2
	case *ast.Const:
		if v.Kind == ast.ConstBool {
			return "bool", 1
		}
	case *ast.SubLink:
		return subLinkName(v)
	}
	return "", 0
}

func subLinkName(v *ast.SubLink) (string, int) {
	switch v.Kind {
	case ast.SubLinkExists:
		return "exists", 2
	case ast.SubLinkArray:
		return "array", 2
	case ast.SubLinkScalar:
		q, ok := v.Query.(*ast.Select)
		for ok && q.SetOp != "" {
			q = q.Left
		}
		if ok && len(q.Targets) > 0 {
			if q.Targets[0].Name != "" {
				return q.Targets[0].Name, 2
			}
			return columnName(q.Targets[0].Expr)
		}
	}
	return "", 0
}
