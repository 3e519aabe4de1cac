package expr

import "github.com/akidb/akidb/internal/types"

// Volatility says how far a function's result may be reused.
type Volatility byte

// The volatilities, with pg_proc's letters.
const (
	Immutable Volatility = 'i'
	Stable    Volatility = 's'
	Volatile  Volatility = 'v'
)

// Function is one row of the function table (pg_proc). Operators and casts
// refer to functions.
type Function struct {
	OID    types.OID // stable; 0 for functions that are not in pg_proc
	Schema string    // "" is pg_catalog; "public" for pgvector's, "akidb" for our own
	Name   string
	Args   []types.OID
	// Variadic is the element type of a variadic last argument, 0 for none; then
	// the last of Args is its array type.
	Variadic types.OID
	// Defaults is how many trailing arguments may be left out, and DefaultValues their values.
	Defaults      int
	DefaultValues []types.Datum
	ArgNames      []string
	Result        types.OID
	Volatility    Volatility
	// NotStrict functions are called with NULL arguments; others give NULL.
	NotStrict bool
	// Eval computes a scalar function. args is only valid during the call.
	Eval func(ctx *Context, args []types.Datum) (types.Datum, error)
	// Rows makes a set-returning function's rows: each call of the returned
	// function gives the next row, nil at the end. Columns are its out columns;
	// one column for a function of a scalar type.
	Rows    func(ctx *Context, args []types.Datum) (func() (types.Row, error), error)
	Columns []OutColumn
	// Aggregate and Window are set for aggregates and window functions.
	Aggregate *Aggregate
	Window    *WindowFunction
	// ResultOf computes the result type (typmod included) from the arguments'
	// types where it is not simply Result; polymorphic results are handled by resolve.
	ResultOf func(args []Type) Type
	// Metric is set for distance functions.
	Metric types.Metric
	// eval2 is Eval for two values that are not NULL, without an argument slice;
	// the hot operators have it. Eval is set too.
	eval2 func(a, b types.Datum) (types.Datum, error)
	// bind, when set, makes Eval for the resolved types of a call's arguments;
	// resolve copies the row and puts it there (pg_typeof, to_json, concat …).
	bind bindFunc
	// recordRows is set for functions that return record: it makes Rows for the
	// columns of a call's column definition list; see WithColumns.
	recordRows recordFunc
}

// OutColumn is a column of a set-returning function.
type OutColumn struct {
	Name string
	Type types.OID
}

// Aggregate is how an aggregate is computed.
type Aggregate struct {
	// New starts a group. args are the resolved argument types.
	New func(ctx *Context, args []Type) Accumulator
	// OrderedSet aggregates (percentile_cont …) take direct arguments first and
	// get their rows sorted by WITHIN GROUP.
	OrderedSet bool
}

// Accumulator gathers one group.
type Accumulator interface {
	// Add takes one row's arguments (strict aggregates skip NULLs themselves).
	Add(args []types.Datum) error
	// Result may be called more than once, with Adds between (running windows).
	Result() (types.Datum, error)
}

// WindowFunction computes rank, lag and the like over one partition.
type WindowFunction struct {
	// Eval gets the partition through w and returns row i's value.
	Eval func(ctx *Context, w WindowPartition, i int) (types.Datum, error)
}

// WindowPartition is what a window function sees.
type WindowPartition interface {
	Len() int
	// Arg computes argument n for row i.
	Arg(i, n int) (types.Datum, error)
	// Peers is the half-open range of rows equal to i in ORDER BY.
	Peers(i int) (int, int)
	// Frame is the half-open range of row i's frame (no exclusion considered).
	Frame(i int) (int, int)
}

// Operator is one row of pg_operator. Left is 0 for a prefix operator.
type Operator struct {
	OID         types.OID
	Schema      string // "" is pg_catalog
	Name        string
	Left, Right types.OID
	Result      types.OID
	Func        *Function
	Commutator  string
	Negator     string
}

// CastContext is where a cast is allowed to happen by itself.
type CastContext byte

// The cast contexts, with pg_cast's letters.
const (
	CastImplicit   CastContext = 'i'
	CastAssignment CastContext = 'a'
	CastExplicit   CastContext = 'e'
)

// CastRow is one row of pg_cast. Func nil and IO false: binary coercible.
type CastRow struct {
	Source, Target types.OID
	Context        CastContext
	Func           *Function
	IO             bool
}
