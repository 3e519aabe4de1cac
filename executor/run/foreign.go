package run

import (
	"context"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Foreign is a FOREIGN KEY with both of its tables.
type Foreign struct {
	Key   *catalog.Foreign
	Table *catalog.Table // that has it
	Ref   *catalog.Table // that it refers to
	index *catalog.Index // that finds its key there
}

// NewForeign finds what belongs to a foreign key of a table.
func NewForeign(cat *catalog.Snapshot, table *catalog.Table, key *catalog.Foreign) (*Foreign, error) {
	f := &Foreign{Key: key, Table: table, Ref: cat.Table(key.RefTable)}
	if f.Ref != nil {
		f.index = KeyIndex(cat.Indexes(f.Ref.ID), key.RefColumns)
	}
	if f.index == nil {
		return nil, pgerr.Newf(pgerr.InternalError, "foreign key %q of table %q has lost its key", key.Name, table.Name)
	}
	return f, nil
}

// KeyIndex finds the unique index over exactly these columns, in any order; nil
// when there is none.
func KeyIndex(list []*catalog.Index, columns []int16) *catalog.Index {
	for _, x := range list {
		fits := x.Unique && x.Valid && x.Predicate == "" && len(x.Keys) == len(columns)
		for i := range x.Keys {
			fits = fits && x.Keys[i].Column > 0 && slices.Contains(columns, x.Keys[i].Column)
		}
		if fits {
			return x
		}
	}
	return nil
}

// ForeignComparable says whether a foreign key's column can be compared with one
// that it refers to.
func ForeignComparable(from, to types.OID) bool {
	return from == to || isPlainInteger(from) && (isPlainInteger(to) || to == types.NumericOID) || isPlainText(from) && isPlainText(to)
}

func isPlainInteger(oid types.OID) bool {
	return oid == types.Int2OID || oid == types.Int4OID || oid == types.Int8OID
}

func isPlainText(oid types.OID) bool { return oid == types.TextOID || oid == types.VarcharOID }

// inRef makes a value of the foreign key one of the column it refers to; false
// when that column cannot hold it.
func inRef(d types.Datum, from, to types.OID) (types.Datum, bool) {
	n, ok := d.(int64)
	if from == to || !ok {
		return d, true
	}
	switch to {
	case types.NumericOID:
		return types.NumericFromInt64(n), true
	case types.Int2OID:
		return d, n == int64(int16(n))
	case types.Int4OID:
		return d, n == int64(int32(n))
	}
	return d, true
}

// fields are the values of columns in a row, and how many of them are NULL.
func fields(row types.Row, columns []int16) (key []types.Datum, nulls int) {
	key = make([]types.Datum, len(columns))
	for i, n := range columns {
		if key[i] = row[n-1]; key[i] == nil {
			nulls++
		}
	}
	return key, nulls
}

// same says whether two rows have the same values in columns of a table.
func same(t *catalog.Table, columns []int16, a, b types.Row) bool {
	for _, n := range columns {
		x, y := a[n-1], b[n-1]
		if x == nil || y == nil {
			if x != nil || y != nil {
				return false
			}
		} else if types.Compare(t.Columns[n-1].Type, x, y) != 0 {
			return false
		}
	}
	return true
}

// KeyOf is the key of a row that must have a parent; nil when it needs none. A key
// that is partly NULL is refused under MATCH FULL.
func (f *Foreign) KeyOf(row types.Row) ([]types.Datum, error) {
	key, nulls := fields(row, f.Key.Columns)
	if nulls == 0 {
		return key, nil
	}
	if f.Key.MatchFull && nulls < len(key) {
		return nil, f.violated().WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.")
	}
	return nil, nil
}

// HasParent looks the key up where it refers to; lock holds the row against
// deletion until the transaction ends, as FOR KEY SHARE does. ref says that the key is
// one of the table referred to already.
func (f *Foreign) HasParent(ctx context.Context, rows Rows, key []types.Datum, ref, lock bool, wait storage.WaitPolicy) (found bool, err error) {
	eq := make([]types.Datum, len(f.index.Keys))
	for i := range f.index.Keys {
		at := slices.Index(f.Key.RefColumns, f.index.Keys[i].Column)
		d, fits := key[at], true
		if !ref {
			d, fits = inRef(d, f.Table.Columns[f.Key.Columns[at]-1].Type, f.index.Keys[i].Type)
		}
		if !fits {
			return false, nil
		}
		eq[i] = d
	}
	it, err := rows.ScanIndex(ctx, storage.IndexScanSpec{Table: f.Ref, Index: f.index, Columns: f.Key.RefColumns, Ranges: []storage.KeyRange{{Eq: eq}}, IDsOnly: true})
	if err != nil {
		return false, err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	row := make(types.Row, len(f.Ref.Columns))
	id, ok, err := it.Next(row)
	if err != nil || !ok || !lock {
		return ok, err
	}
	got, err := rows.LockRow(ctx, f.Ref, id, storage.ForKeyShare, wait)
	if err != nil {
		return false, err
	}
	switch got.Outcome {
	case storage.LockUnchanged:
		return true, nil
	case storage.LockChanged:
		was := make(types.Row, len(f.Ref.Columns))
		for i := range f.index.Keys {
			was[f.index.Keys[i].Column-1] = eq[i]
		}
		return same(f.Ref, f.Key.RefColumns, was, got.Row), nil
	}
	return false, nil
}

// violated is the error of a row without a parent.
func (f *Foreign) violated() *pgerr.Error {
	return pgerr.Newf(pgerr.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"", f.Table.Name, f.Key.Name).
		Of(f.Table.Schema, f.Table.Name, "", f.Key.Name)
}

// Missing is the error of a key that no parent has.
func (f *Foreign) Missing(key []types.Datum, env *types.Env) error {
	return f.violated().WithDetail("Key %s is not present in table \"%s\".", describeKey(f.Table, f.Key.Columns, key, env), f.Ref.Name)
}

// Referenced is the error of a parent that goes while rows refer to it.
func (f *Foreign) Referenced(key []types.Datum, env *types.Env) error {
	return pgerr.Newf(pgerr.ForeignKeyViolation, "update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
		f.Ref.Name, f.Key.Name, f.Table.Name).
		Of(f.Table.Schema, f.Table.Name, "", f.Key.Name).
		WithDetail("Key %s is still referenced from table \"%s\".", describeKey(f.Ref, f.Key.RefColumns, key, env), f.Table.Name)
}

// describeKey is (a, b)=(1, 2).
func describeKey(t *catalog.Table, columns []int16, key []types.Datum, env *types.Env) string {
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, n := range columns {
		c := &t.Columns[n-1]
		names[i], values[i] = c.Name, types.FormatString(c.Type, key[i], env)
	}
	return "(" + strings.Join(names, ", ") + ")=(" + strings.Join(values, ", ") + ")"
}

// ForeignEvent is a change that a foreign key has something to say of. Of a row
// that refers, New is its key; of a row that is referred to, Old is the key that it
// had and New the one it has now, nil when it was deleted.
type ForeignEvent struct {
	*Foreign
	Parent   bool
	Old, New []types.Datum
}

// ForeignQueue gathers the events of a statement. Keys that many rows share are
// kept once.
type ForeignQueue struct {
	Events []ForeignEvent
	seen   map[string]struct{}
	buf    []byte
}

// Written notes a row that refers: row replaces old, which is nil for a new row.
func (q *ForeignQueue) Written(list []*Foreign, old, row types.Row) error {
	for _, f := range list {
		if old != nil && same(f.Table, f.Key.Columns, old, row) {
			continue
		}
		key, err := f.KeyOf(row)
		if err != nil {
			return err
		}
		if key != nil && q.first(f, key) {
			q.Events = append(q.Events, ForeignEvent{Foreign: f, New: key})
		}
	}
	return nil
}

// mostSeen bounds the memory that remembering keys takes.
const mostSeen = 1 << 16

// first says whether a key was not there before.
func (q *ForeignQueue) first(f *Foreign, key []types.Datum) bool {
	q.buf = types.AppendKey(q.buf[:0], types.Int8OID, int64(f.Key.ID), false, false)
	for i, n := range f.Key.Columns {
		typ := f.Table.Columns[n-1].Type
		if !types.HasOrder(typ) {
			return true
		}
		q.buf = types.AppendKey(q.buf, typ, key[i], false, false)
	}
	if _, ok := q.seen[string(q.buf)]; ok {
		return false
	}
	if q.seen == nil || len(q.seen) == mostSeen {
		q.seen = map[string]struct{}{}
	}
	q.seen[string(q.buf)] = struct{}{}
	return true
}

// Gone notes a row that may be referred to: row replaces old, nil when it was deleted.
func (q *ForeignQueue) Gone(list []*Foreign, old, row types.Row) {
	for _, f := range list {
		if row != nil && same(f.Ref, f.Key.RefColumns, old, row) {
			continue
		}
		was, nulls := fields(old, f.Key.RefColumns)
		if nulls > 0 {
			continue
		}
		e := ForeignEvent{Foreign: f, Parent: true, Old: was}
		if row != nil {
			e.New, _ = fields(row, f.Key.RefColumns)
		}
		q.Events = append(q.Events, e)
	}
}

// ForeignKeys are the foreign keys of a table and those that refer to it.
func ForeignKeys(cat *catalog.Snapshot, t *catalog.Table) (own, referring []*Foreign, err error) {
	if t = cat.Table(t.ID); t == nil {
		return nil, nil, nil
	}
	for i := range t.Foreign {
		if cat.Table(t.Foreign[i].RefTable) == nil {
			continue // a temporary table that its transaction has dropped
		}
		f, err := NewForeign(cat, t, &t.Foreign[i])
		if err != nil {
			return nil, nil, err
		}
		own = append(own, f)
	}
	for _, other := range cat.Referencing(t.ID) {
		for i := range other.Foreign {
			if other.Foreign[i].RefTable != t.ID {
				continue
			}
			f, err := NewForeign(cat, other, &other.Foreign[i])
			if err != nil {
				return nil, nil, err
			}
			referring = append(referring, f)
		}
	}
	return own, referring, nil
}
