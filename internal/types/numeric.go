package types

import (
	"math"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/cockroachdb/apd/v3"
)

// Limits of numeric, as PostgreSQL's.
const (
	numericMaxPrecision    = 1000
	numericMaxScale        = 1000
	numericMaxDisplayScale = 1000
	numericMaxResultScale  = 2 * numericMaxPrecision
	numericMinSigDigits    = 16
	// numericMaxWeightDigits is how many digits may stand before the point, and
	// numericMaxDscale how many after it.
	numericMaxWeightDigits = 131072
	numericMaxDscale       = 16383
)

// A *Numeric made here is either special (NaN, Infinite) or has
// -numericMaxDscale <= Exponent <= 0: its display scale is -Exponent.

var (
	numericNaN    = &Numeric{Form: apd.NaN}
	numericInf    = &Numeric{Form: apd.Infinite}
	numericNegInf = &Numeric{Form: apd.Infinite, Negative: true}
	numericOne    = apd.New(1, 0)
	bigOne        = apd.NewBigInt(1)
	bigTen        = apd.NewBigInt(10)
)

func numericOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value overflows numeric format")
}

func divisionByZero() error { return pgerr.New(pgerr.DivisionByZero, "division by zero") }

// pow10s are the powers of ten that fit a uint64.
var pow10s = func() (p [20]apd.BigInt) {
	v := uint64(1)
	for i := range p {
		p[i].SetUint64(v)
		v *= 10
	}
	return p
}()

// tenTo returns 10^n; the result must not be changed.
func tenTo(n int) *apd.BigInt {
	if n < len(pow10s) {
		return &pow10s[n]
	}
	return new(apd.BigInt).Exp(bigTen, apd.NewBigInt(int64(n)), nil)
}

// numericDigits counts the digits of a coefficient; zero has none.
func numericDigits(d *Numeric) int {
	if d.Coeff.Sign() == 0 {
		return 0
	}
	return int(apd.NumDigits(&d.Coeff))
}

// numericScale is the display scale.
func numericScale(d *Numeric) int { return int(-d.Exponent) }

// newNumeric returns ±coeff * 10^-scale, zero without a sign.
func newNumeric(negative bool, coeff *apd.BigInt, scale int) *Numeric {
	d := &Numeric{Exponent: int32(-scale), Negative: negative && coeff.Sign() != 0}
	d.Coeff.Set(coeff)
	return d
}

// checkNumeric enforces the limits of the format on a result.
func checkNumeric(d *Numeric) (*Numeric, error) {
	if d.Form == apd.Finite && numericDigits(d)+int(d.Exponent) > numericMaxWeightDigits {
		return nil, numericOverflow()
	}
	return d, nil
}

func isNaN(d *Numeric) bool { return d.Form == apd.NaN || d.Form == apd.NaNSignaling }

func isInf(d *Numeric) bool { return d.Form == apd.Infinite }

// NumericIsNaN tells whether a is NaN.
func NumericIsNaN(a *Numeric) bool { return isNaN(a) }

// NumericIsInf tells whether a is one of the infinities.
func NumericIsInf(a *Numeric) bool { return isInf(a) }

// NumericSign is -1, 0 or 1; NaN counts as positive.
func NumericSign(a *Numeric) int {
	switch {
	case isNaN(a):
		return 1
	case a.Form == apd.Finite && a.Coeff.Sign() == 0:
		return 0
	case a.Negative:
		return -1
	}
	return 1
}

// NumericScale is the display scale: the digits after the point.
func NumericScale(a *Numeric) int32 { return -a.Exponent }

// NumericFromInt64 converts exactly.
func NumericFromInt64(v int64) *Numeric { return apd.New(v, 0) }

// NumericFromFloat64 rounds to 15 significant digits as PostgreSQL's cast does.
func NumericFromFloat64(f float64) *Numeric { return numericFromFloat(f, 15) }

// NumericFromFloat32 rounds to 6 significant digits as PostgreSQL's cast does.
func NumericFromFloat32(f float32) *Numeric { return numericFromFloat(float64(f), 6) }

