package expr

import "github.com/akidb/akidb/internal/types"

// Type is a type with its modifier (types.NoTypmod for none).
type Type struct {
	OID    types.OID
	Typmod int32
}

// Expr is a bound expression. It is immutable and shared by concurrent
// executions of its plan; everything that changes is in the Context.
type Expr interface {
	Type() Type
	// Eval computes the value for ctx.Row; nil is NULL.
	Eval(ctx *Context) (types.Datum, error)
}

type (
	// Const is a known value.
	Const struct {
		Value types.Datum
		Typ   Type
	}
	// Column is a place of the input row.
	Column struct {
		Index int
		Typ   Type
		Name  string // for EXPLAIN
	}
	// Param is $Number (1-based), a value given at execution.
	Param struct {
		Number int
		Typ    Type
	}
	// ExecParam is a value that the plan itself sets: a column of an outer query
	// or the result of an uncorrelated subquery. Slot indexes Context.Exec.
	ExecParam struct {
		Slot int
		Typ  Type
		Name string // for EXPLAIN
	}
	// Call applies a function or operator.
	Call struct {
		Func *Function
		Args []Expr
		Typ  Type
		// Operator is the operator's name when it was written as one.
		Operator string
		// Implicit marks a cast that the binder added; EXPLAIN does not show it.
		Implicit bool
		// Variadic says that the last argument is the array itself.
		Variadic bool
	}
	// Cast changes a type; see ResolveCast. Func nil: same Go value, or the
	// text form goes in and out (IO).
	Cast struct {
		Arg      Expr
		Typ      Type
		Func     *Function
		IO       bool
		Explicit bool // CAST or ::, which truncates where assignment refuses
		// ApplyTypmod enforces Typ.Typmod after the cast.
		ApplyTypmod bool
		// Elem casts each element of an array.
		Elem *Cast
	}
	// And, Or and Not are three-valued logic.
	And struct{ Args []Expr }
	// Or is true when one argument is.
	Or struct{ Args []Expr }
	// Not negates.
	Not struct{ Arg Expr }
	// NullTest is IS [NOT] NULL; a record is NULL when all its fields are.
	NullTest struct {
		Arg Expr
		Not bool
	}
	// BoolTest is IS [NOT] TRUE | FALSE | UNKNOWN: Want is true, false or nil.
	BoolTest struct {
		Arg  Expr
		Want types.Datum
		Not  bool
	}
	// DistinctFrom is IS [NOT] DISTINCT FROM; Eq is the equality function.
	DistinctFrom struct {
		Left, Right Expr
		Eq          *Function
		Not         bool
	}
	// NullIf is NULLIF.
	NullIf struct {
		Left, Right Expr
		Eq          *Function
		Typ         Type
	}
	// Case is CASE; a simple CASE is bound to comparisons.
	Case struct {
		Whens []When
		Else  Expr // nil is NULL
		Typ   Type
	}
	// Coalesce is COALESCE.
	Coalesce struct {
		Args []Expr
		Typ  Type
	}
	// MinMax is GREATEST and LEAST.
	MinMax struct {
		Args  []Expr
		Least bool
		Typ   Type
	}
	// AnyAll is left op ANY (array), left op ALL (array).
	AnyAll struct {
		Left     Expr
		Array    Expr
		Func     *Function
		Operator string
		All      bool
	}
	// InList is left [NOT] IN (values) over one type; Eq is its equality. When
	// all of List are constants the evaluator may hash them.
	InList struct {
		Left Expr
		List []Expr
		Eq   *Function
		Not  bool

		set inSet // the hashed list, made at the first evaluation
	}
	// ArrayCtor is ARRAY[…]; Nested elements are arrays themselves.
	ArrayCtor struct {
		Elems  []Expr
		Typ    Type
		Nested bool
	}
	// RowCtor is ROW(…).
	RowCtor struct {
		Fields []Expr
		Names  []string
		Typ    Type
	}
	// RowCompare is (a, b) op (c, d); Funcs compare field by field for =, <>;
	// for <, <=, >, >= the comparison is lexicographic by Less and Eq.
	RowCompare struct {
		Op          string
		Left, Right []Expr
		Eq, Less    []*Function
	}
	// Subscript is arg[i]…, or slices; a bound may be nil in a slice. Arg may be
	// an array or a jsonb.
	Subscript struct {
		Arg       Expr
		Low, High []Expr // Low[i] is the index when Slice is false
		Slice     bool
		Typ       Type
	}
	// FieldSelect is (record).field.
	FieldSelect struct {
		Arg   Expr
		Index int
		Name  string
		Typ   Type
	}
	// SubPlan runs a subquery: Plan indexes the statement's subplans. Before each
	// run Args are computed and put into the exec slots Slots.
	SubPlan struct {
		Kind  SubPlanKind
		Plan  int
		Slots []int
		Args  []Expr
		// Test (one or more fields) is compared with the subquery's columns by Funcs.
		Test     []Expr
		Funcs    []*Function
		Operator string
		Typ      Type
	}
	// AggRef stands for aggregate number Index of the Aggregate node below; the
	// planner replaces it by a Column, so it is never evaluated.
	AggRef struct {
		Index int
		Typ   Type
	}
	// WindowRef stands for a window function's result in the same way.
	WindowRef struct {
		Index int
		Typ   Type
	}
)

// When is one arm of a Case.
type When struct{ Cond, Result Expr }

// SubPlanKind says what is made of a subquery's rows.
type SubPlanKind uint8

// The kinds of subplans.
const (
	SubPlanScalar SubPlanKind = iota // 21000 when more than one row
	SubPlanExists
	SubPlanAny
	SubPlanAll
	SubPlanArray
)

func (e *Const) Type() Type        { return e.Typ }
func (e *Column) Type() Type       { return e.Typ }
func (e *Param) Type() Type        { return e.Typ }
func (e *ExecParam) Type() Type    { return e.Typ }
func (e *Call) Type() Type         { return e.Typ }
func (e *Cast) Type() Type         { return e.Typ }
func (e *And) Type() Type          { return boolType }
func (e *Or) Type() Type           { return boolType }
func (e *Not) Type() Type          { return boolType }
func (e *NullTest) Type() Type     { return boolType }
func (e *BoolTest) Type() Type     { return boolType }
func (e *DistinctFrom) Type() Type { return boolType }
func (e *NullIf) Type() Type       { return e.Typ }
func (e *Case) Type() Type         { return e.Typ }
func (e *Coalesce) Type() Type     { return e.Typ }
func (e *MinMax) Type() Type       { return e.Typ }
func (e *AnyAll) Type() Type       { return boolType }
func (e *InList) Type() Type       { return boolType }
func (e *ArrayCtor) Type() Type    { return e.Typ }
func (e *RowCtor) Type() Type      { return e.Typ }
func (e *RowCompare) Type() Type   { return boolType }
func (e *Subscript) Type() Type    { return e.Typ }
func (e *FieldSelect) Type() Type  { return e.Typ }
func (e *SubPlan) Type() Type      { return e.Typ }
func (e *AggRef) Type() Type       { return e.Typ }
func (e *WindowRef) Type() Type    { return e.Typ }

var boolType = Type{OID: types.BoolOID, Typmod: types.NoTypmod}
