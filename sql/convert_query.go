package sql

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

func (c *converter) query(s *pg.SelectStmt) *ast.Select {
	if s == nil {
		return nil
	}
	out := &ast.Select{
		With: c.with(s.WithClause), Targets: c.targets(s.TargetList), From: c.fromItems(s.FromClause), Where: c.expr(s.WhereClause),
		GroupBy: each(s.GroupClause, c.groupItem), GroupDistinct: s.GroupDistinct, Having: c.expr(s.HavingClause), OrderBy: c.sortBy(s.SortClause),
		Limit: c.expr(s.LimitCount), WithTies: s.LimitOption == pg.LimitOption_LIMIT_OPTION_WITH_TIES, Offset: c.expr(s.LimitOffset),
		Locking: each(s.LockingClause, c.locking), All: s.All, Left: c.query(s.Larg), Right: c.query(s.Rarg),
	}
	out.Windows = each(s.WindowClause, func(n *pg.Node) ast.Window { return c.window(n.GetWindowDef()) })
	out.Values = each(s.ValuesLists, func(n *pg.Node) []ast.Expr { return c.exprs(n.GetList().GetItems()) })
	if s.Op != pg.SetOperation_SETOP_NONE {
		out.SetOp = strings.TrimPrefix(s.Op.String(), "SETOP_")
	}
	if s.IntoClause != nil {
		out.Into = c.rangeVar(s.IntoClause.Rel)
	}
	if len(s.DistinctClause) > 0 {
		out.Distinct = true
		if s.DistinctClause[0].GetNode() != nil {
			out.DistinctOn = c.exprs(s.DistinctClause)
		}
	}
	return out
}

func (c *converter) targets(list []*pg.Node) []ast.Target {
	return each(list, func(n *pg.Node) ast.Target {
		t := n.GetResTarget()
		return ast.Target{Expr: c.expr(t.GetVal()), Name: t.GetName(), Pos: c.pos(t.GetLocation())}
	})
}

func (c *converter) with(w *pg.WithClause) *ast.With {
	if w == nil {
		return nil
	}
	return &ast.With{Recursive: w.Recursive, CTEs: each(w.Ctes, c.cte)}
}

func (c *converter) cte(n *pg.Node) ast.CTE {
	e := n.GetCommonTableExpr()
	if e.GetSearchClause() != nil {
		c.unsupported("SEARCH clause", e.SearchClause.Location)
	}
	if e.GetCycleClause() != nil {
		c.unsupported("CYCLE clause", e.CycleClause.Location)
	}
	out := ast.CTE{Name: e.GetCtename(), Columns: stringsOf(e.GetAliascolnames()), Query: c.stmt(e.GetCtequery()), Pos: c.pos(e.GetLocation())}
	switch e.GetCtematerialized() {
	case pg.CTEMaterialize_CTEMaterializeAlways:
		out.Materialized = "always"
	case pg.CTEMaterialize_CTEMaterializeNever:
		out.Materialized = "never"
	}
	return out
}

func (c *converter) fromItems(list []*pg.Node) []ast.FromItem { return each(list, c.fromItem) }

func (c *converter) fromItem(n *pg.Node) ast.FromItem {
	switch v := n.GetNode().(type) {
	case *pg.Node_RangeVar:
		return c.rangeVar(v.RangeVar)
	case *pg.Node_JoinExpr:
		return c.join(v.JoinExpr)
	case *pg.Node_RangeSubselect:
		return &ast.SubqueryFrom{Query: c.stmt(v.RangeSubselect.Subquery), Alias: c.alias(v.RangeSubselect.Alias), Lateral: v.RangeSubselect.Lateral}
	case *pg.Node_RangeFunction:
		return c.functionFrom(v.RangeFunction)
	case *pg.Node_RangeTableSample:
		s := v.RangeTableSample
		method := stringsOf(s.Method)
		return &ast.TableSample{
			Rel: c.fromItem(s.Relation), Method: strings.ToLower(strings.Join(method, ".")), Args: c.exprs(s.Args),
			Repeat: c.expr(s.Repeatable), Pos: c.pos(s.Location),
		}
	case *pg.Node_RangeTableFunc:
		c.unsupported("XMLTABLE", v.RangeTableFunc.Location)
	default:
		c.unsupported(nodeWords(n, ""), -1)
	}
	return nil
}

func (c *converter) functionFrom(f *pg.RangeFunction) ast.FromItem {
	out := &ast.FunctionFrom{Alias: c.alias(f.Alias), Lateral: f.Lateral, Ordinality: f.Ordinality}
	out.Columns = each(f.Coldeflist, func(n *pg.Node) ast.ColumnDef { return c.columnDef(n.GetColumnDef()) })
	for _, n := range f.Functions {
		items := n.GetList().GetItems() // the function and its column definitions
		if len(items) == 0 {
			continue
		}
		call := c.expr(items[0])
		out.Funcs = append(out.Funcs, call)
		if fc, ok := call.(*ast.FuncCall); ok && out.Pos == 0 {
			out.Pos = fc.Pos
		}
		if len(items) > 1 && len(items[1].GetList().GetItems()) > 0 {
			if len(f.Functions) > 1 {
				c.unsupported("column definition list in ROWS FROM", -1)
			}
			out.Columns = each(items[1].GetList().Items, func(n *pg.Node) ast.ColumnDef { return c.columnDef(n.GetColumnDef()) })
		}
	}
	return out
}