func numericFromFloat(f float64, digits int) *Numeric {
	switch {
	case math.IsNaN(f):
		return numericNaN
	case math.IsInf(f, 1):
		return numericInf
	case math.IsInf(f, -1):
		return numericNegInf
	}
	s := strconv.FormatFloat(f, 'e', digits-1, 64)
	mantissa, exp, _ := strings.Cut(s, "e")
	if strings.IndexByte(mantissa, '.') >= 0 {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	d, err := ParseNumeric(mantissa + "e" + exp)
	if err != nil {
		panic("types: a float does not fit numeric: " + s)
	}
	return d
}

// NumericToInt64 rounds half away from zero.
func NumericToInt64(d *Numeric) (int64, error) {
	if isNaN(d) {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "cannot convert NaN to bigint")
	}
	if isInf(d) {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "cannot convert infinity to bigint")
	}
	r := NumericRound(d, 0)
	v := r.Coeff
	if r.Negative {
		v.Neg(&v)
	}
	if !v.IsInt64() {
		return 0, pgerr.New(pgerr.NumericValueOutOfRange, "bigint out of range")
	}
	return v.Int64(), nil
}

// NumericToFloat64 returns the nearest float8; 22003 when there is none.
func NumericToFloat64(d *Numeric) (float64, error) {
	switch {
	case isNaN(d):
		return math.NaN(), nil
	case isInf(d):
		return math.Inf(NumericSign(d)), nil
	}
	var buf [64]byte
	s := string(appendNumeric(buf[:0], d))
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || (f == 0 && NumericSign(d) != 0) {
		return 0, pgerr.Newf(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type double precision", s)
	}
	return f, nil
}

// NumericToFloat32 is the nearest float4; 22003 where it would be infinite or zero.
func NumericToFloat32(d *Numeric) (float32, error) {
	switch {
	case isNaN(d):
		return float32(math.NaN()), nil
	case isInf(d):
		return float32(math.Inf(NumericSign(d))), nil
	}
	var buf [64]byte
	s := string(appendNumeric(buf[:0], d))
	f, err := strconv.ParseFloat(s, 32)
	if err != nil || (f == 0 && NumericSign(d) != 0) {
		return 0, pgerr.Newf(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type real", s)
	}
	return float32(f), nil
}

// numericToFloat is for estimates: it overflows to infinity.
func numericToFloat(d *Numeric) float64 {
	digits := numericDigits(d)
	if digits == 0 {
		return 0
	}
	var buf [64]byte
	b := d.Coeff.Append(buf[:0], 10)
	exp := int(d.Exponent)
	if len(b) > 20 {
		exp += len(b) - 20
		b = b[:20]
	}
	f, _ := strconv.ParseFloat(string(b)+"e"+strconv.Itoa(exp), 64) // overflow is ±Inf, as wanted
	if d.Negative {
		return -f
	}
	return f
}

// NumericCmp orders as PostgreSQL: NaN equals itself and is above everything.
func NumericCmp(a, b *Numeric) int {
	ra, rb := numericRank(a), numericRank(b)
	if ra != rb {
		if ra < rb {
			return -1
		}
		return 1
	}
	if ra != rankFinite {
		return 0
	}
	if a.Exponent == b.Exponent && a.Negative == b.Negative {
		c := a.Coeff.CmpAbs(&b.Coeff)
		if a.Negative {
			return -c
		}
		return c
	}
	return a.Cmp(b)
}

const (
	rankNegInf = iota
	rankFinite
	rankInf
	rankNaN
)

func numericRank(d *Numeric) int {
	switch {
	case isNaN(d):
		return rankNaN
	case isInf(d) && d.Negative:
		return rankNegInf
	case isInf(d):
		return rankInf
	}
	return rankFinite
}

// NumericNeg returns -a.
func NumericNeg(a *Numeric) *Numeric {
	switch {
	case isNaN(a), a.Form == apd.Finite && a.Coeff.Sign() == 0:
		return a
	case isInf(a) && a.Negative:
		return numericInf
	case isInf(a):
		return numericNegInf
	}
	return newNumeric(!a.Negative, &a.Coeff, numericScale(a))
}

// NumericAbs returns |a|.
func NumericAbs(a *Numeric) *Numeric {
	if a.Negative && !isNaN(a) {
		return NumericNeg(a)
	}
	return a
}
