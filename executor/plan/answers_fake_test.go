package plan_test

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// memory is a transaction over maps: a statement reads what was there when it
// began (before), and writes go beside it until it ends.
type memory struct {
	catalog *catalog.Snapshot
	rows    map[types.OID]map[types.RowID]types.Row
	before  map[types.OID]map[types.RowID]types.Row
	next    types.RowID
}

func newMemory() *memory {
	return &memory{catalog: catalog.Empty(), rows: map[types.OID]map[types.RowID]types.Row{}, next: 1}
}

// begin starts a statement.
func (m *memory) begin() {
	m.before = map[types.OID]map[types.RowID]types.Row{}
	for id, t := range m.rows {
		m.before[id] = maps.Clone(t)
	}
}

func (m *memory) table(t *catalog.Table) map[types.RowID]types.Row {
	if m.rows[t.ID] == nil {
		m.rows[t.ID] = map[types.RowID]types.Row{}
	}
	return m.rows[t.ID]
}

func project(dst, row types.Row, columns []int16) {
	clear(dst)
	for _, c := range columns {
		dst[c-1] = row[c-1]
	}
}

func (m *memory) Get(_ context.Context, t *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error) {
	row, ok := m.before[t.ID][id]
	if ok {
		project(dst, row, columns)
	}
	return ok, nil
}

type memoryIter struct {
	rows    map[types.RowID]types.Row
	ids     []types.RowID
	columns []int16
}

func (it *memoryIter) Next(dst types.Row) (types.RowID, bool, error) {
	if len(it.ids) == 0 {
		return 0, false, nil
	}
	id := it.ids[0]
	it.ids = it.ids[1:]
	project(dst, it.rows[id], it.columns)
	return id, true, nil
}

func (it *memoryIter) Close() error { return nil }

func (m *memory) Scan(_ context.Context, spec storage.ScanSpec) (storage.RowIter, error) {
	rows := m.before[spec.Table.ID]
	return &memoryIter{rows: rows, ids: slices.Sorted(maps.Keys(rows)), columns: spec.Columns}, nil
}

func (m *memory) ScanIndex(_ context.Context, spec storage.IndexScanSpec) (storage.RowIter, error) {
	rows := m.before[spec.Table.ID]
	it := &memoryIter{rows: rows, columns: spec.Columns}
	for _, r := range spec.Ranges {
		var ids []types.RowID
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			if within(spec.Index, r, rows[id]) {
				ids = append(ids, id)
			}
		}
		slices.SortStableFunc(ids, func(a, b types.RowID) int {
			return bytes.Compare(indexKey(spec.Index, rows[a]), indexKey(spec.Index, rows[b]))
		})
		if spec.Reverse {
			slices.Reverse(ids)
		}
		it.ids = append(it.ids, ids...)
	}
	return it, nil
}

func indexKey(x *catalog.Index, row types.Row) []byte {
	var key []byte
	for _, k := range x.Keys {
		key = types.AppendKey(key, k.Type, row[k.Column-1], k.Desc, k.NullsFirst)
	}
	return key
}

func within(x *catalog.Index, r storage.KeyRange, row types.Row) bool {
	for i, want := range r.Eq {
		got := row[x.Keys[i].Column-1]
		if (got == nil) != (want == nil) || got != nil && types.Compare(x.Keys[i].Type, got, want) != 0 {
			return false
		}
	}
	if r.Low == nil && r.High == nil && !r.NotNull {
		return true
	}
	k := x.Keys[len(r.Eq)]
	got := row[k.Column-1]
	if got == nil {
		return false
	}
	if r.Low != nil {
		if c := types.Compare(k.Type, got, r.Low.Value); c < 0 || c == 0 && r.Low.Open {
			return false
		}
	}
	if r.High != nil {
		if c := types.Compare(k.Type, got, r.High.Value); c > 0 || c == 0 && r.High.Open {
			return false
		}
	}
	return true
}

// Nearest is exact and comes in one batch.
func (m *memory) Nearest(_ context.Context, spec storage.NearestSpec) (storage.NearestIter, error) {
	var out nearest
	column := spec.Index.Keys[0].Column - 1
	for id, row := range m.before[spec.Table.ID] {
		v, ok := row[column].(types.Vector)
		if !ok || spec.Among != nil && !slices.Contains(spec.Among, id) {
			continue
		}
		var sum float64
		for i, x := range spec.Query.(types.Vector) {
			d := float64(x) - float64(v[i])
			sum += d * d
		}
		out = append(out, storage.Candidate{ID: id, Distance: math.Sqrt(sum)})
	}
	slices.SortFunc(out, func(a, b storage.Candidate) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID))
	})
	return &out, nil
}

type nearest []storage.Candidate

func (n *nearest) NextBatch(dst []storage.Candidate) ([]storage.Candidate, error) {
	dst = append(dst, *n...)
	*n = nil
	return dst, nil
}

func (n *nearest) Stats() storage.NearestStats { return storage.NearestStats{} }
func (n *nearest) Close() error                { return nil }

// conflict finds a unique index that has the row's key under another id.
func (m *memory) conflict(t *catalog.Table, row types.Row, self types.RowID, among []types.OID) *storage.Conflict {
	for _, x := range m.catalog.Indexes(t.ID) {
		if !x.Unique || among != nil && !slices.Contains(among, x.ID) || slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return row[k.Column-1] == nil }) {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(m.table(t))) {
			if id != self && bytes.Equal(indexKey(x, row), indexKey(x, m.table(t)[id])) {
				return &storage.Conflict{Index: x, ID: id}
			}
		}
	}
	return nil
}

func duplicate(c *storage.Conflict) error {
	return pgerr.Newf(pgerr.UniqueViolation, "duplicate key value violates unique constraint %q", c.Index.Name)
}

func (m *memory) Insert(_ context.Context, t *catalog.Table, row types.Row, opts storage.InsertOptions) (types.RowID, *storage.Conflict, error) {
	if opts.OnConflict {
		if c := m.conflict(t, row, 0, opts.Arbiters); c != nil {
			return 0, c, nil
		}
	}
	if c := m.conflict(t, row, 0, nil); c != nil {
		return 0, nil, duplicate(c)
	}
	m.next++
	m.table(t)[m.next] = slices.Clone(row)
	return m.next, nil, nil
}

func (m *memory) Update(_ context.Context, t *catalog.Table, id types.RowID, _, row types.Row, _ storage.WaitPolicy) (types.RowID, error) {
	if c := m.conflict(t, row, id, nil); c != nil {
		return 0, duplicate(c)
	}
	m.table(t)[id] = slices.Clone(row)
	return id, nil
}

func (m *memory) Delete(_ context.Context, t *catalog.Table, id types.RowID, _ types.Row) error {
	delete(m.table(t), id)
	return nil
}

func (m *memory) LockRow(_ context.Context, _ *catalog.Table, id types.RowID, _ storage.RowLock, _ storage.WaitPolicy) (storage.LockedRow, error) {
	return storage.LockedRow{Outcome: storage.LockUnchanged, ID: id}, nil
}
