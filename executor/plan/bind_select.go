package plan

import (
	"strconv"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// target is one bound output column.
type target struct {
	name   string
	value  expr.Expr
	column Column
}

// query plans a SELECT at the top or in a set operation; outer may be nil.
func (b *binder) query(q *ast.Select, outer *scope) (Node, error) {
	return b.queryIn(q, &scope{outer: outer, link: linkOf(outer)})
}

func linkOf(outer *scope) *link {
	if outer == nil {
		return nil
	}
	return &link{params: map[int]bool{}}
}

// queryIn plans a SELECT whose scope exists.
func (b *binder) queryIn(q *ast.Select, s *scope) (Node, error) {
	if err := b.with(s, q.With); err != nil {
		return nil, err
	}
	switch {
	case q.Into != nil:
		return nil, pgerr.New(pgerr.SyntaxError, "SELECT ... INTO is not allowed here").At(q.Pos)
	case q.SetOp != "":
		return b.setOperation(q, s)
	case q.Values != nil:
		return b.values(q, s)
	}
	return b.plainSelect(q, s)
}

// plainSelect plans SELECT … FROM … WHERE ….
func (b *binder) plainSelect(q *ast.Select, s *scope) (Node, error) {
	s.level = &level{named: q.Windows}
	s.whole = len(q.Locking) > 0
	from, err := b.from(s, q.From)
	if err != nil {
		return nil, err
	}
	sel := &selecting{b: b, s: s, q: q, from: from, rechecks: len(q.Locking) > 0}
	if err := sel.bind(); err != nil {
		return nil, err
	}
	return sel.plan()
}

// selecting is one plain SELECT being bound and planned.
type selecting struct {
	b       *binder
	s       *scope
	q       *ast.Select
	from    *fromTree
	where   []expr.Expr
	targets []target
	order   []SortKey // over the row that the targets are computed from
	byOut   []int     // for each order key the target that it equals, or -1
	on      []expr.Expr
	having  expr.Expr
	groups  []expr.Expr
	sets    [][]int
	grouped bool
	limit   expr.Expr
	offset  expr.Expr
	locks   []lockUse
	// presorted is how many keys of order the rows are sorted by already.
	presorted int
	// ranks says that the windows only rank the rows in the order of the result.
	ranks bool
	// placed and logical tell what the places of the joined row are: leaves and
	// logical places.
	placed  []*leaf
	logical []int
	// rechecks says that rows are tested again once they are locked: against
	// again, if that is set, else against where.
	rechecks bool
	again    []expr.Expr
	// base is where the level's own places begin when it was joined to another.
	base int
}

type lockUse struct {
	leaf     *leaf
	strength storage.RowLock
	wait     storage.WaitPolicy
}

func (sel *selecting) bind() error {
	b, s, q := sel.b, sel.s, sel.q
	if err := sel.bindWhere(q.Where); err != nil {
		return err
	}
	if err := sel.bindGroups(); err != nil {
		return err
	}
	s.level.groups = sel.groups
	if err := sel.bindTargets(); err != nil {
		return err
	}
	if q.Having != nil {
		h, err := b.condition(s, q.Having, "HAVING")
		if err != nil {
			return err
		}
		sel.having = h
	}
	if err := sel.bindOrder(); err != nil {
		return err
	}
	if err := sel.bindDistinctOn(); err != nil {
		return err
	}
	if err := sel.bindLimit(); err != nil {
		return err
	}
	sel.grouped = len(sel.groups) > 0 || len(s.level.aggs) > 0 || q.Having != nil || sel.sets != nil
	return sel.bindLocks()
}

// conjuncts splits an AND.
func conjuncts(e expr.Expr) []expr.Expr {
	if a, ok := e.(*expr.And); ok {
		var out []expr.Expr
		for _, x := range a.Args {
			out = append(out, conjuncts(x)...)
		}
		return out
	}
	if c, ok := e.(*expr.Const); ok && c.Value == true {
		return nil
	}
	return []expr.Expr{e}
}

func andOf(list []expr.Expr) expr.Expr {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	default:
		return &expr.And{Args: list}
	}
}

