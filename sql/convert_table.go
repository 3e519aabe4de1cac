package sql

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/akidb/akidb/sql/ast"
)

func (c *converter) createTable(s *pg.CreateStmt) ast.Stmt {
	if s.OfTypename != nil {
		return &ast.Unsupported{Feature: "CREATE TABLE OF"}
	}
	out := &ast.CreateTable{
		Table: c.rangeVar(s.Relation), IfNotExists: s.IfNotExists, Options: c.options(s.Options), OnCommit: onCommit(s.Oncommit),
		PartitionBy: c.partitionSpec(s.Partspec), Bound: c.partitionBound(s.Partbound),
	}
	for _, n := range s.TableElts {
		switch v := n.Node.(type) {
		case *pg.Node_ColumnDef:
			out.Columns = append(out.Columns, c.columnDef(v.ColumnDef))
		case *pg.Node_Constraint:
			out.Constraints = append(out.Constraints, c.constraint(v.Constraint))
		case *pg.Node_TableLikeClause:
			out.Like = append(out.Like, c.rangeVar(v.TableLikeClause.Relation))
			out.LikeOptions = append(out.LikeOptions, v.TableLikeClause.Options)
		}
	}
	out.Constraints = append(out.Constraints, c.constraints(s.Constraints)...)
	if parents := c.rangeVars(s.InhRelations); s.Partbound != nil && len(parents) > 0 {
		out.PartitionOf = parents[0]
	} else {
		out.Inherits = parents
	}
	return out
}

func onCommit(a pg.OnCommitAction) string {
	switch a {
	case pg.OnCommitAction_ONCOMMIT_DROP:
		return "DROP"
	case pg.OnCommitAction_ONCOMMIT_DELETE_ROWS:
		return "DELETE ROWS"
	case pg.OnCommitAction_ONCOMMIT_PRESERVE_ROWS:
		return "PRESERVE ROWS"
	}
	return ""
}

func (c *converter) columnDef(d *pg.ColumnDef) ast.ColumnDef {
	if d == nil {
		return ast.ColumnDef{}
	}
	return ast.ColumnDef{
		Name: d.Colname, Type: c.typeName(d.TypeName), Constraints: c.constraints(d.Constraints),
		Collation: stringsOf(d.GetCollClause().GetCollname()), Pos: c.pos(d.Location),
	}
}

// constraints converts a list; DEFERRABLE and its like, which the parser gives
// as constraints, go to the constraint before them.
func (c *converter) constraints(list []*pg.Node) []ast.Constraint {
	var out []ast.Constraint
	for _, n := range list {
		k := n.GetConstraint()
		if k == nil {
			continue
		}
		last := &ast.Constraint{}
		if len(out) > 0 {
			last = &out[len(out)-1]
		}
		switch k.Contype {
		case pg.ConstrType_CONSTR_ATTR_DEFERRABLE:
			last.Deferrable = true
		case pg.ConstrType_CONSTR_ATTR_DEFERRED:
			last.Deferrable, last.InitDeferred = true, true
		case pg.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE, pg.ConstrType_CONSTR_ATTR_IMMEDIATE:
		default:
			out = append(out, c.constraint(k))
		}
	}
	return out
}

