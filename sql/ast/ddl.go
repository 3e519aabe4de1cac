package ast

// Option is a name = value of WITH (…) and of option lists; Value is nil for a bare name.
type Option struct {
	Name  string // namespace.name where written so
	Value Expr   // *Const, or *ColumnRef for a bare word
	Pos   int
}

// ColumnDef is one column of CREATE TABLE or ADD COLUMN.
type ColumnDef struct {
	Name        string
	Type        *TypeName
	Constraints []Constraint
	Collation   []string
	Pos         int
}

// ConstraintKind is the kind of a Constraint.
type ConstraintKind uint8

// The constraint kinds.
const (
	ConstraintNotNull ConstraintKind = iota
	ConstraintNull
	ConstraintDefault
	ConstraintCheck
	ConstraintPrimary
	ConstraintUnique
	ConstraintForeign
	ConstraintIdentity
	ConstraintGenerated
	ConstraintExclusion
)

// Constraint is a column or table constraint.
type Constraint struct {
	Kind         ConstraintKind
	Name         string
	Expr         Expr   // CHECK, DEFAULT, GENERATED
	ExprText     string // its SQL text, deparsed
	Columns      []string
	Include      []string
	NullsNotDist bool
	Always       bool // GENERATED ALWAYS AS IDENTITY
	Sequence     []Option
	RefTable     *RangeVar
	RefColumns   []string
	OnDelete     string // "", a c r n d as PostgreSQL encodes them
	OnUpdate     string
	SetColumns   []string // of ON DELETE SET NULL (…)
	MatchFull    bool
	UsingIndex   string
	NoInherit    bool
	NotValid     bool
	Deferrable   bool
	InitDeferred bool
	Options      []Option
	Pos          int
}