func (sel *selecting) bindTargets() error {
	keep := sel.s.keep
	sel.s.keep = keep || sel.s.wants != nil
	for i := range sel.q.Targets {
		list, err := sel.b.target(sel.s, &sel.q.Targets[i])
		if err != nil {
			return err
		}
		for _, t := range list {
			if !keep && t.value.Type().OID == types.UnknownOID {
				want := textType
				if n := len(sel.targets); n < len(sel.s.wants) {
					want = sel.s.wants[n]
				}
				if t.value, err = expr.Coerce(sel.b.env.Types, t.value, want, expr.CastAssignment); err != nil {
					return at(err, positionOf(sel.q.Targets[i].Expr))
				}
			}
			sel.targets = append(sel.targets, t)
		}
	}
	sel.s.keep = keep
	return nil
}

// target binds one item of a target list; a star gives several.
func (b *binder) target(s *scope, t *ast.Target) ([]target, error) {
	if c, ok := t.Expr.(*ast.ColumnRef); ok && c.Star {
		return b.starRelations(s, c)
	}
	if f, ok := t.Expr.(*ast.FieldSelect); ok && f.Star {
		e, err := b.expr(s, f.Arg)
		if err != nil {
			return nil, err
		}
		var out []target
		r, ok := e.(*expr.RowCtor)
		if !ok {
			fields := b.origin(s, e).Fields
			if fields == nil {
				fields = b.rowFields(e.Type().OID)
			}
			for i, field := range fields {
				out = append(out, target{name: field.Name, value: selectField(e, i, field)})
			}
			if out == nil {
				return nil, pgerr.Unsupported("expansion of this record").At(f.Pos)
			}
			return out, nil
		}
		for i, v := range r.Fields {
			out = append(out, target{name: r.Names[i], value: v})
		}
		return out, nil
	}
	e, err := b.expr(s, t.Expr)
	if err != nil {
		return nil, err
	}
	if !s.keep {
		if e, err = b.known(e); err != nil {
			return nil, at(err, positionOf(t.Expr))
		}
	}
	name := t.Name
	if name == "" {
		if name = outputName(t.Expr); name == "" { // SELECT (SELECT * …)
			name = b.subqueryName(e)
		}
	}
	return []target{{name: name, value: e, column: b.origin(s, e)}}, nil
}

// subqueryName is the column that a subquery in an expression returns.
func (b *binder) subqueryName(e expr.Expr) string {
	switch t := e.(type) {
	case *expr.Cast:
		return b.subqueryName(t.Arg)
	case *expr.SubPlan:
		return b.plan.SubPlans[t.Plan].Root.Common().Columns[0].Name
	}
	return "?column?"
}

// fieldsOf are the fields of a record that an expression makes, nil where they
// are not known.
func fieldsOf(e expr.Expr) []expr.OutColumn {
	switch t := e.(type) {
	case *expr.Call:
		if len(t.Func.Columns) > 1 {
			return t.Func.Columns
		}
	case *expr.RowCtor:
		out := make([]expr.OutColumn, len(t.Fields))
		for i, f := range t.Fields {
			out[i] = expr.OutColumn{Name: t.Names[i], Type: f.Type().OID}
		}
		return out
	}
	return nil
}

// origin finds the table column that an expression is, if it is one.
func (b *binder) origin(s *scope, e expr.Expr) Column {
	c, ok := e.(*expr.Column)
	if !ok {
		return Column{Fields: fieldsOf(e)}
	}
	for _, r := range s.rels {
		if i := c.Index - r.start; r.exprs == nil && i >= 0 && i < len(r.columns) {
			return Column{Table: r.columns[i].Table, Attnum: r.columns[i].Attnum, Fields: r.columns[i].Fields}
		}
	}
	return Column{}
}