func (c *converter) constraint(k *pg.Constraint) ast.Constraint {
	out := ast.Constraint{
		Name: k.Conname, Columns: stringsOf(k.Keys), Include: stringsOf(k.Including), NullsNotDist: k.NullsNotDistinct,
		UsingIndex: k.Indexname, NoInherit: k.IsNoInherit, NotValid: k.SkipValidation, Deferrable: k.Deferrable,
		InitDeferred: k.Initdeferred, Pos: c.pos(k.Location),
	}
	switch k.Contype {
	case pg.ConstrType_CONSTR_NULL:
		out.Kind = ast.ConstraintNull
	case pg.ConstrType_CONSTR_DEFAULT:
		out.Kind = ast.ConstraintDefault
	case pg.ConstrType_CONSTR_CHECK:
		out.Kind = ast.ConstraintCheck
	case pg.ConstrType_CONSTR_PRIMARY:
		out.Kind, out.Options = ast.ConstraintPrimary, c.options(k.Options)
	case pg.ConstrType_CONSTR_UNIQUE:
		out.Kind, out.Options = ast.ConstraintUnique, c.options(k.Options)
	case pg.ConstrType_CONSTR_FOREIGN:
		out.Kind = ast.ConstraintForeign
		out.Columns, out.RefTable, out.RefColumns = stringsOf(k.FkAttrs), c.rangeVar(k.Pktable), stringsOf(k.PkAttrs)
		out.OnDelete, out.OnUpdate = k.FkDelAction, k.FkUpdAction
		out.MatchFull, out.SetColumns = k.FkMatchtype == "f", stringsOf(k.FkDelSetCols)
		if k.FkMatchtype == "p" {
			c.unsupported("MATCH PARTIAL", k.Location)
		}
	case pg.ConstrType_CONSTR_IDENTITY:
		out.Kind, out.Sequence = ast.ConstraintIdentity, c.options(k.Options)
		out.Always = k.GeneratedWhen == "a"
	case pg.ConstrType_CONSTR_GENERATED:
		out.Kind = ast.ConstraintGenerated
		out.Always = k.GeneratedWhen == "a"
	case pg.ConstrType_CONSTR_EXCLUSION:
		out.Kind = ast.ConstraintExclusion
	}
	if k.RawExpr != nil {
		out.Expr, out.ExprText = c.exprText(k.RawExpr)
	}
	return out
}

func (c *converter) partitionSpec(p *pg.PartitionSpec) *ast.PartitionSpec {
	if p == nil {
		return nil
	}
	out := &ast.PartitionSpec{Strategy: strings.ToLower(strings.TrimPrefix(p.Strategy.String(), "PARTITION_STRATEGY_"))}
	out.Elems = each(p.PartParams, func(n *pg.Node) ast.IndexElem {
		e := n.GetPartitionElem()
		expr, text := c.exprText(e.GetExpr())
		return ast.IndexElem{
			Column: e.GetName(), Expr: expr, ExprText: text, Opclass: stringsOf(e.GetOpclass()),
			Collation: stringsOf(e.GetCollation()), Pos: c.pos(e.GetLocation()),
		}
	})
	return out
}

func (c *converter) partitionBound(b *pg.PartitionBoundSpec) *ast.PartitionBound {
	if b == nil {
		return nil
	}
	return &ast.PartitionBound{
		Default: b.IsDefault, In: c.exprs(b.Listdatums), From: c.exprs(b.Lowerdatums), To: c.exprs(b.Upperdatums),
		Modulus: int(b.Modulus), Remainder: int(b.Remainder),
	}
}

func (c *converter) createTableAs(s *pg.CreateTableAsStmt) ast.Stmt {
	into := s.Into
	out := &ast.CreateTableAs{
		Table: c.rangeVar(into.GetRel()), Columns: stringsOf(into.GetColNames()), IfNotExists: s.IfNotExists, Query: c.stmt(s.Query),
		WithData: !into.GetSkipData(), Options: c.options(into.GetOptions()), MatView: s.Objtype == pg.ObjectType_OBJECT_MATVIEW,
		OnCommit: onCommit(into.GetOnCommit()),
	}
	if out.MatView {
		out.QueryText = DeparseStmt(out.Query)
	}
	return out
}

func (c *converter) createIndex(s *pg.IndexStmt) ast.Stmt {
	where, whereText := c.exprText(s.WhereClause)
	return &ast.CreateIndex{
		Name: s.Idxname, Table: c.rangeVar(s.Relation), Method: s.AccessMethod, Unique: s.Unique, Concurrently: s.Concurrent,
		IfNotExists: s.IfNotExists, Elems: each(s.IndexParams, c.indexElem), Include: stringsOf(s.IndexIncludingParams),
		Where: where, WhereText: whereText, Options: c.options(s.Options), NullsNotDist: s.NullsNotDistinct,
	}
}

