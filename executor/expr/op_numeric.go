package expr

import "github.com/akidb/akidb/internal/types"

// numeric2 lifts an operation on two numerics.
func numeric2(op func(a, b *types.Numeric) (*types.Numeric, error)) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		r, err := op(a.(*types.Numeric), b.(*types.Numeric))
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

func numericOperator(name, code string, op func(a, b *types.Numeric) (*types.Numeric, error)) *Operator {
	return fast2(name, types.NumericOID, types.NumericOID, types.NumericOID, code, numeric2(op))
}

var numericOperators = []*Operator{
	numericOperator("+", "numeric_add", types.NumericAdd).with("+", ""),
	numericOperator("-", "numeric_sub", types.NumericSub),
	numericOperator("*", "numeric_mul", types.NumericMul).with("*", ""),
	numericOperator("/", "numeric_div", types.NumericDiv),
	numericOperator("%", "numeric_mod", types.NumericMod),
	numericOperator("^", "numeric_power", types.NumericPower),
	fast1("-", types.NumericOID, types.NumericOID, "numeric_uminus", func(a types.Datum) (types.Datum, error) {
		return types.NumericNeg(a.(*types.Numeric)), nil
	}),
	fast1("+", types.NumericOID, types.NumericOID, "numeric_uplus", identity),
	fast1("@", types.NumericOID, types.NumericOID, "numeric_abs", func(a types.Datum) (types.Datum, error) {
		return types.NumericAbs(a.(*types.Numeric)), nil
	}),
}
