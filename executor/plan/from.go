package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql/ast"
)

// fromPart is a part of a FROM clause while it is bound.
type fromPart struct {
	tree *joinTree
	rels []*relation
	star []target
}

// fromBinder binds the FROM clause of one level.
type fromBinder struct {
	b    *binder
	s    *scope
	tree *fromTree
	// nullable counts the outer joins around that may make all columns NULL.
	nullable int
}

// from binds a FROM clause and makes its names visible in s.
func (b *binder) from(s *scope, items []ast.FromItem) (*fromTree, error) {
	f := &fromBinder{b: b, s: s, tree: &fromTree{}}
	return f.tree, f.add(items)
}

// add binds further items beside those that are there.
func (f *fromBinder) add(items []ast.FromItem) error {
	for _, item := range items {
		part, err := f.item(item, fromPart{rels: f.s.rels, star: f.s.star})
		if err != nil {
			return err
		}
		if err := distinctNames(f.s.rels, part.rels); err != nil {
			return err
		}
		f.tree.root = crossed(f.tree.root, part.tree)
		f.s.rels = append(f.s.rels[:len(f.s.rels):len(f.s.rels)], part.rels...)
		f.s.star = append(f.s.star, part.star...)
	}
	if len(items) > 0 && f.s.star == nil {
		f.s.star = []target{}
	}
	return nil
}

// distinctNames refuses an alias that stands for two items.
func distinctNames(a, c []*relation) error {
	for _, x := range a {
		for _, y := range c {
			if x.name != y.name || x.name == "" {
				continue
			}
			if x.table != nil && y.table != nil && x.schema != y.schema && x.name == x.table.Name && y.name == y.table.Name {
				continue
			}
			return pgerr.Newf(pgerr.DuplicateAlias, "table name %q specified more than once", x.name)
		}
	}
	return nil
}

// item binds one item; seen are the items before it, for LATERAL.
func (f *fromBinder) item(item ast.FromItem, seen fromPart) (fromPart, error) {
	switch t := item.(type) {
	case *ast.RangeVar:
		return f.named(t)
	case *ast.SubqueryFrom:
		return f.subquery(t, seen)
	case *ast.FunctionFrom:
		return f.functions(t, seen)
	case *ast.Join:
		return f.join(t, seen)
	case *ast.TableSample:
		return f.sampled(t, seen)
	default:
		return fromPart{}, pgerr.Unsupported("this item of FROM")
	}
}

// leaf gives a leaf its place in the logical row and its name.
func (f *fromBinder) leaf(l *leaf, alias *ast.Alias) (fromPart, error) {
	if len(f.tree.leaves) == maxLeaves {
		return fromPart{}, pgerr.Newf(pgerr.StatementTooComplex, "a query cannot join more than %d relations", maxLeaves)
	}
	if err := renameColumns(l.rel, alias); err != nil {
		return fromPart{}, err
	}
	l.index, l.rel.start = len(f.tree.leaves), f.s.width
	f.s.width += l.width()
	f.tree.leaves = append(f.tree.leaves, l)
	return fromPart{tree: &joinTree{leaf: l}, rels: []*relation{l.rel}, star: starOf(l.rel)}, nil
}

func starOf(r *relation) []target {
	out := make([]target, 0, len(r.columns))
	for i := range r.columns {
		if r.hidden != nil && r.hidden[i] {
			continue
		}
		out = append(out, target{name: r.columns[i].Name, value: r.columnAt(i), column: r.columns[i]})
	}
	return out
}

// renameColumns applies the columns of an alias.
func renameColumns(r *relation, alias *ast.Alias) error {
	if alias == nil || len(alias.Columns) == 0 {
		return nil
	}
	n, live := 0, 0
	for i := range r.columns {
		if r.hidden != nil && r.hidden[i] {
			continue
		}
		live++
		if n < len(alias.Columns) {
			r.columns[i].Name = alias.Columns[n]
			n++
		}
	}
	if len(alias.Columns) > live {
		return pgerr.Newf(pgerr.InvalidColumnReference, "table %q has %d columns available but %d columns specified", r.name, live, len(alias.Columns))
	}
	return nil
}

func aliasName(alias *ast.Alias, name string) string {
	if alias != nil && alias.Name != "" {
		return alias.Name
	}
	return name
}

