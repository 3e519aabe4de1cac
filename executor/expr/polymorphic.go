package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// polymorphism is what a call's arguments say of the polymorphic types of its
// function: those of the simple family all agree, those of the compatible
// family have a common type.
type polymorphism struct {
	elem, array types.OID // anyelement and anyarray
	compatible  types.OID // anycompatible
	any         bool      // a simple polymorphic argument is there
	anyCompat   bool      // a compatible one is there
}

func mismatch(declared string, a, b string) error {
	return pgerr.Newf(pgerr.DatatypeMismatch, "arguments declared \"%s\" are not all alike", declared).WithDetail("%s versus %s", a, b)
}

// inferPolymorphism reads the arguments; the error is that of
// enforce_generic_type_consistency of PostgreSQL.
func inferPolymorphism(env *types.Env, declared, actual []types.OID) (polymorphism, error) {
	var p polymorphism
	var candidates []types.OID
	var nonArray, enum bool
	for i, d := range declared {
		a := actual[i]
		switch d {
		case types.AnyElementOID, types.AnyNonArrayOID, types.AnyEnumOID:
			p.any = true
			nonArray = nonArray || d == types.AnyNonArrayOID
			enum = enum || d == types.AnyEnumOID
			if unknownType(a) {
				continue
			}
			if p.elem != 0 && p.elem != a {
				return p, mismatch("anyelement", typeName(env, p.elem), typeName(env, a))
			}
			p.elem = a
		case types.AnyArrayOID:
			p.any = true
			if unknownType(a) {
				continue
			}
			if p.array != 0 && p.array != a {
				return p, mismatch("anyarray", typeName(env, p.array), typeName(env, a))
			}
			p.array = a
		case types.AnyCompatibleOID, types.AnyCompatibleNonArryOID:
			p.anyCompat = true
			if d == types.AnyCompatibleNonArryOID && elementOf(a) != 0 {
				return p, pgerr.Newf(pgerr.DatatypeMismatch, "type matched to anycompatiblenonarray is an array type: %s", typeName(env, a))
			}
			candidates = appendKnown(candidates, a)
		case types.AnyCompatibleArrayOID:
			p.anyCompat = true
			if unknownType(a) {
				continue
			}
			e := elementOf(a)
			if e == 0 {
				return p, notAnArray(env, "anycompatiblearray", a)
			}
			candidates = appendKnown(candidates, e)
		}
	}
	if err := p.completeSimple(env, nonArray, enum); err != nil {
		return p, err
	}
	return p, p.completeCompatible(env, candidates)
}

func appendKnown(list []types.OID, oid types.OID) []types.OID {
	if unknownType(oid) {
		return list
	}
	return append(list, oid)
}

func notAnArray(env *types.Env, declared string, oid types.OID) error {
	return pgerr.Newf(pgerr.DatatypeMismatch, "argument declared %s is not an array but type %s", declared, typeName(env, oid))
}

func (p *polymorphism) completeSimple(env *types.Env, nonArray, enum bool) error {
	if !p.any {
		return nil
	}
	if p.array != 0 && p.array != types.AnyArrayOID {
		e := elementOf(p.array)
		if e == 0 {
			return notAnArray(env, "anyarray", p.array)
		}
		if p.elem != 0 && p.elem != e {
			return pgerr.New(pgerr.DatatypeMismatch, "argument declared anyarray is not consistent with argument declared anyelement").
				WithDetail("%s versus %s", typeName(env, p.array), typeName(env, p.elem))
		}
		p.elem = e
	}
	if p.elem == 0 {
		if p.array == types.AnyArrayOID {
			p.elem = types.AnyElementOID
			return nil
		}
		return pgerr.New(pgerr.DatatypeMismatch, "could not determine polymorphic type because input has type unknown")
	}
	if p.array == 0 {
		p.array = arrayOf(p.elem)
	}
	if nonArray && elementOf(p.elem) != 0 {
		return pgerr.Newf(pgerr.DatatypeMismatch, "type matched to anynonarray is an array type: %s", typeName(env, p.elem))
	}
	if enum && !types.IsEnum(p.elem) {
		return pgerr.Newf(pgerr.DatatypeMismatch, "type matched to anyenum is not an enum type: %s", typeName(env, p.elem))
	}
	return nil
}

func (p *polymorphism) completeCompatible(env *types.Env, candidates []types.OID) error {
	if !p.anyCompat {
		return nil
	}
	if len(candidates) == 0 {
		p.compatible = types.TextOID
		return nil
	}
	common, bad := commonOID(candidates)
	if bad != 0 {
		return pgerr.Newf(pgerr.DatatypeMismatch, "arguments of anycompatible family cannot be cast to a common type")
	}
	for _, c := range candidates {
		if !CanCoerce(c, common, CastImplicit) {
			return pgerr.Newf(pgerr.DatatypeMismatch, "arguments of anycompatible family cannot be cast to a common type")
		}
	}
	p.compatible = common
	return nil
}

// resolve replaces a polymorphic type by what it stands for in this call.
func (p *polymorphism) resolve(env *types.Env, oid types.OID) (types.OID, error) {
	switch oid {
	case types.AnyElementOID, types.AnyNonArrayOID, types.AnyEnumOID:
		return p.elem, nil
	case types.AnyArrayOID:
		if p.array == 0 {
			return 0, pgerr.Newf(pgerr.UndefinedObject, "could not find array type for data type %s", typeName(env, p.elem))
		}
		return p.array, nil
	case types.AnyCompatibleOID, types.AnyCompatibleNonArryOID:
		return p.compatible, nil
	case types.AnyCompatibleArrayOID:
		if a := arrayOf(p.compatible); a != 0 {
			return a, nil
		}
		return 0, pgerr.Newf(pgerr.UndefinedObject, "could not find array type for data type %s", typeName(env, p.compatible))
	}
	return oid, nil
}

// resolveSignature replaces all polymorphic types of a call.
func resolveSignature(env *types.Env, declared, actual []types.OID, result types.OID) ([]types.OID, types.OID, error) {
	if !slices.ContainsFunc(declared, isPolymorphic) {
		return declared, result, nil
	}
	p, err := inferPolymorphism(env, declared, actual)
	if err != nil {
		return nil, 0, err
	}
	args := slices.Clone(declared)
	for i := range args {
		if args[i], err = p.resolve(env, args[i]); err != nil {
			return nil, 0, err
		}
	}
	result, err = p.resolve(env, result)
	return args, result, err
}

// consistent is check_generic_type_consistency: whether a candidate's
// polymorphic arguments can agree at all.
func consistent(declared, actual []types.OID) bool {
	if !slices.ContainsFunc(declared, isPolymorphic) {
		return true
	}
	simpleKnown, simple := false, false
	for i, d := range declared {
		a := actual[i]
		if isSimplePoly(d) {
			simple = true
			simpleKnown = simpleKnown || !unknownType(a)
		}
		if unknownType(a) {
			continue
		}
		if (d == types.AnyArrayOID || d == types.AnyCompatibleArrayOID) && elementOf(a) == 0 && a != types.AnyArrayOID {
			return false
		}
	}
	if simple && !simpleKnown {
		// Every polymorphic argument is unknown: the candidate stays, the error
		// comes when it is chosen.
		return true
	}
	_, err := inferPolymorphism(nil, declared, actual)
	return err == nil
}
