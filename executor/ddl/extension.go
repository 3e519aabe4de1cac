package ddl

import (
	"slices"
	"strconv"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// extension is one whose objects are built in.
type extension struct {
	// proof is a function of the extension: without it the extension is not available.
	proof string
	// installed says that PostgreSQL has it in every new database.
	installed bool
	types     []types.OID
}

var extensions = map[string]extension{
	"vector":    {proof: "l2_distance", types: []types.OID{types.VectorOID, types.HalfVecOID, types.SparseVecOID}},
	"plpgsql":   {installed: true},
	"uuid-ossp": {proof: "uuid_generate_v4"},
	"pgcrypto":  {proof: "gen_random_bytes"},
}

// available says whether an extension's objects exist.
func (e extension) available() bool { return e.installed || len(expr.FunctionsNamed(e.proof)) > 0 }

// createExtension is CREATE EXTENSION. What an extension brings is always
// there, so that creating it again is no error for those that nobody can drop.
func (s *statement) createExtension(t *ast.CreateExtension) error {
	e, ok := extensions[t.Name]
	if !ok || !e.available() {
		return pgerr.Newf(pgerr.FeatureNotSupported, `extension "%s" is not available`, t.Name).
			WithDetail(`Its objects are not built into this server.`).
			WithHint("The extension must first be installed on the system where PostgreSQL is running.")
	}
	if t.Schema != "" && t.Schema != "pg_catalog" && s.catalog().Schema(t.Schema) == nil {
		return noSchema(t.Schema)
	}
	if !e.installed {
		return nil
	}
	if t.IfNotExists {
		s.notice(pgerr.DuplicateObject, `extension "%s" already exists, skipping`, t.Name)
		return nil
	}
	return pgerr.Newf(pgerr.DuplicateObject, `extension "%s" already exists`, t.Name)
}

// dropExtensions is DROP EXTENSION: it is refused while a column has one of the
// extension's types, and otherwise takes nothing away.
func (s *statement) dropExtensions(t *ast.Drop) error {
	for _, names := range t.Names {
		name := names[len(names)-1]
		e, ok := extensions[name]
		if !ok || !e.available() {
			if !t.IfExists {
				return pgerr.Newf(pgerr.UndefinedObject, `extension "%s" does not exist`, name)
			}
			s.notice("00000", `extension "%s" does not exist, skipping`, name)
			continue
		}
		users := s.columnsOfTypes(e.types)
		switch {
		case len(users) > 0 && t.Cascade:
			return pgerr.Unsupported("DROP EXTENSION "+name+" CASCADE while columns have its types").
				WithDetail("%s", listed(users)).WithHint("Drop the tables or columns first.")
		case len(users) > 0:
			return pgerr.Newf(pgerr.DependentObjectsStillExist, "cannot drop extension %s because other objects depend on it", sql.QuoteIdent(name)).
				WithDetail("%s", listed(users)).WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
		}
		s.warning(pgerr.Warning, `extension "%s" is built in: its types and functions stay`, name)
	}
	return nil
}

// columnsOfTypes says which columns have one of some types, or an array of it.
func (s *statement) columnsOfTypes(oids []types.OID) []string {
	var out []string
	for _, o := range s.catalog().Objects(catalog.KindTable) {
		t := o.(*catalog.Table)
		for _, c := range t.Live() {
			oid := c.Type
			if typ := types.Lookup(oid); typ != nil && typ.IsArray() {
				oid = typ.Elem
			}
			if slices.Contains(oids, oid) {
				out = append(out, "column "+sql.QuoteIdent(c.Name)+" of "+s.describe(t)+" depends on type "+types.FormatType(oid, types.NoTypmod))
			}
		}
	}
	return out
}

// isBuiltinType says whether a type of this name exists.
func isBuiltinType(name string) bool {
	return types.ByName(name) != nil || types.BySQLName(strings.ToLower(name)) != nil
}

func itoa(n int) string { return strconv.Itoa(n) }
