package plan

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// Plan is one planned statement.
type Plan struct {
	Root Node
	// SubPlans are run by expr.SubPlan. CTEs are run at most once per execution,
	// on demand; a CTE that modifies data is always run to its end.
	SubPlans []*SubQuery
	CTEs     []*CTE
	// Init are uncorrelated scalar subqueries: each is run once, when its exec
	// slot is first needed, by the SubPlan expression that refers to it.
	ExecSlots int
	// Params are the parameters' types, resolved.
	Params []types.OID
	// Columns are the result's; nil when the statement returns no rows.
	Columns []Column
	// Tag is the command: SELECT, INSERT, UPDATE, DELETE, MERGE.
	Tag string
	// Tables are those read and written, with the lock each one needs.
	Tables []TableUse
	// Writes says whether the statement modifies data or takes row locks.
	Writes bool
	// Volatile says whether it calls volatile functions with side effects (nextval).
	CatalogVersion uint64
	SearchPath     string
}

// TableUse is one table that a plan uses.
type TableUse struct {
	Table *catalog.Table
	Lock  storage.LockMode
}

// Column describes an output column. Table and Attnum are set when it comes
// straight from a table's column.
type Column struct {
	Name   string
	Type   expr.Type
	Table  types.OID
	Attnum int16
	// Fields are those of a column of type record, where they are known.
	Fields []expr.OutColumn
}

// SubQuery is a subquery of an expression. Params are the exec slots it reads
// (empty: uncorrelated, its result is kept for the execution).
type SubQuery struct {
	Root   Node
	Params []int
	Name   string // SubPlan 1, InitPlan 1
}

// CTE is a WITH query that is computed once and kept.
type CTE struct {
	Name     string
	Root     Node
	Modifies bool
	Columns  []Column
}

// Node is a plan node.
type Node interface {
	// Common gives what every node has.
	Common() *Info
}

// Info is what every node has.
type Info struct {
	Columns []Column
	// Rows is the estimate, Cost the total cost in PostgreSQL's arbitrary unit.
	Rows    float64
	Startup float64
	Cost    float64
	Width   int
}

// Common returns itself, so that nodes embed it.
func (i *Info) Common() *Info { return i }

