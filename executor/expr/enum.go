package expr

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// isUserType says whether oid is an enum or a domain of the catalog.
func isUserType(oid types.OID) bool { return oid >= types.FirstUserOID }

// compareEnums orders two labels as their type lists them. Without a session
// (or a type) there is only equality, and the rest goes by text.
func compareEnums(ctx *Context, oid types.OID, a, b string) int {
	if a == b {
		return 0
	}
	if t := userType(ctx, oid); t != nil {
		return compareInts(slices.Index(t.Labels, a), slices.Index(t.Labels, b))
	}
	return strings.Compare(a, b)
}

func userType(ctx *Context, oid types.OID) *catalog.UserType {
	if ctx == nil || ctx.Session == nil || ctx.Session.Catalog() == nil {
		return nil
	}
	t, _ := ctx.Session.Catalog().Object(oid).(*catalog.UserType)
	return t
}

// enumFunction makes the comparison of anyenum into one that knows its type.
func enumFunction(f *Function, op string, oid types.OID) *Function {
	bound := *f
	bound.Args = []types.OID{oid, oid}
	for _, c := range comparisons {
		if c.name != op {
			continue
		}
		bound.Eval = func(ctx *Context, args []types.Datum) (types.Datum, error) {
			return c.holds(compareEnums(ctx, oid, args[0].(string), args[1].(string))), nil
		}
	}
	return &bound
}
