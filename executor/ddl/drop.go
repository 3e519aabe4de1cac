package ddl

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql/ast"
)

// droppable is what DROP says of a kind of relation.
type droppable struct {
	word    string // table
	article string // a table
	code    string // of "does not exist"
}

var droppables = map[string]droppable{
	"TABLE": {"table", "a table", pgerr.UndefinedTable}, "VIEW": {"view", "a view", pgerr.UndefinedTable},
	"INDEX": {"index", "an index", pgerr.UndefinedObject}, "SEQUENCE": {"sequence", "a sequence", pgerr.UndefinedTable},
	"MATERIALIZED VIEW": {"materialized view", "a materialized view", pgerr.UndefinedTable},
}

func (s *statement) drop(ctx context.Context, t *ast.Drop) error {
	switch t.Object {
	case "SCHEMA":
		return s.dropSchemas(ctx, t)
	case "TYPE", "DOMAIN":
		return s.dropTypes(ctx, t)
	case "EXTENSION":
		return s.dropExtensions(t)
	}
	kind, ok := droppables[t.Object]
	if !ok {
		return pgerr.Unsupported("DROP " + t.Object)
	}
	if t.Concurrently && len(t.Names) > 1 {
		return pgerr.New(pgerr.FeatureNotSupported, "DROP INDEX CONCURRENTLY does not support dropping multiple objects")
	}
	if t.Concurrently && t.Cascade {
		return pgerr.New(pgerr.FeatureNotSupported, "DROP INDEX CONCURRENTLY does not support CASCADE")
	}
	d := s.deletion(t.Cascade)
	for _, names := range t.Names {
		o, err := s.dropTarget(ctx, rangeVar(names), kind, t.IfExists)
		if err != nil {
			return err
		}
		if o != nil {
			d.root(o)
		}
	}
	return d.run(ctx)
}

// rangeVar makes a relation's name of its parts.
func rangeVar(names []string) *ast.RangeVar {
	r := &ast.RangeVar{Name: names[len(names)-1]}
	if len(names) > 1 {
		r.Schema = names[len(names)-2]
	}
	if len(names) > 2 {
		r.Catalog = names[len(names)-3]
	}
	return r
}

// dropTarget finds and locks what is to be dropped; nil after a notice that it
// is missing.
func (s *statement) dropTarget(ctx context.Context, r *ast.RangeVar, kind droppable, ifExists bool) (catalog.Object, error) {
	o, err := s.relation(r)
	if err != nil {
		return nil, err
	}
	if o != nil {
		if err := isDroppable(o, kind); err != nil {
			return nil, err
		}
		if err := s.mustOwn(o); err != nil {
			return nil, err
		}
		if err := s.lockForDrop(ctx, o); err != nil {
			return nil, err
		}
		if o = s.catalog().Object(o.ObjectID()); o != nil {
			return o, nil
		}
	}
	if isSystemSchema(r.Schema) && r.Schema != "akidb" {
		return nil, systemTable(r.Name)
	}
	if r.Schema != "" && r.Schema != "pg_temp" && s.catalog().Schema(r.Schema) == nil {
		if ifExists {
			s.notice("00000", `schema "%s" does not exist, skipping`, r.Schema)
			return nil, nil
		}
		return nil, noSchema(r.Schema)
	}
	if ifExists {
		s.notice("00000", `%s "%s" does not exist, skipping`, kind.word, r.Name)
		return nil, nil
	}
	return nil, pgerr.Newf(kind.code, `%s "%s" does not exist`, kind.word, r.Name)
}

// isDroppable demands that an object is of the kind that the command drops.
func isDroppable(o catalog.Object, kind droppable) error {
	word := kindWord(o)
	if word == kind.word {
		return nil
	}
	command := map[string]string{"table": "TABLE", "view": "VIEW", "index": "INDEX", "sequence": "SEQUENCE"}[word]
	article := "a"
	if word == "index" {
		article = "an"
	}
	return wrongObject(o, kind.article).WithHint("Use DROP %s to remove %s %s.", command, article, word)
}

// lockForDrop waits for everybody who uses an object.
func (s *statement) lockForDrop(ctx context.Context, o catalog.Object) error {
	schema, name := o.ObjectName()
	if err := s.lockRelationName(ctx, schema, name); err != nil {
		return err
	}
	switch o := o.(type) {
	case *catalog.Table:
		return s.Txn.LockTable(ctx, o.ID, storage.LockAccessExclusive, s.Wait)
	case *catalog.Index:
		return s.Txn.LockTable(ctx, o.Table, storage.LockAccessExclusive, s.Wait)
	}
	return nil
}

// dropSchemas is DROP SCHEMA.
func (s *statement) dropSchemas(ctx context.Context, t *ast.Drop) error {
	d := s.deletion(t.Cascade)
	for _, names := range t.Names {
		name := names[len(names)-1]
		if isSystemSchema(name) {
			return pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop schema %s because it is required by the database system", name)
		}
		if err := s.Txn.LockName(ctx, catalog.KindSchema, catalog.Name{Name: name}, s.Wait); err != nil {
			return err
		}
		schema := s.catalog().Schema(name)
		if schema == nil {
			if !t.IfExists {
				return noSchema(name)
			}
			s.notice("00000", `schema "%s" does not exist, skipping`, name)
			continue
		}
		if err := s.mustOwn(schema); err != nil {
			return err
		}
		d.root(schema)
	}
	return d.run(ctx)
}
