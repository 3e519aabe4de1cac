package expr

import (
	"reflect"

	"github.com/akidb/akidb/internal/types"
)

// Equal says whether two expressions are the same (GROUP BY matching).
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	return a.Type() == b.Type() && sameNode(a, b) && equalChildren(a, b)
}

// sameNode compares what a node has of its own.
func sameNode(a, b Expr) bool {
	switch x := a.(type) {
	case *Const:
		y, ok := b.(*Const)
		return ok && sameDatum(x.Typ.OID, x.Value, y.Value)
	case *Column:
		y, ok := b.(*Column)
		return ok && x.Index == y.Index
	case *Param:
		y, ok := b.(*Param)
		return ok && x.Number == y.Number
	case *ExecParam:
		y, ok := b.(*ExecParam)
		return ok && x.Slot == y.Slot
	case *Call:
		y, ok := b.(*Call)
		return ok && sameFunction(x.Func, y.Func) && x.Variadic == y.Variadic
	case *Cast:
		y, ok := b.(*Cast)
		return ok && sameCast(x, y)
	case *NullTest:
		y, ok := b.(*NullTest)
		return ok && x.Not == y.Not
	case *BoolTest:
		y, ok := b.(*BoolTest)
		return ok && x.Not == y.Not && x.Want == y.Want
	case *DistinctFrom:
		y, ok := b.(*DistinctFrom)
		return ok && x.Not == y.Not && sameFunction(x.Eq, y.Eq)
	case *Case:
		y, ok := b.(*Case)
		return ok && len(x.Whens) == len(y.Whens) && (x.Else == nil) == (y.Else == nil)
	case *MinMax:
		y, ok := b.(*MinMax)
		return ok && x.Least == y.Least
	case *AggRef:
		y, ok := b.(*AggRef)
		return ok && x.Index == y.Index
	case *WindowRef:
		y, ok := b.(*WindowRef)
		return ok && x.Index == y.Index
	}
	return sameComposite(a, b)
}

func sameComposite(a, b Expr) bool {
	switch x := a.(type) {
	case *AnyAll:
		y, ok := b.(*AnyAll)
		return ok && x.All == y.All && x.Operator == y.Operator && sameFunction(x.Func, y.Func)
	case *InList:
		y, ok := b.(*InList)
		return ok && x.Not == y.Not && sameFunction(x.Eq, y.Eq)
	case *ArrayCtor:
		y, ok := b.(*ArrayCtor)
		return ok && x.Nested == y.Nested
	case *RowCompare:
		y, ok := b.(*RowCompare)
		return ok && x.Op == y.Op && len(x.Left) == len(y.Left)
	case *Subscript:
		y, ok := b.(*Subscript)
		return ok && x.Slice == y.Slice && sameHoles(x.Low, y.Low) && sameHoles(x.High, y.High)
	case *FieldSelect:
		y, ok := b.(*FieldSelect)
		return ok && x.Index == y.Index && x.Name == y.Name
	case *SubPlan:
		return false // each is a run of its own
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b)
}

// sameHoles compares which bounds are absent; eachChild leaves those out.
func sameHoles(a, b []Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if (a[i] == nil) != (b[i] == nil) {
			return false
		}
	}
	return true
}

func equalChildren(a, b Expr) bool {
	var left, right []Expr
	eachChild(a, func(c Expr) { left = append(left, c) })
	eachChild(b, func(c Expr) { right = append(right, c) })
	if len(left) != len(right) {
		return false
	}
	for i := range left {
		if !Equal(left[i], right[i]) {
			return false
		}
	}
	return true
}

// sameFunction compares rows of the function table; a specialised copy is the
// same as its original.
func sameFunction(a, b *Function) bool {
	if a == b {
		return true
	}
	return a != nil && b != nil && a.OID == b.OID && a.Name == b.Name && a.Schema == b.Schema && reflect.DeepEqual(a.Args, b.Args)
}

func sameCast(a, b *Cast) bool {
	if (a.Elem == nil) != (b.Elem == nil) || a.IO != b.IO || a.ApplyTypmod != b.ApplyTypmod || !sameFunction(a.Func, b.Func) {
		return false
	}
	return a.Elem == nil || a.Elem.Typ == b.Elem.Typ && sameCast(a.Elem, b.Elem)
}

// sameDatum is equality to the last digit: 1.0 and 1.00 are not the same constant.
func sameDatum(oid types.OID, a, b types.Datum) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return types.FormatString(oid, a, nil) == types.FormatString(oid, b, nil)
}
