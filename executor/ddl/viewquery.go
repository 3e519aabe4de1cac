package ddl

import (
	"slices"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// viewQuery makes a query fit to be kept: every relation gets its schema, every
// star becomes the columns that it stands for now, and NATURAL JOIN becomes
// USING, so that a column added later changes nothing.
type viewQuery struct {
	s *statement
	// uses are the relations that the query reads; temp says that one is temporary.
	uses []types.OID
	temp bool
}

// withNames are the WITH queries that a level sees, with their columns.
type withNames map[string][]string

// item is something of FROM that has a name: what name.* stands for. known is
// false when nobody can say.
type item struct {
	name    string
	columns []itemColumn
	known   bool
}

// itemColumn is a column as a star writes it: item.name, or name alone for one
// that a join has merged.
type itemColumn struct{ item, name string }

// fromItem is one entry of FROM: what a bare star gives, and the items with
// names inside.
type fromItem struct {
	star  item
	named []item
}

func (q *viewQuery) qualify(stmt ast.Stmt) error {
	sel, ok := stmt.(*ast.Select)
	if !ok {
		return pgerr.New(pgerr.SyntaxError, "a view must be defined by a SELECT or VALUES")
	}
	return q.query(sel, withNames{})
}

// query qualifies one query with all that is inside.
func (q *viewQuery) query(sel *ast.Select, outer withNames) error {
	names, err := q.with(sel.With, outer)
	if err != nil {
		return err
	}
	if sel.SetOp != "" {
		if err := q.query(sel.Left, names); err != nil {
			return err
		}
		if err := q.query(sel.Right, names); err != nil {
			return err
		}
		return q.expressions(sel, names)
	}
	var items []fromItem
	for _, f := range sel.From {
		i, err := q.from(f, names)
		if err != nil {
			return err
		}
		items = append(items, i)
	}
	if err := q.stars(sel, items); err != nil {
		return err
	}
	return q.expressions(sel, names)
}

// with qualifies WITH queries and returns the names seen after them.
func (q *viewQuery) with(w *ast.With, outer withNames) (withNames, error) {
	if w == nil {
		return outer, nil
	}
	names := withNames{}
	for k, v := range outer {
		names[k] = v
	}
	for i := range w.CTEs {
		c := &w.CTEs[i]
		sel, ok := c.Query.(*ast.Select)
		if !ok {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "views must not contain data-modifying statements in WITH")
		}
		if w.Recursive {
			names[c.Name] = aliased(resultNames(sel), c.Columns)
		}
		if err := q.query(sel, names); err != nil {
			return nil, err
		}
		names[c.Name] = aliased(resultNames(sel), c.Columns)
	}
	return names, nil
}

// resultNames are the names of a query's columns; nil when a star is among them.
func resultNames(sel *ast.Select) []string {
	for sel.SetOp != "" {
		sel = sel.Left
	}
	if len(sel.Values) > 0 {
		out := make([]string, len(sel.Values[0]))
		for i := range out {
			out[i] = "column" + itoa(i+1)
		}
		return out
	}
	out := make([]string, 0, len(sel.Targets))
	for _, t := range sel.Targets {
		if isStar(t.Expr) {
			return nil
		}
		name := t.Name
		if name == "" {
			if name, _ = columnName(t.Expr); name == "" {
				name = "?column?"
			}
		}
		out = append(out, name)
	}
	return out
}

func isStar(e ast.Expr) bool {
	switch v := e.(type) {
	case *ast.ColumnRef:
		return v.Star
	case *ast.FieldSelect:
		return v.Star
	}
	return false
}

// aliased replaces the first names by those of an alias.
func aliased(names, alias []string) []string {
	if len(alias) == 0 {
		return names
	}
	out := slices.Clone(alias)
	if len(names) > len(alias) {
		out = append(out, names[len(alias):]...)
	}
	return out
}

// from qualifies an item of FROM.
func (q *viewQuery) from(f ast.FromItem, names withNames) (fromItem, error) {
	switch v := f.(type) {
	case *ast.RangeVar:
		columns, err := q.relation(v, names)
		return namedItem(v.Name, v.Alias, columns), err
	case *ast.SubqueryFrom:
		sel, ok := v.Query.(*ast.Select)
		if !ok {
			return fromItem{}, pgerr.Unsupported("this item of FROM in a view")
		}
		if err := q.query(sel, names); err != nil {
			return fromItem{}, err
		}
		return namedItem("", v.Alias, resultNames(sel)), nil
	case *ast.FunctionFrom:
		return q.function(v), q.sublinks(v, names)
	case *ast.Join:
		return q.join(v, names)
	case *ast.TableSample:
		if err := q.sublinks(v, names); err != nil {
			return fromItem{}, err
		}
		return q.from(v.Rel, names)
	}
	return fromItem{}, pgerr.Unsupported("this item of FROM in a view")
}

// namedItem makes an item of a name, an alias and column names (nil: unknown).
func namedItem(name string, alias *ast.Alias, columns []string) fromItem {
	if alias != nil {
		name = alias.Name
		columns = aliased(columns, alias.Columns)
	}
	out := item{name: name, known: columns != nil}
	for _, c := range columns {
		out.columns = append(out.columns, itemColumn{name, c})
	}
	return fromItem{out, []item{out}}
}

