package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// setOptions is SET (…), on the table or on a column.
func (a *alteration) setOptions(_ context.Context, act *ast.AlterAction) error {
	if act.Name == "" {
		return a.s.setTableOptions(a.table, act.Options)
	}
	if _, err := a.column(act.Name); err != nil {
		return err
	}
	_, err := options(act.Options, columnOptions)
	return err
}

// columnOptions are PostgreSQL's; nothing here reads them.
var columnOptions = map[string]option{"n_distinct": {optionReal, -1, 1e15}, "n_distinct_inherited": {optionReal, -1, 1e15}}

func (a *alteration) resetOptions(_ context.Context, act *ast.AlterAction) error {
	if act.Name != "" {
		_, err := a.column(act.Name)
		return err
	}
	a.table.Options = mergeOptions(a.table.Options, nil, optionNames(act.Options))
	return nil
}

func optionNames(list []ast.Option) []string {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	return names
}

// indexHint is CLUSTER ON: the index must exist; rows have no order of their own here.
func (a *alteration) indexHint(_ context.Context, act *ast.AlterAction) error {
	x, ok := a.s.catalog().Relation(a.table.Schema, act.Name).(*catalog.Index)
	if !ok || x.Table != a.table.ID {
		return pgerr.Newf(pgerr.UndefinedObject, `index "%s" for table "%s" does not exist`, act.Name, a.table.Name)
	}
	return nil
}

func (a *alteration) tablespace(_ context.Context, act *ast.AlterAction) error {
	if act.Name == "pg_default" {
		return nil
	}
	return pgerr.Newf(pgerr.UndefinedObject, `tablespace "%s" does not exist`, act.Name)
}

func (a *alteration) accessMethod(_ context.Context, act *ast.AlterAction) error {
	if act.Name == "heap" {
		return nil
	}
	return pgerr.Newf(pgerr.UndefinedObject, `access method "%s" does not exist`, act.Name)
}

// setOwner is OWNER TO; the table's sequences go along.
func (a *alteration) setOwner(ctx context.Context, act *ast.AlterAction) error {
	owner, err := a.s.newOwner(act.Name)
	if err != nil {
		return err
	}
	a.table.Owner = owner
	for _, q := range a.s.catalog().Sequences(a.table.ID) {
		if err := a.s.Txn.Change(ctx, withOwner(q, owner)); err != nil {
			return err
		}
	}
	for _, q := range a.sequences {
		q.Owner = owner
	}
	return nil
}

// newOwner resolves a role that the user may give things to.
func (s *statement) newOwner(name string) (string, error) {
	owner, err := s.roleNamed(name)
	if err != nil {
		return "", err
	}
	if owner != s.User && !s.isSuper() && !s.memberOf(s.User, owner, nil) {
		return "", pgerr.Newf(pgerr.InsufficientPrivilege, `must be member of role "%s"`, owner)
	}
	return owner, nil
}

// alterOther is ALTER TABLE, INDEX, VIEW or SEQUENCE on something else than a table.
func (s *statement) alterOther(ctx context.Context, o catalog.Object, t *ast.AlterTable) error {
	for i := range t.Actions {
		act := &t.Actions[i]
		x, isIndex := o.(*catalog.Index)
		switch {
		case act.Op == "OWNER" && !isIndex:
			if err := s.changeOwner(ctx, o, act.Name); err != nil {
				return err
			}
		case act.Op == "OWNER":
			s.warning(pgerr.WrongObjectType, `cannot change owner of index "%s"`, x.Name)
		case isIndex && (act.Op == "SET OPTIONS" || act.Op == "RESET OPTIONS"):
			if err := s.alterIndexOptions(ctx, x, act); err != nil {
				return err
			}
			x, _ = s.catalog().Object(x.ID).(*catalog.Index)
			o = x
		case isIndex && act.Op == "ATTACH PARTITION":
			if err := s.attachIndex(ctx, x, act); err != nil {
				return err
			}
		case isIndex && (act.Op == "SET STATISTICS" || act.Op == "SET TABLESPACE" && act.Name == "pg_default"):
		default:
			_, name := o.ObjectName()
			return pgerr.Newf(pgerr.WrongObjectType, `ALTER action %s cannot be performed on relation "%s"`, actionWords(act.Op), name).
				WithDetail("This operation is not supported for %s.", plural(o))
		}
	}
	return nil
}

// actionWords is an action as PostgreSQL's message calls it.
func actionWords(op string) string {
	switch op {
	case "ALTER TYPE":
		return "ALTER COLUMN ... SET DATA TYPE"
	case "SET DEFAULT", "DROP DEFAULT":
		return "ALTER COLUMN ... SET DEFAULT"
	case "SET NOT NULL", "DROP NOT NULL", "SET STATISTICS", "SET STORAGE", "SET COMPRESSION", "DROP EXPRESSION":
		return "ALTER COLUMN ... " + op
	case "SET OPTIONS":
		return "SET"
	case "RESET OPTIONS":
		return "RESET"
	}
	return op
}

func plural(o catalog.Object) string {
	if word := kindWord(o); word != "index" {
		return word + "s"
	}
	return "indexes"
}

// changeOwner is OWNER TO on a view or a sequence.
func (s *statement) changeOwner(ctx context.Context, o catalog.Object, name string) error {
	owner, err := s.newOwner(name)
	if err != nil || owner == s.owner(o) {
		return err
	}
	if q, ok := o.(*catalog.Sequence); ok && q.OwnerTable != 0 {
		return s.ownedSequenceError(q, `cannot change owner of sequence "`+q.Name+`"`)
	}
	return s.Txn.Change(ctx, withOwner(o, owner))
}

// changeSchemaOwner is ALTER SCHEMA … OWNER TO.
func (s *statement) changeSchemaOwner(ctx context.Context, name, role string) error {
	if err := s.Txn.LockName(ctx, catalog.KindSchema, catalog.Name{Name: name}, s.Wait); err != nil {
		return err
	}
	schema := s.catalog().Schema(name)
	if schema == nil {
		return noSchema(name)
	}
	if err := s.mustOwn(schema); err != nil {
		return err
	}
	owner, err := s.newOwner(role)
	if err != nil {
		return err
	}
	return s.Txn.Change(ctx, withOwner(schema, owner))
}

// changeDatabaseOwner is ALTER DATABASE … OWNER TO: the database belongs to all superusers.
func (s *statement) changeDatabaseOwner(name, role string) error {
	if s.catalog().Named(catalog.KindDatabase, "", name) == nil {
		return noDatabase(name)
	}
	if _, err := s.newOwner(role); err != nil {
		return err
	}
	s.warning(pgerr.Warning, "ALTER DATABASE OWNER has no effect")
	return nil
}

// alterIndexOptions is ALTER INDEX … SET or RESET; a graph takes them at its next build.
func (s *statement) alterIndexOptions(ctx context.Context, old *catalog.Index, act *ast.AlterAction) error {
	x := old.Clone()
	x.Version++
	known := indexStorage(x.Method)
	if x.Vector() {
		known = vectorOptions[x.Method]
	}
	if act.Op == "RESET OPTIONS" {
		x.Options = mergeOptions(x.Options, nil, optionNames(act.Options))
	} else {
		added, err := options(act.Options, known)
		if err != nil {
			return err
		}
		x.Options = mergeOptions(x.Options, added, nil)
	}
	if x.Vector() {
		if err := checkVectorOptions(x); err != nil {
			return err
		}
		s.notice("00000", `index "%s" takes its options at the next REINDEX`, x.Name)
	}
	return s.Txn.Change(ctx, catalog.Put(x))
}
