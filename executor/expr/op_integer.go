package expr

import (
	"math"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// eval2Func computes a strict function of two values.
type eval2Func = func(a, b types.Datum) (types.Datum, error)

// fast2 is binary for a function that needs no context; the evaluator calls it
// without an argument slice.
func fast2(name string, left, right, result types.OID, code string, eval eval2Func) *Operator {
	o := binary(name, left, right, result, code, func(_ *Context, args []types.Datum) (types.Datum, error) {
		return eval(args[0], args[1])
	})
	o.Func.eval2 = eval
	return o
}

// fast1 is prefix for a function that needs no context.
func fast1(name string, right, result types.OID, code string, eval func(types.Datum) (types.Datum, error)) *Operator {
	return prefix(name, right, result, code, func(_ *Context, args []types.Datum) (types.Datum, error) {
		return eval(args[0])
	})
}

// integer describes one of the integer types.
type integer struct {
	oid      types.OID
	width    string // as in function names: int24pl is int2 + int4
	min, max int64
}

var integers = []integer{
	{types.Int2OID, "2", math.MinInt16, math.MaxInt16},
	{types.Int4OID, "4", math.MinInt32, math.MaxInt32},
	{types.Int8OID, "8", math.MinInt64, math.MaxInt64},
}

func (t integer) outOfRange() error {
	name := map[types.OID]string{types.Int2OID: "smallint", types.Int4OID: "integer", types.Int8OID: "bigint"}[t.oid]
	return pgerr.New(pgerr.NumericValueOutOfRange, name+" out of range")
}

func (t integer) fit(v int64) (types.Datum, error) {
	if v < t.min || v > t.max {
		return nil, t.outOfRange()
	}
	return v, nil
}

func divisionByZero() error { return pgerr.New(pgerr.DivisionByZero, "division by zero") }

func (t integer) add(a, b types.Datum) (types.Datum, error) {
	x, y := a.(int64), b.(int64)
	s := x + y
	if (s > x) != (y > 0) && y != 0 {
		return nil, t.outOfRange()
	}
	return t.fit(s)
}

func (t integer) sub(a, b types.Datum) (types.Datum, error) {
	x, y := a.(int64), b.(int64)
	s := x - y
	if (s < x) != (y > 0) && y != 0 {
		return nil, t.outOfRange()
	}
	return t.fit(s)
}

func (t integer) mul(a, b types.Datum) (types.Datum, error) {
	x, y := a.(int64), b.(int64)
	p := x * y
	if x != 0 && (p/x != y || x == -1 && y == math.MinInt64) {
		return nil, t.outOfRange()
	}
	return t.fit(p)
}

func (t integer) div(a, b types.Datum) (types.Datum, error) {
	x, y := a.(int64), b.(int64)
	if y == 0 {
		return nil, divisionByZero()
	}
	if y == -1 && x == t.min {
		return nil, t.outOfRange()
	}
	return t.fit(x / y)
}

func (t integer) mod(a, b types.Datum) (types.Datum, error) {
	x, y := a.(int64), b.(int64)
	switch y {
	case 0:
		return nil, divisionByZero()
	case -1:
		return int64(0), nil
	}
	return x % y, nil
}

func (t integer) neg(a types.Datum) (types.Datum, error) {
	if a.(int64) == t.min {
		return nil, t.outOfRange()
	}
	return -a.(int64), nil
}

func (t integer) abs(a types.Datum) (types.Datum, error) {
	if a.(int64) < 0 {
		return t.neg(a)
	}
	return a, nil
}

// shift counts are taken modulo the width, as the machine does it that
// PostgreSQL runs on.
func (t integer) shl(a, b types.Datum) (types.Datum, error) {
	x, n := a.(int64), b.(int64)
	switch t.oid {
	case types.Int2OID:
		return int64(int16(int32(x) << (n & 31))), nil
	case types.Int4OID:
		return int64(int32(x) << (n & 31)), nil
	}
	return x << (n & 63), nil
}

func (t integer) shr(a, b types.Datum) (types.Datum, error) {
	x, n := a.(int64), b.(int64)
	if t.oid == types.Int8OID {
		return x >> (n & 63), nil
	}
	return x >> (n & 31), nil
}

func identity(a types.Datum) (types.Datum, error) { return a, nil }

var integerOperators = buildIntegerOperators()

func buildIntegerOperators() []*Operator {
	var out []*Operator
	for _, l := range integers {
		for _, r := range integers {
			out = append(out, integerArithmetic(l, r)...)
		}
		out = append(out, integerBits(l)...)
	}
	return out
}

// integerArithmetic is + - * / between two integer types; the result is of the
// wider one.
func integerArithmetic(l, r integer) []*Operator {
	result, code := l, "int"+l.width+r.width
	if r.max > l.max {
		result = r
	}
	if l.oid == r.oid {
		code = "int" + l.width
	}
	return []*Operator{
		fast2("+", l.oid, r.oid, result.oid, code+"pl", result.add).with("+", ""),
		fast2("-", l.oid, r.oid, result.oid, code+"mi", result.sub),
		fast2("*", l.oid, r.oid, result.oid, code+"mul", result.mul).with("*", ""),
		fast2("/", l.oid, r.oid, result.oid, code+"div", result.div),
	}
}

func integerBits(t integer) []*Operator {
	code := "int" + t.width
	return []*Operator{
		fast2("%", t.oid, t.oid, t.oid, code+"mod", t.mod),
		fast2("&", t.oid, t.oid, t.oid, code+"and", func(a, b types.Datum) (types.Datum, error) { return a.(int64) & b.(int64), nil }).with("&", ""),
		fast2("|", t.oid, t.oid, t.oid, code+"or", func(a, b types.Datum) (types.Datum, error) { return a.(int64) | b.(int64), nil }).with("|", ""),
		fast2("#", t.oid, t.oid, t.oid, code+"xor", func(a, b types.Datum) (types.Datum, error) { return a.(int64) ^ b.(int64), nil }).with("#", ""),
		fast2("<<", t.oid, types.Int4OID, t.oid, code+"shl", t.shl),
		fast2(">>", t.oid, types.Int4OID, t.oid, code+"shr", t.shr),
		fast1("~", t.oid, t.oid, code+"not", func(a types.Datum) (types.Datum, error) { return ^a.(int64), nil }),
		fast1("-", t.oid, t.oid, code+"um", t.neg),
		fast1("+", t.oid, t.oid, code+"up", identity),
		fast1("@", t.oid, t.oid, code+"abs", t.abs),
	}
}
