package ast

// Expr is an expression as written.
type Expr interface{ expr() }

// ConstKind says how a constant was written.
type ConstKind uint8

// The kinds of constants. A number that fits int8 is ConstInt, any other ConstFloat (numeric).
const (
	ConstNull ConstKind = iota
	ConstInt
	ConstFloat
	ConstString
	ConstBit // Text is like pg_query gives it: b101 or x1F
	ConstBool
)

type (
	// Const is a literal.
	Const struct {
		Kind ConstKind
		Int  int64
		Bool bool
		Text string
		Pos  int
	}
	// ColumnRef is a, t.a, s.t.a, and with Star t.* or *.
	ColumnRef struct {
		Parts []string
		Star  bool
		Pos   int
	}
	// ParamRef is $1.
	ParamRef struct {
		Number int
		Pos    int
	}
	// Op is a binary operator, or a prefix operator when Left is nil. Schema is
	// set for OPERATOR(schema.op). LIKE is ~~, ILIKE ~~*, NOT LIKE !~~,
	// SIMILAR TO is FuncCall similar_to_escape under ~.
	Op struct {
		Schema string
		Name   string
		Left   Expr
		Right  Expr
		Pos    int
	}
	// AnyAll is left op ANY (array) or left op ALL (array).
	AnyAll struct {
		Name  string
		All   bool
		Left  Expr
		Right Expr
		Pos   int
	}
	// In is left [NOT] IN (list). Left may be a RowExpr.
	In struct {
		Left Expr
		List []Expr
		Not  bool
		Pos  int
	}
	// Between is arg [NOT] BETWEEN [SYMMETRIC] low AND high.
	Between struct {
		Arg, Low, High Expr
		Not            bool
		Symmetric      bool
		Pos            int
	}
	// DistinctFrom is left IS [NOT] DISTINCT FROM right.
	DistinctFrom struct {
		Left, Right Expr
		Not         bool
		Pos         int
	}
	// NullIf is NULLIF(left, right).
	NullIf struct {
		Left, Right Expr
		Pos         int
	}
	// BoolExpr is AND, OR over two or more, NOT over one.
	BoolExpr struct {
		Kind BoolKind
		Args []Expr
		Pos  int
	}
	// NullTest is arg IS [NOT] NULL.
	NullTest struct {
		Arg Expr
		Not bool
		Pos int
	}
	// BooleanTest is arg IS [NOT] TRUE | FALSE | UNKNOWN.
	BooleanTest struct {
		Arg  Expr
		Test string // TRUE, FALSE, UNKNOWN
		Not  bool
		Pos  int
	}
	// TypeCast is CAST(arg AS type) and arg::type.
	TypeCast struct {
		Arg  Expr
		Type *TypeName
		Pos  int
	}
	// Collate is arg COLLATE name.
	Collate struct {
		Arg  Expr
		Name []string
		Pos  int
	}
	// FuncCall is a function, aggregate or window function call. ArgNames is nil
	// or parallel to Args ("" for positional).
	FuncCall struct {
		Name        []string
		Args        []Expr
		ArgNames    []string
		Star        bool
		Distinct    bool
		Variadic    bool
		OrderBy     []SortBy
		WithinGroup bool
		Filter      Expr
		Over        *Window
		Pos         int
	}
	// Case is CASE [arg] WHEN … THEN … ELSE … END.
	Case struct {
		Arg   Expr
		Whens []When
		Else  Expr
		Pos   int
	}
	// When is one arm of a Case.
	When struct{ Cond, Result Expr }
	// Coalesce is COALESCE(args).
	Coalesce struct {
		Args []Expr
		Pos  int
	}
	// MinMax is GREATEST or LEAST.
	MinMax struct {
		Least bool
		Args  []Expr
		Pos   int
	}
	// SubLink is a subquery in an expression.
	SubLink struct {
		Kind  SubLinkKind
		Test  Expr   // left side of ANY/ALL (IN is ANY with =)
		Op    string // operator of ANY/ALL, "=" for IN
		Query Stmt
		Pos   int
	}
	// ArrayExpr is ARRAY[…].
	ArrayExpr struct {
		Elems []Expr
		Pos   int
	}
	// RowExpr is ROW(…) or (a, b).
	RowExpr struct {
		Args []Expr
		Pos  int
	}
	// Subscript is arg[i] or, with Slice, arg[low:high] (nil bound = open).
	Subscript struct {
		Arg   Expr
		Slice bool
		Low   Expr // the index when not a slice
		High  Expr
		Pos   int
	}
	// FieldSelect is (arg).name; Star for (arg).*.
	FieldSelect struct {
		Arg  Expr
		Name string
		Star bool
		Pos  int
	}
	// ValueFunction is CURRENT_DATE, CURRENT_TIMESTAMP(p), CURRENT_USER, …;
	// Name is in lower case: current_date. Typmod is -1 or the precision.
	ValueFunction struct {
		Name   string
		Typmod int32
		Pos    int
	}
	// Grouping is GROUPING(args).
	Grouping struct {
		Args []Expr
		Pos  int
	}
	// Default is DEFAULT in VALUES or SET.
	Default struct{ Pos int }
)

