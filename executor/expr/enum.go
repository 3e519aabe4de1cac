package expr

import (
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

func compareEnums(a, b types.Datum) int {
	return types.CompareFloat(a.(types.Enum).Order, b.(types.Enum).Order)
}

func userType(ctx *Context, oid types.OID) *catalog.UserType {
	if ctx == nil || ctx.Session == nil || ctx.Session.Catalog() == nil {
		return nil
	}
	t, _ := ctx.Session.Catalog().Object(oid).(*catalog.UserType)
	return t
}
