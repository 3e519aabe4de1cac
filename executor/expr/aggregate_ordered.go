package expr

import (
	"math"
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// orderedSet is the row of an ordered-set aggregate: direct arguments, then the
// column of WITHIN GROUP (ORDER BY).
func orderedSet(declaration string, start func(ctx *Context, args []Type) Accumulator) *Function {
	f := aggregate(declaration, start)
	f.Aggregate.OrderedSet = true
	return f
}

// sortedValues gathers the sorted values that are not NULL and the direct argument.
type sortedValues struct {
	direct types.Datum
	values []types.Datum
	// at makes the result for one fraction; NULL and the empty set are not asked for.
	at func(values []types.Datum, fraction float64) (types.Datum, error)
	// elem is the element type of the result when the direct argument is an array.
	elem types.OID
}

func (s *sortedValues) Add(args []types.Datum) error {
	s.direct = args[0]
	if v := args[len(args)-1]; v != nil {
		s.values = append(s.values, v)
	}
	return nil
}

func (s *sortedValues) Result() (types.Datum, error) {
	if s.direct == nil {
		return nil, nil
	}
	fractions, many := s.direct.(*types.Array)
	if !many {
		return s.one(s.direct)
	}
	if len(s.values) == 0 {
		return nil, nil
	}
	out := *fractions
	out.Elem = s.elem
	out.Elems = make([]types.Datum, len(fractions.Elems))
	for i, f := range fractions.Elems {
		v, err := s.one(f)
		if err != nil {
			return nil, err
		}
		out.Elems[i] = v
	}
	return &out, nil
}

func (s *sortedValues) one(fraction types.Datum) (types.Datum, error) {
	if fraction == nil {
		return nil, nil
	}
	f := fraction.(float64)
	if !(f >= 0 && f <= 1) {
		return nil, pgerr.Newf(pgerr.NumericValueOutOfRange, "percentile value %s is not between 0 and 1", strconv.FormatFloat(f, 'g', 6, 64))
	}
	if len(s.values) == 0 {
		return nil, nil
	}
	return s.at(s.values, f)
}

// discrete is the first value whose position is at least the fraction.
func discrete(values []types.Datum, fraction float64) (types.Datum, error) {
	row := int(math.Ceil(fraction * float64(len(values))))
	return values[max(row-1, 0)], nil
}

// continuous interpolates between the two values around the fraction.
func continuous(between func(low, high types.Datum, part float64) (types.Datum, error)) func([]types.Datum, float64) (types.Datum, error) {
	return func(values []types.Datum, fraction float64) (types.Datum, error) {
		at := fraction * float64(len(values)-1)
		low, high := math.Floor(at), math.Ceil(at)
		if low == high {
			return values[int(low)], nil
		}
		return between(values[int(low)], values[int(high)], at-low)
	}
}

func betweenFloats(low, high types.Datum, part float64) (types.Datum, error) {
	a, b := low.(float64), high.(float64)
	return a + part*(b-a), nil
}

func betweenIntervals(low, high types.Datum, part float64) (types.Datum, error) {
	a, b := low.(types.Interval), high.(types.Interval)
	d, err := b.Sub(a)
	if err != nil {
		return nil, err
	}
	if d, err = d.Mul(part); err != nil {
		return nil, err
	}
	r, err := a.Add(d)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// modeValue is mode(): the first of the most frequent values, which come sorted.
type modeValue struct {
	cmp             compareFunc
	last, best      types.Datum
	count, maxCount int
}

func (m *modeValue) Add(args []types.Datum) error {
	v := args[len(args)-1]
	if v == nil {
		return nil
	}
	if m.last != nil && m.cmp(m.last, v) == 0 {
		m.count++
	} else {
		m.last, m.count = v, 1
	}
	if m.count > m.maxCount {
		m.best, m.maxCount = m.last, m.count
	}
	return nil
}

func (m *modeValue) Result() (types.Datum, error) { return m.best, nil }

func percentile(declaration string, elem types.OID, at func([]types.Datum, float64) (types.Datum, error)) *Function {
	return orderedSet(declaration, func(_ *Context, args []Type) Accumulator {
		s := &sortedValues{at: at, elem: elem}
		if elem == 0 && len(args) > 0 {
			s.elem = args[len(args)-1].OID
		}
		return s
	})
}

var orderedAggregates = []*Function{
	percentile("percentile_disc(float8, anyelement) anyelement", 0, discrete),
	percentile("percentile_disc(float8[], anyelement) anyarray", 0, discrete),
	percentile("percentile_cont(float8, float8) float8", types.Float8OID, continuous(betweenFloats)),
	percentile("percentile_cont(float8[], float8) float8[]", types.Float8OID, continuous(betweenFloats)),
	percentile("percentile_cont(float8, interval) interval", types.IntervalOID, continuous(betweenIntervals)),
	percentile("percentile_cont(float8[], interval) interval[]", types.IntervalOID, continuous(betweenIntervals)),
	orderedSet("mode(anyelement) anyelement", func(ctx *Context, args []Type) Accumulator {
		oid := types.TextOID
		if len(args) > 0 {
			oid = args[len(args)-1].OID
		}
		return &modeValue{cmp: orderOf(oid)}
	}),
}
