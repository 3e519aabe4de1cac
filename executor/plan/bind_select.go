package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql/ast"
)

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
