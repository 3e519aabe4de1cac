package plan

import (
	"math"
	"slices"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Assumed shares of rows, PostgreSQL's defaults (selfuncs.h) but for a closed
// range, where two thirds of thirds stand in for its 0.005: without statistics
// a filter that is thought too narrow costs more than one thought too wide.
const (
	equalShare   = 0.005
	rangeShare   = 1.0 / 3
	matchShare   = 0.005
	nullShare    = 0.005
	booleanShare = 0.5
	unknownShare = 1.0 / 3
	// arrayGuess is the length of an array that is not known, as in PostgreSQL.
	arrayGuess = 10
)

// selectivity estimates the share of rows of t (nil: unknown) for which all conds hold.
func (b *binder) selectivity(t *catalog.Table, conds []expr.Expr) float64 {
	if len(conds) == 0 {
		return 1
	}
	e := estimator{rows: defaultRows}
	if t != nil {
		e.rows = b.env.rows(t.ID)
		e.table = t
		e.unique = b.uniqueKeys(t)
	}
	return e.conjunction(spread(conds))
}

// oneRow says whether conds leave at most one row of t: they are equalities on
// the whole of a unique key.
func (b *binder) oneRow(t *catalog.Table, conds []expr.Expr) bool {
	e := estimator{unique: b.uniqueKeys(t)}
	return e.oneRow(conds)
}

// uniqueKeys are the columns of the unique indexes over plain columns.
func (b *binder) uniqueKeys(t *catalog.Table) [][]int {
	var out [][]int
	for _, x := range b.env.Catalog.Indexes(t.ID) {
		if !x.Unique || !x.Valid || x.Predicate != "" {
			continue
		}
		columns := make([]int, len(x.Keys))
		for i, k := range x.Keys {
			columns[i] = int(k.Column) - 1 // -1 for an expression, which no condition has
		}
		out = append(out, columns)
	}
	return out
}

// estimator estimates shares of one table's rows.
type estimator struct {
	rows   float64
	table  *catalog.Table
	unique [][]int
}

func (e *estimator) conjunction(conds []expr.Expr) float64 {
	share := 1.0
	for i, c := range conds {
		if !slices.ContainsFunc(conds[:i], func(x expr.Expr) bool { return expr.Equal(x, c) }) {
			share *= e.share(c)
		}
	}
	if e.oneRow(conds) {
		share = min(share, 1/e.rows)
	}
	return share
}

// oneRow says whether equalities cover a unique key.
func (e *estimator) oneRow(conds []expr.Expr) bool {
	if len(e.unique) == 0 {
		return false
	}
	var fixed []int
	for _, c := range conds {
		if call, ok := c.(*expr.Call); ok && call.Operator == "=" && len(call.Args) == 2 {
			for i, a := range call.Args {
				k, ok := withoutRelabel(a).(*expr.Column)
				if ok && fixedValue(call.Args[1-i]) && sameKeyClass(k.Typ.OID, call.Args[1-i].Type().OID) {
					fixed = append(fixed, k.Index)
				}
			}
		}
	}
	for _, key := range e.unique {
		if !slices.ContainsFunc(key, func(k int) bool { return !slices.Contains(fixed, k) }) {
			return true
		}
	}
	return false
}

// share estimates one condition.
func (e *estimator) share(c expr.Expr) float64 {
	switch x := c.(type) {
	case *expr.Const:
		if x.Value == true {
			return 1
		}
		return 0
	case *expr.And:
		return e.conjunction(x.Args)
	case *expr.Or:
		share := 0.0
		for _, a := range x.Args {
			s := e.share(a)
			share += s - share*s
		}
		return share
	case *expr.Not:
		return 1 - e.share(x.Arg)
	case *expr.NullTest:
		return e.nullTest(x)
	case *expr.BoolTest:
		return boolTest(x)
	case *expr.DistinctFrom:
		if x.Not {
			return e.equality(x.Left)
		}
		return 1 - e.equality(x.Left)
	case *expr.InList:
		return notIf(x.Not, math.Min(1, float64(len(x.List))*e.equality(x.Left)))
	case *expr.AnyAll:
		return e.anyAll(x)
	case *expr.RowCompare:
		if x.Op == "=" {
			share := 1.0
			for _, l := range x.Left {
				share *= e.equality(l)
			}
			return share
		}
		return rangeShare
	case *expr.Call:
		return e.call(x)
	}
	if c.Type().OID == types.BoolOID {
		return booleanShare
	}
	return unknownShare
}

func notIf(not bool, share float64) float64 {
	if not {
		return 1 - share
	}
	return share
}

func (e *estimator) nullTest(x *expr.NullTest) float64 {
	share := nullShare
	if e.table != nil && notNullColumn(e.table, x.Arg) {
		share = 0
	}
	return notIf(x.Not, share)
}

func boolTest(x *expr.BoolTest) float64 {
	if x.Want == nil {
		return notIf(x.Not, nullShare)
	}
	return booleanShare
}

// equality is the share of rows in which e has one given value.
func (e *estimator) equality(x expr.Expr) float64 {
	x = withoutRelabel(x)
	if x.Type().OID == types.BoolOID {
		return booleanShare
	}
	if c, ok := x.(*expr.Column); ok {
		for _, key := range e.unique {
			if len(key) == 1 && key[0] == c.Index {
				return 1 / e.rows
			}
		}
	}
	return math.Max(equalShare, math.Min(1, 1/e.rows))
}

func (e *estimator) anyAll(x *expr.AnyAll) float64 {
	n := float64(arrayGuess)
	switch a := x.Array.(type) {
	case *expr.Const:
		if v, ok := a.Value.(*types.Array); ok {
			n = float64(len(v.Elems))
		}
	case *expr.ArrayCtor:
		n = float64(len(a.Elems))
	}
	one := e.operator(x.Operator, x.Left)
	if x.All {
		return math.Pow(one, n)
	}
	if x.Operator == "=" {
		return math.Min(1, one*n)
	}
	return 1 - math.Pow(1-one, n)
}

func (e *estimator) call(x *expr.Call) float64 {
	if x.Operator == "" || len(x.Args) != 2 {
		return unknownShare
	}
	arg := x.Args[0]
	if fixedValue(arg) {
		arg = x.Args[1]
	}
	if x.Operator == "~~" {
		if c, ok := x.Args[1].(*expr.Const); ok {
			if s, ok := c.Value.(string); ok && !strings.ContainsAny(s, `%_\`) {
				return e.equality(arg)
			}
		}
	}
	return e.operator(x.Operator, arg)
}

func (e *estimator) operator(op string, arg expr.Expr) float64 {
	switch op {
	case "=":
		return e.equality(arg)
	case "<>":
		return 1 - e.equality(arg)
	case "<", "<=", ">", ">=":
		return rangeShare
	case "~~", "~~*", "~", "~*", "^@", "@>", "<@", "?", "?|", "?&", "&&":
		return matchShare
	case "!~~", "!~~*", "!~", "!~*":
		return 1 - matchShare
	}
	return unknownShare
}