func (c *converter) join(j *pg.JoinExpr) ast.FromItem {
	out := &ast.Join{
		Natural: j.IsNatural, Left: c.fromItem(j.Larg), Right: c.fromItem(j.Rarg), Using: stringsOf(j.UsingClause),
		UsingAlias: j.GetJoinUsingAlias().GetAliasname(), On: c.expr(j.Quals), Alias: c.alias(j.Alias),
	}
	switch j.Jointype {
	case pg.JoinType_JOIN_LEFT:
		out.Kind = ast.JoinLeft
	case pg.JoinType_JOIN_RIGHT:
		out.Kind = ast.JoinRight
	case pg.JoinType_JOIN_FULL:
		out.Kind = ast.JoinFull
	}
	return out
}

func (c *converter) groupItem(n *pg.Node) ast.GroupItem {
	g := n.GetGroupingSet()
	if g == nil {
		return ast.GroupItem{Exprs: []ast.Expr{c.expr(n)}}
	}
	out := ast.GroupItem{Kind: strings.TrimPrefix(g.Kind.String(), "GROUPING_SET_")}
	if g.Kind == pg.GroupingSetKind_GROUPING_SET_SETS {
		out.Sets = each(g.Content, c.groupItem)
	} else {
		out.Exprs = c.exprs(g.Content)
	}
	return out
}

func (c *converter) sortBy(list []*pg.Node) []ast.SortBy {
	return each(list, func(n *pg.Node) ast.SortBy {
		s := n.GetSortBy()
		out := ast.SortBy{Expr: c.expr(s.GetNode()), Desc: s.GetSortbyDir() == pg.SortByDir_SORTBY_DESC, Nulls: nullsOrder(s.GetSortbyNulls()), Pos: c.pos(s.GetLocation())}
		_, out.Using = operatorName(s.GetUseOp())
		return out
	})
}

func nullsOrder(n pg.SortByNulls) ast.NullsOrder {
	switch n {
	case pg.SortByNulls_SORTBY_NULLS_FIRST:
		return ast.NullsFirst
	case pg.SortByNulls_SORTBY_NULLS_LAST:
		return ast.NullsLast
	}
	return ast.NullsDefault
}

// The bits of WindowDef.frameOptions (parsenodes.h).
const (
	frameNonDefault         = 0x00001
	frameRows               = 0x00004
	frameGroups             = 0x00008
	frameStartUnbounded     = 0x00020
	frameEndUnbounded       = 0x00100
	frameStartCurrent       = 0x00200
	frameEndCurrent         = 0x00400
	frameStartPreceding     = 0x00800
	frameEndPreceding       = 0x01000
	frameExcludeCurrentRow  = 0x08000
	frameExcludeGroup       = 0x10000
	frameExcludeTies        = 0x20000
	frameUnboundedPreceding = "UNBOUNDED PRECEDING"
	frameUnboundedFollowing = "UNBOUNDED FOLLOWING"
	frameCurrentRow         = "CURRENT ROW"
)

func (c *converter) window(w *pg.WindowDef) ast.Window {
	out := ast.Window{
		Name: w.Name, Ref: w.Refname, PartitionBy: c.exprs(w.PartitionClause), OrderBy: c.sortBy(w.OrderClause), Pos: c.pos(w.Location),
	}
	o := w.FrameOptions
	if o&frameNonDefault == 0 {
		return out
	}
	f := &ast.Frame{Mode: "RANGE"}
	switch {
	case o&frameRows != 0:
		f.Mode = "ROWS"
	case o&frameGroups != 0:
		f.Mode = "GROUPS"
	}
	f.Start = frameBound(frameUnboundedPreceding, o&frameStartUnbounded, o&frameStartCurrent, o&frameStartPreceding, c.expr(w.StartOffset))
	f.End = frameBound(frameUnboundedFollowing, o&frameEndUnbounded, o&frameEndCurrent, o&frameEndPreceding, c.expr(w.EndOffset))
	switch {
	case o&frameExcludeCurrentRow != 0:
		f.Exclude = frameCurrentRow
	case o&frameExcludeGroup != 0:
		f.Exclude = "GROUP"
	case o&frameExcludeTies != 0:
		f.Exclude = "TIES"
	}
	out.Frame = f
	return out
}

func frameBound(unboundedKind string, unbounded, current, preceding int32, offset ast.Expr) ast.FrameBound {
	switch {
	case unbounded != 0:
		return ast.FrameBound{Kind: unboundedKind}
	case current != 0:
		return ast.FrameBound{Kind: frameCurrentRow}
	case preceding != 0:
		return ast.FrameBound{Kind: "PRECEDING", Offset: offset}
	}
	return ast.FrameBound{Kind: "FOLLOWING", Offset: offset}
}

func (c *converter) locking(n *pg.Node) ast.Locking {
	l := n.GetLockingClause()
	out := ast.Locking{
		NoWait:     l.GetWaitPolicy() == pg.LockWaitPolicy_LockWaitError,
		SkipLocked: l.GetWaitPolicy() == pg.LockWaitPolicy_LockWaitSkip,
	}
	switch l.GetStrength() {
	case pg.LockClauseStrength_LCS_FORKEYSHARE:
		out.Strength = "KEY SHARE"
	case pg.LockClauseStrength_LCS_FORSHARE:
		out.Strength = "SHARE"
	case pg.LockClauseStrength_LCS_FORNOKEYUPDATE:
		out.Strength = "NO KEY UPDATE"
	default:
		out.Strength = "UPDATE"
	}
	for _, r := range l.GetLockedRels() {
		out.Of = append(out.Of, r.GetRangeVar().GetRelname())
	}
	return out
}
