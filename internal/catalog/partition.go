package catalog

import "github.com/akidb/akidb/internal/types"

// Partitioning says how the rows of a partitioned table are divided among its
// partitions. Such a table has no rows of its own.
type Partitioning struct {
	Strategy string         `json:"strategy"` // list, range, hash
	Keys     []PartitionKey `json:"keys"`
}

// PartitionKey is one key.
type PartitionKey struct {
	// Column is the attnum, 0 for an expression.
	Column int16 `json:"column,omitempty"`
	// Expr is the expression's SQL text when Column is 0.
	Expr   string    `json:"expr,omitempty"`
	Type   types.OID `json:"type"`
	Typmod int32     `json:"typmod"`
}

// PartitionBound says which rows a partition takes. Values are texts of the
// key's type.
type PartitionBound struct {
	Default bool `json:"default,omitempty"`
	// In are a list partition's values; nil is NULL.
	In []*string `json:"in,omitempty"`
	// From and To are a range partition's bounds, one value a key; To is outside.
	From []PartitionLimit `json:"from,omitempty"`
	To   []PartitionLimit `json:"to,omitempty"`
	// Modulus and Remainder are a hash partition's.
	Modulus   int `json:"modulus,omitempty"`
	Remainder int `json:"remainder,omitempty"`
}

// PartitionLimit is one value of a range bound.
type PartitionLimit struct {
	Infinite int8   `json:"infinite,omitempty"` // -1 MINVALUE, 1 MAXVALUE
	Value    string `json:"value,omitempty"`
}

// Partitions returns the partitions of a table, by age.
func (s *Snapshot) Partitions(table types.OID) []*Table { return s.partitions[table] }

// Leaves appends the tables that hold a table's rows: itself, or the leaves of
// its partitions.
func (s *Snapshot) Leaves(t *Table, dst []*Table) []*Table {
	if t.Partitioned == nil {
		return append(dst, t)
	}
	for _, p := range s.Partitions(t.ID) {
		dst = s.Leaves(p, dst)
	}
	return dst
}

// Descendants appends all tables below a partitioned one, parents first.
func (s *Snapshot) Descendants(t *Table, dst []*Table) []*Table {
	for _, p := range s.Partitions(t.ID) {
		dst = s.Descendants(p, append(dst, p))
	}
	return dst
}

// IndexParts returns the indexes of partitions that belong to an index of a
// partitioned table.
func (s *Snapshot) IndexParts(x *Index) []*Index {
	var out []*Index
	for _, p := range s.Partitions(x.Table) {
		for _, y := range s.Indexes(p.ID) {
			if y.Parent == x.ID {
				out = append(out, y)
			}
		}
	}
	return out
}
