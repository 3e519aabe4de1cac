package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// hasOrder says whether values of a type can be sorted and told equal; json,
// for one, is only text to PostgreSQL.
func hasOrder(oid types.OID) bool {
	t := types.Lookup(oid)
	switch {
	case t == nil || t.Category == 'P' || t.Category == 'X':
		return true // users' types, records and what is not known yet
	case t.IsArray():
		return hasOrder(t.Elem)
	}
	return types.HasOrder(oid)
}

// sortable refuses to sort by a type without an order.
func sortable(e expr.Expr, pos int) error {
	if oid := e.Type().OID; !hasOrder(oid) {
		return pgerr.Newf(pgerr.UndefinedFunction, "could not identify an ordering operator for type %s", types.FormatType(oid, -1)).
			WithHint("Use an explicit ordering operator or modify the query.").At(pos)
	}
	return nil
}

// groupable refuses to tell values of a type without equality apart.
func groupable(e expr.Expr, pos int) error {
	if oid := e.Type().OID; !hasOrder(oid) {
		return pgerr.Newf(pgerr.UndefinedFunction, "could not identify an equality operator for type %s", types.FormatType(oid, -1)).At(pos)
	}
	return nil
}