// named binds a name: a WITH query, a table, a view or a computed relation.
func (f *fromBinder) named(r *ast.RangeVar) (fromPart, error) {
	b := f.b
	if r.Schema == "" {
		if c := f.s.findCTE(r.Name); c != nil {
			return f.cte(c, r)
		}
	}
	object, schema := b.env.fromRelation(r)
	switch t := object.(type) {
	case *catalog.Table:
		b.use(t, storage.LockAccessShare)
		if !r.Only { // a partitioned table has no rows of its own
			if err := b.loadPartitions(t); err != nil {
				return fromPart{}, err
			}
		}
		rel := tableRelation(t, aliasName(r.Alias, t.Name), 0)
		rel.leaves = b.leavesOf(t)
		return f.leaf(&leaf{rel: rel, table: t}, r.Alias)
	case *catalog.View:
		return f.view(t, r)
	case *catalog.Index:
		return fromPart{}, pgerr.Newf(pgerr.WrongObjectType, "cannot open relation %q", r.Name).
			WithDetail("This operation is not supported for indexes.").At(r.Pos)
	case *catalog.Sequence:
		return f.virtual(t.Schema, t.Name, r)
	}
	if schema != "" {
		return f.virtual(schema, r.Name, r)
	}
	return fromPart{}, noRelation(r)
}

// virtualSchemas are those that computed relations live in.
var virtualSchemas = map[string]bool{"pg_catalog": true, "information_schema": true, "akidb": true}

// fromRelation finds what a name in FROM stands for: an object of the catalog,
// or the schema of a computed relation.
func (e *Env) fromRelation(r *ast.RangeVar) (catalog.Object, string) {
	if r.Schema != "" {
		if virtualSchemas[r.Schema] && e.Virtual != nil && e.Virtual(r.Schema, r.Name) != nil {
			return nil, r.Schema
		}
		return e.relation(r), ""
	}
	for _, schema := range e.searchPath() {
		if virtualSchemas[schema] && e.Virtual != nil && e.Virtual(schema, r.Name) != nil {
			return nil, schema
		}
		if o := e.Catalog.Relation(schema, r.Name); o != nil {
			return o, ""
		}
	}
	return nil, ""
}

// virtualRows is assumed of a computed relation.
const virtualRows = 200

func (f *fromBinder) virtual(schema, name string, r *ast.RangeVar) (fromPart, error) {
	var cols []Column
	if f.b.env.Virtual != nil {
		cols = f.b.env.Virtual(schema, name)
	}
	if cols == nil {
		return fromPart{}, pgerr.Newf(pgerr.FeatureNotSupported, "reading %q as a table is not supported", r.Name).At(r.Pos)
	}
	n := &VirtualScan{Schema: schema, Name: name, Alias: aliasName(r.Alias, name)}
	n.Columns, n.Rows, n.Cost = cols, virtualRows, virtualRows
	part, err := f.node(n, aliasName(r.Alias, name), r.Alias, "")
	if err == nil {
		part.rels[0].virtual = cols[0].Table
	}
	return part, err
}

// node makes a leaf of a planned node.
func (f *fromBinder) node(n Node, name string, alias *ast.Alias, locks string) (fromPart, error) {
	cols := append([]Column(nil), n.Common().Columns...)
	return f.leaf(&leaf{rel: &relation{name: name, columns: cols}, node: n, locks: locks}, alias)
}

// maxViews is how deep views may lie in views.
const maxViews = 100

// view plans a view's query in a scope of its own.
func (f *fromBinder) view(v *catalog.View, r *ast.RangeVar) (fromPart, error) {
	b := f.b
	if b.views++; b.views > maxViews {
		return fromPart{}, pgerr.Newf(pgerr.InvalidObjectDefinition, "infinite recursion detected in rules for relation %q", v.Name)
	}
	defer func() { b.views-- }()
	q, err := viewQuery(v)
	if err != nil {
		return fromPart{}, err
	}
	fixed, stmt, names := b.fixed, b.stmt, b.names
	b.fixed = true // the parameters are the statement's, not the view's
	b.stmt, b.names = q, nil
	part, err := f.query(q, &scope{}, aliasName(r.Alias, v.Name), "a view")
	b.fixed, b.stmt, b.names = fixed, stmt, names
	if err != nil {
		return part, err
	}
	rel := part.rels[0]
	for i := range min(len(v.Columns), len(rel.columns)) {
		rel.columns[i].Name = v.Columns[i].Name
	}
	return part.renamed(r.Alias)
}

