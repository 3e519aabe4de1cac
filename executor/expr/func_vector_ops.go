package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/types"
)

// vectorOperators are pgvector's operators. Their functions are those of the
// function table where pgvector has one row for both.
var vectorOperators = buildVectorOperators()

func buildVectorOperators() []*Operator {
	var out []*Operator
	for _, k := range vectorKinds {
		for _, m := range []types.Metric{types.MetricL2, types.MetricInnerProduct, types.MetricCosine, types.MetricL1} {
			out = append(out, distanceOperator(k.oid, m))
		}
		out = append(out, vectorComparisons(k)...)
	}
	out = append(out, distanceOperator(types.BitOID, types.MetricHamming), distanceOperator(types.BitOID, types.MetricJaccard))
	for _, o := range []struct{ name, function, commutator string }{
		{"+", "add", "+"}, {"-", "sub", ""}, {"*", "mul", "*"}, {"||", "concat", ""},
	} {
		for _, k := range vectorKinds[:2] {
			f := functionIn(vectorFunctions, k.name+"_"+o.function, k.oid)
			out = append(out, &Operator{Name: o.name, Left: k.oid, Right: k.oid, Result: k.oid, Func: f, Commutator: o.commutator})
		}
	}
	for _, o := range out {
		o.Schema = "public"
		o.Func.Schema = "public"
	}
	return out
}

// distanceOperator is the operator of a metric over one type.
func distanceOperator(oid types.OID, metric types.Metric) *Operator {
	for _, f := range distanceFunctions {
		if f.Metric == metric && f.Args[0] == oid {
			return &Operator{
				Name: metric.Operator(), Left: oid, Right: oid, Result: types.Float8OID,
				Func: f, Commutator: metric.Operator(),
			}
		}
	}
	panic("expr: no distance function for " + metric.String())
}

func functionIn(family []*Function, name string, arg types.OID) *Function {
	for _, f := range family {
		if f.Name == name && f.Args[0] == arg {
			return f
		}
	}
	panic("expr: no function " + name)
}

// vectorComparisons are the six operators over one vector type: by elements,
// then by dimension.
func vectorComparisons(k vectorKind) []*Operator {
	return compareWith(k.oid, k.oid, k.name+"_%", func(a, b types.Datum) int { return types.Compare(k.oid, a, b) })
}

// vectorCompareFunctions are the support functions of the btree classes.
var vectorCompareFunctions = buildVectorCompares()

func buildVectorCompares() []*Function {
	var out []*Function
	for _, k := range vectorKinds {
		out = append(out, define2("public."+k.name+"_cmp("+k.name+", "+k.name+") int4", func(a, b types.Datum) (types.Datum, error) {
			return int64(types.Compare(k.oid, a, b)), nil
		}))
	}
	return out
}

// vectorCast is a row of pgvector's casts: convert gives the value without its
// typmod.
type vectorCast struct {
	name           string
	source, target string
	context        CastContext
	convert        func(types.Datum) (types.Datum, error)
}

func arrayAsVector(a types.Datum) (types.Datum, error) {
	return datum(types.ArrayToVector(a.(*types.Array)))
}

func arrayAsHalf(a types.Datum) (types.Datum, error) {
	return datum(types.ArrayToHalfVector(a.(*types.Array)))
}

func arrayAsSparse(a types.Datum) (types.Datum, error) {
	return datum(types.ArrayToSparse(a.(*types.Array)))
}

var vectorCastTable = []vectorCast{
	{"vector", "vector", "vector", CastImplicit, identity},
	{"array_to_vector", "int4[]", "vector", CastAssignment, arrayAsVector},
	{"array_to_vector", "float4[]", "vector", CastAssignment, arrayAsVector},
	{"array_to_vector", "float8[]", "vector", CastAssignment, arrayAsVector},
	{"array_to_vector", "numeric[]", "vector", CastAssignment, arrayAsVector},
	{"vector_to_float4", "vector", "float4[]", CastImplicit, func(a types.Datum) (types.Datum, error) {
		return types.VectorToArray(a.(types.Vector)), nil
	}},
	{"halfvec", "halfvec", "halfvec", CastImplicit, identity},
	{"halfvec_to_vector", "halfvec", "vector", CastAssignment, func(a types.Datum) (types.Datum, error) {
		return types.HalfToVector(a.(types.HalfVector)), nil
	}},
	{"vector_to_halfvec", "vector", "halfvec", CastImplicit, func(a types.Datum) (types.Datum, error) {
		return datum(types.VectorToHalf(a.(types.Vector)))
	}},
	{"array_to_halfvec", "int4[]", "halfvec", CastAssignment, arrayAsHalf},
	{"array_to_halfvec", "float4[]", "halfvec", CastAssignment, arrayAsHalf},
	{"array_to_halfvec", "float8[]", "halfvec", CastAssignment, arrayAsHalf},
	{"array_to_halfvec", "numeric[]", "halfvec", CastAssignment, arrayAsHalf},
	{"halfvec_to_float4", "halfvec", "float4[]", CastAssignment, func(a types.Datum) (types.Datum, error) {
		return types.VectorToArray(types.HalfToVector(a.(types.HalfVector))), nil
	}},
	{"sparsevec", "sparsevec", "sparsevec", CastImplicit, identity},
	{"sparsevec_to_vector", "sparsevec", "vector", CastAssignment, func(a types.Datum) (types.Datum, error) {
		return datum(types.SparseToVector(a.(types.SparseVector)))
	}},
	{"vector_to_sparsevec", "vector", "sparsevec", CastImplicit, func(a types.Datum) (types.Datum, error) {
		return datum(types.VectorToSparse(a.(types.Vector)))
	}},
	{"sparsevec_to_halfvec", "sparsevec", "halfvec", CastAssignment, func(a types.Datum) (types.Datum, error) {
		return datum(types.SparseToHalf(a.(types.SparseVector)))
	}},
	{"halfvec_to_sparsevec", "halfvec", "sparsevec", CastImplicit, func(a types.Datum) (types.Datum, error) {
		return datum(types.HalfToSparse(a.(types.HalfVector)))
	}},
	{"array_to_sparsevec", "int4[]", "sparsevec", CastAssignment, arrayAsSparse},
	{"array_to_sparsevec", "float4[]", "sparsevec", CastAssignment, arrayAsSparse},
	{"array_to_sparsevec", "float8[]", "sparsevec", CastAssignment, arrayAsSparse},
	{"array_to_sparsevec", "numeric[]", "sparsevec", CastAssignment, arrayAsSparse},
}

var vectorCasts = buildVectorCasts()

func buildVectorCasts() []CastRow {
	var out []CastRow
	for _, c := range vectorCastTable {
		f := define("public."+c.name+"("+c.source+", int4, bool) "+c.target, castEval(c))
		out = append(out, CastRow{Source: f.Args[0], Target: f.Result, Context: c.context, Func: f})
	}
	return out
}

// castEval takes the value alone, or with typmod and explicitness as pgvector's
// functions have them.
func castEval(c vectorCast) evalFunc {
	target := typeNamed(c.target)
	return func(_ *Context, args []types.Datum) (types.Datum, error) {
		v, err := c.convert(args[0])
		if err != nil || len(args) < 2 || strings.HasSuffix(c.target, "[]") || args[1].(int64) < 0 {
			return v, err
		}
		return types.ApplyTypmod(target, int32(args[1].(int64)), v, len(args) > 2 && args[2].(bool))
	}
}