// starRelations expands * or t.*.
func (b *binder) starRelations(s *scope, c *ast.ColumnRef) ([]target, error) {
	only := ""
	if len(c.Parts) > 0 {
		only = c.Parts[len(c.Parts)-1]
		if s.relation(only) == nil {
			return nil, pgerr.Newf(pgerr.UndefinedTable, "missing FROM-clause entry for table %q", only).At(c.Pos)
		}
	} else if len(s.rels) == 0 {
		return nil, pgerr.New(pgerr.SyntaxError, "SELECT * with no tables specified is not valid").At(c.Pos)
	}
	if only == "" && s.star != nil {
		return append([]target(nil), s.star...), nil
	}
	var out []target
	for _, r := range s.rels {
		if only != "" && r.name != only {
			continue
		}
		for i := range r.columns {
			if r.hidden != nil && r.hidden[i] {
				continue
			}
			out = append(out, target{name: r.columns[i].Name, value: r.columnAt(i), column: r.columns[i]})
		}
	}
	return out, nil
}

// namesItself says whether an expression's name is better than that of a cast
// or a CASE around it.
func namesItself(e ast.Expr) bool {
	switch t := e.(type) {
	case *ast.TypeCast:
		return namesItself(t.Arg)
	case *ast.Case:
		return t.Else != nil && namesItself(t.Else)
	case *ast.Collate:
		return namesItself(t.Arg)
	}
	return outputName(e) != "?column?"
}

// outputName is FigureColname: the name of a target without AS.
func outputName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.ColumnRef:
		if t.Star {
			return "" // known once it is bound
		}
		return t.Parts[len(t.Parts)-1]
	case *ast.FuncCall:
		return t.Name[len(t.Name)-1]
	case *ast.TypeCast:
		if namesItself(t.Arg) {
			return outputName(t.Arg)
		}
		return t.Type.Names[len(t.Type.Names)-1]
	case *ast.FieldSelect:
		return t.Name
	case *ast.Subscript:
		return outputName(t.Arg)
	case *ast.Collate:
		return outputName(t.Arg)
	case *ast.Case:
		if t.Else != nil && namesItself(t.Else) {
			return outputName(t.Else)
		}
		return "case"
	case *ast.Coalesce:
		return "coalesce"
	case *ast.MinMax:
		if t.Least {
			return "least"
		}
		return "greatest"
	case *ast.NullIf:
		return "nullif"
	case *ast.ArrayExpr:
		return "array"
	case *ast.RowExpr:
		return "row"
	case *ast.ValueFunction:
		return t.Name
	case *ast.Grouping:
		return "grouping"
	case *ast.SubLink:
		switch t.Kind {
		case ast.SubLinkExists:
			return "exists"
		case ast.SubLinkArray:
			return "array"
		case ast.SubLinkScalar:
			if q, ok := t.Query.(*ast.Select); ok && len(q.Targets) == 1 {
				if q.Targets[0].Name != "" {
					return q.Targets[0].Name
				}
				return outputName(q.Targets[0].Expr)
			}
		}
	}
	return "?column?"
}

// outputKey resolves an ORDER BY or DISTINCT ON item that names an output column
// by number or alias: the target's index, or -1.
func (sel *selecting) outputKey(e ast.Expr, clause string) (int, error) {
	if c, ok := e.(*ast.Const); ok {
		if c.Kind == ast.ConstInt {
			if c.Int < 1 || c.Int > int64(len(sel.targets)) {
				return 0, pgerr.Newf(pgerr.InvalidColumnReference, "%s position %d is not in select list", clause, c.Int).At(c.Pos)
			}
			return int(c.Int) - 1, nil
		}
		if c.Kind != ast.ConstNull {
			return 0, pgerr.Newf(pgerr.SyntaxError, "non-integer constant in %s", clause).At(c.Pos)
		}
	}
	if c, ok := e.(*ast.ColumnRef); ok && len(c.Parts) == 1 && !c.Star {
		found := -1
		for i := range sel.targets {
			if sel.targets[i].name != c.Parts[0] {
				continue
			}
			if found >= 0 && !expr.Equal(sel.targets[found].value, sel.targets[i].value) {
				return 0, pgerr.Newf(pgerr.AmbiguousColumn, "%s %q is ambiguous", clause, c.Parts[0]).At(c.Pos)
			}
			found = i
		}
		return found, nil
	}
	return -1, nil
}