// renamed applies the columns of an alias to a part that is one relation.
func (p fromPart) renamed(alias *ast.Alias) (fromPart, error) {
	if err := renameColumns(p.rels[0], alias); err != nil {
		return p, err
	}
	p.star = starOf(p.rels[0])
	return p, nil
}

// query makes a query an item of FROM: its own FROM joins this one when it does
// nothing but choose rows and columns, else it is planned by itself.
func (f *fromBinder) query(q *ast.Select, s *scope, name, locks string) (fromPart, error) {
	if f.flat(q) {
		part, ok, err := f.pullUp(q, s, name)
		if ok || err != nil {
			return part, err
		}
	}
	n, err := f.b.queryIn(q, s)
	if err != nil {
		return fromPart{}, err
	}
	return f.node(n, name, nil, locks)
}

// subquery binds [LATERAL] (query) alias.
func (f *fromBinder) subquery(t *ast.SubqueryFrom, seen fromPart) (fromPart, error) {
	q, ok := t.Query.(*ast.Select)
	if !ok {
		return fromPart{}, pgerr.Unsupported("this statement in FROM").At(t.Pos)
	}
	inner, lateral := f.inner(t.Lateral, seen)
	name := aliasName(t.Alias, "")
	if lateral == nil {
		locks := "a subquery"
		if q.Values != nil {
			locks = ""
		}
		part, err := f.query(q, inner, name, locks)
		if err != nil {
			return part, err
		}
		return part.renamed(t.Alias)
	}
	n, err := f.b.queryIn(q, inner)
	if err != nil {
		return fromPart{}, err
	}
	part, err := f.node(n, name, t.Alias, "a subquery")
	if err == nil {
		part.tree.leaf.link = lateral
	}
	return part, err
}

// inner is the scope of a query in FROM. With LATERAL it sees the items before
// it through a link.
func (f *fromBinder) inner(lateral bool, seen fromPart) (*scope, *link) {
	if !lateral {
		return &scope{outer: f.s.outer, link: f.s.link, ctes: f.s.ctes}, nil
	}
	l := &link{params: map[int]bool{}}
	return &scope{outer: f.beside(seen.rels, seen.star), link: l}, l
}

// beside is a scope that sees some items of this level and all outer levels.
func (f *fromBinder) beside(rels []*relation, star []target) *scope {
	return &scope{outer: f.s.outer, link: f.s.link, ctes: f.s.ctes, rels: rels, star: star, width: f.s.width, joined: f.s.joined}
}

// sampled binds TABLESAMPLE.
func (f *fromBinder) sampled(t *ast.TableSample, seen fromPart) (fromPart, error) {
	part, err := f.item(t.Rel, seen)
	if err != nil {
		return part, err
	}
	l := part.tree.leaf
	if l == nil || l.table == nil {
		return part, pgerr.New(pgerr.WrongObjectType, "TABLESAMPLE clause can only be applied to tables and materialized views").At(t.Pos)
	}
	if t.Method != "bernoulli" && t.Method != "system" {
		return part, pgerr.Newf(pgerr.UndefinedObject, "tablesample method %s does not exist", t.Method).At(t.Pos)
	}
	if len(t.Args) != 1 {
		return part, pgerr.Newf(invalidTablesampleArgument, "tablesample method %s requires 1 argument, not %d", t.Method, len(t.Args)).At(t.Pos)
	}
	l.sample = &Sample{Method: t.Method}
	alone := f.beside(nil, nil)
	if l.sample.Percent, err = f.b.asFloat(alone, t.Args[0]); err != nil {
		return part, err
	}
	if t.Repeat != nil {
		l.sample.Seed, err = f.b.asFloat(alone, t.Repeat)
	}
	return part, err
}

const invalidTablesampleArgument = "2202H"

func (b *binder) asFloat(s *scope, e ast.Expr) (expr.Expr, error) {
	x, err := b.expr(s, e)
	if err != nil {
		return nil, err
	}
	x, err = expr.Coerce(b.env.Types, x, float8Type, expr.CastAssignment)
	return x, at(err, positionOf(e))
}

// unqualified finds a column by name in what * stands for.
func unqualified(star []target, name, side string) (int, error) {
	found := -1
	for i := range star {
		if star[i].name != name {
			continue
		}
		if found >= 0 {
			return 0, pgerr.Newf(pgerr.AmbiguousColumn, "common column name %q appears more than once in %s table", name, side)
		}
		found = i
	}
	return found, nil
}
