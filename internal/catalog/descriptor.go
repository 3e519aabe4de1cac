package catalog

import (
	"slices"

	"github.com/akidb/akidb/internal/types"
)

// Kind is a kind of object.
type Kind uint8

// The kinds of objects. The numbers are stored on disk.
const (
	KindSchema   Kind = 1
	KindTable    Kind = 2
	KindIndex    Kind = 3
	KindSequence Kind = 4
	KindView     Kind = 5
	KindRole     Kind = 6
	KindType     Kind = 7 // enums, domains and composite types
	KindDatabase Kind = 8
	KindSetting  Kind = 9 // ALTER ROLE/DATABASE/SYSTEM … SET
)

// Object is a descriptor. Descriptors are immutable once in a Snapshot: change
// a Clone.
type Object interface {
	ObjectID() types.OID
	ObjectKind() Kind
	// ObjectName is schema and name; schema is "" for objects without one.
	ObjectName() (schema, name string)
}

// Schema is a namespace.
type Schema struct {
	ID      types.OID `json:"id"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner,omitempty"`
	Comment string    `json:"comment,omitempty"`
}

// Table is a collection.
type Table struct {
	ID      types.OID `json:"id"`
	Schema  string    `json:"schema"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner,omitempty"`
	Comment string    `json:"comment,omitempty"`
	// Columns in attnum order, dropped ones included: Columns[i].Num == i+1.
	Columns []Column  `json:"columns"`
	Checks  []Check   `json:"checks,omitempty"`
	Foreign []Foreign `json:"foreign,omitempty"`
	// Options are WITH (…) storage parameters as written.
	Options map[string]string `json:"options,omitempty"`
	Tier    types.Tier        `json:"tier"`
	Pinned  bool              `json:"pinned,omitempty"`
	// Collection names the collection in the object store: a UUID, given with the
	// first snapshot or move there; "" before.
	Collection string `json:"collection,omitempty"`
	// Cold is set while the collection is cold. A descriptor and its copies share
	// it: it is replaced, never changed.
	Cold *Cold `json:"cold,omitempty"`
	// Partitioned is set for a partitioned table, Parent and Bound for a partition.
	Partitioned *Partitioning   `json:"partitioned,omitempty"`
	Parent      types.OID       `json:"parent,omitempty"`
	Bound       *PartitionBound `json:"bound,omitempty"`
	// Temp is the id of the session that owns a temporary table, 0 for others.
	Temp uint64 `json:"-"`
	// RowType is the oid of the table's row type.
	RowType types.OID `json:"row_type,omitempty"`
	// Version rises with every change of the descriptor.
	Version uint64 `json:"version"`
}

// Column is a column of a table.
type Column struct {
	Num     int16     `json:"num"`
	Name    string    `json:"name"`
	Type    types.OID `json:"type"`
	Typmod  int32     `json:"typmod"`
	NotNull bool      `json:"not_null,omitempty"`
	Dropped bool      `json:"dropped,omitempty"`
	// Default is the default's SQL text, "" for none.
	Default string `json:"default,omitempty"`
	// Generated is the SQL text of a stored generated column, "" for others.
	Generated string `json:"generated,omitempty"`
	// Identity is 'a' (always), 'd' (by default) or 0.
	Identity byte `json:"identity,omitempty"`
	// Missing is the value, in text form, of rows written before the column was
	// added; nil is NULL.
	Missing   *string `json:"missing,omitempty"`
	Collation string  `json:"collation,omitempty"`
	Comment   string  `json:"comment,omitempty"`
	// Domain is the domain that the column was declared with, 0 for none: Type and
	// Typmod are then those of its base, which is all that rows and plans know.
	Domain types.OID `json:"domain,omitempty"`
}