// relation finds a relation, writes its schema, and returns its columns.
func (q *viewQuery) relation(r *ast.RangeVar, names withNames) ([]string, error) {
	if columns, ok := names[r.Name]; ok && r.Schema == "" {
		return columns, nil
	}
	if err := q.s.checkCatalog(r); err != nil {
		return nil, err
	}
	schemas := q.s.searchPath(true)
	if r.Schema == "pg_temp" {
		schemas = []string{q.s.tempSchema()}
	} else if r.Schema != "" {
		schemas = []string{r.Schema}
	}
	env := q.s.Plan()
	for _, schema := range schemas {
		if o := q.s.catalog().Relation(schema, r.Name); o != nil {
			r.Catalog, r.Schema = "", schema
			return q.use(o, r)
		}
		if env.Virtual == nil {
			continue
		}
		if columns := env.Virtual(schema, r.Name); columns != nil {
			r.Catalog, r.Schema = "", schema
			return planNames(columns), nil
		}
	}
	return nil, q.s.noRelation(r, "relation")
}

func planNames(columns []plan.Column) []string {
	out := make([]string, len(columns))
	for i := range columns {
		out[i] = columns[i].Name
	}
	return out
}

// use notes a relation of the catalog.
func (q *viewQuery) use(o catalog.Object, r *ast.RangeVar) ([]string, error) {
	var columns []catalog.Column
	switch o := o.(type) {
	case *catalog.Table:
		columns = o.Columns
	case *catalog.View:
		columns = o.Columns
	case *catalog.Sequence:
		return []string{"last_value", "log_cnt", "is_called"}, nil
	default:
		return nil, pgerr.Newf(pgerr.WrongObjectType, `cannot open relation "%s"`, r.Name).
			WithDetail("This operation is not supported for indexes.").At(r.Pos)
	}
	if !slices.Contains(q.uses, o.ObjectID()) {
		q.uses = append(q.uses, o.ObjectID())
	}
	schema, _ := o.ObjectName()
	q.temp = q.temp || q.s.isTemp(schema)
	names := []string{}
	for i := range columns {
		if !columns[i].Dropped {
			names = append(names, columns[i].Name)
		}
	}
	return names, nil
}

// function finds a function's columns by planning it alone, which fails for one
// that reads other items of FROM; then only its alias says what they are.
func (q *viewQuery) function(f *ast.FunctionFrom) fromItem {
	name := ""
	if len(f.Funcs) > 0 {
		name, _ = columnName(f.Funcs[0])
	}
	star := &ast.Select{Targets: []ast.Target{{Expr: &ast.ColumnRef{Star: true}}}, From: []ast.FromItem{f}}
	if p, err := plan.Prepare(q.s.Plan(), star, nil); err == nil {
		if f.Alias != nil {
			name = f.Alias.Name
		}
		return namedItem(name, nil, planNames(p.Columns))
	}
	var columns []string
	for _, c := range f.Columns {
		columns = append(columns, c.Name)
	}
	return namedItem(name, f.Alias, columns)
}

// join qualifies both sides and merges their columns as USING does.
func (q *viewQuery) join(j *ast.Join, names withNames) (fromItem, error) {
	left, err := q.from(j.Left, names)
	if err != nil {
		return fromItem{}, err
	}
	right, err := q.from(j.Right, names)
	if err != nil {
		return fromItem{}, err
	}
	if err := q.sublinks(j.On, names); err != nil {
		return fromItem{}, err
	}
	l, r := left.star, right.star
	if j.Natural {
		if !l.known || !r.known {
			return fromItem{}, pgerr.Unsupported("NATURAL JOIN with this item of FROM in a view")
		}
		j.Using, j.Natural = common(l.columns, r.columns), false
		if len(j.Using) == 0 && j.Kind != ast.JoinInner {
			j.On = &ast.Const{Kind: ast.ConstBool, Bool: true}
		}
	}
	star := item{known: l.known && r.known}
	for _, u := range j.Using {
		star.columns = append(star.columns, itemColumn{name: u})
	}
	for _, c := range append(slices.Clone(l.columns), r.columns...) {
		if !slices.Contains(j.Using, c.name) {
			star.columns = append(star.columns, c)
		}
	}
	if j.Alias == nil {
		return fromItem{star, append(slices.Clone(left.named), right.named...)}, nil
	}
	var columns []string
	for _, c := range star.columns {
		columns = append(columns, c.name)
	}
	return namedItem("", j.Alias, columns), nil
}

// common are the names that both sides have.
func common(l, r []itemColumn) []string {
	var out []string
	for _, a := range l {
		if slices.ContainsFunc(r, func(b itemColumn) bool { return a.name == b.name }) {
			out = append(out, a.name)
		}
	}
	return out
}

// expressions qualifies the subqueries of all expressions of one query, and
// takes schemas off its column references.
func (q *viewQuery) expressions(sel *ast.Select, names withNames) error {
	inside := *sel
	inside.With, inside.From, inside.Left, inside.Right = nil, nil, nil, nil
	return q.sublinks(&inside, names)
}

// sublinks qualifies the subqueries inside a node, itself not included.
func (q *viewQuery) sublinks(node any, names withNames) (err error) {
	if e, ok := node.(ast.Expr); ok && e == nil {
		return nil
	}
	root := true
	ast.Walk(node, func(n any) bool {
		if err != nil {
			return false
		}
		switch v := n.(type) {
		case *ast.Select:
			if root && n == node {
				root = false
				return true
			}
			err = q.query(v, names)
			return false
		case *ast.RangeVar, *ast.Join, *ast.SubqueryFrom:
			return false // FROM has been seen
		case *ast.ColumnRef:
			if !v.Star && len(v.Parts) == 3 {
				v.Parts = v.Parts[1:]
			}
		case *ast.ParamRef:
			err = pgerr.Newf(pgerr.UndefinedParameter, "there is no parameter $%d", v.Number).At(v.Pos)
		}
		return true
	})
	if err == nil {
		q.s.qualifyLiterals(node)
	}
	return err
}
