package sql

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

func (c *converter) insert(s *pg.InsertStmt) ast.Stmt {
	out := &ast.Insert{
		With: c.with(s.WithClause), Table: c.rangeVar(s.Relation), Columns: c.columnTargets(s.Cols),
		Query: c.query(s.SelectStmt.GetSelectStmt()), Overriding: overriding(s.Override), Returning: c.targets(s.ReturningList),
	}
	if o := s.OnConflictClause; o != nil {
		out.OnConflict = c.onConflict(o)
	}
	return out
}

func overriding(o pg.OverridingKind) string {
	switch o {
	case pg.OverridingKind_OVERRIDING_SYSTEM_VALUE:
		return "SYSTEM"
	case pg.OverridingKind_OVERRIDING_USER_VALUE:
		return "USER"
	}
	return ""
}

// columnTargets converts the column list of an INSERT.
func (c *converter) columnTargets(list []*pg.Node) []ast.Target {
	return each(list, func(n *pg.Node) ast.Target {
		t := n.GetResTarget()
		if len(t.GetIndirection()) > 0 {
			c.unsupported("assignment to a part of a column", t.Location)
		}
		return ast.Target{Name: t.GetName(), Pos: c.pos(t.GetLocation())}
	})
}

func (c *converter) onConflict(o *pg.OnConflictClause) *ast.OnConflict {
	return &ast.OnConflict{
		Columns: each(o.GetInfer().GetIndexElems(), c.indexElem), InferWhere: c.expr(o.GetInfer().GetWhereClause()),
		Constraint: o.GetInfer().GetConname(), DoUpdate: o.Action == pg.OnConflictAction_ONCONFLICT_UPDATE,
		Set: c.setClauses(o.TargetList), Where: c.expr(o.WhereClause), Pos: c.pos(o.Location),
	}
}

// setClauses converts SET; the columns of (a, b) = … come one by one with the
// whole right side each.
func (c *converter) setClauses(list []*pg.Node) []ast.SetClause {
	out := make([]ast.SetClause, 0, len(list))
	for _, n := range list {
		t := n.GetResTarget()
		multi := t.GetVal().GetMultiAssignRef()
		if multi != nil && multi.Colno > 1 && len(out) > 0 {
			last := &out[len(out)-1]
			last.Columns = append(last.Columns, t.GetName())
			continue
		}
		value := t.GetVal()
		if multi != nil {
			value = multi.Source
		}
		out = append(out, ast.SetClause{Columns: []string{t.GetName()}, Part: c.setPart(t), Expr: c.expr(value), Pos: c.pos(t.GetLocation())})
	}
	return out
}

// setPart is the part of a column that SET assigns to, nil for all of it.
func (c *converter) setPart(t *pg.ResTarget) *ast.Subscript {
	if len(t.GetIndirection()) == 0 {
		return nil
	}
	column := &ast.ColumnRef{Parts: []string{t.GetName()}, Pos: c.pos(t.GetLocation())}
	part, ok := c.steps(column, t.GetIndirection()).(*ast.Subscript)
	if !ok || t.GetVal().GetMultiAssignRef() != nil {
		c.unsupported("assignment to a field of a column", t.Location)
	}
	return part
}

func (c *converter) update(s *pg.UpdateStmt) ast.Stmt {
	return &ast.Update{
		With: c.with(s.WithClause), Table: c.rangeVar(s.Relation), Set: c.setClauses(s.TargetList), From: c.fromItems(s.FromClause),
		Where: c.expr(s.WhereClause), Returning: c.targets(s.ReturningList),
	}
}

func (c *converter) delete(s *pg.DeleteStmt) ast.Stmt {
	return &ast.Delete{
		With: c.with(s.WithClause), Table: c.rangeVar(s.Relation), Using: c.fromItems(s.UsingClause),
		Where: c.expr(s.WhereClause), Returning: c.targets(s.ReturningList),
	}
}

func (c *converter) merge(s *pg.MergeStmt) ast.Stmt {
	return &ast.Merge{
		With: c.with(s.WithClause), Table: c.rangeVar(s.Relation), Source: c.fromItem(s.SourceRelation),
		On: c.expr(s.JoinCondition), Whens: each(s.MergeWhenClauses, c.mergeWhen),
	}
}

func (c *converter) mergeWhen(n *pg.Node) ast.MergeWhen {
	w := n.GetMergeWhenClause()
	out := ast.MergeWhen{Matched: w.GetMatched(), Cond: c.expr(w.GetCondition()), Overriding: overriding(w.GetOverride())}
	switch w.GetCommandType() {
	case pg.CmdType_CMD_UPDATE:
		out.Action, out.Set = "UPDATE", c.setClauses(w.TargetList)
	case pg.CmdType_CMD_INSERT:
		out.Action, out.Columns, out.Values = "INSERT", c.columnTargets(w.TargetList), c.exprs(w.Values)
	case pg.CmdType_CMD_DELETE:
		out.Action = "DELETE"
	default:
		out.Action = "NOTHING"
	}
	return out
}
