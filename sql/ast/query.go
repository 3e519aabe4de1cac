package ast

// Stmt is a statement as written.
type Stmt interface{ stmt() }

// RangeVar names a relation: [schema.]name [AS alias (cols)].
type RangeVar struct {
	Catalog string
	Schema  string
	Name    string
	Alias   *Alias
	Only    bool
	Temp    bool // CREATE TEMP …
	Pos     int
}

// Alias is AS name (columns).
type Alias struct {
	Name    string
	Columns []string
}

// FromItem is an item of FROM: *RangeVar, *SubqueryFrom, *FunctionFrom, *Join.
type FromItem interface{ fromItem() }

type (
	// SubqueryFrom is [LATERAL] (query) alias.
	SubqueryFrom struct {
		Query   Stmt
		Alias   *Alias
		Lateral bool
		Pos     int
	}
	// FunctionFrom is [LATERAL] f(…) [WITH ORDINALITY] alias, or ROWS FROM (…).
	FunctionFrom struct {
		Funcs      []Expr
		Columns    []ColumnDef // column definition list AS (a int, …)
		Alias      *Alias
		Lateral    bool
		Ordinality bool
		Pos        int
	}
	// Join is left [type] JOIN right ON/USING/NATURAL. A comma in FROM is not a
	// Join but another item.
	Join struct {
		Kind       JoinKind
		Natural    bool
		Left       FromItem
		Right      FromItem
		Using      []string
		UsingAlias string
		On         Expr
		Alias      *Alias
		Pos        int
	}
	// TableSample is rel TABLESAMPLE method (args) REPEATABLE (seed).
	TableSample struct {
		Rel    FromItem
		Method string
		Args   []Expr
		Repeat Expr
		Pos    int
	}
)

// JoinKind is the type of a join. CROSS JOIN is JoinInner without a condition.
type JoinKind uint8

// The join kinds.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
)

func (*RangeVar) fromItem()     {}
func (*SubqueryFrom) fromItem() {}
func (*FunctionFrom) fromItem() {}
func (*Join) fromItem()         {}
func (*TableSample) fromItem()  {}

// Target is one item of a SELECT or RETURNING list; in UPDATE … SET and INSERT
// column lists Name is the column.
type Target struct {
	Expr Expr
	Name string // AS name, "" if none
	Pos  int
}

// With is a WITH clause.
type With struct {
	Recursive bool
	CTEs      []CTE
}

// CTE is one common table expression.
type CTE struct {
	Name         string
	Columns      []string
	Query        Stmt
	Materialized string // "", always, never
	Pos          int
}

// GroupItem is an expression of GROUP BY, or a grouping set.
type GroupItem struct {
	Kind  string // "" (Exprs has one), ROLLUP, CUBE, SETS, EMPTY, SIMPLE
	Exprs []Expr
	Sets  []GroupItem
}

// Select is SELECT, VALUES, TABLE, and with SetOp != "" a set operation.
type Select struct {
	With       *With
	Distinct   bool
	DistinctOn []Expr
	Targets    []Target
	From       []FromItem
	Where      Expr
	GroupBy    []GroupItem
	// GroupDistinct is GROUP BY DISTINCT.
	GroupDistinct bool
	Having        Expr
	Windows       []Window
	Values        [][]Expr // VALUES lists; then Targets is empty
	OrderBy       []SortBy
	Limit         Expr // nil: no limit; LIMIT ALL is a NULL constant
	WithTies      bool
	Offset        Expr
	Locking       []Locking
	SetOp         string // "", UNION, INTERSECT, EXCEPT
	All           bool
	Left          *Select
	Right         *Select
	Into          *RangeVar
	Pos           int
}

// Locking is FOR UPDATE | NO KEY UPDATE | SHARE | KEY SHARE [OF t] [NOWAIT | SKIP LOCKED].
type Locking struct {
	Strength   string // UPDATE, NO KEY UPDATE, SHARE, KEY SHARE
	Of         []string
	NoWait     bool
	SkipLocked bool
}

// Insert is INSERT INTO.
type Insert struct {
	With       *With
	Table      *RangeVar
	Columns    []Target
	Query      *Select // nil: DEFAULT VALUES
	Overriding string  // "", SYSTEM, USER
	OnConflict *OnConflict
	Returning  []Target
}

// OnConflict is ON CONFLICT [(columns) WHERE p | ON CONSTRAINT c] DO NOTHING | UPDATE SET … WHERE ….
type OnConflict struct {
	Columns    []IndexElem
	InferWhere Expr
	Constraint string
	DoUpdate   bool
	Set        []SetClause
	Where      Expr
	Pos        int
}

// SetClause is one column assignment, or (a, b) = (row or subquery).
type SetClause struct {
	Columns []string
	// Part is the subscripted column, where only a part of it is assigned to.
	Part *Subscript
	Expr Expr // for several columns: *RowExpr or *SubLink
	Pos  int
}

// Update is UPDATE … SET … FROM … WHERE … RETURNING.
type Update struct {
	With      *With
	Table     *RangeVar
	Set       []SetClause
	From      []FromItem
	Where     Expr
	Returning []Target
}

// Delete is DELETE FROM … USING … WHERE … RETURNING.
type Delete struct {
	With      *With
	Table     *RangeVar
	Using     []FromItem
	Where     Expr
	Returning []Target
}

func (*Select) stmt() {}
func (*Insert) stmt() {}
func (*Update) stmt() {}
func (*Delete) stmt() {}

// Merge is MERGE INTO … USING … ON … WHEN ….
type Merge struct {
	With   *With
	Table  *RangeVar
	Source FromItem
	On     Expr
	Whens  []MergeWhen
}

// MergeWhen is WHEN [NOT] MATCHED [AND cond] THEN action.
type MergeWhen struct {
	Matched    bool
	Cond       Expr
	Action     string      // UPDATE, INSERT, DELETE, NOTHING
	Set        []SetClause // UPDATE
	Columns    []Target    // INSERT
	Values     []Expr      // INSERT; nil is DEFAULT VALUES
	Overriding string      // "", SYSTEM, USER
}

func (*Merge) stmt() {}
