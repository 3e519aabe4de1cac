package types

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/cockroachdb/apd/v3"
)

// wideContext computes with enough digits that rounding to PostgreSQL's scale
// afterwards gives PostgreSQL's result.
func wideContext(digits int) *apd.Context {
	c := apd.BaseContext.WithPrecision(uint32(max(digits, 20)))
	c.MaxExponent, c.MinExponent = apd.MaxExponent, apd.MinExponent
	c.Traps = 0
	return c
}

// finish turns a wide result into a numeric of the scale.
func finish(d *apd.Decimal, scale int) (*Numeric, error) {
	if d.Form != apd.Finite {
		return nil, numericOverflow()
	}
	if d.Exponent > 0 {
		d.Coeff.Mul(&d.Coeff, tenTo(int(d.Exponent)))
		d.Exponent = 0
	}
	d.Negative = d.Negative && d.Coeff.Sign() != 0
	return checkNumeric(numericRescale(d, scale, roundHalfUp))
}

// NumericSqrt returns the square root.
func NumericSqrt(a *Numeric) (*Numeric, error) {
	if isNaN(a) || isInf(a) && !a.Negative {
		return a, nil
	}
	if NumericSign(a) < 0 {
		return nil, pgerr.New(pgerr.InvalidArgumentForPower, "cannot take square root of a negative number")
	}
	weight, _ := baseWeight(a)
	scale := displayScale(numericMinSigDigits-(weight*4/2+1), a)
	// floor(sqrt(coeff * 10^(2s'))) with two digits to spare, then round.
	wide := scale + 2
	shift := 2*wide - numericScale(a)
	out := &Numeric{Exponent: int32(-wide)}
	var x, root, square apd.BigInt
	if shift >= 0 {
		x.Mul(&a.Coeff, tenTo(shift))
	} else {
		x.Quo(&a.Coeff, tenTo(-shift))
	}
	root.Sqrt(&x)
	square.Mul(&root, &root)
	out.Coeff.Set(&root)
	return numericRescale(out, scale, roundHalfUp), nil
}

// lnWeight is estimate_ln_dweight of numeric.c: the decimal weight of ln(d).
func lnWeight(d *Numeric) int {
	if NumericSign(d) <= 0 {
		return 0
	}
	if f := numericToFloat(d); f >= 0.89 && f <= 1.11 {
		low, high := apd.New(9, -1), apd.New(11, -1)
		if NumericCmp(d, low) >= 0 && NumericCmp(d, high) <= 0 {
			x, err := NumericSub(d, numericOne)
			if err != nil || x.Coeff.Sign() == 0 {
				return 0
			}
			w, first := baseWeight(x)
			return w*4 + int(math.Log10(float64(first)))
		}
	}
	return int(math.Log10(math.Abs(lnEstimate(d))))
}

// lnEstimate is ln(d) from its first digits; d may exceed float8.
func lnEstimate(d *Numeric) float64 {
	var buf [64]byte
	digits := d.Coeff.Append(buf[:0], 10)
	exp := len(digits) + int(d.Exponent)
	f, scale := 0.0, 1.0
	for i := 0; i < len(digits) && i < 17; i++ {
		scale /= 10
		f += float64(digits[i]-'0') * scale
	}
	return math.Log(f) + float64(exp)*math.Ln10
}

func lnDomain(a *Numeric) error {
	switch NumericSign(a) {
	case -1:
		return pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
	case 0:
		return pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
	}
	return nil
}

// NumericLn returns the natural logarithm.
func NumericLn(a *Numeric) (*Numeric, error) {
	if isNaN(a) {
		return a, nil
	}
	if err := lnDomain(a); err != nil {
		return nil, err
	}
	if isInf(a) {
		return a, nil
	}
	weight := lnWeight(a)
	scale := displayScale(numericMinSigDigits-weight, a)
	ln, err := lnWide(a, scale+max(weight, 0)+8)
	if err != nil {
		return nil, err
	}
	return finish(ln, scale)
}

func lnWide(a *Numeric, digits int) (*apd.Decimal, error) {
	out := new(apd.Decimal)
	_, err := wideContext(max(digits, numericDigits(a)+8)).Ln(out, a)
	return out, err
}

// NumericLog returns the logarithm of x to a base.
func NumericLog(base, x *Numeric) (*Numeric, error) {
	if isNaN(base) || isNaN(x) {
		return numericNaN, nil
	}
	// Beside an infinity a negative argument wins over a zero one.
	if (isInf(base) || isInf(x)) && NumericSign(base) >= 0 && NumericSign(x) < 0 {
		return nil, lnDomain(x)
	}
	for _, d := range []*Numeric{base, x} {
		if err := lnDomain(d); err != nil {
			return nil, err
		}
	}
	switch {
	case isInf(base) && isInf(x):
		return numericNaN, nil
	case isInf(base):
		return apd.New(0, 0), nil
	case isInf(x):
		return numericInf, nil
	}
	weight := lnWeight(x) - lnWeight(base)
	scale := displayScale(numericMinSigDigits-weight, base, x)
	digits := scale + max(weight, 0) + 12
	lb, err := lnWide(base, digits)
	if err != nil {
		return nil, err
	}
	if lb.IsZero() {
		return nil, divisionByZero()
	}
	lx, err := lnWide(x, digits)
	if err != nil {
		return nil, err
	}
	out := new(apd.Decimal)
	if _, err = wideContext(digits).Quo(out, lx, lb); err != nil {
		return nil, err
	}
	return finish(out, scale)
}

// NumericExp returns e raised to a.
func NumericExp(a *Numeric) (*Numeric, error) {
	switch {
	case isNaN(a):
		return a, nil
	case isInf(a) && a.Negative:
		return apd.New(0, 0), nil
	case isInf(a):
		return a, nil
	}
	f := numericToFloat(a)
	weight := max(-numericMaxResultScale, min(numericMaxResultScale, f*math.Log10E))
	scale := displayScale(numericMinSigDigits-int(weight), a)
	if math.Abs(f) >= numericMaxResultScale*3 {
		if f > 0 {
			return nil, numericOverflow()
		}
		return apd.New(0, int32(-scale)), nil
	}
	return expWide(a, f, scale)
}

// expWide returns e^x at a scale; f is about x.
func expWide(x *apd.Decimal, f float64, scale int) (*Numeric, error) {
	digits := scale + int(max(f*math.Log10E, 0)) + 10
	out := new(apd.Decimal)
	if _, err := wideContext(digits).Exp(out, x); err != nil {
		return nil, err
	}
	return finish(out, scale)
}
