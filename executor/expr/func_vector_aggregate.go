package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// vectorAggregates are avg and sum over vector and halfvec, and the functions
// that pgvector builds them from: a state is {count, sums…} in float8[].
var vectorAggregates = []*Function{
	vectorAggregate("public.avg(vector) vector", func() Accumulator { return &vectorAverage{result: averageVector} }),
	vectorAggregate("public.avg(halfvec) halfvec", func() Accumulator { return &vectorAverage{result: averageHalf} }),
	vectorAggregate("public.sum(vector) vector", func() Accumulator { return &vectorSum{add: vectorAdd} }),
	vectorAggregate("public.sum(halfvec) halfvec", func() Accumulator { return &vectorSum{add: halfvecAdd} }),
	define2("public.vector_accum(float8[], vector) float8[]", accumulateVector),
	define2("public.halfvec_accum(float8[], halfvec) float8[]", func(a, b types.Datum) (types.Datum, error) {
		return accumulateVector(a, types.HalfToVector(b.(types.HalfVector)))
	}),
	define2("public.vector_combine(float8[], float8[]) float8[]", combineStates),
	define2("public.halfvec_combine(float8[], float8[]) float8[]", combineStates),
	define1("public.vector_avg(float8[]) vector", func(a types.Datum) (types.Datum, error) {
		s, err := stateOf(a)
		if err != nil || s.count == 0 {
			return nil, err
		}
		return averageVector(s)
	}),
	define1("public.halfvec_avg(float8[]) halfvec", func(a types.Datum) (types.Datum, error) {
		s, err := stateOf(a)
		if err != nil || s.count == 0 {
			return nil, err
		}
		return averageHalf(s)
	}),
}

func vectorAggregate(declaration string, start func() Accumulator) *Function {
	f := declare(declaration)
	f.NotStrict = true
	f.Aggregate = &Aggregate{New: func(*Context, []Type) Accumulator { return start() }}
	return f
}

// vectorState is a count and the sums of each dimension.
type vectorState struct {
	count float64
	sums  []float64
}

func (s *vectorState) add(v types.Vector) error {
	if s.count == 0 {
		s.sums = make([]float64, len(v))
	} else if len(v) != len(s.sums) {
		return pgerr.Newf(pgerr.DataException, "expected %d dimensions, not %d", len(s.sums), len(v))
	}
	s.count++
	for i, x := range v {
		s.sums[i] += float64(x)
		if math.IsInf(s.sums[i], 0) {
			return floatOverflow()
		}
	}
	return nil
}

func (s *vectorState) mean() types.Vector {
	out := make(types.Vector, len(s.sums))
	for i, sum := range s.sums {
		out[i] = float32(sum / s.count)
	}
	return out
}

func averageVector(s *vectorState) (types.Datum, error) {
	v := s.mean()
	return datum(v, types.CheckVector(v))
}

func averageHalf(s *vectorState) (types.Datum, error) { return datum(types.VectorToHalf(s.mean())) }

// vectorAverage is avg.
type vectorAverage struct {
	state  vectorState
	result func(*vectorState) (types.Datum, error)
}

// Add skips NULL.
func (a *vectorAverage) Add(args []types.Datum) error {
	switch v := args[0].(type) {
	case types.Vector:
		return a.state.add(v)
	case types.HalfVector:
		return a.state.add(types.HalfToVector(v))
	}
	return nil
}

// Result is NULL for no rows.
func (a *vectorAverage) Result() (types.Datum, error) {
	if a.state.count == 0 {
		return nil, nil
	}
	return a.result(&a.state)
}

// vectorSum is sum, which adds in the type itself.
type vectorSum struct {
	sum types.Datum
	add eval2Func
}

// Add skips NULL.
func (a *vectorSum) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	if a.sum == nil {
		a.sum = args[0]
		return nil
	}
	sum, err := a.add(a.sum, args[0])
	if err != nil {
		return err
	}
	a.sum = sum
	return nil
}

// Result is NULL for no rows.
func (a *vectorSum) Result() (types.Datum, error) { return a.sum, nil }

// stateOf reads a state out of a float8[]; {0} is the empty one.
func stateOf(d types.Datum) (*vectorState, error) {
	elems := d.(*types.Array).Elems
	if len(elems) == 0 {
		return nil, pgerr.New(pgerr.DataException, "vector_accum: expected state array")
	}
	s := &vectorState{sums: make([]float64, len(elems)-1)}
	for i, e := range elems {
		f, ok := e.(float64)
		if !ok {
			return nil, pgerr.New(pgerr.DataException, "vector_accum: expected state array")
		}
		if i == 0 {
			s.count = f
		} else {
			s.sums[i-1] = f
		}
	}
	return s, nil
}

func (s *vectorState) array() *types.Array {
	elems := make([]types.Datum, 1, len(s.sums)+1)
	elems[0] = s.count
	for _, x := range s.sums {
		elems = append(elems, x)
	}
	return types.NewArray(types.Float8OID, elems)
}

func accumulateVector(a, b types.Datum) (types.Datum, error) {
	s, err := stateOf(a)
	if err != nil {
		return nil, err
	}
	if err := s.add(b.(types.Vector)); err != nil {
		return nil, err
	}
	return s.array(), nil
}

func combineStates(a, b types.Datum) (types.Datum, error) {
	x, err := stateOf(a)
	if err != nil {
		return nil, err
	}
	y, err := stateOf(b)
	if err != nil {
		return nil, err
	}
	switch {
	case x.count == 0:
		return b, nil
	case y.count == 0:
		return a, nil
	case len(x.sums) != len(y.sums):
		return nil, pgerr.Newf(pgerr.DataException, "expected %d dimensions, not %d", len(x.sums), len(y.sums))
	}
	x.count += y.count
	for i := range x.sums {
		x.sums[i] += y.sums[i]
		if math.IsInf(x.sums[i], 0) {
			return nil, floatOverflow()
		}
	}
	return x.array(), nil
}
