package expr

import (
	"math"

	"github.com/akidb/akidb/internal/types"
)

// moments gathers n, Σx and Σ(x-mean)² by the algorithm of Youngs and Cramer,
// as float8_accum of PostgreSQL does.
type moments struct {
	n, sum, squares float64
	result          func(*moments) (float64, bool)
}

func (m *moments) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	return m.add(float64Of(args[0]))
}

func (m *moments) add(x float64) error {
	old := m.sum
	m.n++
	m.sum += x
	if m.n == 1 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			m.squares = math.NaN()
		}
		return nil
	}
	d := x*m.n - m.sum
	m.squares += d * d / (m.n * (m.n - 1))
	if math.IsInf(m.sum, 0) || math.IsInf(m.squares, 0) {
		if !math.IsInf(old, 0) && !math.IsInf(x, 0) {
			return floatOverflow()
		}
		m.squares = math.NaN()
	}
	return nil
}

func (m *moments) Result() (types.Datum, error) {
	v, ok := m.result(m)
	if !ok {
		return nil, nil
	}
	return v, nil
}

func (m *moments) mean() (float64, bool)   { return m.sum / m.n, m.n > 0 }
func (m *moments) varPop() (float64, bool) { return m.squares / m.n, m.n > 0 }
func (m *moments) varSamp() (float64, bool) {
	return m.squares / (m.n - 1), m.n > 1
}
func (m *moments) stddevPop() (float64, bool)  { return math.Sqrt(m.squares / m.n), m.n > 0 }
func (m *moments) stddevSamp() (float64, bool) { return math.Sqrt(m.squares / (m.n - 1)), m.n > 1 }

// numericMoments is variance and standard deviation over integers and numerics,
// in exact sums.
type numericMoments struct {
	n            int64
	sum, squares *types.Numeric
	sample, root bool
}

func (m *numericMoments) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	var x *types.Numeric
	switch v := args[0].(type) {
	case int64:
		x = types.NumericFromInt64(v)
	case *types.Numeric:
		x = v
	}
	square, err := types.NumericMul(x, x)
	if err != nil {
		return err
	}
	m.n++
	if m.sum == nil {
		m.sum, m.squares = x, square
		return nil
	}
	if m.sum, err = types.NumericAdd(m.sum, x); err != nil {
		return err
	}
	m.squares, err = types.NumericAdd(m.squares, square)
	return err
}

// Result is (n·Σx² - (Σx)²) / (n·n or n·(n-1)), the formula of
// numeric_stddev_internal.
func (m *numericMoments) Result() (types.Datum, error) {
	if m.n == 0 || m.sample && m.n == 1 {
		return nil, nil
	}
	v, err := m.variance()
	if err != nil || !m.root {
		return numericDatum(v, err)
	}
	if types.NumericSign(v) == 0 {
		return types.NumericFromInt64(0), nil
	}
	scale := types.NumericScale(v)
	r, err := types.NumericSqrt(v)
	if err != nil {
		return nil, err
	}
	if types.NumericScale(r) > scale {
		return types.NumericRound(r, scale), nil
	}
	return r, nil
}

func (m *numericMoments) variance() (*types.Numeric, error) {
	n := types.NumericFromInt64(m.n)
	a, err := types.NumericMul(n, m.squares)
	if err != nil {
		return nil, err
	}
	b, err := types.NumericMul(m.sum, m.sum)
	if err != nil {
		return nil, err
	}
	numerator, err := types.NumericSub(a, b)
	if err != nil {
		return nil, err
	}
	if types.NumericSign(numerator) <= 0 && !types.NumericIsNaN(numerator) {
		return types.NumericFromInt64(0), nil
	}
	d := n
	if m.sample {
		d = types.NumericFromInt64(m.n - 1)
	}
	denominator, err := types.NumericMul(n, d)
	if err != nil {
		return nil, err
	}
	return types.NumericDiv(numerator, denominator)
}

// regression gathers the sums of a pair of variables: y first, as the
// functions take them.
type regression struct {
	n, sx, sxx, sy, syy, sxy float64
	result                   func(*regression) types.Datum
}

func (r *regression) Add(args []types.Datum) error {
	if args[0] == nil || args[1] == nil {
		return nil
	}
	y, x := args[0].(float64), args[1].(float64)
	oldX, oldY := r.sx, r.sy
	r.n++
	r.sx += x
	r.sy += y
	if r.n == 1 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			r.sxx, r.sxy = math.NaN(), math.NaN()
		}
		if math.IsNaN(y) || math.IsInf(y, 0) {
			r.syy, r.sxy = math.NaN(), math.NaN()
		}
		return nil
	}
	dx, dy, scale := x*r.n-r.sx, y*r.n-r.sy, 1/(r.n*(r.n-1))
	r.sxx += dx * dx * scale
	r.syy += dy * dy * scale
	r.sxy += dx * dy * scale
	return r.checkOverflow(oldX, x, oldY, y)
}

