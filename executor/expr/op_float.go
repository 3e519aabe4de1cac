package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func floatOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: overflow")
}

func floatUnderflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: underflow")
}

// float64Of widens either float type.
func float64Of(d types.Datum) float64 {
	if f, ok := d.(float32); ok {
		return float64(f)
	}
	return d.(float64)
}

// floatOp computes in float64; checked says whether the result may have lost
// all its digits (products and quotients).
type floatOp struct {
	name, code string
	compute    func(a, b float64) float64
	underflows bool
}

var floatOps = []floatOp{
	{"+", "pl", func(a, b float64) float64 { return a + b }, false},
	{"-", "mi", func(a, b float64) float64 { return a - b }, false},
	{"*", "mul", func(a, b float64) float64 { return a * b }, true},
	{"/", "div", func(a, b float64) float64 { return a / b }, true},
}

// apply computes and refuses an infinity or a zero that the operands do not
// explain. single rounds to float4.
func (op floatOp) apply(a, b float64, single bool) (float64, error) {
	if op.code == "div" && b == 0 && !math.IsNaN(a) {
		return 0, divisionByZero()
	}
	r := op.compute(a, b)
	if single {
		r = float64(float32(r))
	}
	if math.IsInf(r, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
		return 0, floatOverflow()
	}
	if op.underflows && r == 0 && a != 0 && (op.code == "mul" && b != 0 || op.code == "div" && !math.IsInf(b, 0)) {
		return 0, floatUnderflow()
	}
	return r, nil
}

func (op floatOp) double(a, b types.Datum) (types.Datum, error) {
	r, err := op.apply(float64Of(a), float64Of(b), false)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (op floatOp) single(a, b types.Datum) (types.Datum, error) {
	r, err := op.apply(float64(a.(float32)), float64(b.(float32)), true)
	if err != nil {
		return nil, err
	}
	return float32(r), nil
}

var floatOperators = buildFloatOperators()

func buildFloatOperators() []*Operator {
	var out []*Operator
	for _, op := range floatOps {
		out = append(out,
			fast2(op.name, types.Float8OID, types.Float8OID, types.Float8OID, "float8"+op.code, op.double),
			fast2(op.name, types.Float4OID, types.Float4OID, types.Float4OID, "float4"+op.code, op.single),
			fast2(op.name, types.Float4OID, types.Float8OID, types.Float8OID, "float48"+op.code, op.double),
			fast2(op.name, types.Float8OID, types.Float4OID, types.Float8OID, "float84"+op.code, op.double),
		)
	}
	return append(out,
		fast1("-", types.Float8OID, types.Float8OID, "float8um", func(a types.Datum) (types.Datum, error) { return -a.(float64), nil }),
		fast1("-", types.Float4OID, types.Float4OID, "float4um", func(a types.Datum) (types.Datum, error) { return -a.(float32), nil }),
		fast1("+", types.Float8OID, types.Float8OID, "float8up", identity),
		fast1("+", types.Float4OID, types.Float4OID, "float4up", identity),
		fast1("@", types.Float8OID, types.Float8OID, "float8abs", func(a types.Datum) (types.Datum, error) { return math.Abs(a.(float64)), nil }),
		fast1("@", types.Float4OID, types.Float4OID, "float4abs", func(a types.Datum) (types.Datum, error) {
			return float32(math.Abs(float64(a.(float32)))), nil
		}),
		fast1("|/", types.Float8OID, types.Float8OID, "dsqrt", floatSqrt),
		fast1("||/", types.Float8OID, types.Float8OID, "dcbrt", func(a types.Datum) (types.Datum, error) { return math.Cbrt(a.(float64)), nil }),
		fast2("^", types.Float8OID, types.Float8OID, types.Float8OID, "dpow", floatPower),
	)
}

func floatSqrt(a types.Datum) (types.Datum, error) {
	if a.(float64) < 0 {
		return nil, pgerr.New(pgerr.InvalidArgumentForPower, "cannot take square root of a negative number")
	}
	return math.Sqrt(a.(float64)), nil
}

// floatPower is dpow of float.c: POSIX pow with PostgreSQL's errors.
func floatPower(a, b types.Datum) (types.Datum, error) {
	x, y := a.(float64), b.(float64)
	switch {
	case math.IsNaN(x) && y == 0, x == 1 && math.IsNaN(y):
		return 1.0, nil
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN(), nil
	case x == 0 && y < 0:
		return nil, pgerr.New(pgerr.InvalidArgumentForPower, "zero raised to a negative power is undefined")
	case x < 0 && math.Floor(y) != y:
		return nil, pgerr.New(pgerr.InvalidArgumentForPower, "a negative number raised to a non-integer power yields a complex result")
	}
	r := math.Pow(x, y)
	if math.IsInf(r, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, floatOverflow()
	}
	if r == 0 && x != 0 && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, floatUnderflow()
	}
	return r, nil
}