// Check is a CHECK constraint.
type Check struct {
	ID   types.OID `json:"id"`
	Name string    `json:"name"`
	Expr string    `json:"expr"`
	// Columns are the attnums used.
	Columns []int16 `json:"columns,omitempty"`
	// NotValid says that rows older than the constraint were not checked.
	NotValid bool   `json:"not_valid,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

// Foreign is a FOREIGN KEY constraint. OnDelete and OnUpdate are "" (NO ACTION),
// RESTRICT, CASCADE, SET NULL or SET DEFAULT.
type Foreign struct {
	ID         types.OID `json:"id"`
	Name       string    `json:"name"`
	Columns    []int16   `json:"columns"`
	RefTable   types.OID `json:"ref_table"`
	RefColumns []int16   `json:"ref_columns"`
	OnDelete   string    `json:"on_delete,omitempty"`
	OnUpdate   string    `json:"on_update,omitempty"`
	// SetColumns are the columns that ON DELETE SET NULL or DEFAULT (…) names, none for all.
	SetColumns   []int16 `json:"set_columns,omitempty"`
	MatchFull    bool    `json:"match_full,omitempty"`
	Deferrable   bool    `json:"deferrable,omitempty"`
	InitDeferred bool    `json:"init_deferred,omitempty"`
	NotValid     bool    `json:"not_valid,omitempty"`
	Comment      string  `json:"comment,omitempty"`
}

// Index is a secondary index of a table.
type Index struct {
	ID     types.OID `json:"id"`
	Table  types.OID `json:"table"`
	Schema string    `json:"schema"`
	Name   string    `json:"name"`
	// Method is btree, hash (btree entries, read by equality alone), hnsw, gin, …
	Method  string `json:"method"`
	Unique  bool   `json:"unique,omitempty"`
	Primary bool   `json:"primary,omitempty"`
	// Constraint is the id of the constraint that it enforces, 0 for a plain index; the constraint bears the index's name.
	Constraint       types.OID  `json:"constraint,omitempty"`
	NullsNotDistinct bool       `json:"nulls_not_distinct,omitempty"`
	Keys             []IndexKey `json:"keys"`
	Include          []int16    `json:"include,omitempty"`
	// Predicate is the SQL text of a partial index's condition.
	Predicate string            `json:"predicate,omitempty"`
	Options   map[string]string `json:"options,omitempty"`
	// Parent is the index of the partitioned table that this one is a part of.
	Parent types.OID `json:"parent,omitempty"`
	// Valid is false while the index is built; it is maintained but not read.
	Valid   bool   `json:"valid"`
	Comment string `json:"comment,omitempty"`
	Version uint64 `json:"version"`
}

// IndexKey is one key column of an index.
type IndexKey struct {
	// Column is the attnum, 0 for an expression.
	Column int16 `json:"column,omitempty"`
	// Expr is the expression's SQL text when Column is 0.
	Expr string `json:"expr,omitempty"`
	// Type and Typmod are those of the key's value.
	Type       types.OID `json:"type"`
	Typmod     int32     `json:"typmod"`
	Desc       bool      `json:"desc,omitempty"`
	NullsFirst bool      `json:"nulls_first,omitempty"`
	Opclass    string    `json:"opclass,omitempty"`
	// Metric is that of a vector index's operator class.
	Metric types.Metric `json:"metric,omitempty"`
}

// LeavesOut says whether a vector index leaves a value out: a zero vector is near to
// nothing under cosine.
func (k *IndexKey) LeavesOut(d types.Datum) bool {
	if k.Metric != types.MetricCosine {
		return false
	}
	switch v := d.(type) {
	case types.Vector:
		return !slices.ContainsFunc(v, func(x float32) bool { return x != 0 })
	case types.HalfVector:
		return !slices.ContainsFunc(v, func(h uint16) bool { return h&0x7fff != 0 })
	case types.SparseVector:
		return len(v.Value) == 0
	}
	return false
}

// Vector says whether the index is a vector index.
func (x *Index) Vector() bool { return x.Method == "hnsw" || x.Method == "ivfflat" }

// Ordered says whether the row store keeps entries of the index in key order. An
// index that is neither this nor a vector index is only a descriptor: PostgreSQL's
// gin, gist, spgist and brin, which are accepted and used by no query.
func (x *Index) Ordered() bool { return x.Method == "btree" || x.Method == "hash" }

// Sequence is a sequence generator; its current value lies in the row store.
type Sequence struct {
	ID        types.OID `json:"id"`
	Schema    string    `json:"schema"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner,omitempty"`
	Type      types.OID `json:"type"`
	Start     int64     `json:"start"`
	Increment int64     `json:"increment"`
	Min       int64     `json:"min"`
	Max       int64     `json:"max"`
	Cache     int64     `json:"cache"`
	Cycle     bool      `json:"cycle,omitempty"`
	// OwnerTable and OwnerColumn name the column that owns it (serial, identity).
	OwnerTable  types.OID `json:"owner_table,omitempty"`
	OwnerColumn int16     `json:"owner_column,omitempty"`
	Comment     string    `json:"comment,omitempty"`
}

// View is a view.
type View struct {
	ID      types.OID `json:"id"`
	Schema  string    `json:"schema"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner,omitempty"`
	Columns []Column  `json:"columns"`
	Query   string    `json:"query"`
	Comment string    `json:"comment,omitempty"`
	// Uses are the relations that the query reads.
	Uses []types.OID `json:"uses,omitempty"`
}

// Role is a role or user.
type Role struct {
	ID         types.OID `json:"id"`
	Name       string    `json:"name"`
	Super      bool      `json:"super,omitempty"`
	Login      bool      `json:"login,omitempty"`
	CreateDB   bool      `json:"createdb,omitempty"`
	CreateRole bool      `json:"createrole,omitempty"`
	ConnLimit  int       `json:"conn_limit,omitempty"`
	// Verifier is the SCRAM-SHA-256 verifier as PostgreSQL stores it, "" for none.
	Verifier string            `json:"verifier,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	MemberOf []string          `json:"member_of,omitempty"`
}

// Database is a database; AkiDB has the one named postgres.
type Database struct {
	ID       types.OID         `json:"id"`
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings,omitempty"`
}

