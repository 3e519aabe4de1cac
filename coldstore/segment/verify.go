package segment

import (
	"context"
	"hash/crc32"
	"io"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Verify reads a whole segment back and compares it with what its writer said:
// length, checksum of all bytes, number of rows, ids, and that every value of
// every column decodes. A move calls it before the switch. want may come from a
// manifest; its counts of groups and cells, and the ids, are compared only if set.
func Verify(ctx context.Context, store Getter, want Summary) error {
	if err := verifyBytes(ctx, store, want); err != nil {
		return err
	}
	r, err := Open(ctx, store, want.Key, OpenOptions{TailBytes: want.TailBytes, Bytes: want.Bytes})
	if err != nil {
		return err
	}
	if r.Rows() != want.Rows {
		return damaged(want.Key, "The segment has %d rows instead of %d.", r.Rows(), want.Rows)
	}
	return r.verifyRows(ctx)
}

func verifyBytes(ctx context.Context, store Getter, want Summary) error {
	o, err := store.Get(ctx, want.Key, objectstore.Range{})
	if err != nil {
		return readError(want.Key, err)
	}
	defer func() { _ = o.Body.Close() }() // only read
	sum := crc32.New(castagnoli)
	n, err := io.Copy(sum, o.Body)
	if err != nil {
		return readError(want.Key, err)
	}
	if n != want.Bytes {
		return damaged(want.Key, "The object has %d bytes instead of %d.", n, want.Bytes)
	}
	if sum.Sum32() != want.CRC {
		return damaged(want.Key, "The checksum of the object does not match.")
	}
	return nil
}

// verifyRows decodes everything and compares the row ids with the index part.
func (r *Reader) verifyRows(ctx context.Context) error {
	var columns []int16
	for i := range r.x.columns {
		columns = append(columns, r.x.columns[i].Num)
	}
	s, err := r.Scan(ctx, ScanOptions{Columns: columns})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // only read
	ids := r.RowIDs()
	var rows uint64
	for {
		g, err := s.NextGroup()
		if err != nil {
			return err
		}
		if g == nil {
			break
		}
		for i, id := range g.IDs {
			if ids[int(g.First)+i] != id {
				return damaged(r.key, "Row %d is not where the index part says.", id)
			}
		}
		rows += uint64(g.Rows())
	}
	if rows != r.x.rows {
		return damaged(r.key, "%d rows came back instead of %d.", rows, r.x.rows)
	}
	return nil
}
