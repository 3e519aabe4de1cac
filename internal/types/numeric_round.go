package types

import "github.com/cockroachdb/apd/v3"

// NumericRound rounds half away from zero to scale digits after the point; a
// negative scale rounds before it.
func NumericRound(d *Numeric, scale int32) *Numeric {
	return numericRescale(d, clampScale(scale), roundHalfUp)
}

// NumericTrunc cuts to scale digits after the point.
func NumericTrunc(d *Numeric, scale int32) *Numeric {
	return numericRescale(d, clampScale(scale), roundDown)
}

// NumericCeil returns the smallest integer that is not below d.
func NumericCeil(d *Numeric) *Numeric { return numericRescale(d, 0, roundCeil) }

// NumericFloor returns the largest integer that is not above d.
func NumericFloor(d *Numeric) *Numeric { return numericRescale(d, 0, roundFloor) }

func clampScale(scale int32) int {
	return int(max(-numericMaxResultScale, min(numericMaxResultScale, scale)))
}

// A rounding says whether the cut quotient's absolute value grows by one:
// half compares the remainder with one half (-1, 0, 1) and exact says that
// there is none.
type rounding func(negative, exact bool, half int) bool

func roundHalfUp(_, exact bool, half int) bool    { return !exact && half >= 0 }
func roundDown(bool, bool, int) bool              { return false }
func roundCeil(negative, exact bool, _ int) bool  { return !exact && !negative }
func roundFloor(negative, exact bool, _ int) bool { return !exact && negative }

// numericRescale gives d exactly max(scale, 0) digits after the point.
func numericRescale(d *Numeric, scale int, round rounding) *Numeric {
	if d.Form != apd.Finite {
		return d
	}
	have := numericScale(d)
	if scale == have {
		return d
	}
	out := &Numeric{Exponent: int32(-max(scale, 0))}
	if scale > have {
		out.Coeff.Mul(&d.Coeff, tenTo(scale-have))
		out.Negative = d.Negative
		return out
	}
	if have-scale > numericDigits(d)+1 {
		// Nothing is left of d; avoid making a huge power of ten.
		if round(d.Negative, d.Coeff.Sign() == 0, -1) {
			out.Coeff.Set(bigOne)
		}
	} else {
		divideRounded(&out.Coeff, &d.Coeff, tenTo(have-scale), d.Negative, round)
	}
	if scale < 0 {
		out.Coeff.Mul(&out.Coeff, tenTo(-scale))
	}
	out.Negative = d.Negative && out.Coeff.Sign() != 0
	return out
}

// divideRounded sets z to the rounded quotient of non-negative x and positive y.
func divideRounded(z, x, y *apd.BigInt, negative bool, round rounding) {
	var rem apd.BigInt
	z.QuoRem(x, y, &rem)
	exact := rem.Sign() == 0
	half := -1
	if !exact {
		rem.Add(&rem, &rem)
		half = rem.Cmp(y)
	}
	if round(negative, exact, half) {
		z.Add(z, bigOne)
	}
}

// numericQuo returns |a|/|b| rounded to scale, with a sign; b is not zero.
func numericQuo(a, b *Numeric, scale int, round rounding) *Numeric {
	negative := a.Negative != b.Negative
	var x, y apd.BigInt
	x.Set(&a.Coeff)
	y.Set(&b.Coeff)
	shift := scale - numericScale(a) + numericScale(b)
	if shift >= 0 {
		x.Mul(&x, tenTo(shift))
	} else {
		y.Mul(&y, tenTo(-shift))
	}
	out := &Numeric{Exponent: int32(-scale)}
	divideRounded(&out.Coeff, &x, &y, negative, round)
	out.Negative = negative && out.Coeff.Sign() != 0
	return out
}
