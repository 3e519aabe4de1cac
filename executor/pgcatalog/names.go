package pgcatalog

import (
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Names implements types.NameResolver for reg* types over a session.
func Names(env *Env) types.NameResolver {
	return &names{Definer: expr.NewDefiner(env.Session, env.Catalog), env: env}
}

type names struct {
	*expr.Definer
	env *Env
}

// nameKind is how one reg* type finds objects by name and names by object.
type nameKind struct {
	resolve func(n *names, parts []string, text string) (types.OID, error)
	name    func(n *names, id types.OID) string
}

// nameKinds are the reg* types.
var nameKinds map[types.OID]nameKind

func init() {
	nameKinds = map[types.OID]nameKind{
		types.RegclassOID:     {(*names).relation, (*names).relationName},
		types.RegtypeOID:      {(*names).typ, (*names).typeName},
		types.RegnamespaceOID: {(*names).schema, (*names).schemaName},
		types.RegroleOID:      {(*names).role, (*names).roleName},
		types.RegcollationOID: {(*names).collation, (*names).collationName},
		types.RegprocOID:      {(*names).function, (*names).functionName},
		types.RegprocedureOID: {(*names).procedure, (*names).procedureName},
		types.RegoperOID:      {(*names).operator, (*names).operatorName},
		types.RegoperatorOID:  {(*names).signature, (*names).signatureName},
	}
}

// ResolveName finds an object by a name as it is written.
func (n *names) ResolveName(kind types.OID, name string) (types.OID, error) {
	k, ok := nameKinds[kind]
	if !ok {
		return 0, pgerr.Newf(pgerr.UndefinedObject, "text search configuration \"%s\" does not exist", name)
	}
	parts := expr.SplitQualified(name)
	if len(parts) > 2 && parts[0] == n.database() {
		parts = parts[1:]
	}
	if len(parts) == 0 || parts[0] == "" {
		return 0, pgerr.New("42602", "invalid name syntax")
	}
	return k.resolve(n, parts, name)
}

// ObjectName prints an object's name; false when there is none.
func (n *names) ObjectName(kind, id types.OID) (string, bool) {
	k, ok := nameKinds[kind]
	if !ok {
		return "", false
	}
	name := k.name(n, id)
	return name, name != ""
}

func (n *names) database() string {
	if n.env.Session == nil {
		return ""
	}
	return n.env.Session.Database()
}

func (n *names) path() []string {
	if n.env.Session == nil {
		return []string{"pg_catalog", "public"}
	}
	return n.env.Session.SearchPath(true)
}

// search tries the schemas that a name may mean.
func (n *names) search(parts []string, find func(schema, name string) types.OID) types.OID {
	if len(parts) == 2 {
		return find(parts[0], parts[1])
	}
	for _, schema := range n.path() {
		if id := find(schema, parts[0]); id != 0 {
			return id
		}
	}
	return 0
}

func (n *names) relation(parts []string, _ string) (types.OID, error) {
	id := n.search(parts, func(schema, name string) types.OID {
		if r := relations().byName[[2]string{schema, name}]; r != nil {
			return r.oid
		}
		if o := n.Catalog.Relation(schema, name); o != nil {
			return o.ObjectID()
		}
		return 0
	})
	if id == 0 {
		if len(parts) == 2 && schemaOID(n.Catalog, parts[0]) == 0 {
			return 0, pgerr.Newf(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", parts[0])
		}
		return 0, pgerr.Newf(pgerr.UndefinedTable, "relation \"%s\" does not exist", strings.Join(parts, "."))
	}
	return id, nil
}

func (n *names) relationName(id types.OID) string {
	if r := relations().byOID[id]; r != nil {
		if n.InPath(r.schema) {
			return expr.QuoteIdent(r.name)
		}
		return expr.QualifiedName(r.schema, r.name)
	}
	switch o := n.Catalog.Object(id).(type) {
	case *catalog.Table, *catalog.Index, *catalog.Sequence, *catalog.View:
		return n.RelationName(o)
	}
	return ""
}

func (n *names) typ(parts []string, text string) (types.OID, error) {
	base, suffix := strings.TrimSpace(text), 0
	for strings.HasSuffix(base, "]") {
		if open := strings.LastIndexByte(base, '['); open >= 0 {
			base, suffix = strings.TrimSpace(base[:open]), suffix+1
			continue
		}
		break
	}
	if open := strings.IndexByte(base, '('); open >= 0 { // a modifier, which a regtype does not keep
		if end := strings.IndexByte(base, ')'); end > open {
			base = base[:open] + base[end+1:]
		}
	}
	id := n.typeByName(base, expr.SplitQualified(base))
	if id != 0 && suffix > 0 {
		id = arrayType(id)
	}
	if id == 0 {
		return 0, pgerr.Newf(pgerr.UndefinedObject, "type \"%s\" does not exist", strings.Join(parts, "."))
	}
	return id, nil
}

func arrayType(id types.OID) types.OID {
	if t := types.Lookup(id); t != nil {
		return t.Array
	}
	return 0
}

func (n *names) typeByName(text string, parts []string) types.OID {
	if len(parts) == 0 {
		return 0
	}
	if len(parts) == 1 && text[0] != '"' {
		if t := types.BySQLName(text); t != nil && n.typeReachable(t, text) {
			return t.OID
		}
	}
	return n.search(parts, func(schema, name string) types.OID {
		if t := types.ByName(name); t != nil {
			if own, _ := n.TypeSchema(t.OID); own == schema {
				return t.OID
			}
		}
		if o := n.Catalog.Named(catalog.KindType, schema, name); o != nil {
			return o.ObjectID()
		}
		if t, ok := n.Catalog.Relation(schema, name).(*catalog.Table); ok {
			return t.RowType
		}
		return 0
	})
}

// typeReachable says whether the search path has the schema of a built-in type.
func (n *names) typeReachable(t *types.Type, _ string) bool {
	schema, _ := n.TypeSchema(t.OID)
	return n.InPath(schema)
}

func (n *names) typeName(id types.OID) string {
	if name := n.TypeName(id, types.NoTypmod); name != "???" {
		return name
	}
	return ""
}

func (n *names) schema(parts []string, _ string) (types.OID, error) {
	if id := schemaOID(n.Catalog, parts[0]); id != 0 {
		return id, nil
	}
	return 0, pgerr.Newf(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", parts[0])
}

func (n *names) schemaName(id types.OID) string {
	for name, own := range schemaOIDs {
		if own == id {
			return name
		}
	}
	if s, ok := n.Catalog.Object(id).(*catalog.Schema); ok {
		return expr.QuoteIdent(s.Name)
	}
	return ""
}

func (n *names) role(parts []string, _ string) (types.OID, error) {
	if r := n.Catalog.Role(parts[0]); r != nil {
		return r.ID, nil
	}
	for _, r := range predefinedRoles {
		if r.Name == parts[0] {
			return r.ID, nil
		}
	}
	return 0, pgerr.Newf(pgerr.UndefinedObject, "role \"%s\" does not exist", parts[0])
}

func (n *names) roleName(id types.OID) string {
	for _, r := range predefinedRoles {
		if r.ID == id {
			return r.Name
		}
	}
	if r, ok := n.Catalog.Object(id).(*catalog.Role); ok {
		return expr.QuoteIdent(r.Name)
	}
	return ""
}

func (n *names) collation(parts []string, _ string) (types.OID, error) {
	for _, row := range collationSource.fixed() {
		if row[1] == parts[len(parts)-1] {
			return types.OID(row[0].(int64)), nil
		}
	}
	return 0, pgerr.Newf(pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", strings.Join(parts, "."))
}

func (n *names) collationName(id types.OID) string {
	for _, row := range collationSource.fixed() {
		if row[0] == int64(id) {
			return expr.QuoteIdent(row[1].(string))
		}
	}
	return ""
}
