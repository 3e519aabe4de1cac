package types

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/cockroachdb/apd/v3"
)

// NumericPower returns a raised to b.
func NumericPower(a, b *Numeric) (*Numeric, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return powerSpecial(a, b)
	}
	if NumericSign(a) == 0 && NumericSign(b) < 0 {
		return nil, zeroToNegative()
	}
	if NumericSign(a) < 0 && !isInteger(b) {
		return nil, complexPower()
	}
	if isInteger(b) {
		if n, err := NumericToInt64(b); err == nil && n >= math.MinInt32 && n <= math.MaxInt32 {
			return powerInt(a, n, b)
		}
	}
	if NumericSign(a) == 0 {
		return apd.New(0, -numericMinSigDigits), nil
	}
	return powerLn(a, b)
}

func zeroToNegative() error {
	return pgerr.New(pgerr.InvalidArgumentForPower, "zero raised to a negative power is undefined")
}

func complexPower() error {
	return pgerr.New(pgerr.InvalidArgumentForPower, "a negative number raised to a non-integer power yields a complex result")
}

// isInteger tells whether a finite number has no fraction.
func isInteger(d *Numeric) bool {
	return NumericCmp(NumericTrunc(d, 0), d) == 0
}

func isOdd(d *Numeric) bool {
	t := NumericTrunc(d, 0)
	return t.Coeff.Bit(0) == 1
}

// powerSpecial follows numeric_power's rules for NaN and infinities.
func powerSpecial(a, b *Numeric) (*Numeric, error) {
	one := func(d *Numeric) bool { return NumericCmp(d, numericOne) == 0 }
	switch {
	case isNaN(a):
		if !isNaN(b) && NumericSign(b) == 0 {
			return numericOne, nil
		}
		return numericNaN, nil
	case isNaN(b):
		if one(a) {
			return numericOne, nil
		}
		return numericNaN, nil
	case NumericSign(a) == 0 && NumericSign(b) < 0:
		return nil, zeroToNegative()
	case NumericSign(a) < 0 && !isInf(a) && !isInf(b) && !isInteger(b):
		return nil, complexPower()
	case one(a), NumericSign(b) == 0:
		return numericOne, nil
	case isInf(b):
		return powerToInfinity(a, b), nil
	case isInf(a) && a.Negative:
		return powerOfNegInfinity(b)
	case NumericSign(b) < 0:
		return apd.New(0, 0), nil
	}
	return numericInf, nil
}

func powerToInfinity(a, b *Numeric) *Numeric {
	if NumericSign(a) == 0 {
		return apd.New(0, 0)
	}
	c := NumericCmp(NumericAbs(a), numericOne)
	switch {
	case c == 0:
		return numericOne
	case (c > 0) == !b.Negative:
		return numericInf
	}
	return apd.New(0, 0)
}

func powerOfNegInfinity(b *Numeric) (*Numeric, error) {
	switch {
	case !isInteger(b):
		return nil, complexPower()
	case NumericSign(b) < 0:
		return apd.New(0, 0), nil
	case isOdd(b):
		return numericNegInf, nil
	}
	return numericInf, nil
}

// powerInt is power_var_int: an estimate of the result's weight gives its scale.
func powerInt(base *Numeric, n int64, exp *Numeric) (*Numeric, error) {
	f := 0.0
	if NumericSign(base) != 0 {
		f = float64(n) * log10Estimate(base)
	}
	if f > numericMaxWeightDigits {
		return nil, numericOverflow()
	}
	if f+1 < -numericMaxDisplayScale {
		return apd.New(0, -numericMaxDisplayScale), nil
	}
	scale := displayScale(numericMinSigDigits-int(f), base, exp)
	switch {
	case n == 0:
		return numericRescale(numericOne, scale, roundHalfUp), nil
	case n == 1:
		return numericRescale(base, scale, roundHalfUp), nil
	case n == -1:
		return checkNumeric(numericQuo(numericOne, base, scale, roundHalfUp))
	case NumericSign(base) == 0:
		return apd.New(0, int32(-scale)), nil
	}
	return powerRepeated(base, n, f, scale)
}

// log10Estimate is log10(|d|) from up to four digits in base 10000, reckoned as
// PostgreSQL does so that the scale chosen from it is the same.
func log10Estimate(d *Numeric) float64 {
	digits, weight := base10000(d)
	f := float64(digits[0])
	p := weight * 4
	for i := 1; i < len(digits) && i < 4; i++ {
		f = f*10000 + float64(digits[i])
		p -= 4
	}
	return math.Log10(f) + float64(p)
}

// powerRepeated squares and multiplies with enough digits for the scale.
func powerRepeated(base *Numeric, n int64, weight float64, scale int) (*Numeric, error) {
	m := uint64(max(n, -n))
	digits := scale + int(max(weight, 0)) + 12 + int(math.Log10(float64(m)))
	ctx := wideContext(digits)
	ctx.Rounding = apd.RoundHalfUp
	result, square := apd.New(1, 0), new(apd.Decimal).Set(base)
	for ; m > 0; m >>= 1 {
		if m&1 == 1 {
			if _, err := ctx.Mul(result, result, square); err != nil {
				return nil, err
			}
		}
		if m > 1 {
			if _, err := ctx.Mul(square, square, square); err != nil {
				return nil, err
			}
		}
	}
	if n < 0 {
		if _, err := ctx.Quo(result, numericOne, result); err != nil {
			return nil, err
		}
	}
	return finish(result, scale)
}

// powerLn is the general case, e^(b ln a).
func powerLn(a, b *Numeric) (*Numeric, error) {
	negative := a.Negative && isOdd(b)
	a = NumericAbs(a)
	// PostgreSQL estimates with about 8 digits of ln(a); so must we.
	unit := math.Pow10(max(8-lnWeight(a), 0))
	val := math.Round(math.Round(lnEstimate(a)*unit)/unit*numericToFloat(b)*unit) / unit
	if math.Abs(val) > numericMaxResultScale*3.01 {
		if val > 0 {
			return nil, numericOverflow()
		}
		return apd.New(0, -numericMaxDisplayScale), nil
	}
	weight := val * math.Log10E
	scale := displayScale(numericMinSigDigits-int(weight), a, b)
	digits := scale + int(math.Abs(weight)) + 12
	ln, err := lnWide(a, digits+numericDigits(b))
	if err != nil {
		return nil, err
	}
	x := new(apd.Decimal)
	if _, err = wideContext(digits+numericDigits(b)).Mul(x, ln, b); err != nil {
		return nil, err
	}
	out, err := expWide(x, val, scale)
	if err == nil && negative {
		out = NumericNeg(out)
	}
	return out, err
}