type (
	// CreateTable is CREATE TABLE and CREATE COLLECTION.
	CreateTable struct {
		Table       *RangeVar
		IfNotExists bool
		Columns     []ColumnDef
		Constraints []Constraint
		Like        []*RangeVar
		LikeOptions []uint32 // parallel to Like: bits of INCLUDING (parsenodes.h TableLikeOption)
		Options     []Option
		OnCommit    string // "", DROP, DELETE ROWS, PRESERVE ROWS
		PartitionBy *PartitionSpec
		PartitionOf *RangeVar
		Bound       *PartitionBound
		Inherits    []*RangeVar
	}
	// PartitionSpec is PARTITION BY strategy (elements).
	PartitionSpec struct {
		Strategy string // list, range, hash
		Elems    []IndexElem
	}
	// PartitionBound is FOR VALUES … or DEFAULT.
	PartitionBound struct {
		Default   bool
		In        []Expr
		From, To  []Expr
		Modulus   int
		Remainder int
	}
	// CreateTableAs is CREATE TABLE … AS query and SELECT INTO.
	CreateTableAs struct {
		Table       *RangeVar
		Columns     []string
		IfNotExists bool
		Query       Stmt
		WithData    bool
		Options     []Option
		MatView     bool
		QueryText   string // of a materialized view
		OnCommit    string // "", DROP, DELETE ROWS, PRESERVE ROWS
	}
	// AlterTable is ALTER TABLE with its actions in order; also for ALTER INDEX, VIEW, SEQUENCE … when they share actions.
	AlterTable struct {
		Kind     string // TABLE, INDEX, VIEW, SEQUENCE
		Table    *RangeVar
		IfExists bool
		Actions  []AlterAction
	}
	// AlterAction is one action. Op is one of: ADD COLUMN, DROP COLUMN, ALTER TYPE, SET DEFAULT,
	// DROP DEFAULT, SET NOT NULL, DROP NOT NULL, ADD CONSTRAINT, DROP CONSTRAINT, VALIDATE CONSTRAINT,
	// SET OPTIONS, RESET OPTIONS, OWNER, ADD IDENTITY, DROP IDENTITY, SET STORAGE, SET STATISTICS,
	// ATTACH PARTITION, DETACH PARTITION, or PostgreSQL's own words for anything else.
	AlterAction struct {
		Op         string
		Name       string
		Column     *ColumnDef
		Type       *TypeName
		Using      Expr
		UsingText  string
		Expr       Expr
		ExprText   string
		Constraint *Constraint
		Options    []Option
		IfExists   bool // IF EXISTS, IF NOT EXISTS
		Cascade    bool
		Partition  *RangeVar
		Bound      *PartitionBound
		Pos        int
	}
	// Rename is ALTER … RENAME. Object is TABLE, COLUMN, INDEX, SEQUENCE, VIEW, CONSTRAINT, SCHEMA, TYPE, DATABASE, ROLE.
	Rename struct {
		Object   string
		Of       string // of a column: VIEW, MATERIALIZED VIEW; "" for a table
		Table    *RangeVar
		Name     string // the part renamed (column, constraint, schema)
		NewName  string
		IfExists bool
	}
	// AlterSchema is ALTER … SET SCHEMA.
	AlterSchema struct {
		Object    string
		Table     *RangeVar
		NewSchema string
		IfExists  bool
	}
	// Drop is DROP TABLE | INDEX | SEQUENCE | VIEW | SCHEMA | TYPE | DOMAIN | EXTENSION | MATERIALIZED VIEW ….
	Drop struct {
		Object       string
		Names        [][]string
		IfExists     bool
		Cascade      bool
		Concurrently bool
	}
	// CreateIndex is CREATE INDEX.
	CreateIndex struct {
		Name         string
		Table        *RangeVar
		Method       string
		Unique       bool
		Concurrently bool
		IfNotExists  bool
		Elems        []IndexElem
		Include      []string
		Where        Expr
		WhereText    string
		Options      []Option
		NullsNotDist bool
	}
	// IndexElem is a column or an expression of an index.
	IndexElem struct {
		Column   string
		Expr     Expr
		ExprText string
		Opclass  []string
		// Collation is COLLATE name, if any.
		Collation []string
		Desc      bool
		Nulls     NullsOrder
		Pos       int
	}
	// CreateSequence is CREATE SEQUENCE.
	CreateSequence struct {
		Name        *RangeVar
		IfNotExists bool
		Options     []Option // increment, minvalue, maxvalue, start, restart, cache, cycle, owned_by, as
	}
	// AlterSequence is ALTER SEQUENCE.
	AlterSequence struct {
		Name     *RangeVar
		IfExists bool
		Options  []Option
	}
	// CreateSchema is CREATE SCHEMA.
	CreateSchema struct {
		Name        string
		IfNotExists bool
		Owner       string
	}
	// CreateView is CREATE [OR REPLACE] VIEW.
	CreateView struct {
		View      *RangeVar
		Columns   []string
		Query     Stmt
		QueryText string
		Replace   bool
	}
	// CreateExtension is CREATE EXTENSION.
	CreateExtension struct {
		Name        string
		IfNotExists bool
		Schema      string
	}
	// CreateDatabase is CREATE DATABASE.
	CreateDatabase struct {
		Name    string
		Options []Option
	}
	// DropDatabase is DROP DATABASE.
	DropDatabase struct {
		Name     string
		IfExists bool
	}
	// CreateEnum is CREATE TYPE … AS ENUM.
	CreateEnum struct {
		Name   []string
		Labels []string
	}
	// AlterEnum is ALTER TYPE … ADD VALUE and RENAME VALUE (Old set).
	AlterEnum struct {
		Name        []string
		Old         string
		New         string
		Neighbor    string // BEFORE or AFTER this one
		After       bool
		IfNotExists bool
	}
	// RefreshMatView is REFRESH MATERIALIZED VIEW.
	RefreshMatView struct {
		View         *RangeVar
		Concurrently bool
		NoData       bool
	}
	// CreateDomain is CREATE DOMAIN.
	CreateDomain struct {
		Name        []string
		Type        *TypeName
		Constraints []Constraint
	}
	// AlterDomain is ALTER DOMAIN: SET and DROP DEFAULT, SET and DROP NOT NULL, ADD,
	// DROP, VALIDATE and RENAME CONSTRAINT (named by Constraint).
	AlterDomain struct {
		Name       []string
		Op         string
		Expr       Expr
		Constraint *Constraint
		NewName    string
		IfExists   bool
	}
	// Truncate is TRUNCATE.
	Truncate struct {
		Tables          []*RangeVar
		RestartIdentity bool
		Cascade         bool
	}
	// Comment is COMMENT ON.
	Comment struct {
		Object string
		Names  []string
		Text   *string // nil removes
	}
	// Reindex is REINDEX.
	Reindex struct {
		Object       string // INDEX, TABLE, SCHEMA, DATABASE
		Name         *RangeVar
		Concurrently bool
	}
	// CreateRole is CREATE ROLE | USER.
	CreateRole struct {
		Name    string
		Options []Option
		User    bool
	}
	// AlterRole is ALTER ROLE … options, and ALTER ROLE … SET.
	AlterRole struct {
		Name    string
		Options []Option
		Set     *Set
	}
	// AlterDatabase is ALTER DATABASE … SET.
	AlterDatabase struct {
		Name string
		Set  *Set
	}
	// DropRole is DROP ROLE.
	DropRole struct {
		Names    []string
		IfExists bool
	}
	// Grant is GRANT and REVOKE, of rights or of roles.
	Grant struct {
		Revoke     bool
		Privileges []string
		Object     string
		Names      [][]string
		Grantees   []string
		Roles      []string
	}
	// AlterCollection is AkiDB's ALTER COLLECTION name SET TIER … [WAIT] | PIN | UNPIN | SET (options).
	AlterCollection struct {
		Table    *RangeVar
		IfExists bool
		Action   string // SET TIER, PIN, UNPIN, SET, CANCEL
		Tier     string
		Wait     bool
		Options  []Option
	}
	// Snapshot is CREATE | DROP | RESTORE SNAPSHOT.
	Snapshot struct {
		Action      string
		Name        string
		More        []string  // DROP SNAPSHOT a, b
		Table       *RangeVar // OF name, or AS name; nil without AS
		IfExists    bool      // DROP SNAPSHOT IF EXISTS
		IfNotExists bool      // CREATE SNAPSHOT IF NOT EXISTS
	}
	// Unsupported is a statement of PostgreSQL's grammar that AkiDB has not.
	Unsupported struct{ Feature string }
)

