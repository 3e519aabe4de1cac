package plan

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"slices"
	"sort"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Partitions finds the partition of a row, and the partitions that rows with
// given keys can lie in. Keys are compared as bytes (types.AppendKey), whose
// order is that of the values.
type Partitions struct {
	Table *catalog.Table
	// Keys are over the table's row.
	Keys  []expr.Expr
	types []types.OID
	// children are in the order of their bounds.
	children []*Partition
	byValue  map[string]*Partition // list
	ranges   []*Partition          // range, by low
	hashed   []*Partition          // hash
	fallback *Partition            // DEFAULT
}

// Partition is one partition with its bounds as keys.
type Partition struct {
	Table *catalog.Table
	// Number is its place among all leaves below the root; -1 when it has partitions
	// of its own, which Below divides.
	Number int
	Below  *Partitions

	values    []string // list
	low, high []byte   // range
	modulus   uint64
	remainder uint64
	isDefault bool
}

// NewPartitions reads the bounds of a partitioned table and of all below it.
func NewPartitions(env *Env, t *catalog.Table) (*Partitions, error) {
	n := 0
	return newPartitions(newBinder(env, nil), t, &n)
}

func newPartitions(b *binder, t *catalog.Table, leaves *int) (*Partitions, error) {
	p, err := emptyPartitions(b, t)
	if err != nil {
		return nil, err
	}
	var list []*Partition
	for _, child := range b.env.Catalog.Partitions(t.ID) {
		part, err := p.bound(child.Bound)
		if err != nil {
			return nil, err
		}
		part.Table = child
		list = append(list, part)
	}
	slices.SortStableFunc(list, (*Partition).compare)
	for _, part := range list {
		child := part.Table
		part.Number = -1
		if child.Partitioned != nil {
			if part.Below, err = newPartitions(b, child, leaves); err != nil {
				return nil, err
			}
		} else {
			if *leaves == maxLeavesOfTable {
				return nil, pgerr.Newf(pgerr.ProgramLimitExceeded, "table \"%s\" has more than %d partitions", t.Name, maxLeavesOfTable)
			}
			part.Number = *leaves
			*leaves++
		}
		p.add(part)
	}
	return p, nil
}

// emptyPartitions binds the keys.
func emptyPartitions(b *binder, t *catalog.Table) (*Partitions, error) {
	p := &Partitions{Table: t, byValue: map[string]*Partition{}}
	for i := range t.Partitioned.Keys {
		k := &t.Partitioned.Keys[i]
		p.types = append(p.types, k.Type)
		if k.Column != 0 {
			c := &t.Columns[k.Column-1]
			p.Keys = append(p.Keys, &expr.Column{Index: int(k.Column) - 1, Typ: columnType(c), Name: c.Name})
			continue
		}
		e, err := b.storedExpr(t, k.Expr, expr.Type{})
		if err != nil {
			return nil, err
		}
		p.Keys = append(p.Keys, e)
	}
	return p, nil
}

// valueByte is what the key of a value begins with (types.AppendKey); minByte
// and maxByte stand for MINVALUE and MAXVALUE, below and above all keys.
const (
	minByte   = 0x00
	valueByte = 0x02
	maxByte   = 0xff
)

// bound turns a bound into keys.
func (p *Partitions) bound(b *catalog.PartitionBound) (*Partition, error) {
	out := &Partition{isDefault: b.Default, modulus: uint64(b.Modulus), remainder: uint64(b.Remainder)}
	for _, v := range b.In {
		key, err := p.textKey(0, v)
		if err != nil {
			return nil, err
		}
		out.values = append(out.values, string(key))
	}
	for _, side := range []struct {
		limits []catalog.PartitionLimit
		key    *[]byte
	}{{b.From, &out.low}, {b.To, &out.high}} {
		for i, l := range side.limits {
			switch l.Infinite {
			case -1:
				*side.key = append(*side.key, minByte)
			case 1:
				*side.key = append(*side.key, maxByte)
			default:
				key, err := p.textKey(i, &l.Value)
				if err != nil {
					return nil, err
				}
				*side.key = append(*side.key, key...)
			}
		}
	}
	return out, nil
}

// compare orders partitions by their bounds, the default one last.
func (a *Partition) compare(b *Partition) int {
	switch {
	case a.isDefault != b.isDefault:
		if a.isDefault {
			return 1
		}
		return -1
	case a.modulus > 0:
		return cmp.Or(cmp.Compare(a.modulus, b.modulus), cmp.Compare(a.remainder, b.remainder))
	case a.high != nil:
		return bytes.Compare(a.low, b.low)
	case len(a.values) > 0 && len(b.values) > 0:
		return cmp.Compare(slices.Min(a.values), slices.Min(b.values))
	}
	return 0
}

func (p *Partitions) textKey(i int, text *string) ([]byte, error) {
	if text == nil {
		return types.AppendKey(nil, p.types[i], nil, false, false), nil
	}
	d, err := types.Parse(p.types[i], types.NoTypmod, *text, types.DefaultEnv())
	if err != nil {
		return nil, err
	}
	return types.AppendKey(nil, p.types[i], d, false, false), nil
}

