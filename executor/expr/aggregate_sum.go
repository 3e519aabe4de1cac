package expr

import (
	"math"
	"math/big"

	"github.com/akidb/akidb/internal/types"
)

// integerSum adds integers exactly: in a machine word while that suffices, and
// in high beyond.
type integerSum struct {
	n    int64
	low  int64
	high *big.Int
}

func (s *integerSum) add(v int64) {
	s.n++
	sum := s.low + v
	if (sum > s.low) != (v > 0) && v != 0 {
		if s.high == nil {
			s.high = new(big.Int)
		}
		s.high.Add(s.high, big.NewInt(s.low))
		sum = v
	}
	s.low = sum
}

func (s *integerSum) numeric() (*types.Numeric, error) {
	if s.high == nil {
		return types.NumericFromInt64(s.low), nil
	}
	return types.ParseNumeric(new(big.Int).Add(s.high, big.NewInt(s.low)).String())
}

func (s *integerSum) Add(args []types.Datum) error {
	if args[0] != nil {
		s.add(args[0].(int64))
	}
	return nil
}

// bigintSum is sum(int2) and sum(int4): bigint, and an error beyond it.
type bigintSum struct{ integerSum }

func (s *bigintSum) Result() (types.Datum, error) {
	if s.n == 0 {
		return nil, nil
	}
	if s.high != nil {
		return nil, integers[2].outOfRange()
	}
	return s.low, nil
}

// numericIntegerSum is sum(int8): numeric.
type numericIntegerSum struct{ integerSum }

func (s *numericIntegerSum) Result() (types.Datum, error) {
	if s.n == 0 {
		return nil, nil
	}
	return numericDatum(s.numeric())
}

// numericDatum keeps a nil *Numeric from becoming a Datum that is not nil.
func numericDatum(n *types.Numeric, err error) (types.Datum, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

// integerAverage is avg over integers: numeric.
type integerAverage struct{ integerSum }

func (s *integerAverage) Result() (types.Datum, error) {
	if s.n == 0 {
		return nil, nil
	}
	sum, err := s.numeric()
	if err != nil {
		return nil, err
	}
	return numericDatum(types.NumericDiv(sum, types.NumericFromInt64(s.n)))
}

// numericSum is sum and avg over numeric.
type numericSum struct {
	n       int64
	sum     *types.Numeric
	average bool
}

func (s *numericSum) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	s.n++
	v := args[0].(*types.Numeric)
	if s.sum == nil {
		s.sum = v
		return nil
	}
	sum, err := types.NumericAdd(s.sum, v)
	if err != nil {
		return err
	}
	s.sum = sum
	return nil
}

func (s *numericSum) Result() (types.Datum, error) {
	if s.n == 0 {
		return nil, nil
	}
	if s.average {
		return numericDatum(types.NumericDiv(s.sum, types.NumericFromInt64(s.n)))
	}
	return s.sum, nil
}

// floatSum is sum over float8, and over float4 (single) which adds in float4.
type floatSum struct {
	any    bool
	sum    float64
	single bool
}

func (s *floatSum) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	v := float64Of(args[0])
	if !s.any {
		s.any, s.sum = true, v
		return nil
	}
	sum := s.sum + v
	if s.single {
		sum = float64(float32(sum))
	}
	if math.IsInf(sum, 0) && !math.IsInf(s.sum, 0) && !math.IsInf(v, 0) {
		return floatOverflow()
	}
	s.sum = sum
	return nil
}

func (s *floatSum) Result() (types.Datum, error) {
	if !s.any {
		return nil, nil
	}
	if s.single {
		return float32(s.sum), nil
	}
	return s.sum, nil
}

// intervalSum is sum and avg over interval.
type intervalSum struct {
	n       int64
	sum     types.Interval
	average bool
}

func (s *intervalSum) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	s.n++
	sum, err := s.sum.Add(args[0].(types.Interval))
	if err != nil {
		return err
	}
	s.sum = sum
	return nil
}

func (s *intervalSum) Result() (types.Datum, error) {
	if s.n == 0 {
		return nil, nil
	}
	if s.average {
		return intervalDiv(s.sum, float64(s.n))
	}
	return s.sum, nil
}

var sumAggregates = []*Function{
	simple("sum(int2) int8", func() *bigintSum { return &bigintSum{} }),
	simple("sum(int4) int8", func() *bigintSum { return &bigintSum{} }),
	simple("sum(int8) numeric", func() *numericIntegerSum { return &numericIntegerSum{} }),
	simple("sum(numeric) numeric", func() *numericSum { return &numericSum{} }),
	simple("sum(float4) float4", func() *floatSum { return &floatSum{single: true} }),
	simple("sum(float8) float8", func() *floatSum { return &floatSum{} }),
	simple("sum(interval) interval", func() *intervalSum { return &intervalSum{} }),
	simple("avg(int2) numeric", func() *integerAverage { return &integerAverage{} }),
	simple("avg(int4) numeric", func() *integerAverage { return &integerAverage{} }),
	simple("avg(int8) numeric", func() *integerAverage { return &integerAverage{} }),
	simple("avg(numeric) numeric", func() *numericSum { return &numericSum{average: true} }),
	simple("avg(float4) float8", func() *moments { return &moments{result: (*moments).mean} }),
	simple("avg(float8) float8", func() *moments { return &moments{result: (*moments).mean} }),
	simple("avg(interval) interval", func() *intervalSum { return &intervalSum{average: true} }),
}
