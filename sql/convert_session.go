package sql

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

// sessionStmt converts statements of a session; nil if it is none of that.
func (c *converter) sessionStmt(n *pg.Node) ast.Stmt {
	switch v := n.Node.(type) {
	case *pg.Node_TransactionStmt:
		return c.transaction(v.TransactionStmt)
	case *pg.Node_VariableSetStmt:
		if v.VariableSetStmt.Kind == pg.VariableSetKind_VAR_SET_CURRENT {
			return &ast.Unsupported{Feature: "SET FROM CURRENT"}
		}
		return c.set(v.VariableSetStmt)
	case *pg.Node_ConstraintsSetStmt:
		s := v.ConstraintsSetStmt
		names := each(s.Constraints, func(n *pg.Node) []string {
			r := n.GetRangeVar()
			if r.GetSchemaname() != "" {
				return []string{r.GetSchemaname(), r.GetRelname()}
			}
			return []string{r.GetRelname()}
		})
		return &ast.SetConstraints{Names: names, Deferred: s.Deferred}
	case *pg.Node_VariableShowStmt:
		return &ast.Show{Name: strings.ToLower(v.VariableShowStmt.Name)}
	case *pg.Node_ExplainStmt:
		return &ast.Explain{Query: c.stmt(v.ExplainStmt.Query), Options: c.options(v.ExplainStmt.Options)}
	case *pg.Node_PrepareStmt:
		s := v.PrepareStmt
		types := each(s.Argtypes, func(n *pg.Node) *ast.TypeName { return c.typeName(n.GetTypeName()) })
		return &ast.Prepare{Name: s.Name, Types: types, Query: c.stmt(s.Query)}
	case *pg.Node_ExecuteStmt:
		return &ast.Execute{Name: v.ExecuteStmt.Name, Args: c.exprs(v.ExecuteStmt.Params)}
	case *pg.Node_DeallocateStmt:
		return &ast.Deallocate{Name: v.DeallocateStmt.Name}
	case *pg.Node_CopyStmt:
		return c.copy(v.CopyStmt)
	case *pg.Node_DeclareCursorStmt:
		return c.declare(v.DeclareCursorStmt)
	case *pg.Node_FetchStmt:
		s := v.FetchStmt
		return &ast.Fetch{Name: s.Portalname, Direction: strings.TrimPrefix(s.Direction.String(), "FETCH_"), Count: s.HowMany, Move: s.Ismove}
	case *pg.Node_ClosePortalStmt:
		return &ast.Close{Name: v.ClosePortalStmt.Portalname}
	case *pg.Node_ListenStmt:
		return &ast.Listen{Channel: v.ListenStmt.Conditionname}
	case *pg.Node_UnlistenStmt:
		if v.UnlistenStmt.Conditionname == "" {
			return &ast.Unlisten{Channel: "*"}
		}
		return &ast.Unlisten{Channel: v.UnlistenStmt.Conditionname}
	case *pg.Node_NotifyStmt:
		return &ast.Notify{Channel: v.NotifyStmt.Conditionname, Payload: v.NotifyStmt.Payload}
	case *pg.Node_LockStmt:
		return c.lockTable(v.LockStmt)
	case *pg.Node_VacuumStmt:
		return c.vacuum(v.VacuumStmt)
	case *pg.Node_DiscardStmt:
		return &ast.Discard{What: strings.TrimPrefix(v.DiscardStmt.Target.String(), "DISCARD_")}
	case *pg.Node_CheckPointStmt:
		return &ast.Checkpoint{}
	case *pg.Node_AlterSystemStmt:
		return &ast.AlterSystem{Set: c.set(v.AlterSystemStmt.Setstmt)}
	}
	return nil
}

func (c *converter) transaction(s *pg.TransactionStmt) ast.Stmt {
	kind := strings.ReplaceAll(strings.TrimPrefix(s.Kind.String(), "TRANS_STMT_"), "_", " ")
	switch s.Kind {
	case pg.TransactionStmtKind_TRANS_STMT_START:
		kind = "BEGIN"
	case pg.TransactionStmtKind_TRANS_STMT_PREPARE:
		kind = "PREPARE TRANSACTION"
	}
	out := &ast.Transaction{Kind: kind, Name: s.SavepointName, Chain: s.Chain}
	if s.Gid != "" {
		out.Name = s.Gid
	}
	for _, n := range s.Options {
		d := n.GetDefElem()
		switch d.GetDefname() {
		case "transaction_isolation":
			out.Isolation = stringOf(d.Arg)
		case "transaction_read_only":
			readOnly := d.Arg.GetAConst().GetIval().GetIval() != 0 || d.Arg.GetInteger().GetIval() != 0
			out.ReadOnly = &readOnly
		}
	}
	return out
}

func (c *converter) set(s *pg.VariableSetStmt) *ast.Set {
	out := &ast.Set{Name: strings.ToLower(s.GetName()), Local: s.GetIsLocal()}
	switch s.GetKind() {
	case pg.VariableSetKind_VAR_SET_DEFAULT, pg.VariableSetKind_VAR_RESET:
		out.Reset, out.Default = true, s.GetKind() == pg.VariableSetKind_VAR_SET_DEFAULT
	case pg.VariableSetKind_VAR_RESET_ALL:
		out.Reset, out.Name = true, "all"
	case pg.VariableSetKind_VAR_SET_MULTI:
		if out.Name == "transaction snapshot" {
			out.Values = c.exprs(s.Args)
		} else {
			out.Options = c.options(s.Args)
		}
	default:
		out.Values = c.exprs(s.GetArgs())
	}
	return out
}

func (c *converter) copy(s *pg.CopyStmt) ast.Stmt {
	return &ast.Copy{
		Table: c.rangeVar(s.Relation), Query: c.stmt(s.Query), Columns: stringsOf(s.Attlist), From: s.IsFrom, File: s.Filename,
		Program: s.IsProgram, Options: c.options(s.Options), Where: c.expr(s.WhereClause),
	}
}

// The bits of DeclareCursorStmt.options (parsenodes.h).
const (
	cursorBinary   = 0x01
	cursorScroll   = 0x02
	cursorNoScroll = 0x04
	cursorHold     = 0x20
)

func (c *converter) declare(s *pg.DeclareCursorStmt) ast.Stmt {
	return &ast.Declare{
		Name: s.Portalname, Query: c.stmt(s.Query), Scroll: s.Options&cursorScroll != 0, NoScroll: s.Options&cursorNoScroll != 0,
		Hold: s.Options&cursorHold != 0, Binary: s.Options&cursorBinary != 0,
	}
}

// lockModes are the words of LOCKMODE 1 to 8.
var lockModes = [...]string{
	"", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
}

func (c *converter) lockTable(s *pg.LockStmt) ast.Stmt {
	out := &ast.LockTable{Tables: c.rangeVars(s.Relations), NoWait: s.Nowait}
	if s.Mode > 0 && int(s.Mode) < len(lockModes) {
		out.Mode = lockModes[s.Mode]
	}
	return out
}

func (c *converter) vacuum(s *pg.VacuumStmt) ast.Stmt {
	tables := each(s.Rels, func(n *pg.Node) *ast.RangeVar { return c.rangeVar(n.GetVacuumRelation().GetRelation()) })
	return &ast.Vacuum{Analyze: !s.IsVacuumcmd, Tables: tables, Options: c.options(s.Options)}
}