func (sel *selecting) bindOrder() error {
	for _, o := range sel.q.OrderBy {
		i, err := sel.outputKey(o.Expr, "ORDER BY")
		if err != nil {
			return err
		}
		var e expr.Expr
		if i >= 0 {
			e = sel.targets[i].value
		} else {
			if e, err = sel.b.expr(sel.s, o.Expr); err != nil {
				return err
			}
			if e, err = sel.b.known(e); err != nil {
				return err
			}
			for n := range sel.targets {
				if expr.Equal(sel.targets[n].value, e) {
					i = n
				}
			}
		}
		if sel.q.Distinct && i < 0 && len(sel.q.DistinctOn) == 0 {
			return pgerr.New(pgerr.InvalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list").At(positionOf(o.Expr))
		}
		if err := sortable(e, positionOf(o.Expr)); err != nil {
			return err
		}
		key := SortKey{Expr: e, Desc: o.Desc, NullsFirst: nullsFirst(o)}
		if o.Using == ">" || o.Using == ">=" {
			key.Desc, key.NullsFirst = true, o.Nulls != ast.NullsLast
		}
		sel.order = append(sel.order, key)
		sel.byOut = append(sel.byOut, i)
	}
	return nil
}

func (sel *selecting) bindDistinctOn() error {
	if sel.q.Distinct && len(sel.q.DistinctOn) == 0 {
		for _, t := range sel.targets {
			if err := groupable(t.value, sel.q.Pos); err != nil {
				return err
			}
		}
	}
	for _, e := range sel.q.DistinctOn {
		i, err := sel.outputKey(e, "SELECT DISTINCT ON")
		if err != nil {
			return err
		}
		if i >= 0 {
			sel.on = append(sel.on, sel.targets[i].value)
			continue
		}
		x, err := sel.b.expr(sel.s, e)
		if err != nil {
			return err
		}
		sel.on = append(sel.on, x)
	}
	for i := range min(len(sel.on), len(sel.order)) {
		found := false
		for _, e := range sel.on {
			found = found || expr.Equal(e, sel.order[i].Expr)
		}
		if !found {
			return pgerr.New(pgerr.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
		}
	}
	return nil
}

func (sel *selecting) bindLimit() (err error) {
	sel.limit, sel.offset, err = sel.b.limits(sel.s, sel.q)
	return err
}

// variable is where an expression refers to a column outside subqueries, 0 for
// nowhere.
func variable(e ast.Expr) (pos int) {
	ast.Walk(e, func(n any) bool {
		switch t := n.(type) {
		case *ast.SubLink:
			return false
		case *ast.ColumnRef:
			pos = t.Pos
		}
		return pos == 0
	})
	return pos
}

func (b *binder) limits(s *scope, q *ast.Select) (limit, offset expr.Expr, err error) {
	one := func(e ast.Expr, what string) (expr.Expr, error) {
		if e == nil {
			return nil, nil
		}
		if c, ok := e.(*ast.Const); ok && c.Kind == ast.ConstNull {
			return nil, nil
		}
		if pos := variable(e); pos > 0 {
			return nil, pgerr.Newf(pgerr.InvalidColumnReference, "argument of %s must not contain variables", what).At(pos)
		}
		// LIMIT sees no columns of its own level.
		x, err := b.expr(&scope{outer: s.outer, link: s.link, ctes: s.ctes}, e)
		if err != nil {
			return nil, err
		}
		x, err = expr.Coerce(b.env.Types, x, int8Type, expr.CastAssignment)
		if err != nil {
			return nil, at(err, positionOf(e))
		}
		return expr.Fold(b.env.Types, x), nil
	}
	if limit, err = one(q.Limit, "LIMIT"); err != nil {
		return nil, nil, err
	}
	offset, err = one(q.Offset, "OFFSET")
	return limit, offset, err
}

var lockStrengths = map[string]storage.RowLock{
	"UPDATE": storage.ForUpdate, "NO KEY UPDATE": storage.ForNoKeyUpdate, "SHARE": storage.ForShare, "KEY SHARE": storage.ForKeyShare,
}

func (sel *selecting) bindLocks() error {
	for _, l := range sel.q.Locking {
		if what := sel.unlockable(); what != "" {
			return pgerr.Newf(pgerr.FeatureNotSupported, "FOR %s is not allowed with %s", l.Strength, what)
		}
		wait := sel.b.env.LockWait
		wait.NoWait, wait.SkipLocked = l.NoWait, l.SkipLocked
		used := map[string]bool{}
		for _, lf := range sel.from.leaves {
			if lf.table == nil || lf.tested || len(l.Of) > 0 && !contains(l.Of, lf.rel.name) {
				continue
			}
			used[lf.rel.name] = true
			lf.wantID = true
			sel.b.use(lf.table, storage.LockRowShare)
			sel.b.plan.Writes = true
			sel.locks = append(sel.locks, lockUse{lf, lockStrengths[l.Strength], wait})
		}
		for _, name := range l.Of {
			if !used[name] {
				return pgerr.Newf(pgerr.UndefinedTable, "relation %q in FOR %s clause not found in FROM clause", name, l.Strength)
			}
		}
	}
	return nil
}

// unlockable names what stands between a row of the result and rows of tables.
func (sel *selecting) unlockable() string {
	switch {
	case sel.q.Distinct || len(sel.on) > 0:
		return "DISTINCT clause"
	case len(sel.q.GroupBy) > 0:
		return "GROUP BY clause"
	case sel.q.Having != nil:
		return "HAVING clause"
	case len(sel.s.level.aggs) > 0:
		return "aggregate functions"
	case len(sel.s.level.windows) > 0:
		return "window functions"
	case sel.s.level.srf:
		return "set-returning functions in the target list"
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// bindGroups binds GROUP BY: expressions, ordinals, aliases and grouping sets.
func (sel *selecting) bindGroups() error {
	if len(sel.q.GroupBy) == 0 {
		return nil
	}
	// Ordinals and aliases refer to targets that are bound only for this.
	sets := [][]int{{}}
	plain := true
	for i := range sel.q.GroupBy {
		g := &sel.q.GroupBy[i]
		if g.Kind != "" {
			plain = false
		}
		these, err := sel.groupSets(g)
		if err != nil {
			return err
		}
		var next [][]int
		for _, a := range sets {
			for _, c := range these {
				next = append(next, union(a, c))
			}
		}
		sets = next
	}
	if !plain {
		sel.sets = sets
	}
	return nil
}

func union(a, c []int) []int {
	out := append([]int(nil), a...)
	for _, x := range c {
		found := false
		for _, y := range out {
			found = found || x == y
		}
		if !found {
			out = append(out, x)
		}
	}
	return out
}

// groupSets gives the grouping sets of one GROUP BY item.
func (sel *selecting) groupSets(g *ast.GroupItem) ([][]int, error) {
	elems := func(list []ast.Expr) ([][]int, error) {
		var out [][]int
		for _, e := range list {
			if r, ok := e.(*ast.RowExpr); ok {
				var all []int
				for _, a := range r.Args {
					i, err := sel.group(a)
					if err != nil {
						return nil, err
					}
					all = union(all, []int{i})
				}
				out = append(out, all)
				continue
			}
			i, err := sel.group(e)
			if err != nil {
				return nil, err
			}
			out = append(out, []int{i})
		}
		return out, nil
	}
	parts, err := elems(g.Exprs)
	if err != nil {
		return nil, err
	}
	switch g.Kind {
	case "", "SIMPLE":
		var all []int
		for _, p := range parts {
			all = union(all, p)
		}
		return [][]int{all}, nil
	case "EMPTY":
		return [][]int{{}}, nil
	case "ROLLUP":
		var out [][]int
		for n := len(parts); n >= 0; n-- {
			var all []int
			for _, p := range parts[:n] {
				all = union(all, p)
			}
			out = append(out, all)
		}
		return out, nil
	case "CUBE":
		var out [][]int
		for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
			var all []int
			for i, p := range parts {
				if mask&(1<<i) != 0 {
					all = union(all, p)
				}
			}
			out = append(out, all)
		}
		return out, nil
	default: // SETS
		out := parts
		for i := range g.Sets {
			more, err := sel.groupSets(&g.Sets[i])
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		return out, nil
	}
}

// group binds one grouping expression and gives its index.
func (sel *selecting) group(e ast.Expr) (int, error) {
	b, s := sel.b, sel.s
	s.level.refused = "GROUP BY"
	defer func() { s.level.refused = "" }()
	tree := e
	if c, ok := e.(*ast.Const); ok && c.Kind == ast.ConstInt {
		if c.Int < 1 || c.Int > int64(len(sel.q.Targets)) {
			return 0, pgerr.Newf(pgerr.InvalidColumnReference, "GROUP BY position %d is not in select list", c.Int).At(c.Pos)
		}
		tree = sel.q.Targets[c.Int-1].Expr
	} else if c, ok := e.(*ast.ColumnRef); ok && len(c.Parts) == 1 {
		if found, err := s.find("", c.Parts[0], c.Pos); err != nil || found == nil {
			for i := range sel.q.Targets {
				if sel.q.Targets[i].Name == c.Parts[0] {
					tree = sel.q.Targets[i].Expr
				}
			}
		}
	}
	x, err := b.expr(s, tree)
	if err != nil {
		return 0, err
	}
	if x, err = b.known(x); err != nil {
		return 0, err
	}
	if err := groupable(x, positionOf(e)); err != nil {
		return 0, err
	}
	for i := range sel.groups {
		if expr.Equal(sel.groups[i], x) {
			return i, nil
		}
	}
	sel.groups = append(sel.groups, x)
	return len(sel.groups) - 1, nil
}

// values plans VALUES lists.
func (b *binder) values(q *ast.Select, s *scope) (Node, error) {
	s.level = &level{refused: "VALUES"}
	n := len(q.Values[0])
	rows := make([][]expr.Expr, len(q.Values))
	for i, list := range q.Values {
		if len(list) != n {
			return nil, pgerr.New(pgerr.SyntaxError, "VALUES lists must all be the same length").At(q.Pos)
		}
		var err error
		if rows[i], err = b.exprs(s, list); err != nil {
			return nil, err
		}
	}
	v := &Values{Lists: rows}
	v.Rows = float64(len(rows))
	for c := range n {
		column := make([]expr.Expr, len(rows))
		for i := range rows {
			column[i] = rows[i][c]
		}
		column, typ, err := b.unify(column, "VALUES")
		if err != nil {
			return nil, err
		}
		for i := range rows {
			rows[i][c] = expr.Fold(b.env.Types, column[i])
		}
		v.Columns = append(v.Columns, Column{Name: "column" + strconv.Itoa(c+1), Type: typ})
	}
	return b.finish(v, q, s)
}

// finish adds ORDER BY by output columns, LIMIT and OFFSET to a node whose rows
// are the result.
func (b *binder) finish(n Node, q *ast.Select, s *scope) (Node, error) {
	cols := n.Common().Columns
	out := &selecting{b: b, s: &scope{outer: s.outer, link: s.link, ctes: s.ctes}, q: q}
	for i, c := range cols {
		out.targets = append(out.targets, target{name: c.Name, value: &expr.Column{Index: i, Typ: c.Type, Name: c.Name}})
	}
	out.s.rels = []*relation{{columns: cols}}
	out.s.level = &level{}
	if err := out.bindOrder(); err != nil {
		return nil, err
	}
	if err := out.bindLimit(); err != nil {
		return nil, err
	}
	if len(q.Locking) > 0 {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "FOR %s is not allowed with UNION/INTERSECT/EXCEPT", q.Locking[0].Strength)
	}
	n = sorted(n, out.order, wanted(out.limit, out.offset))
	return limited(n, q, out.order, out.limit, out.offset), nil
}

// setOperation plans UNION, INTERSECT, EXCEPT.
func (b *binder) setOperation(q *ast.Select, s *scope) (Node, error) {
	left, err := b.queryIn(q.Left, &scope{outer: s.outer, link: s.link, ctes: s.ctes, keep: true})
	if err != nil {
		return nil, err
	}
	right, err := b.queryIn(q.Right, &scope{outer: s.outer, link: s.link, ctes: s.ctes, keep: true})
	if err != nil {
		return nil, err
	}
	if left, right, err = b.matchSides(left, right, q.SetOp); err != nil {
		if len(q.Right.Targets) > 0 {
			err = at(err, positionOf(q.Right.Targets[0].Expr))
		}
		return nil, err
	}
	n := &SetOp{Op: q.SetOp, All: q.All, Left: left, Right: right}
	n.Columns = plainColumns(left.Common().Columns)
	n.Rows = left.Common().Rows + right.Common().Rows
	n.Cost = left.Common().Cost + right.Common().Cost
	return b.finish(n, q, s)
}

func plainColumns(cols []Column) []Column {
	out := make([]Column, len(cols))
	for i, c := range cols {
		out[i] = Column{Name: c.Name, Type: c.Type}
	}
	return out
}

// matchSides brings two queries' columns to common types.
func (b *binder) matchSides(left, right Node, op string) (Node, Node, error) {
	lc, rc := left.Common().Columns, right.Common().Columns
	if len(lc) != len(rc) {
		return nil, nil, pgerr.Newf(pgerr.SyntaxError, "each %s query must have the same number of columns", op)
	}
	want := make([]expr.Type, len(lc))
	for i := range lc {
		l, r := constantColumn(left, i), constantColumn(right, i)
		typ, err := expr.CommonType(op, []expr.Expr{l, r})
		if err != nil {
			return nil, nil, err
		}
		want[i] = typ
	}
	l, err := b.castColumns(left, want)
	if err != nil {
		return nil, nil, err
	}
	r, err := b.castColumns(right, want)
	return l, r, err
}

func constantColumn(n Node, i int) expr.Expr {
	return &expr.Column{Index: i, Typ: n.Common().Columns[i].Type}
}

// castColumns casts a node's columns to types.
func (b *binder) castColumns(n Node, want []expr.Type) (Node, error) {
	cols := n.Common().Columns
	p := &Project{Child: n}
	changed := false
	for i, c := range cols {
		col := &expr.Column{Index: i, Typ: c.Type, Name: c.Name}
		e, err := expr.Coerce(b.env.Types, col, want[i], expr.CastImplicit)
		if err != nil {
			return nil, err
		}
		if c.Type.OID == types.UnknownOID {
			if err := b.retype(n, i, want[i]); err != nil {
				return nil, err
			}
			if col.Typ = n.Common().Columns[i].Type; col.Typ.OID != types.UnknownOID {
				e = col
			}
		}
		changed = changed || col.Typ.OID != want[i].OID
		p.Exprs = append(p.Exprs, e)
		p.Columns = append(p.Columns, Column{Name: c.Name, Type: want[i]})
	}
	if !changed {
		return n, nil
	}
	p.Info.Rows, p.Startup, p.Cost = n.Common().Rows, n.Common().Startup, n.Common().Cost
	return p, nil
}

// retype gives literals and parameters of unknown type that a column of n is
// made of the type that the other side of a set operation has.
func (b *binder) retype(n Node, i int, want expr.Type) error {
	cast := func(e expr.Expr) (expr.Expr, error) {
		if e.Type().OID != types.UnknownOID {
			return e, nil
		}
		return expr.Coerce(b.env.Types, e, want, expr.CastImplicit)
	}
	var err error
	switch t := n.(type) {
	case *Project:
		t.Exprs[i], err = cast(t.Exprs[i])
	case *Values:
		for r := range t.Lists {
			if t.Lists[r][i], err = cast(t.Lists[r][i]); err != nil {
				return err
			}
		}
	case *SetOp:
		if err = b.retype(t.Left, i, want); err == nil {
			err = b.retype(t.Right, i, want)
		}
	case *Limit:
		err = b.retype(t.Child, i, want)
	case *Sort:
		err = b.retype(t.Child, i, want)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	in := n.Common()
	in.Columns = append([]Column(nil), in.Columns...)
	in.Columns[i].Type = want
	return nil
}
