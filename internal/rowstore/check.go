package rowstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Report is what a check has found.
type Report struct {
	Tables, Rows, IndexEntries, Vectors int64
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
// partial indexes are only checked from the entry to the row.
func Check(ctx context.Context, dir string, keyer Keyer) (Report, error) {
	var out Report
	s, err := Open(ctx, Options{Dir: dir, Keyer: keyer})
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

// checkTable reads every row of a table and every entry of its indexes.
func (s *Store) checkTable(ctx context.Context, table *catalog.Table, out *Report) error {
	indexes := s.Catalog().Indexes(table.ID)
	expected := make([]int64, len(indexes))
	rows := int64(0)
	row := make(types.Row, len(table.Columns))
	reader := &rowReader{reader: s.db, newest: s.db, table: table, want: everything(table)}
	err := s.ScanIDs(ctx, table, func(id types.RowID) error {
		rows++
		ok, err := reader.get(id, row)
		if err != nil || !ok {
			out.problem("table %s: row %d: %v", table.Name, id, err)
			return nil
		}
		if id >= s.table(table.ID).nextID {
			out.problem("table %s: row id %d was never given out", table.Name, id)
		}
		for i, x := range indexes {
			if !x.Ordered() || s.opts.Keyer == nil && plainColumns(x) == nil {
				continue
			}
			e, ok, err := s.entryOf(table, x, row)
			if err != nil {
				out.problem("index %s: row %d of %s: %v", x.Name, id, table.Name, err)
				continue
			}
			if !ok {
				continue
			}
			expected[i]++
			key, value := e.stored(id)
			if has, err := s.has(key, value); err != nil || !has {
				out.problem("index %s: no entry for row %d of %s (%v)", x.Name, id, table.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Rows += rows
	if n := s.table(table.ID).rows.Load(); n != rows {
		out.problem("table %s: %d rows are counted, %d are there", table.Name, n, rows)
	}
	for i, x := range indexes {
		if !x.Ordered() {
			continue
		}
		n, err := s.countEntries(ctx, table, x, out)
		if err != nil {
			return err
		}
		out.IndexEntries += n
		if (s.opts.Keyer != nil || plainColumns(x) != nil) && n != expected[i] {
			out.problem("index %s: %d entries, the rows make %d", x.Name, n, expected[i])
		}
	}
	return s.checkVectors(ctx, table, out)
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

// countEntries counts an index's entries and finds those without a row.
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
		there, err := (&rowReader{reader: s.db, table: table}).get(id, nil)
		if err != nil || !there {
			out.problem("index %s: an entry names row %d of %s, which does not exist (%v)", x.Name, id, table.Name, err)
		}
	}
	return n, errors.Join(it.Error(), it.Close())
}

// checkVectors finds vectors without a row.
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
		there, err := (&rowReader{reader: s.db, table: table}).get(id, nil)
		if err != nil || !there {
			out.problem("table %s: column %d has a vector for row %d, which does not exist (%v)", table.Name,
				binary.BigEndian.Uint16(it.Key()[prefixLen:]), id, err)
		}
	}
	return errors.Join(it.Error(), it.Close())
}
