package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// The functions of enums know their type from the call, not from the value,
// which may be NULL.
var enumFunctions = []*Function{
	defineBound("enum_first(anyenum) anyenum", enumFunc(func(labels []string, _ []types.Datum) types.Datum { return labels[0] })).stable().withNulls(),
	defineBound("enum_last(anyenum) anyenum", enumFunc(func(labels []string, _ []types.Datum) types.Datum { return labels[len(labels)-1] })).stable().withNulls(),
	defineBound("enum_range(anyenum) anyarray", enumRange).stable().withNulls(),
	defineBound("enum_range(anyenum, anyenum) anyarray", enumRange).stable().withNulls(),
}

func enumFunc(of func(labels []string, args []types.Datum) types.Datum) bindFunc {
	return func(args []Type, _ bool) evalFunc {
		oid := typeAt(args, 0)
		return func(ctx *Context, values []types.Datum) (types.Datum, error) {
			t := userType(ctx, oid)
			if t == nil || len(t.Labels) == 0 {
				return nil, pgerr.New(pgerr.FeatureNotSupported, "could not determine actual enum type")
			}
			return of(t.Labels, values), nil
		}
	}
}

func enumRange(args []Type, variadic bool) evalFunc {
	elem := typeAt(args, 0)
	return enumFunc(func(labels []string, values []types.Datum) types.Datum {
		from, to := 0, len(labels)-1
		if len(values) == 2 && values[0] != nil {
			from = slices.Index(labels, values[0].(string))
		}
		if len(values) == 2 && values[1] != nil {
			to = slices.Index(labels, values[1].(string))
		}
		var elems []types.Datum
		for i := max(from, 0); i <= to; i++ {
			elems = append(elems, labels[i])
		}
		return types.NewArray(elem, elems)
	})(args, variadic)
}
