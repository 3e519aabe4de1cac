package expr

import (
	"math"
	"math/big"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions of numbers but for trigonometry and chance: chapter "Mathematical
// Functions and Operators".
var mathFunctions = buildMath()

func buildMath() []*Function {
	var out []*Function
	for _, t := range integers {
		out = append(out,
			define1("abs(int"+t.width+") int"+t.width, t.abs),
			define2("mod(int"+t.width+", int"+t.width+") int"+t.width, t.mod))
	}
	for _, t := range integers[1:] {
		out = append(out,
			define2("gcd(int"+t.width+", int"+t.width+") int"+t.width, t.gcd),
			define2("lcm(int"+t.width+", int"+t.width+") int"+t.width, t.lcm))
	}
	out = append(out, roundingFunctions()...)
	out = append(out, powerFunctions()...)
	return append(out, numericFunctions()...)
}

// float1 is a function of a double without errors of its own.
func float1(name string, f func(float64) float64) *Function {
	return define1(name+"(float8) float8", func(a types.Datum) (types.Datum, error) { return f(a.(float64)), nil })
}

// floatChecked is float1 for a function that reports its errors.
func floatChecked(name string, f func(float64) (float64, error)) *Function {
	return define1(name+"(float8) float8", func(a types.Datum) (types.Datum, error) { return datum(f(a.(float64))) })
}

func numeric1(name string, f func(*types.Numeric) *types.Numeric) *Function {
	return define1(name+"(numeric) numeric", func(a types.Datum) (types.Datum, error) { return f(a.(*types.Numeric)), nil })
}

func numericChecked(name string, f func(*types.Numeric) (*types.Numeric, error)) *Function {
	return define1(name+"(numeric) numeric", func(a types.Datum) (types.Datum, error) { return datum(f(a.(*types.Numeric))) })
}

func roundNumeric(d *types.Numeric) *types.Numeric { return types.NumericRound(d, 0) }

func truncNumeric(d *types.Numeric) *types.Numeric { return types.NumericTrunc(d, 0) }

// maxScale bounds the second argument of round and trunc, as numeric.c does.
const maxScale = 2000

func scaleOf(d types.Datum) int32 {
	return int32(max(-maxScale, min(maxScale, d.(int64))))
}

func roundingFunctions() []*Function {
	return []*Function{
		numeric1("abs", types.NumericAbs),
		float1("abs", math.Abs),
		define1("abs(float4) float4", func(a types.Datum) (types.Datum, error) {
			return float32(math.Abs(float64(a.(float32)))), nil
		}),
		numeric1("ceil", types.NumericCeil), float1("ceil", math.Ceil),
		numeric1("ceiling", types.NumericCeil), float1("ceiling", math.Ceil),
		numeric1("floor", types.NumericFloor), float1("floor", math.Floor),
		numeric1("round", roundNumeric), float1("round", math.RoundToEven),
		numeric1("trunc", truncNumeric), float1("trunc", math.Trunc),
		define2("round(numeric, int4) numeric", func(a, b types.Datum) (types.Datum, error) {
			return types.NumericRound(a.(*types.Numeric), scaleOf(b)), nil
		}),
		define2("trunc(numeric, int4) numeric", func(a, b types.Datum) (types.Datum, error) {
			return types.NumericTrunc(a.(*types.Numeric), scaleOf(b)), nil
		}),
		float1("sign", func(f float64) float64 {
			switch {
			case f > 0:
				return 1
			case f < 0:
				return -1
			case f == 0:
				return 0
			}
			return f
		}),
		define1("sign(numeric) numeric", func(a types.Datum) (types.Datum, error) {
			if types.NumericIsNaN(a.(*types.Numeric)) {
				return a, nil
			}
			return types.NumericFromInt64(int64(types.NumericSign(a.(*types.Numeric)))), nil
		}),
	}
}

func powerFunctions() []*Function {
	return []*Function{
		define2("power(float8, float8) float8", floatPower),
		define2("pow(float8, float8) float8", floatPower),
		define2("power(numeric, numeric) numeric", numeric2(types.NumericPower)),
		define2("pow(numeric, numeric) numeric", numeric2(types.NumericPower)),
		define1("sqrt(float8) float8", floatSqrt),
		numericChecked("sqrt", types.NumericSqrt),
		float1("cbrt", math.Cbrt),
		floatChecked("exp", floatExp),
		numericChecked("exp", types.NumericExp),
		floatChecked("ln", func(f float64) (float64, error) { return floatLog(f, math.Log) }),
		numericChecked("ln", types.NumericLn),
		floatChecked("log", func(f float64) (float64, error) { return floatLog(f, math.Log10) }),
		floatChecked("log10", func(f float64) (float64, error) { return floatLog(f, math.Log10) }),
		numericChecked("log", numericLog10),
		numericChecked("log10", numericLog10),
		define2("log(numeric, numeric) numeric", numeric2(types.NumericLog)),
		float1("erf", math.Erf),
		float1("erfc", math.Erfc),
	}
}

func numericFunctions() []*Function {
	return []*Function{
		define2("mod(numeric, numeric) numeric", numeric2(types.NumericMod)),
		define2("div(numeric, numeric) numeric", numeric2(numericQuotient)),
		define2("gcd(numeric, numeric) numeric", numeric2(numericGCD)),
		define2("lcm(numeric, numeric) numeric", numeric2(numericLCM)),
		define1("factorial(int8) numeric", func(a types.Datum) (types.Datum, error) { return datum(factorial(a.(int64))) }),
		define1("scale(numeric) int4", func(a types.Datum) (types.Datum, error) {
			if notFiniteNumeric(a.(*types.Numeric)) {
				return nil, nil
			}
			return int64(types.NumericScale(a.(*types.Numeric))), nil
		}),
		define1("min_scale(numeric) int4", func(a types.Datum) (types.Datum, error) {
			if notFiniteNumeric(a.(*types.Numeric)) {
				return nil, nil
			}
			return int64(minScale(a.(*types.Numeric))), nil
		}),
		define1("trim_scale(numeric) numeric", func(a types.Datum) (types.Datum, error) {
			d := a.(*types.Numeric)
			if notFiniteNumeric(d) {
				return d, nil
			}
			return types.NumericTrunc(d, minScale(d)), nil
		}),
	}
}

// notFiniteNumeric is true for NaN and the infinities.
func notFiniteNumeric(d *types.Numeric) bool { return d.Form != 0 }

// minScale is the smallest scale that loses no digit.
func minScale(d *types.Numeric) int32 {
	scale := types.NumericScale(d)
	if d.Coeff.Sign() == 0 {
		return 0
	}
	digits := d.Coeff.String()
	for scale > 0 && len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		scale--
	}
	return scale
}

