package rowstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Report is what a check has found.
type Report struct {
	Tables, Rows, IndexEntries, Vectors int64
	// Tombstones are those of rows in segments. Unseen are rows of cold tables that
	// were not read, since there was no cold store to read them from.
	Tombstones, Unseen int64
	// Problems are what is wrong, at most maxProblems of them; Found is how many there are.
	Problems []string
	Found    int
}

// maxProblems is how many problems a report lists.
const maxProblems = 100

func (r *Report) problem(format string, args ...any) {
	if r.Found++; len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Check opens a stopped store, as a start would, and compares rows, vectors, index entries,
// counts and sequences with each other. keyer may be nil; then expression and
// partial indexes are only checked from the entry to the row. cold may be nil;
// then rows in segments are counted as not seen.
func Check(ctx context.Context, dir string, keyer Keyer, cold Cold) (Report, error) {
	var out Report
	s, err := Open(ctx, Options{Dir: dir, Keyer: keyer, Cold: cold})
	if err != nil {
		return out, err
	}
	for _, d := range s.damaged {
		out.problem("catalog: %v; it and what belongs to it are left out", d.err)
	}
	for _, o := range s.Catalog().Objects(catalog.KindTable) {
		out.Tables++
		table := o.(*catalog.Table)
		if err = s.checkTable(ctx, table, &out); ctx.Err() != nil {
			break
		} else if err != nil { // a damaged block: the other tables are checked all the same
			out.problem("table %s: %v", table.Name, err)
			err = nil
		}
	}
	return out, errors.Join(err, s.Close())
}

// tableCheck is what is known of a table while it is checked.
type tableCheck struct {
	store    *Store
	table    *catalog.Table
	out      *Report
	indexes  []*catalog.Index
	expected []int64 // entries that the rows make, by index
	rows     int64
	// blind says that the table has segments that cannot be read.
	blind bool
}

// checkTable reads every row of a table and every entry of its indexes.
func (s *Store) checkTable(ctx context.Context, table *catalog.Table, out *Report) error {
	c := &tableCheck{store: s, table: table, out: out, indexes: s.Catalog().Indexes(table.ID)}
	c.expected = make([]int64, len(c.indexes))
	c.blind = hasSegments(table) && s.opts.Cold == nil
	if err := c.local(ctx); err != nil {
		return err
	}
	if hasSegments(table) && !c.blind {
		if err := c.segments(ctx); err != nil {
			return err
		}
	}
	out.Rows += c.rows
	n := s.table(table.ID).rows.Load()
	switch {
	case c.blind && n >= c.rows:
		out.Unseen += n - c.rows
	case n != c.rows:
		out.problem("table %s: %d rows are counted, %d are there", table.Name, n, c.rows)
	}
	for i, x := range c.indexes {
		if !x.Ordered() {
			continue
		}
		n, err := s.countEntries(ctx, table, x, out)
		if err != nil {
			return err
		}
		out.IndexEntries += n
		if !c.blind && c.computes(x) && n != c.expected[i] {
			out.problem("index %s: %d entries, the rows make %d", x.Name, n, c.expected[i])
		}
	}
	return s.checkVectors(ctx, table, out)
}

// computes says whether an index's entries can be made from the rows.
func (c *tableCheck) computes(x *catalog.Index) bool {
	return c.store.opts.Keyer != nil || plainColumns(x) != nil
}

// local checks the local rows and counts the tombstones.
func (c *tableCheck) local(ctx context.Context) error {
	row := make(types.Row, len(c.table.Columns))
	reader := c.store.newestReader(c.table)
	return localKinds(ctx, c.store.db, c.table.ID, func(id types.RowID, kind localKind) error {
		if kind == kindTombstone {
			if c.out.Tombstones++; !mayHold(c.table, id) {
				c.out.problem("table %s: a tombstone for row %d, which no segment can have", c.table.Name, id)
			}
			return nil
		}
		found, _, err := reader.local(id, row)
		if err != nil || !found {
			c.rows++
			c.out.problem("table %s: row %d: %v", c.table.Name, id, err)
			return nil
		}
		c.row(id, row)
		return nil
	})
}

// segments checks the rows of segments that show.
func (c *tableCheck) segments(ctx context.Context) error {
	tx, err := c.store.Begin(ctx, storage.TxnOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var all []int16
	for _, col := range c.table.Live() {
		all = append(all, col.Num)
	}
	it, err := tx.scan(ctx, nil, c.table, all)
	if err != nil {
		return err
	}
	row := make(types.Row, len(c.table.Columns))
	for seen, n := c.rows, int64(0); ; n++ {
		id, ok, err := it.Next(row)
		if err != nil || !ok {
			return errors.Join(err, it.Close())
		}
		if n >= seen { // the local rows came first
			c.row(id, row)
		}
	}
}

// row checks that a row has its index entries.
func (c *tableCheck) row(id types.RowID, row types.Row) {
	s, name := c.store, c.table.Name
	c.rows++
	if id >= s.table(c.table.ID).nextID {
		c.out.problem("table %s: row id %d was never given out", name, id)
	}
	for i, x := range c.indexes {
		if !x.Ordered() || !c.computes(x) {
			continue
		}
		e, ok, err := s.entryOf(c.table, x, row)
		if err != nil {
			c.out.problem("index %s: row %d of %s: %v", x.Name, id, name, err)
			continue
		}
		if !ok {
			continue
		}
		c.expected[i]++
		key, value := e.stored(id)
		if has, err := s.has(key, value); err != nil || !has {
			c.out.problem("index %s: no entry for row %d of %s (%v)", x.Name, id, name, err)
		}
	}
}

func (s *Store) has(key, value []byte) (bool, error) {
	b, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return bytes.Equal(b, value), closer.Close()
}

// countEntries counts an index's entries and finds those without a row. Whether a
// segment has a row is compared by number (checkTable): to ask for each would take too long.
func (s *Store) countEntries(ctx context.Context, table *catalog.Table, x *catalog.Index, out *Report) (int64, error) {
	prefix := oidKey(keyIndex, x.ID)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return n, errors.Join(ctx.Err(), it.Close())
		}
		id, err := entryID(it.Key(), it.Value())
		if err != nil {
			out.problem("index %s: %v", x.Name, err)
			continue
		}
		there, elsewhere, err := (&rowReader{reader: s.db, table: table}).local(id, nil)
		if err != nil || !there && !elsewhere {
			out.problem("index %s: an entry names row %d of %s, which does not exist (%v)", x.Name, id, table.Name, err)
		}
	}
	return n, errors.Join(it.Error(), it.Close())
}

// checkVectors finds vectors without a local row.
func (s *Store) checkVectors(ctx context.Context, table *catalog.Table, out *Report) error {
	prefix := oidKey(keyVector, table.ID)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return err
	}
	for ok, n := it.First(), 0; ok; ok, n = it.Next(), n+1 {
		if n%1024 == 0 && ctx.Err() != nil {
			return errors.Join(ctx.Err(), it.Close())
		}
		_, _, id, err := parseVectorKey(it.Key())
		if err != nil {
			out.problem("table %s: %v", table.Name, err)
			continue
		}
		out.Vectors++
		there, _, err := (&rowReader{reader: s.db, table: table}).local(id, nil)
		if err != nil || !there {
			out.problem("table %s: column %d has a vector for row %d, which does not exist (%v)", table.Name,
				binary.BigEndian.Uint16(it.Key()[prefixLen:]), id, err)
		}
	}
	return errors.Join(it.Error(), it.Close())
}