func (*CreateTable) stmt()     {}
func (*CreateTableAs) stmt()   {}
func (*AlterTable) stmt()      {}
func (*Rename) stmt()          {}
func (*AlterSchema) stmt()     {}
func (*Drop) stmt()            {}
func (*CreateIndex) stmt()     {}
func (*CreateSequence) stmt()  {}
func (*AlterSequence) stmt()   {}
func (*CreateSchema) stmt()    {}
func (*CreateView) stmt()      {}
func (*CreateExtension) stmt() {}
func (*CreateDatabase) stmt()  {}
func (*DropDatabase) stmt()    {}
func (*CreateEnum) stmt()      {}
func (*AlterEnum) stmt()       {}
func (*RefreshMatView) stmt()  {}
func (*CreateDomain) stmt()    {}
func (*AlterDomain) stmt()     {}
func (*Truncate) stmt()        {}
func (*Comment) stmt()         {}
func (*Reindex) stmt()         {}
func (*CreateRole) stmt()      {}
func (*AlterRole) stmt()       {}
func (*AlterDatabase) stmt()   {}
func (*DropRole) stmt()        {}
func (*Grant) stmt()           {}
func (*AlterCollection) stmt() {}
func (*Snapshot) stmt()        {}
func (*Unsupported) stmt()     {}