// BoolKind is the operator of a BoolExpr.
type BoolKind uint8

// The boolean operators.
const (
	And BoolKind = iota
	Or
	Not
)

// SubLinkKind is what is made of a subquery.
type SubLinkKind uint8

// The kinds of sublinks.
const (
	SubLinkExists SubLinkKind = iota
	SubLinkAny
	SubLinkAll
	SubLinkScalar
	SubLinkArray
)

// TypeName is a type as written: names (["pg_catalog","int4"] for int), modifiers
// (constants as written), array bounds (-1 for []). SetOf for SETOF.
type TypeName struct {
	Names  []string
	Mods   []Expr
	Bounds []int
	SetOf  bool
	// IntervalFields is the mask text of interval fields ("HOUR TO MINUTE"), if any.
	IntervalFields string
	Pos            int
}

// SortBy is one ORDER BY item.
type SortBy struct {
	Expr  Expr
	Desc  bool
	Nulls NullsOrder
	Using string // USING operator
	Pos   int
}

// NullsOrder is NULLS FIRST or LAST.
type NullsOrder uint8

// The null orders; the default depends on the direction.
const (
	NullsDefault NullsOrder = iota
	NullsFirst
	NullsLast
)

// Window is a window definition or a reference to a named one.
type Window struct {
	Name        string // definition's name, or the window referred to by OVER name
	Ref         string // existing window that this one refines
	PartitionBy []Expr
	OrderBy     []SortBy
	Frame       *Frame // nil: default frame
	Pos         int
}

// Frame is ROWS|RANGE|GROUPS BETWEEN start AND end EXCLUDE ….
type Frame struct {
	Mode       string // ROWS, RANGE, GROUPS
	Start, End FrameBound
	Exclude    string // "", CURRENT ROW, GROUP, TIES
}

// FrameBound is one end of a frame.
type FrameBound struct {
	Kind   string // UNBOUNDED PRECEDING, PRECEDING, CURRENT ROW, FOLLOWING, UNBOUNDED FOLLOWING
	Offset Expr
}

func (*Const) expr()         {}
func (*ColumnRef) expr()     {}
func (*ParamRef) expr()      {}
func (*Op) expr()            {}
func (*AnyAll) expr()        {}
func (*In) expr()            {}
func (*Between) expr()       {}
func (*DistinctFrom) expr()  {}
func (*NullIf) expr()        {}
func (*BoolExpr) expr()      {}
func (*NullTest) expr()      {}
func (*BooleanTest) expr()   {}
func (*TypeCast) expr()      {}
func (*Collate) expr()       {}
func (*FuncCall) expr()      {}
func (*Case) expr()          {}
func (*Coalesce) expr()      {}
func (*MinMax) expr()        {}
func (*SubLink) expr()       {}
func (*ArrayExpr) expr()     {}
func (*RowExpr) expr()       {}
func (*Subscript) expr()     {}
func (*FieldSelect) expr()   {}
func (*ValueFunction) expr() {}
func (*Grouping) expr()      {}
func (*Default) expr()       {}