func (p *Partitions) add(part *Partition) {
	p.children = append(p.children, part)
	switch {
	case part.isDefault:
		p.fallback = part
	case part.modulus > 0:
		p.hashed = append(p.hashed, part)
	case part.high != nil:
		at := sort.Search(len(p.ranges), func(i int) bool { return bytes.Compare(p.ranges[i].low, part.low) > 0 })
		p.ranges = slices.Insert(p.ranges, at, part)
	default:
		for _, v := range part.values {
			p.byValue[v] = part
		}
	}
}

// Children are the partitions, in the order of their bounds.
func (p *Partitions) Children() []*Partition { return p.children }

// Leaves appends the tables that hold rows, by number.
func (p *Partitions) Leaves(dst []*catalog.Table) []*catalog.Table {
	for _, c := range p.children {
		if c.Below != nil {
			dst = c.Below.Leaves(dst)
		} else {
			dst = append(dst, c.Table)
		}
	}
	return dst
}

// find is the partition of the keys of one row, nil when none takes it.
func (p *Partitions) find(keys []types.Datum) *Partition {
	var found *Partition
	switch p.Table.Partitioned.Strategy {
	case "list":
		found = p.byValue[string(types.AppendKey(nil, p.types[0], keys[0], false, false))]
	case "range":
		found = p.inRange(keys)
	default:
		h := p.hash(keys)
		for _, part := range p.hashed {
			if h%part.modulus == part.remainder {
				found = part
			}
		}
	}
	if found == nil {
		return p.fallback
	}
	return found
}

// inRange finds the last range that begins at or before the keys. NULL is in no
// range.
func (p *Partitions) inRange(keys []types.Datum) *Partition {
	if slices.Contains(keys, nil) {
		return nil
	}
	key := p.key(keys)
	at := sort.Search(len(p.ranges), func(i int) bool { return bytes.Compare(p.ranges[i].low, key) > 0 }) - 1
	if at < 0 || bytes.Compare(key, p.ranges[at].high) >= 0 {
		return nil
	}
	return p.ranges[at]
}

func (p *Partitions) key(keys []types.Datum) []byte {
	var key []byte
	for i, d := range keys {
		key = types.AppendKey(key, p.types[i], d, false, false)
	}
	return key
}

func (p *Partitions) hash(keys []types.Datum) uint64 { return hashBytes(p.key(keys)) }

// hashBytes is FNV-1a, finished so that its low bits are even too.
func hashBytes(key []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key) // a hash never fails
	z := h.Sum64()
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Eval computes an expression over a row.
type Eval func(e expr.Expr, row types.Row) (types.Datum, error)

// Route finds the leaf of a row of the table.
func (p *Partitions) Route(eval Eval, row types.Row) (*Partition, error) {
	keys, err := p.keysOf(eval, row)
	if err != nil {
		return nil, err
	}
	part := p.find(keys)
	switch {
	case part == nil:
		return nil, p.noPartition(keys)
	case part.Below != nil:
		return part.Below.Route(eval, row)
	}
	return part, nil
}

func (p *Partitions) keysOf(eval Eval, row types.Row) ([]types.Datum, error) {
	keys := make([]types.Datum, len(p.Keys))
	for i, e := range p.Keys {
		if c, ok := e.(*expr.Column); ok {
			keys[i] = row[c.Index]
			continue
		}
		d, err := eval(e, row)
		if err != nil {
			return nil, err
		}
		keys[i] = d
	}
	return keys, nil
}

// Takes says whether a row of the table lies in one of its partitions.
func (p *Partitions) Takes(eval Eval, row types.Row, child types.OID) (bool, error) {
	keys, err := p.keysOf(eval, row)
	if err != nil {
		return false, err
	}
	part := p.find(keys)
	return part != nil && part.Table.ID == child, nil
}

func (p *Partitions) noPartition(keys []types.Datum) error {
	names, values := make([]string, len(keys)), make([]string, len(keys))
	for i, d := range keys {
		names[i] = expr.String(p.Keys[i])
		values[i] = "null"
		if d != nil {
			values[i] = types.FormatString(p.types[i], d, types.DefaultEnv())
		}
	}
	return pgerr.Newf(pgerr.CheckViolation, `no partition of relation "%s" found for row`, p.Table.Name).
		WithDetail("Partition key of the failing row contains (%s) = (%s).", strings.Join(names, ", "), strings.Join(values, ", ")).
		Of(p.Table.Schema, p.Table.Name, "", "")
}

// Conflict finds what a new bound overlaps with, nil when nothing.
func (p *Partitions) Conflict(b *catalog.PartitionBound) (*catalog.Table, error) {
	part, err := p.bound(b)
	if err != nil {
		return nil, err
	}
	for _, c := range p.children {
		if part.overlaps(c) {
			return c.Table, nil
		}
	}
	return nil, nil
}

// Empty says whether a range bound holds no value.
func (p *Partitions) Empty(b *catalog.PartitionBound) (bool, error) {
	part, err := p.bound(b)
	return err == nil && part.high != nil && bytes.Compare(part.low, part.high) >= 0, err
}

func (a *Partition) overlaps(b *Partition) bool {
	switch {
	case a.isDefault || b.isDefault:
		return a.isDefault && b.isDefault
	case a.high != nil:
		return bytes.Compare(a.low, b.high) < 0 && bytes.Compare(b.low, a.high) < 0
	case a.modulus > 0:
		small := min(a.modulus, b.modulus)
		return a.remainder%small == b.remainder%small
	}
	return slices.ContainsFunc(a.values, func(v string) bool { return slices.Contains(b.values, v) })
}