func (c *converter) indexElem(n *pg.Node) ast.IndexElem {
	e := n.GetIndexElem()
	if len(e.GetOpclassopts()) > 0 {
		c.unsupported("operator class parameters", -1)
	}
	expr, text := c.exprText(e.GetExpr())
	return ast.IndexElem{
		Column: e.GetName(), Expr: expr, ExprText: text, Opclass: stringsOf(e.GetOpclass()),
		Collation: stringsOf(e.GetCollation()), Desc: e.GetOrdering() == pg.SortByDir_SORTBY_DESC, Nulls: nullsOrder(e.GetNullsOrdering()),
	}
}

// alterOps are the words of ALTER TABLE's actions.
var alterOps = map[pg.AlterTableType]string{
	pg.AlterTableType_AT_AddColumn: "ADD COLUMN", pg.AlterTableType_AT_DropColumn: "DROP COLUMN",
	pg.AlterTableType_AT_AlterColumnType: "ALTER TYPE", pg.AlterTableType_AT_SetNotNull: "SET NOT NULL",
	pg.AlterTableType_AT_DropNotNull: "DROP NOT NULL", pg.AlterTableType_AT_AddConstraint: "ADD CONSTRAINT",
	pg.AlterTableType_AT_DropConstraint: "DROP CONSTRAINT", pg.AlterTableType_AT_ValidateConstraint: "VALIDATE CONSTRAINT",
	pg.AlterTableType_AT_SetRelOptions: "SET OPTIONS", pg.AlterTableType_AT_ResetRelOptions: "RESET OPTIONS",
	pg.AlterTableType_AT_SetOptions: "SET OPTIONS", pg.AlterTableType_AT_ResetOptions: "RESET OPTIONS",
	pg.AlterTableType_AT_ChangeOwner: "OWNER", pg.AlterTableType_AT_AddIdentity: "ADD IDENTITY",
	pg.AlterTableType_AT_SetIdentity: "SET IDENTITY", pg.AlterTableType_AT_DropIdentity: "DROP IDENTITY",
	pg.AlterTableType_AT_SetStorage: "SET STORAGE", pg.AlterTableType_AT_SetStatistics: "SET STATISTICS",
	pg.AlterTableType_AT_SetCompression: "SET COMPRESSION", pg.AlterTableType_AT_DropExpression: "DROP EXPRESSION",
	pg.AlterTableType_AT_AttachPartition: "ATTACH PARTITION", pg.AlterTableType_AT_DetachPartition: "DETACH PARTITION",
	pg.AlterTableType_AT_DetachPartitionFinalize: "DETACH PARTITION FINALIZE", pg.AlterTableType_AT_ReplicaIdentity: "REPLICA IDENTITY",
	pg.AlterTableType_AT_EnableRowSecurity: "ENABLE ROW LEVEL SECURITY", pg.AlterTableType_AT_DisableRowSecurity: "DISABLE ROW LEVEL SECURITY",
	pg.AlterTableType_AT_ForceRowSecurity: "FORCE ROW LEVEL SECURITY", pg.AlterTableType_AT_NoForceRowSecurity: "NO FORCE ROW LEVEL SECURITY",
	pg.AlterTableType_AT_AddInherit: "INHERIT", pg.AlterTableType_AT_DropInherit: "NO INHERIT",
	pg.AlterTableType_AT_SetLogged: "SET LOGGED", pg.AlterTableType_AT_SetUnLogged: "SET UNLOGGED",
	pg.AlterTableType_AT_SetTableSpace: "SET TABLESPACE", pg.AlterTableType_AT_SetAccessMethod: "SET ACCESS METHOD",
	pg.AlterTableType_AT_ClusterOn: "CLUSTER ON", pg.AlterTableType_AT_DropCluster: "SET WITHOUT CLUSTER",
	pg.AlterTableType_AT_DropOids: "SET WITHOUT OIDS", pg.AlterTableType_AT_AlterConstraint: "ALTER CONSTRAINT",
	pg.AlterTableType_AT_AddOf: "OF", pg.AlterTableType_AT_DropOf: "NOT OF",
	pg.AlterTableType_AT_EnableTrig: "ENABLE TRIGGER", pg.AlterTableType_AT_EnableTrigAll: "ENABLE TRIGGER ALL",
	pg.AlterTableType_AT_EnableTrigUser: "ENABLE TRIGGER USER", pg.AlterTableType_AT_DisableTrig: "DISABLE TRIGGER",
	pg.AlterTableType_AT_DisableTrigAll: "DISABLE TRIGGER ALL", pg.AlterTableType_AT_DisableTrigUser: "DISABLE TRIGGER USER",
	pg.AlterTableType_AT_EnableRule: "ENABLE RULE", pg.AlterTableType_AT_DisableRule: "DISABLE RULE",
}