type (
	// Values gives fixed rows; one empty row for SELECT without FROM.
	Values struct {
		Info
		Lists [][]expr.Expr
	}
	// SeqScan reads a whole table. Its row has one place a column of the table
	// (attnum-1). When a scan's Info.Columns has one column more than that (KNN:
	// than the table's row and the distance), the row id (int64) stands there.
	SeqScan struct {
		Info
		Table  *catalog.Table
		Alias  string
		Cols   []int16   // attnums that anybody needs
		Filter expr.Expr // over the table's row; nil for none
		Sample *Sample
	}
	// Sample is TABLESAMPLE.
	Sample struct {
		Method  string // bernoulli, system
		Percent expr.Expr
		Seed    expr.Expr
	}
	// IndexScan reads a table through a btree index.
	IndexScan struct {
		Info
		Table  *catalog.Table
		Index  *catalog.Index
		Alias  string
		Cols   []int16
		Ranges []IndexRange
		// Reverse reads backwards.
		Reverse bool
		Filter  expr.Expr // what the ranges do not guarantee
	}
	// IndexRange is a storage.KeyRange whose values are computed when the scan
	// opens (they may hold parameters and exec parameters, no columns). A NULL
	// value makes the range empty. EqAny, when set, is an array: one range for
	// each of its elements at the key column after Eq.
	IndexRange struct {
		Eq        []expr.Expr
		EqAny     expr.Expr
		IsNull    bool // the key column after Eq IS NULL
		Low, High expr.Expr
		LowOpen   bool
		HighOpen  bool
		NotNull   bool
	}
	// KNN reads a table in order of the distance to Query through a vector
	// index. Its output row is the table's row and the distance (float8) in one
	// more place after it. Rows come in exact order of distance.
	KNN struct {
		Info
		Table *catalog.Table
		Index *catalog.Index
		Alias string
		Cols  []int16
		Query expr.Expr // no columns; NULL: rows come in any order, distances NULL
		// Distance is the ordering operator's function on the row's key and Query.
		Distance *expr.Function
		Key      expr.Expr // the indexed expression over the table's row
		Filter   expr.Expr // over the table's row (and the distance place)
		// Want is the number of rows the query takes (LIMIT + OFFSET); nil: all,
		// which is a complete exact sort.
		Want expr.Expr
		// More says that a join above may drop rows, so that more than Want may be
		// asked for: then Want is a guess.
		More bool
		// MaxDistance, from WHERE v <=> q < x, ends the scan early.
		MaxDistance     expr.Expr
		MaxDistanceOpen bool
		// Selectivity is the estimated share of rows that pass Filter.
		Selectivity float64
		// Alternative finds the rows that pass Filter without the vector index
		// (an IndexScan or SeqScan of the same table) for the exact way. What
		// Filter says of the distance is left out of it, and of Selectivity.
		Alternative Node
	}
	// Append reads the partitions of a table. Its row is theirs; where it has a row
	// id, the number of the leaf (Partition.Number) is in the bits above those of
	// the id (LeafID).
	Append struct {
		Info
		Table    *catalog.Table
		Alias    string
		Children []Node
		// Parts are the children's partitions.
		Parts []*Partition
		// Order, when set, is what the children's rows are sorted by: they are merged.
		Order []SortKey
		// RowID is the place of the row id, -1 for none; Distance says that one place
		// before it, after the table's row, is the distance of a nearest neighbour.
		RowID    int
		Distance bool
		// Prune, when set, says anew which children are read when the scan opens.
		Prune *Pruning
	}
	// FunctionScan gives the rows of set-returning functions.
	FunctionScan struct {
		Info
		Calls      []*expr.Call
		Widths     []int // columns of each call
		Ordinality bool
		Alias      string
	}
	// VirtualScan reads a relation that is computed (pg_catalog,
	// information_schema, akidb views): the executor finds it by name.
	VirtualScan struct {
		Info
		Schema, Name string
		Alias        string
		Filter       expr.Expr
		// Lookup, when set, is column Index = value, which the relation may use.
		Lookup []VirtualLookup
	}
	// VirtualLookup is a column (position) that must equal a value.
	VirtualLookup struct {
		Column int
		Value  expr.Expr
	}
	// CTEScan reads a CTE's kept rows.
	CTEScan struct {
		Info
		CTE    int
		Alias  string
		Filter expr.Expr
	}
	// WorkTableScan reads the last step's rows inside a RecursiveUnion.
	WorkTableScan struct {
		Info
		Table *RecursiveUnion
		Alias string
	}
	// RecursiveUnion is WITH RECURSIVE.
	RecursiveUnion struct {
		Info
		Left, Right Node
		Distinct    bool
	}
	// Filter passes rows for which Cond is true.
	Filter struct {
		Info
		Child Node
		Cond  expr.Expr
	}
	// Project computes a new row. SRF, when not nil, marks the places whose
	// expression is a set-returning *expr.Call: they are run in step.
	Project struct {
		Info
		Child Node
		Exprs []expr.Expr
		SRF   []bool
	}
	// NestLoop joins by running Right for each row of Left; Params are set from
	// the left row before each run (LATERAL and parameterised index scans).
	NestLoop struct {
		Info
		Kind        JoinKind
		Left, Right Node
		Cond        expr.Expr // over left ++ right
		Slots       []int
		Args        []expr.Expr // over the left row
		// Materialize keeps Right's rows when it does not depend on Left.
		Materialize bool
	}
	// HashJoin joins on equality. Right is built into the table.
	HashJoin struct {
		Info
		Kind                JoinKind
		Left, Right         Node
		LeftKeys, RightKeys []expr.Expr
		Cond                expr.Expr // further condition over left ++ right
	}
	// Sort sorts all rows; with Limit it keeps only that many (top-N).
	Sort struct {
		Info
		Child Node
		Keys  []SortKey
		Limit expr.Expr // LIMIT + OFFSET, or nil
		// Presorted is how many of the first keys the child's rows are sorted by
		// already: with Limit, what comes after the last of its ties is not read.
		Presorted int
	}
	// SortKey is one sort key over the child's row.
	SortKey struct {
		Expr       expr.Expr
		Desc       bool
		NullsFirst bool
	}
	// Limit is LIMIT and OFFSET; NULL is none. WithTies needs Keys.
	Limit struct {
		Info
		Child    Node
		Count    expr.Expr
		Offset   expr.Expr
		WithTies bool
		Keys     []SortKey
	}
	// Aggregate groups. Output row: the group expressions, then the aggregates,
	// then, with grouping sets, the GROUPING bit mask (int8) in a last place: bit
	// i (1<<i) is set when Groups[i] is not in the row's grouping set.
	Aggregate struct {
		Info
		Child  Node
		Groups []expr.Expr
		Aggs   []AggCall
		// Sets are the grouping sets as indexes into Groups; nil is one set of all.
		Sets [][]int
	}
	// AggCall is one aggregate call, over the child's row.
	AggCall struct {
		Func     *expr.Function
		Args     []expr.Expr
		Direct   []expr.Expr // direct arguments of ordered-set aggregates
		Distinct bool
		OrderBy  []SortKey
		Filter   expr.Expr
		Typ      expr.Type
	}
	// WindowAgg computes window functions of one window. Output row: the child's row, then the results.
	// The child is sorted by Partition and then OrderBy.
	WindowAgg struct {
		Info
		Child     Node
		Partition []expr.Expr
		OrderBy   []SortKey
		Frame     *ast.Frame // nil: default
		Start     expr.Expr  // frame offsets
		End       expr.Expr
		Calls     []WindowCall
	}
	// WindowCall is one window function or aggregate used as one.
	WindowCall struct {
		Func   *expr.Function
		Args   []expr.Expr
		Filter expr.Expr
		Typ    expr.Type
	}
	// Distinct removes duplicates; with On it keeps the first row of each (the child is sorted by them).
	Distinct struct {
		Info
		Child Node
		On    []expr.Expr
	}
	// SetOp is UNION [ALL], INTERSECT [ALL], EXCEPT [ALL] of children with equal columns.
	SetOp struct {
		Info
		Op          string
		All         bool
		Left, Right Node
	}
	// LockRows is FOR UPDATE and the like: RowIDs are the places of the row ids
	// in the child's row, and a row that changed is read again and must pass
	// Recheck (the whole WHERE).
	LockRows struct {
		Info
		Child Node
		Locks []RowLockSpec
	}
	// RowLockSpec locks one table's rows.
	RowLockSpec struct {
		Table    *catalog.Table
		Leaves   []*catalog.Table // of a partitioned table
		Offset   int              // place of the table's first column in the child's row
		RowID    int              // place of its row id (int64)
		Strength storage.RowLock
		Wait     storage.WaitPolicy
		Recheck  expr.Expr
	}
	// ModifyTable is INSERT, UPDATE, DELETE.
	ModifyTable struct {
		Info
		Op    string // INSERT, UPDATE, DELETE
		Table *catalog.Table
		Alias string
		// Partitions, for a partitioned table, finds the leaf of a row; Leaves are
		// the tables that hold rows, by number, and LeafChecks their constraints
		// beyond Checks (nil: none has any).
		Partitions *Partitions
		Leaves     []*catalog.Table
		LeafChecks [][]CheckExpr
		// LeafPlace, when set, is where RETURNING reads the oid of the row's table.
		LeafPlace int
		// Bounds are, for a partition named itself, what its rows must keep.
		Bounds []PartitionOf
		// Child gives for INSERT rows of width len(Columns) (attnum order, casts
		// done); for UPDATE and DELETE the target table's row first, its row id at
		// RowID, and other FROM items' columns anywhere after.
		Child Node
		RowID int
		// Set (UPDATE): new values over the child's row. Generated columns are included.
		Set []Assignment
		// Defaults (INSERT) fill the columns that the child leaves out; nil entries are given by the child.
		Defaults  []expr.Expr
		Generated []Assignment // over the new table row
		Checks    []CheckExpr  // over the new table row
		Conflict  *ConflictSpec
		// Recheck is the WHERE clause over the child's row, for rows that changed
		// while their lock was waited for.
		Recheck expr.Expr
		// Returning is computed over the new (DELETE: old) table row followed by the child's other columns from OtherOffset.
		Returning   []expr.Expr
		OtherOffset int
		// Identity 'a' columns given explicitly without OVERRIDING are refused by the binder.
	}
	// PartitionOf says that rows must lie in one partition of a table.
	PartitionOf struct {
		Parts *Partitions
		Child types.OID
	}
	// Assignment sets a column.
	Assignment struct {
		Column int16
		Value  expr.Expr
	}
	// CheckExpr is a CHECK constraint (or a domain's), by name.
	CheckExpr struct {
		Name string
		Cond expr.Expr
	}
	// ConflictSpec is ON CONFLICT. Set and Where are over the existing row
	// followed by the excluded row.
	ConflictSpec struct {
		Arbiters  []types.OID
		DoUpdate  bool
		Set       []Assignment
		Where     expr.Expr
		Generated []Assignment
	}
)

// JoinKind is the kind of a join.
type JoinKind uint8

// The join kinds. Semi and Anti give only left rows.
const (
	Inner JoinKind = iota
	LeftOuter
	RightOuter
	FullOuter
	Semi
	Anti
)
