package plan

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

var (
	boolType    = expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod}
	int8Type    = expr.Type{OID: types.Int8OID, Typmod: types.NoTypmod}
	float8Type  = expr.Type{OID: types.Float8OID, Typmod: types.NoTypmod}
	textType    = expr.Type{OID: types.TextOID, Typmod: types.NoTypmod}
	unknownType = expr.Type{OID: types.UnknownOID, Typmod: types.NoTypmod}
)

// ResolveType finds a type by its written name, with modifiers; of a domain it is
// the base type.
func ResolveType(env *Env, t *ast.TypeName) (expr.Type, error) {
	typ, _, err := ResolveDeclared(env, t)
	return typ, err
}

// resolveName finds a type by its written name; a domain is one of its own.
func resolveName(env *Env, t *ast.TypeName) (expr.Type, error) {
	none := expr.Type{}
	if t.SetOf {
		return none, pgerr.Unsupported("SETOF").At(t.Pos)
	}
	name := t.Names[len(t.Names)-1]
	row := types.ByName(name)
	if user := env.userType(t.Names, row != nil); user != 0 {
		return env.resolveUserType(user, t)
	}
	if row == nil {
		row = types.BySQLName(strings.Join(t.Names, "."))
	}
	if row == nil || len(t.Names) > 1 && t.Names[0] != "pg_catalog" && t.Names[0] != "public" {
		return none, pgerr.Newf(pgerr.UndefinedObject, "type %q does not exist", strings.Join(t.Names, ".")).At(t.Pos)
	}
	out := expr.Type{OID: row.OID, Typmod: types.NoTypmod}
	if len(t.Mods) > 0 || t.IntervalFields != "" {
		var mods []string
		if t.IntervalFields != "" {
			mods = append(mods, t.IntervalFields)
		}
		for _, m := range t.Mods {
			c, ok := m.(*ast.Const)
			if !ok {
				return none, pgerr.New(pgerr.SyntaxError, "type modifiers must be simple constants or identifiers").At(t.Pos)
			}
			if c.Kind == ast.ConstInt {
				mods = append(mods, strconv.FormatInt(c.Int, 10))
			} else {
				mods = append(mods, c.Text)
			}
		}
		typmod, err := types.TypmodIn(row.OID, mods)
		if err != nil {
			return none, at(err, t.Pos)
		}
		out.Typmod = typmod
	}
	if len(t.Bounds) > 0 {
		if row.Array == 0 {
			return none, pgerr.Newf(pgerr.UndefinedObject, "could not find array type for data type %s", row.SQLName).At(t.Pos)
		}
		out.OID = row.Array
	}
	return out, nil
}

// userType finds a type that a user made, 0 for none. A built-in type of the
// same name goes before, unless the name has a schema.
func (e *Env) userType(names []string, builtin bool) types.OID {
	if e == nil || e.Catalog == nil || len(names) == 1 && builtin {
		return 0
	}
	if len(names) > 1 {
		return e.typeIn(names[len(names)-2], names[len(names)-1])
	}
	for _, schema := range e.searchPath() {
		if oid := e.typeIn(schema, names[0]); oid != 0 {
			return oid
		}
	}
	return 0
}

// typeIn finds a type, an array type (_name) or a row type in a schema.
func (e *Env) typeIn(schema, name string) types.OID {
	if o := e.Catalog.Named(catalog.KindType, schema, name); o != nil {
		return o.ObjectID()
	}
	if t, ok := e.Catalog.Relation(schema, name).(*catalog.Table); ok {
		return t.RowType
	}
	if elem, ok := strings.CutPrefix(name, "_"); ok && elem != "" {
		if oid := e.typeIn(schema, elem); oid != 0 && types.UserElem(oid) == 0 {
			return types.UserArrayOID(oid)
		}
	}
	return 0
}

// resolveUserType adds what stands after the name of a user's type.
func (e *Env) resolveUserType(oid types.OID, t *ast.TypeName) (expr.Type, error) {
	if len(t.Mods) > 0 {
		return expr.Type{}, pgerr.Newf(pgerr.SyntaxError, "type modifier is not allowed for type %q", strings.Join(t.Names, ".")).At(t.Pos)
	}
	if len(t.Bounds) > 0 && types.UserElem(oid) == 0 {
		oid = types.UserArrayOID(oid)
	}
	return expr.Type{OID: oid, Typmod: types.NoTypmod}, nil
}

// typeName is a type as error messages call it.
func typeName(t expr.Type) string { return types.FormatType(t.OID, types.NoTypmod) }

func isVectorType(oid types.OID) bool {
	return oid == types.VectorOID || oid == types.HalfVecOID || oid == types.SparseVecOID
}

// at gives an error its position.
func at(err error, pos int) error {
	if e := pgerr.As(err); e != nil && pos > 0 && e.Position == 0 {
		placed := *e
		placed.Position = pos
		return &placed
	}
	return err
}