// UserType is an enum (Labels) or a domain (Base).
type UserType struct {
	ID      types.OID `json:"id"`
	Schema  string    `json:"schema"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner,omitempty"`
	Comment string    `json:"comment,omitempty"`
	// Labels are an enum's, in order; Orders are the numbers by which rows and
	// indexes know them (none: 1, 2, 3 …).
	Labels  []string  `json:"labels,omitempty"`
	Orders  []float64 `json:"orders,omitempty"`
	Base    types.OID `json:"base,omitempty"`
	Typmod  int32     `json:"typmod"`
	NotNull bool      `json:"not_null,omitempty"`
	Checks  []Check   `json:"checks,omitempty"`
	Default string    `json:"default,omitempty"`
}

func (s *Schema) ObjectID() types.OID   { return s.ID }
func (t *Table) ObjectID() types.OID    { return t.ID }
func (x *Index) ObjectID() types.OID    { return x.ID }
func (q *Sequence) ObjectID() types.OID { return q.ID }
func (v *View) ObjectID() types.OID     { return v.ID }
func (r *Role) ObjectID() types.OID     { return r.ID }
func (d *Database) ObjectID() types.OID { return d.ID }
func (u *UserType) ObjectID() types.OID { return u.ID }

func (s *Schema) ObjectKind() Kind   { return KindSchema }
func (t *Table) ObjectKind() Kind    { return KindTable }
func (x *Index) ObjectKind() Kind    { return KindIndex }
func (q *Sequence) ObjectKind() Kind { return KindSequence }
func (v *View) ObjectKind() Kind     { return KindView }
func (r *Role) ObjectKind() Kind     { return KindRole }
func (d *Database) ObjectKind() Kind { return KindDatabase }
func (u *UserType) ObjectKind() Kind { return KindType }

func (s *Schema) ObjectName() (string, string)   { return "", s.Name }
func (t *Table) ObjectName() (string, string)    { return t.Schema, t.Name }
func (x *Index) ObjectName() (string, string)    { return x.Schema, x.Name }
func (q *Sequence) ObjectName() (string, string) { return q.Schema, q.Name }
func (v *View) ObjectName() (string, string)     { return v.Schema, v.Name }
func (r *Role) ObjectName() (string, string)     { return "", r.Name }
func (d *Database) ObjectName() (string, string) { return "", d.Name }
func (u *UserType) ObjectName() (string, string) { return u.Schema, u.Name }

// Declared is the type that the column was declared with: a domain, or its type.
func (c *Column) Declared() (oid types.OID, typmod int32) {
	if c.Domain != 0 {
		return c.Domain, types.NoTypmod
	}
	return c.Type, c.Typmod
}

// OrderAt is the number of the label at a place.
func (u *UserType) OrderAt(i int) float64 {
	if i < len(u.Orders) {
		return u.Orders[i]
	}
	return float64(i + 1)
}

// Order finds the number of a label.
func (u *UserType) Order(label string) (float64, bool) {
	for i, l := range u.Labels {
		if l == label {
			return u.OrderAt(i), true
		}
	}
	return 0, false
}

// Label finds a label by its number.
func (u *UserType) Label(order float64) (string, bool) {
	if i := int(order) - 1; u.Orders == nil && i >= 0 && i < len(u.Labels) && float64(i+1) == order {
		return u.Labels[i], true
	}
	for i, o := range u.Orders {
		if o == order {
			return u.Labels[i], true
		}
	}
	return "", false
}

// IsEnum says whether the type is an enum; it may have no labels.
func (u *UserType) IsEnum() bool { return types.IsEnum(u.ID) }

// Clone returns a copy to change.
func (u *UserType) Clone() *UserType {
	c := *u
	c.Labels = append([]string(nil), u.Labels...)
	c.Orders = append([]float64(nil), u.Orders...)
	c.Checks = append([]Check(nil), u.Checks...)
	return &c
}

// Live returns the columns that are not dropped, in order.
func (t *Table) Live() []*Column {
	out := make([]*Column, 0, len(t.Columns))
	for i := range t.Columns {
		if !t.Columns[i].Dropped {
			out = append(out, &t.Columns[i])
		}
	}
	return out
}

// Column finds a live column by name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name == name && !c.Dropped {
			return c
		}
	}
	return nil
}

// Clone returns a deep enough copy to change: its slices and maps are new.
func (t *Table) Clone() *Table {
	c := *t
	c.Columns = append([]Column(nil), t.Columns...)
	c.Checks = append([]Check(nil), t.Checks...)
	c.Foreign = append([]Foreign(nil), t.Foreign...)
	c.Options = cloneMap(t.Options)
	return &c
}

// Clone returns a copy to change.
func (x *Index) Clone() *Index {
	c := *x
	c.Keys = append([]IndexKey(nil), x.Keys...)
	c.Options = cloneMap(x.Options)
	return &c
}

func cloneMap(m map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
