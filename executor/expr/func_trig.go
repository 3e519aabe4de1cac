package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func inputOutOfRange() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "input is out of range")
}

// within checks the domain of an inverse function; NaN passes through.
func within(f func(float64) float64, low, high float64) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		if x < low || x > high {
			return 0, inputOutOfRange()
		}
		return f(x), nil
	}
}

// ofFinite refuses infinite angles.
func ofFinite(f func(float64) float64) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		if math.IsInf(x, 0) {
			return 0, inputOutOfRange()
		}
		return f(x), nil
	}
}

var trigFunctions = []*Function{
	floatChecked("sin", ofFinite(math.Sin)),
	floatChecked("cos", ofFinite(math.Cos)),
	floatChecked("tan", ofFinite(math.Tan)),
	floatChecked("cot", ofFinite(func(x float64) float64 { return 1 / math.Tan(x) })),
	floatChecked("asin", within(math.Asin, -1, 1)),
	floatChecked("acos", within(math.Acos, -1, 1)),
	float1("atan", math.Atan),
	define2("atan2(float8, float8) float8", func(a, b types.Datum) (types.Datum, error) {
		return math.Atan2(a.(float64), b.(float64)), nil
	}),
	float1("sinh", math.Sinh),
	float1("cosh", math.Cosh),
	float1("tanh", math.Tanh),
	float1("asinh", math.Asinh),
	floatChecked("acosh", within(math.Acosh, 1, math.Inf(1))),
	floatChecked("atanh", within(math.Atanh, -1, 1)),
	floatChecked("sind", ofFinite(sind)),
	floatChecked("cosd", ofFinite(cosd)),
	floatChecked("tand", ofFinite(tand)),
	floatChecked("cotd", ofFinite(cotd)),
	floatChecked("asind", within(asind, -1, 1)),
	floatChecked("acosd", within(acosd, -1, 1)),
	float1("atand", atand),
	define2("atan2d(float8, float8) float8", func(a, b types.Datum) (types.Datum, error) {
		return math.Atan2(a.(float64), b.(float64)) / math.Atan(1) * 45, nil
	}),
	float1("degrees", func(x float64) float64 { return x / (math.Pi / 180) }),
	float1("radians", func(x float64) float64 { return x * (math.Pi / 180) }),
	define("pi() float8", func(*Context, []types.Datum) (types.Datum, error) { return math.Pi, nil }),
}

// The functions in degrees are scaled so that they are exact at the multiples
// of 30 and 45, as those of float.c are.
const degree = math.Pi / 180

var (
	sin30        = math.Sin(inRadians(30))
	oneMinusCos6 = 1 - math.Cos(inRadians(60))
	tan45        = sindQ1(45) / cosdQ1(45)
	cot45        = cosdQ1(45) / sindQ1(45)
	asinHalf     = math.Asin(0.5)
	acosHalf     = math.Acos(0.5)
	atanOne      = math.Atan(1)
)

// inRadians multiplies at run time: a constant product would be rounded
// otherwise than those of the functions below.
func inRadians(x float64) float64 { return x * degree }

func sind0to30(x float64) float64 { return math.Sin(inRadians(x)) / sin30 / 2 }

func cosd0to60(x float64) float64 { return 1 - (1-math.Cos(inRadians(x)))/oneMinusCos6/2 }

func sindQ1(x float64) float64 {
	if x <= 30 {
		return sind0to30(x)
	}
	return cosd0to60(90 - x)
}

func cosdQ1(x float64) float64 {
	if x <= 60 {
		return cosd0to60(x)
	}
	return sind0to30(90 - x)
}

// foldAngle brings an angle into the first quadrant and says how the signs of
// sine and cosine change.
func foldAngle(x float64) (angle, sinSign, cosSign float64) {
	x = math.Mod(x, 360)
	sinSign, cosSign = 1, 1
	if x < 0 {
		x, sinSign = -x, -1
	}
	if x > 180 {
		x, sinSign = 360-x, -sinSign
	}
	if x > 90 {
		x, cosSign = 180-x, -1
	}
	return x, sinSign, cosSign
}

func sind(x float64) float64 {
	a, sign, _ := foldAngle(x)
	return sign * sindQ1(a)
}

func cosd(x float64) float64 {
	a, _, sign := foldAngle(x)
	return sign * cosdQ1(a)
}

func tand(x float64) float64 {
	a, s, c := foldAngle(x)
	r := s * c * (sindQ1(a) / cosdQ1(a) / tan45)
	return r + 0 // no negative zero
}

func cotd(x float64) float64 {
	a, s, c := foldAngle(x)
	r := s * c * (cosdQ1(a) / sindQ1(a) / cot45)
	return r + 0
}

func asindQ1(x float64) float64 {
	if x <= 0.5 {
		return math.Asin(x) / asinHalf * 30
	}
	return 90 - math.Acos(x)/acosHalf*60
}

func asind(x float64) float64 {
	if x < 0 {
		return -asindQ1(-x)
	}
	return asindQ1(x)
}

func acosd(x float64) float64 {
	switch {
	case x < 0:
		return 90 + asindQ1(-x)
	case x <= 0.5:
		return 90 - math.Asin(x)/asinHalf*30
	}
	return math.Acos(x) / acosHalf * 60
}

func atand(x float64) float64 { return math.Atan(x) / atanOne * 45 }