func (r *regression) checkOverflow(oldX, x, oldY, y float64) error {
	if !math.IsInf(r.sx, 0) && !math.IsInf(r.sxx, 0) && !math.IsInf(r.sy, 0) && !math.IsInf(r.syy, 0) && !math.IsInf(r.sxy, 0) {
		return nil
	}
	xInf, yInf := math.IsInf(oldX, 0) || math.IsInf(x, 0), math.IsInf(oldY, 0) || math.IsInf(y, 0)
	if (math.IsInf(r.sx, 0) || math.IsInf(r.sxx, 0)) && !xInf || (math.IsInf(r.sy, 0) || math.IsInf(r.syy, 0)) && !yInf ||
		math.IsInf(r.sxy, 0) && !xInf && !yInf {
		return floatOverflow()
	}
	if math.IsInf(r.sxx, 0) {
		r.sxx = math.NaN()
	}
	if math.IsInf(r.syy, 0) {
		r.syy = math.NaN()
	}
	if math.IsInf(r.sxy, 0) {
		r.sxy = math.NaN()
	}
	return nil
}

func (r *regression) Result() (types.Datum, error) { return r.result(r), nil }

// regressions are the functions of a pair; each gives nil where PostgreSQL
// gives NULL.
var regressions = map[string]func(*regression) types.Datum{
	"regr_sxx":  func(r *regression) types.Datum { return some(r.sxx, r.n >= 1) },
	"regr_syy":  func(r *regression) types.Datum { return some(r.syy, r.n >= 1) },
	"regr_sxy":  func(r *regression) types.Datum { return some(r.sxy, r.n >= 1) },
	"regr_avgx": func(r *regression) types.Datum { return some(r.sx/r.n, r.n >= 1) },
	"regr_avgy": func(r *regression) types.Datum { return some(r.sy/r.n, r.n >= 1) },
	"regr_slope": func(r *regression) types.Datum {
		return some(r.sxy/r.sxx, r.n >= 1 && r.sxx != 0)
	},
	"regr_intercept": func(r *regression) types.Datum {
		return some((r.sy-r.sx*r.sxy/r.sxx)/r.n, r.n >= 1 && r.sxx != 0)
	},
	"regr_r2": func(r *regression) types.Datum {
		if r.n >= 1 && r.sxx != 0 && r.syy == 0 {
			return 1.0
		}
		return some(r.sxy*r.sxy/(r.sxx*r.syy), r.n >= 1 && r.sxx != 0)
	},
	"covar_pop":  func(r *regression) types.Datum { return some(r.sxy/r.n, r.n >= 1) },
	"covar_samp": func(r *regression) types.Datum { return some(r.sxy/(r.n-1), r.n >= 2) },
	"corr": func(r *regression) types.Datum {
		return some(r.sxy/math.Sqrt(r.sxx*r.syy), r.n >= 1 && r.sxx != 0 && r.syy != 0)
	},
}

func some(v float64, ok bool) types.Datum {
	if !ok {
		return nil
	}
	return v
}

var statisticAggregates = buildStatistics()

func buildStatistics() []*Function {
	var out []*Function
	for _, s := range []struct {
		names        []string
		float        func(*moments) (float64, bool)
		sample, root bool
	}{
		{[]string{"var_pop"}, (*moments).varPop, false, false},
		{[]string{"var_samp", "variance"}, (*moments).varSamp, true, false},
		{[]string{"stddev_pop"}, (*moments).stddevPop, false, true},
		{[]string{"stddev_samp", "stddev"}, (*moments).stddevSamp, true, true},
	} {
		for _, name := range s.names {
			for _, t := range []string{"int2", "int4", "int8", "numeric"} {
				out = append(out, simple(name+"("+t+") numeric", func() *numericMoments {
					return &numericMoments{sample: s.sample, root: s.root}
				}))
			}
			for _, t := range []string{"float4", "float8"} {
				out = append(out, simple(name+"("+t+") float8", func() *moments { return &moments{result: s.float} }))
			}
		}
	}
	for name, result := range regressions {
		out = append(out, simple(name+"(float8, float8) float8", func() *regression { return &regression{result: result} }))
	}
	return append(out, simple("regr_count(float8, float8) int8", func() *regression {
		return &regression{result: func(r *regression) types.Datum { return int64(r.n) }}
	}))
}
