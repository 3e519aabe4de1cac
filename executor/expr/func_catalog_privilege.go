package expr

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// privilegeKind is one family of has_…_privilege. Every role may use what there
// is, as long as GRANT and REVOKE store nothing; so these functions check that
// the role, the object and the privilege exist.
type privilegeKind struct {
	name       string
	reg        types.OID // how the object's name is looked up; 0: any name is taken
	privileges string
}

var privilegeKinds = []privilegeKind{
	{"table", types.RegclassOID, "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER RULE"},
	{"sequence", types.RegclassOID, "USAGE SELECT UPDATE"},
	{"schema", types.RegnamespaceOID, "CREATE USAGE"},
	{"database", 0, "CREATE CONNECT TEMPORARY TEMP"},
	{"function", types.RegprocedureOID, "EXECUTE"},
	{"language", 0, "USAGE"},
	{"type", types.RegtypeOID, "USAGE"},
	{"tablespace", 0, "CREATE"},
	{"foreign_data_wrapper", 0, "USAGE"},
	{"server", 0, "USAGE"},
	{"any_column", types.RegclassOID, "SELECT INSERT UPDATE REFERENCES"},
}

var columnPrivilege = privilegeKind{"column", types.RegclassOID, "SELECT INSERT UPDATE REFERENCES"}

var privilegeFunctions = buildPrivilegeFunctions()

func buildPrivilegeFunctions() []*Function {
	var out []*Function
	add := func(k privilegeKind, args string, user bool, column bool) {
		out = append(out, define("has_"+k.name+"_privilege("+args+") bool", func(ctx *Context, args []types.Datum) (types.Datum, error) {
			return k.eval(ctx, args, user, column)
		}).stable())
	}
	for _, k := range privilegeKinds {
		for _, object := range []string{"text", "oid"} {
			add(k, object+", text", false, false)
			add(k, "name, "+object+", text", true, false)
			add(k, "oid, "+object+", text", true, false)
		}
	}
	for _, object := range []string{"text", "oid"} {
		for _, column := range []string{"text", "int2"} {
			add(columnPrivilege, object+", "+column+", text", false, true)
			add(columnPrivilege, "name, "+object+", "+column+", text", true, true)
			add(columnPrivilege, "oid, "+object+", "+column+", text", true, true)
		}
	}
	for _, user := range []string{"", "name, ", "oid, "} {
		add(privilegeKind{"parameter", 0, "SET ALTER SYSTEM"}, user+"text, text", user != "", false)
		for _, role := range []string{"name", "oid"} {
			out = append(out, define("pg_has_role("+user+role+", text) bool", func(ctx *Context, args []types.Datum) (types.Datum, error) {
				return evalHasRole(ctx, args, user != "")
			}).stable())
		}
	}
	return out
}

func (k privilegeKind) eval(ctx *Context, args []types.Datum, user, column bool) (types.Datum, error) {
	if user {
		if _, err := ctx.roleName(args[0]); err != nil {
			return nil, err
		}
		args = args[1:]
	}
	if err := k.check(args[len(args)-1].(string)); err != nil {
		return nil, err
	}
	var o catalog.Object
	switch v := args[0].(type) {
	case string:
		if k.reg != 0 {
			id, err := ctx.resolve(k.reg, v)
			if err != nil {
				return nil, err
			}
			o = ctx.object(int64(id))
		}
	case int64:
		if o = ctx.object(v); o == nil && types.OID(v) >= types.FirstUserOID {
			return nil, nil
		}
	}
	if column && o != nil {
		return columnExists(o, args[1])
	}
	return true, nil
}

func columnExists(o catalog.Object, column types.Datum) (types.Datum, error) {
	columns := columnsOf(o)
	switch v := column.(type) {
	case int64:
		if v < 1 || int(v) > len(columns) || columns[v-1].Dropped {
			return nil, nil
		}
	case string:
		if !slices.ContainsFunc(columns, func(c catalog.Column) bool { return c.Name == v && !c.Dropped }) {
			_, name := o.ObjectName()
			return nil, pgerr.Newf(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", v, name)
		}
	}
	return true, nil
}

// check reads a list of privileges, each perhaps WITH GRANT OPTION.
func (k privilegeKind) check(list string) error {
	known := strings.Fields(k.privileges)
	for _, p := range strings.Split(list, ",") {
		word := strings.ToUpper(strings.TrimSpace(p))
		word = strings.TrimSuffix(word, " WITH GRANT OPTION")
		if !slices.Contains(known, word) && word != "ALTER SYSTEM" {
			return pgerr.Newf(pgerr.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(p))
		}
	}
	return nil
}

// roleName is a role given by name or by object id.
func (ctx *Context) roleName(role types.Datum) (string, error) {
	switch v := role.(type) {
	case string:
		if v == "public" {
			return v, nil
		}
		_, err := ctx.resolve(types.RegroleOID, quoteIdent(v))
		return v, err
	case int64:
		if name, ok := ctx.objectName(types.RegroleOID, v); ok {
			return unquote(name), nil
		}
	}
	return "", nil
}

func evalHasRole(ctx *Context, args []types.Datum, user bool) (types.Datum, error) {
	if ctx.Session == nil {
		return nil, errNoSession
	}
	member := ctx.Session.User()
	if user {
		name, err := ctx.roleName(args[0])
		if err != nil {
			return nil, err
		}
		member, args = name, args[1:]
	}
	role, err := ctx.roleName(args[0])
	if err != nil {
		return nil, err
	}
	kind := privilegeKind{privileges: "USAGE MEMBER SET"}
	list := strings.NewReplacer("WITH ADMIN OPTION", "", "with admin option", "").Replace(args[1].(string))
	if err := kind.check(list); err != nil {
		return nil, err
	}
	return ctx.memberOf(member, role, nil), nil
}

// memberOf says whether a role is, or has, another one.
func (ctx *Context) memberOf(member, role string, seen []string) bool {
	cat := ctx.definer().Catalog
	r := cat.Role(member)
	if member == role || r != nil && r.Super {
		return true
	}
	if r == nil || slices.Contains(seen, member) {
		return false
	}
	return slices.ContainsFunc(r.MemberOf, func(parent string) bool { return ctx.memberOf(parent, role, append(seen, member)) })
}