func (c *converter) alterTable(s *pg.AlterTableStmt) ast.Stmt {
	if s.Objtype == pg.ObjectType_OBJECT_TYPE || s.Objtype == pg.ObjectType_OBJECT_FOREIGN_TABLE {
		return &ast.Unsupported{Feature: "ALTER " + objectWord(s.Objtype)}
	}
	return &ast.AlterTable{
		Kind: objectWord(s.Objtype), Table: c.rangeVar(s.Relation), IfExists: s.MissingOk, Actions: each(s.Cmds, c.alterAction),
	}
}

func (c *converter) alterAction(n *pg.Node) ast.AlterAction {
	a := n.GetAlterTableCmd()
	out := ast.AlterAction{Op: alterOps[a.GetSubtype()], Name: a.GetName(), IfExists: a.GetMissingOk(), Cascade: a.GetBehavior() == pg.DropBehavior_DROP_CASCADE}
	switch a.GetSubtype() {
	case pg.AlterTableType_AT_ColumnDefault:
		out.Op = "DROP DEFAULT"
		if a.Def != nil {
			out.Op = "SET DEFAULT"
			out.Expr, out.ExprText = c.exprText(a.Def)
		}
		return out
	case pg.AlterTableType_AT_SetStatistics:
		if out.Name == "" && a.Num > 0 {
			out.Name = "column " + stringOf(a.Def)
		}
	case pg.AlterTableType_AT_ChangeOwner:
		out.Name = roleName(a.Newowner)
	case pg.AlterTableType_AT_AlterColumnType:
		d := a.Def.GetColumnDef()
		out.Type = c.typeName(d.GetTypeName())
		out.Using, out.UsingText = c.exprText(d.GetRawDefault())
		out.Column = &ast.ColumnDef{Name: a.Name, Type: out.Type, Collation: stringsOf(d.GetCollClause().GetCollname()), Pos: c.pos(d.GetLocation())}
		out.Pos = out.Column.Pos
		return out
	}
	if out.Op == "" {
		words := strings.TrimPrefix(a.GetSubtype().String(), "AT_")
		out.Op = strings.ToUpper(spaceWords(words))
	}
	c.alterDef(a.GetDef(), &out)
	return out
}

// alterDef converts what an action carries.
func (c *converter) alterDef(def *pg.Node, out *ast.AlterAction) {
	switch d := def.GetNode().(type) {
	case *pg.Node_ColumnDef:
		column := c.columnDef(d.ColumnDef)
		out.Column, out.Name, out.Type, out.Pos = &column, column.Name, column.Type, column.Pos
	case *pg.Node_Constraint:
		constraint := c.constraint(d.Constraint)
		out.Constraint, out.Pos = &constraint, constraint.Pos
		if out.Name == "" {
			out.Name = constraint.Name
		}
	case *pg.Node_List:
		out.Options = c.options(d.List.Items)
	case *pg.Node_PartitionCmd:
		out.Partition, out.Bound = c.rangeVar(d.PartitionCmd.Name), c.partitionBound(d.PartitionCmd.Bound)
	case *pg.Node_RangeVar:
		out.Partition = c.rangeVar(d.RangeVar)
	case *pg.Node_String_, *pg.Node_Integer:
		out.Expr = c.optionValue(def)
	}
}
