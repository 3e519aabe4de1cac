package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/types"
)

// candidate is a function or operator under consideration for a call. args are
// its declared types in the order of the call's arguments.
type candidate struct {
	fn   *Function
	op   *Operator
	args []types.OID
	// place[i] is the parameter that argument i fills; nil means position i.
	place []int
	// expanded says that args repeat the element type of a variadic parameter.
	expanded bool
	// defaulted is how many parameters take their defaults.
	defaulted int
}

// matchArgs keeps the candidates whose arguments could be coerced implicitly:
// func_match_argtypes.
func matchArgs(all []candidate, actual []types.OID) []candidate {
	var out []candidate
	for _, c := range all {
		if coercible(actual, c.args) {
			out = append(out, c)
		}
	}
	return out
}

func coercible(actual, declared []types.OID) bool {
	for i := range actual {
		if !CanCoerce(actual[i], declared[i], CastImplicit) {
			return false
		}
	}
	return consistent(declared, actual)
}

// selectCandidate is func_select_candidate: PostgreSQL's rules to choose among
// several that fit (chapter 10.2 and 10.3 of its documentation). nil is ambiguous.
func selectCandidate(all []candidate, actual []types.OID) *candidate {
	unknowns := 0
	for _, a := range actual {
		if unknownType(a) {
			unknowns++
		}
	}
	all = keepBest(all, func(c *candidate, i int) bool {
		return !unknownType(actual[i]) && c.args[i] == actual[i]
	}, len(actual))
	if len(all) == 1 {
		return &all[0]
	}
	all = keepBest(all, func(c *candidate, i int) bool {
		return !unknownType(actual[i]) && (c.args[i] == actual[i] || preferred(category(actual[i]), c.args[i]))
	}, len(actual))
	if len(all) == 1 {
		return &all[0]
	}
	if unknowns == 0 {
		return nil
	}
	all = byCategory(all, actual)
	if len(all) == 1 {
		return &all[0]
	}
	return byKnownType(all, actual, unknowns)
}

// keepBest keeps the candidates with the most arguments that score.
func keepBest(all []candidate, score func(c *candidate, i int) bool, n int) []candidate {
	best := 0
	var out []candidate
	for k := range all {
		points := 0
		for i := range n {
			if score(&all[k], i) {
				points++
			}
		}
		if points > best || len(out) == 0 {
			best, out = points, []candidate{all[k]}
		} else if points == best {
			out = append(out, all[k])
		}
	}
	return out
}

// byCategory decides each unknown argument's category: string if any candidate
// takes a string, else the one all agree on. No agreement changes nothing.
func byCategory(all []candidate, actual []types.OID) []candidate {
	cats := make([]byte, len(actual))
	prefs := make([]bool, len(actual))
	for i, a := range actual {
		if !unknownType(a) {
			continue
		}
		conflict := false
		for _, c := range all {
			cat := category(c.args[i])
			pref := preferred(0, c.args[i])
			switch {
			case cats[i] == 0:
				cats[i], prefs[i] = cat, pref
			case cats[i] == cat:
				prefs[i] = prefs[i] || pref
			case cat == 'S':
				cats[i], prefs[i] = cat, pref
			default:
				conflict = true
			}
		}
		if conflict && cats[i] != 'S' {
			return all
		}
	}
	var out []candidate
	for _, c := range all {
		if fitsCategories(&c, actual, cats, prefs) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

func fitsCategories(c *candidate, actual []types.OID, cats []byte, prefs []bool) bool {
	for i, a := range actual {
		if !unknownType(a) {
			continue
		}
		if category(c.args[i]) != cats[i] || prefs[i] && !preferred(0, c.args[i]) {
			return false
		}
	}
	return true
}

// byKnownType is the last resort: when all known arguments have one type, the
// unknown ones are taken to have it too.
func byKnownType(all []candidate, actual []types.OID, unknowns int) *candidate {
	if unknowns == len(actual) {
		return nil
	}
	var known types.OID
	for _, a := range actual {
		switch {
		case unknownType(a):
		case known == 0:
			known = a
		case known != a:
			return nil
		}
	}
	same := slices.Repeat([]types.OID{known}, len(actual))
	var found *candidate
	for k := range all {
		if !coercible(same, all[k].args) {
			continue
		}
		if found != nil {
			return nil
		}
		found = &all[k]
	}
	return found
}

// inSchema says whether a row of schema is meant by the name's qualifier; no
// qualifier means any schema, for all built-in ones are on the search path.
func inSchema(row, qualifier string) bool {
	if row == "" {
		row = "pg_catalog"
	}
	return qualifier == "" || qualifier == row
}
