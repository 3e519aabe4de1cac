package ddl

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// catalog is the schema as the transaction sees it now.
func (s *statement) catalog() *catalog.Snapshot { return s.Txn.Catalog() }

func (s *statement) searchPath(implicit bool) []string { return s.Run.Session.SearchPath(implicit) }

// tempSchema is the schema of the session's temporary relations.
func (s *statement) tempSchema() string { return fmt.Sprintf("pg_temp_%d", s.SessionID) }

// isSystemSchema says whether nobody may create anything in a schema.
func isSystemSchema(name string) bool {
	return name == "pg_catalog" || name == "information_schema" || name == "akidb" || strings.HasPrefix(name, "pg_toast")
}

// checkCatalog refuses names in another database.
func (s *statement) checkCatalog(r *ast.RangeVar) error {
	if r.Catalog == "" || r.Catalog == s.Run.Session.Database() {
		return nil
	}
	return pgerr.Newf(pgerr.FeatureNotSupported, `cross-database references are not implemented: "%s.%s.%s"`, r.Catalog, r.Schema, r.Name).At(r.Pos)
}

// creationSchema is the schema that a new relation goes to.
func (s *statement) creationSchema(ctx context.Context, r *ast.RangeVar) (string, error) {
	if err := s.checkCatalog(r); err != nil {
		return "", err
	}
	temp := s.tempSchema()
	if r.Temp || r.Schema == "pg_temp" || r.Schema == temp {
		if r.Schema != "" && r.Schema != "pg_temp" && r.Schema != temp {
			return "", pgerr.New(pgerr.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema").At(r.Pos)
		}
		return temp, s.ensureTempSchema(ctx)
	}
	schema := r.Schema
	if schema == "" {
		path := s.searchPath(false)
		if len(path) == 0 {
			return "", pgerr.New(pgerr.InvalidSchemaName, "no schema has been selected to create in").At(r.Pos)
		}
		schema = path[0]
	}
	if isSystemSchema(schema) {
		return "", pgerr.Newf(pgerr.InsufficientPrivilege, `permission denied to create "%s.%s"`, schema, r.Name).
			WithDetail("System catalog modifications are currently disallowed.")
	}
	if strings.HasPrefix(schema, "pg_temp_") {
		return "", pgerr.New(pgerr.InvalidTableDefinition, "cannot create relations in temporary schemas of other sessions")
	}
	if s.catalog().Schema(schema) == nil {
		return "", noSchema(schema).At(r.Pos)
	}
	return schema, nil
}

func noSchema(name string) *pgerr.Error {
	return pgerr.Newf(pgerr.InvalidSchemaName, `schema "%s" does not exist`, name)
}

func (s *statement) ensureTempSchema(ctx context.Context) error {
	name := s.tempSchema()
	if s.catalog().Schema(name) != nil {
		return nil
	}
	id, err := s.NewID()
	if err != nil {
		return err
	}
	return s.Txn.Change(ctx, catalog.Put(&catalog.Schema{ID: id, Name: name, Owner: s.User}))
}

func (s *statement) isTemp(schema string) bool { return schema == s.tempSchema() }

// lockRelationName locks a name of the name space that tables, indexes,
// sequences and views share.
func (s *statement) lockRelationName(ctx context.Context, schema, name string) error {
	return s.Txn.LockName(ctx, catalog.KindTable, catalog.Name{Schema: schema, Name: name}, s.Wait)
}

// newRelation locks a new relation's name and demands that it is free. It
// returns false, after a notice, when it is taken and that is allowed.
func (s *statement) newRelation(ctx context.Context, schema, name string, ifNotExists bool) (bool, error) {
	if err := s.lockRelationName(ctx, schema, name); err != nil {
		return false, err
	}
	if s.catalog().Relation(schema, name) == nil {
		if s.catalog().Named(catalog.KindType, schema, name) != nil {
			return false, typeExists(name).WithHint("A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.")
		}
		return true, nil
	}
	if ifNotExists {
		s.notice(pgerr.DuplicateTable, `relation "%s" already exists, skipping`, name)
		return false, nil
	}
	return false, pgerr.Newf(pgerr.DuplicateTable, `relation "%s" already exists`, name)
}

// relation finds a relation along the search path, or nil.
func (s *statement) relation(r *ast.RangeVar) (catalog.Object, error) {
	if err := s.checkCatalog(r); err != nil {
		return nil, err
	}
	if r.Schema == "pg_temp" {
		return s.catalog().Relation(s.tempSchema(), r.Name), nil
	}
	if r.Schema != "" {
		return s.catalog().Relation(r.Schema, r.Name), nil
	}
	for _, schema := range s.searchPath(true) {
		if o := s.catalog().Relation(schema, r.Name); o != nil {
			return o, nil
		}
	}
	return nil, nil
}

// noRelation is the error for a name that relation did not find.
func (s *statement) noRelation(r *ast.RangeVar, what string) *pgerr.Error {
	if r.Schema != "" && r.Schema != "pg_temp" && !isSystemSchema(r.Schema) && s.catalog().Schema(r.Schema) == nil {
		return noSchema(r.Schema).At(r.Pos)
	}
	return pgerr.Newf(pgerr.UndefinedTable, `%s "%s" does not exist`, what, written(r)).At(r.Pos)
}

// written is a relation's name as it was written.
func written(r *ast.RangeVar) string {
	if r.Schema != "" {
		return r.Schema + "." + r.Name
	}
	return r.Name
}

// table finds a table that the user may change.
func (s *statement) table(r *ast.RangeVar) (*catalog.Table, error) {
	o, err := s.relation(r)
	if err != nil {
		return nil, err
	}
	if o == nil {
		if isSystemSchema(r.Schema) {
			return nil, systemTable(r.Name)
		}
		return nil, s.noRelation(r, "relation")
	}
	t, ok := o.(*catalog.Table)
	if !ok {
		return nil, wrongObject(o, "a table").At(r.Pos)
	}
	return t, s.mustOwn(t)
}

func systemTable(name string) *pgerr.Error {
	return pgerr.Newf(pgerr.InsufficientPrivilege, `permission denied: "%s" is a system catalog`, name)
}

// wrongObject is the error for an object that is not what the command is for.
func wrongObject(o catalog.Object, want string) *pgerr.Error {
	_, name := o.ObjectName()
	return pgerr.Newf(pgerr.WrongObjectType, `"%s" is not %s`, name, want)
}

// lockForChange keeps others from changing an object, and returns it as it is
// once that is so: nil when it has gone. A table's rows stay usable.
func (s *statement) lockForChange(ctx context.Context, o catalog.Object) (catalog.Object, error) {
	var err error
	switch o := o.(type) {
	case *catalog.Table:
		err = s.Txn.LockTable(ctx, o.ID, storage.LockShareUpdateExclusive, s.Wait)
	case *catalog.Index:
		err = s.Txn.LockTable(ctx, o.Table, storage.LockShareUpdateExclusive, s.Wait)
	case *catalog.Role, *catalog.Schema:
		_, name := o.ObjectName()
		err = s.Txn.LockName(ctx, o.ObjectKind(), catalog.Name{Name: name}, s.Wait)
	default:
		schema, name := o.ObjectName()
		err = s.lockRelationName(ctx, schema, name)
	}
	if err != nil {
		return nil, err
	}
	return s.catalog().Object(o.ObjectID()), nil
}

// kindWord is what messages call an object.
func kindWord(o catalog.Object) string {
	switch o.(type) {
	case *catalog.Table:
		return "table"
	case *catalog.Index:
		return "index"
	case *catalog.Sequence:
		return "sequence"
	case *catalog.View:
		return "view"
	case *catalog.Schema:
		return "schema"
	case *catalog.Role:
		return "role"
	case *catalog.UserType:
		return "type"
	}
	return "object"
}

// describe is an object as DETAIL and notices call it: table s.t, without the
// schema when the search path finds it.
func (s *statement) describe(o catalog.Object) string { return kindWord(o) + " " + s.display(o) }

// formatType names a type in messages and texts, a user's as the search path finds it.
func (s *statement) formatType(oid types.OID, typmod int32) string {
	return expr.NewDefiner(s.Run.Session, s.catalog()).TypeName(oid, typmod)
}

// display is an object's name, qualified when the search path does not find it.
func (s *statement) display(o catalog.Object) string {
	schema, name := o.ObjectName()
	if schema == "" {
		return sql.QuoteIdent(name)
	}
	if _, ok := o.(*catalog.UserType); ok {
		if found := s.userType(&ast.RangeVar{Name: name}); found != nil && found.ID == o.ObjectID() {
			return sql.QuoteIdent(name)
		}
	} else if found, err := s.relation(&ast.RangeVar{Name: name}); err == nil && found != nil && found.ObjectID() == o.ObjectID() {
		return sql.QuoteIdent(name)
	}
	return sql.QuoteIdent(schema) + "." + sql.QuoteIdent(name)
}

// isSuper says whether the user may do everything.
func (s *statement) isSuper() bool {
	r := s.catalog().Role(s.User)
	return r == nil || r.Super // a session whose role is not in the catalog is the server's own
}

// mustOwn demands that the user owns a table, index, sequence, view or schema.
func (s *statement) mustOwn(o catalog.Object) error {
	owner := s.owner(o)
	if owner == "" || owner == s.User || s.isSuper() || s.memberOf(s.User, owner, nil) {
		return nil
	}
	if schema, _ := o.ObjectName(); schema != "" {
		if sc := s.catalog().Schema(schema); sc != nil && sc.Owner == s.User {
			return nil
		}
	}
	_, name := o.ObjectName()
	return pgerr.Newf(pgerr.InsufficientPrivilege, "must be owner of %s %s", kindWord(o), name)
}

// memberOf says whether role is a member of group, directly or not.
func (s *statement) memberOf(role, group string, seen []string) bool {
	r := s.catalog().Role(role)
	if r == nil || slices.Contains(seen, role) {
		return false
	}
	for _, parent := range r.MemberOf {
		if parent == group || s.memberOf(parent, group, append(seen, role)) {
			return true
		}
	}
	return false
}

// owner is who owns an object; an index has its table's owner.
func (s *statement) owner(o catalog.Object) string {
	switch o := o.(type) {
	case *catalog.Table:
		return o.Owner
	case *catalog.Index:
		if t := s.catalog().Table(o.Table); t != nil {
			return t.Owner
		}
	case *catalog.Sequence:
		return o.Owner
	case *catalog.View:
		return o.Owner
	case *catalog.UserType:
		return o.Owner
	case *catalog.Schema:
		return o.Owner
	}
	return ""
}