func floatExp(f float64) (float64, error) {
	r := math.Exp(f)
	if math.IsInf(r, 1) && !math.IsInf(f, 1) {
		return 0, floatOverflow()
	}
	if r == 0 && !math.IsInf(f, -1) {
		return 0, floatUnderflow()
	}
	return r, nil
}

func floatLog(f float64, log func(float64) float64) (float64, error) {
	if f == 0 {
		return 0, pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
	}
	if f < 0 {
		return 0, pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
	}
	return log(f), nil
}

func numericLog10(d *types.Numeric) (*types.Numeric, error) {
	return types.NumericLog(types.NumericFromInt64(10), d)
}

// numericQuotient is the whole part of a / b: what is left when the remainder
// is taken off divides without rounding.
func numericQuotient(a, b *types.Numeric) (*types.Numeric, error) {
	if notFiniteNumeric(a) || notFiniteNumeric(b) {
		q, err := types.NumericDiv(a, b)
		if err != nil {
			return nil, err
		}
		return types.NumericTrunc(q, 0), nil
	}
	rest, err := types.NumericMod(a, b)
	if err != nil {
		return nil, err
	}
	whole, err := types.NumericSub(a, rest)
	if err != nil {
		return nil, err
	}
	q, err := types.NumericDiv(whole, b)
	if err != nil {
		return nil, err
	}
	return types.NumericRound(q, 0), nil
}

func numericGCD(a, b *types.Numeric) (*types.Numeric, error) {
	if notFiniteNumeric(a) || notFiniteNumeric(b) {
		return types.ParseNumeric("NaN")
	}
	scale := max(types.NumericScale(a), types.NumericScale(b))
	a, b = types.NumericAbs(a), types.NumericAbs(b)
	for types.NumericSign(b) != 0 {
		r, err := types.NumericMod(a, b)
		if err != nil {
			return nil, err
		}
		a, b = b, r
	}
	return types.NumericRound(a, scale), nil
}

func numericLCM(a, b *types.Numeric) (*types.Numeric, error) {
	if notFiniteNumeric(a) || notFiniteNumeric(b) {
		return types.ParseNumeric("NaN")
	}
	scale := max(types.NumericScale(a), types.NumericScale(b))
	if types.NumericSign(a) == 0 || types.NumericSign(b) == 0 {
		return types.NumericRound(types.NumericFromInt64(0), scale), nil
	}
	g, err := numericGCD(a, b)
	if err != nil {
		return nil, err
	}
	q, err := numericQuotient(a, g)
	if err != nil {
		return nil, err
	}
	r, err := types.NumericMul(q, b)
	if err != nil {
		return nil, err
	}
	return types.NumericRound(types.NumericAbs(r), scale), nil
}

// maxFactorial is the largest argument whose factorial numeric can hold.
const maxFactorial = 32177

func factorial(n int64) (*types.Numeric, error) {
	if n < 0 {
		return nil, pgerr.New(pgerr.NumericValueOutOfRange, "factorial of a negative number is undefined")
	}
	if n > maxFactorial {
		return nil, pgerr.New(pgerr.NumericValueOutOfRange, "value overflows numeric format")
	}
	return types.ParseNumeric(new(big.Int).MulRange(1, n).String())
}

// gcd refuses the one result that is out of range: 2^31 or 2^63.
func (t integer) gcd(a, b types.Datum) (types.Datum, error) {
	x, y := magnitude(a.(int64)), magnitude(b.(int64))
	for y != 0 {
		x, y = y, x%y
	}
	if x > uint64(t.max) {
		return nil, t.outOfRange()
	}
	return int64(x), nil
}

func (t integer) lcm(a, b types.Datum) (types.Datum, error) {
	if a.(int64) == 0 || b.(int64) == 0 {
		return int64(0), nil
	}
	x, y := magnitude(a.(int64)), magnitude(b.(int64))
	g, r := x, y
	for r != 0 {
		g, r = r, g%r
	}
	product := new(big.Int).Mul(new(big.Int).SetUint64(x/g), new(big.Int).SetUint64(y))
	if !product.IsInt64() || product.Int64() > t.max {
		return nil, t.outOfRange()
	}
	return product.Int64(), nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n) // also right for the smallest: -n is itself
	}
	return uint64(n)
}
