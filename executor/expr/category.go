package expr

import (
	"github.com/akidb/akidb/internal/types"
)

// category is pg_type.typcategory, X for what is not known.
func category(oid types.OID) byte {
	if t := types.Lookup(oid); t != nil {
		return t.Category
	}
	return 'X'
}

// preferred says whether oid is a preferred type of the category; 0 takes any.
func preferred(cat byte, oid types.OID) bool {
	t := types.Lookup(oid)
	return t != nil && t.Preferred && (cat == 0 || t.Category == cat)
}

// elementOf is the element type of an array type, 0 for other types.
func elementOf(oid types.OID) types.OID {
	if t := types.Lookup(oid); t != nil && t.Category == 'A' {
		return t.Elem
	}
	return 0
}

// arrayOf is the array type over oid, 0 for none.
func arrayOf(oid types.OID) types.OID {
	if t := types.Lookup(oid); t != nil {
		return t.Array
	}
	return 0
}

// unknownType says whether oid is that of an untyped literal or parameter.
func unknownType(oid types.OID) bool { return oid == 0 || oid == types.UnknownOID }

// typeName is format_type's name without modifier.
func typeName(env *types.Env, oid types.OID) string {
	if oid == 0 {
		return "unknown"
	}
	if t := types.Lookup(oid); t != nil && !types.IsUserType(oid) {
		return t.SQLName
	}
	if env != nil && env.Names != nil {
		if name, ok := env.Names.ObjectName(types.RegtypeOID, oid); ok {
			return name
		}
	}
	return "???"
}

// isPolymorphic says whether a declared type stands for others.
func isPolymorphic(oid types.OID) bool { return isSimplePoly(oid) || isCompatiblePoly(oid) }

func isSimplePoly(oid types.OID) bool {
	switch oid {
	case types.AnyElementOID, types.AnyArrayOID, types.AnyNonArrayOID, types.AnyEnumOID, types.AnyRangeOID:
		return true
	}
	return false
}

func isCompatiblePoly(oid types.OID) bool {
	switch oid {
	case types.AnyCompatibleOID, types.AnyCompatibleArrayOID, types.AnyCompatibleNonArryOID, types.AnyCompatibleRangeOID:
		return true
	}
	return false
}
