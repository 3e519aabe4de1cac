package types

import (
	"github.com/cockroachdb/apd/v3"
)

// NumericAdd returns a+b; the scale is the larger of the two.
func NumericAdd(a, b *Numeric) (*Numeric, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return addSpecial(a, b), nil
	}
	out := &Numeric{Exponent: min(a.Exponent, b.Exponent)}
	var x, y apd.BigInt
	alignedCoeff(&x, a, out.Exponent)
	alignedCoeff(&y, b, out.Exponent)
	out.Coeff.Add(&x, &y)
	if out.Coeff.Sign() < 0 {
		out.Negative = true
		out.Coeff.Neg(&out.Coeff)
	}
	return checkNumeric(out)
}

// alignedCoeff sets z to d's signed coefficient at an exponent not above d's.
func alignedCoeff(z *apd.BigInt, d *Numeric, exponent int32) {
	if d.Exponent == exponent {
		z.Set(&d.Coeff)
	} else {
		z.Mul(&d.Coeff, tenTo(int(d.Exponent-exponent)))
	}
	if d.Negative {
		z.Neg(z)
	}
}

func addSpecial(a, b *Numeric) *Numeric {
	switch {
	case isNaN(a) || isNaN(b), isInf(a) && isInf(b) && a.Negative != b.Negative:
		return numericNaN
	case isInf(a):
		return a
	}
	return b
}

// NumericSub returns a-b; the scale is the larger of the two.
func NumericSub(a, b *Numeric) (*Numeric, error) { return NumericAdd(a, NumericNeg(b)) }

// NumericMul returns a*b; the scale is the sum of the two.
func NumericMul(a, b *Numeric) (*Numeric, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return mulSpecial(a, b), nil
	}
	out := &Numeric{Exponent: a.Exponent + b.Exponent}
	out.Coeff.Mul(&a.Coeff, &b.Coeff)
	out.Negative = a.Negative != b.Negative && out.Coeff.Sign() != 0
	if numericScale(out) > numericMaxDscale {
		out = numericRescale(out, numericMaxDscale, roundHalfUp)
	}
	return checkNumeric(out)
}

func mulSpecial(a, b *Numeric) *Numeric {
	s := NumericSign(a) * NumericSign(b)
	switch {
	case isNaN(a) || isNaN(b) || s == 0:
		return numericNaN
	case s < 0:
		return numericNegInf
	}
	return numericInf
}

// NumericDiv returns a/b with PostgreSQL's scale: at least 16 significant
// digits and no fewer digits than either operand shows.
func NumericDiv(a, b *Numeric) (*Numeric, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		return divSpecial(a, b)
	}
	if b.Coeff.Sign() == 0 {
		return nil, divisionByZero()
	}
	return checkNumeric(numericQuo(a, b, divScale(a, b), roundHalfUp))
}

func divSpecial(a, b *Numeric) (*Numeric, error) {
	switch {
	case isNaN(a) || isNaN(b):
		return numericNaN, nil
	case isInf(a) && isInf(b):
		return numericNaN, nil
	case isInf(b):
		return apd.New(0, 0), nil
	case NumericSign(b) == 0:
		return nil, divisionByZero()
	case NumericSign(a)*NumericSign(b) < 0:
		return numericNegInf, nil
	}
	return numericInf, nil
}

// baseWeight returns the weight and the value of a number's first digit in
// base 10000, in which PostgreSQL reckons scales; zero has neither.
func baseWeight(d *Numeric) (weight, first int) {
	var buf [64]byte
	if d.Coeff.Sign() == 0 {
		return 0, 0
	}
	digits := d.Coeff.Append(buf[:0], 10)
	lead := len(digits) + int(d.Exponent) - 1
	weight = floorDiv(lead, 4)
	for i := 0; i <= lead-4*weight; i++ {
		first *= 10
		if i < len(digits) {
			first += int(digits[i] - '0')
		}
	}
	return weight, first
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// displayScale bounds a scale by the operands' own and by PostgreSQL's limits.
func displayScale(scale int, operands ...*Numeric) int {
	for _, d := range operands {
		scale = max(scale, numericScale(d))
	}
	return min(max(scale, 0), numericMaxDisplayScale)
}

// divScale is select_div_scale of PostgreSQL's numeric.c.
func divScale(a, b *Numeric) int {
	wa, fa := baseWeight(a)
	wb, fb := baseWeight(b)
	weight := wa - wb
	if fa <= fb {
		weight--
	}
	return displayScale(numericMinSigDigits-weight*4, a, b)
}

// NumericMod returns the remainder of the truncating division; it has a's sign.
func NumericMod(a, b *Numeric) (*Numeric, error) {
	if a.Form != apd.Finite || b.Form != apd.Finite {
		switch {
		case isNaN(a) || isNaN(b):
			return numericNaN, nil
		case isInf(a):
			if NumericSign(b) == 0 {
				return nil, divisionByZero()
			}
			return numericNaN, nil
		}
		return a, nil
	}
	if b.Coeff.Sign() == 0 {
		return nil, divisionByZero()
	}
	out := &Numeric{Exponent: min(a.Exponent, b.Exponent)}
	var x, y apd.BigInt
	alignedCoeff(&x, a, out.Exponent)
	alignedCoeff(&y, b, out.Exponent)
	out.Coeff.Rem(&x, &y)
	if out.Coeff.Sign() < 0 {
		out.Negative = true
		out.Coeff.Neg(&out.Coeff)
	}
	return out, nil
}
