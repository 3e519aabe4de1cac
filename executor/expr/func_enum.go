package expr

import (
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// The functions of enums know their type from the call, not from the value,
// which may be NULL.
var enumFunctions = []*Function{
	defineBound("enum_first(anyenum) anyenum", enumFunc(enumFirst)).stable().withNulls(),
	defineBound("enum_last(anyenum) anyenum", enumFunc(enumLast)).stable().withNulls(),
	defineBound("enum_range(anyenum) anyarray", enumFunc(enumRange)).stable().withNulls(),
	defineBound("enum_range(anyenum, anyenum) anyarray", enumFunc(enumRange)).stable().withNulls(),
}

func enumFunc(of func(t *catalog.UserType, args []types.Datum) types.Datum) bindFunc {
	return func(args []Type, _ bool) evalFunc {
		oid := typeAt(args, 0)
		return func(ctx *Context, values []types.Datum) (types.Datum, error) {
			t := userType(ctx, oid)
			if t == nil {
				return nil, pgerr.New(pgerr.FeatureNotSupported, "could not determine actual enum type")
			}
			if len(t.Labels) == 0 {
				return nil, pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "enum %s contains no values", quoteIdent(t.Name))
			}
			return of(t, values), nil
		}
	}
}

func enumAt(t *catalog.UserType, i int) types.Enum {
	return types.Enum{Type: t.ID, Order: t.OrderAt(i)}
}

func enumFirst(t *catalog.UserType, _ []types.Datum) types.Datum { return enumAt(t, 0) }

func enumLast(t *catalog.UserType, _ []types.Datum) types.Datum { return enumAt(t, len(t.Labels)-1) }

// enumRange lists the values between two; a NULL is no bound.
func enumRange(t *catalog.UserType, values []types.Datum) types.Datum {
	var all []types.Datum
	for i := range t.Labels {
		all = append(all, enumAt(t, i))
	}
	if len(values) == 2 {
		all = slices.DeleteFunc(all, func(d types.Datum) bool {
			return values[0] != nil && compareEnums(d, values[0]) < 0 || values[1] != nil && compareEnums(d, values[1]) > 0
		})
	}
	return types.NewArray(t.ID, all)
}
