package coldstore

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// The kinds of parts.
const (
	KindIVF  = "ivf"
	KindHNSW = "hnsw"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// IVFOptions are an index's descriptor as package ivf takes it; false when ivf has no
// such indexes.
func IVFOptions(x *catalog.Index) (ivf.Options, bool) {
	k := x.Keys[0]
	o := ivf.Options{Metric: k.Metric, Type: k.Type, Dims: int(k.Typmod), Seed: uint64(x.ID)}
	if n, err := strconv.Atoi(x.Options["lists"]); err == nil && x.Method == "ivfflat" {
		o.Lists = n
	}
	switch k.Type {
	case types.VectorOID, types.HalfVecOID:
		return o, o.Dims > 0 && k.Metric >= types.MetricL2 && k.Metric <= types.MetricL1
	case types.BitOID, types.VarbitOID:
		return o, o.Dims > 0 && k.Metric == types.MetricHamming
	}
	return o, false
}

// fetchCells is how many cells a search reads at once: see docs/formats/segment.md for
// how few there are.
const fetchCells = 8

type partKey struct {
	key        string
	collection string
	version    uint64
}

// index opens an ivf part of an index, or finds it open.
func (c *Collection) index(ctx context.Context, x *catalog.Index, part *catalog.SegmentPart, rows uint64) (*ivf.Index, error) {
	o, ok := IVFOptions(x)
	if !ok {
		return nil, pgerr.Newf(pgerr.InternalError, "index \"%s\" cannot have a part in the cold store", x.Name)
	}
	o.FetchCells = fetchCells
	v, err := c.s.memo.get(ctx, c.partKey(part), func() (any, int64, error) {
		r := &partReader{object: object{c.s, part.Key, part.Bytes}, head: min(part.Bytes, ivf.HeadBytes(o, int(rows)))}
		i, err := ivf.Open(ctx, r, o, &vectorSource{c, x})
		if err != nil {
			return nil, 0, err
		}
		r.first = nil
		return i, i.Bytes(), nil
	})
	if err != nil {
		err = partError(part.Key, err)
		c.s.suspect(part.Key, err)
		return nil, err
	}
	return v.(*ivf.Index), nil
}

// partKey tells apart what is opened over one part: a later seal of the collection has
// more segments to read vectors from, and a change of the table other columns.
func (c *Collection) partKey(part *catalog.SegmentPart) partKey {
	last := ""
	if n := len(c.cold.Segments); n > 0 {
		last = c.cold.Segments[n-1].Key
	}
	return partKey{part.Key, last, c.table.Version}
}

// sourceError marks an error of reading vectors, which names its object already.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// partError names the part in an error of package ivf.
func partError(key string, err error) error {
	var s sourceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &s):
		return s.error
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return canceled()
	}
	if e := pgerr.As(err); e != nil && e.Code == pgerr.DataCorrupted && !strings.Contains(e.Message, key) {
		return damaged(key, "%s.", e.Message)
	}
	return err
}

// partReader is a part as package ivf reads it: by ranges, in parallel.
type partReader struct {
	object
	head  int64
	first []byte // the head of the file, while it is opened
}

// ReadRanges implements ivf.Storage.
func (p *partReader) ReadRanges(ctx context.Context, ranges []ivf.Range, dst [][]byte) ([][]byte, error) {
	if p.first == nil && len(ranges) == 1 && ranges[0].Offset == 0 {
		var err error
		if p.first, err = p.read(ctx, 0, p.head); err != nil {
			return dst, err
		}
	}
	at := len(dst)
	for range ranges {
		dst = append(dst, nil)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.s.o.Parallel)
	for i, r := range ranges {
		if end := r.Offset + r.Bytes; r.Offset >= 0 && end <= int64(len(p.first)) {
			dst[at+i] = p.first[r.Offset:end:end]
			continue
		}
		if r.Bytes == 0 {
			continue
		}
		group.Go(func() (err error) {
			dst[at+i], err = p.read(ctx, r.Offset, r.Bytes)
			return err
		})
	}
	return dst, group.Wait()
}

// Size implements ivf.Storage.
func (p *partReader) Size() int64 { return p.size }

// Close implements ivf.Storage; nothing is open.
func (p *partReader) Close() error { return nil }

// vectorSource reads the vectors of an index from row groups.
type vectorSource struct {
	c *Collection
	x *catalog.Index
}

// Vectors implements ivf.Source.
func (v *vectorSource) Vectors(ids []types.RowID, into []ivf.Value) error {
	return v.VectorsContext(context.Background(), ids, into)
}

// VectorsContext implements ivf.ContextSource.
func (v *vectorSource) VectorsContext(ctx context.Context, ids []types.RowID, into []ivf.Value) error {
	at := make(map[types.RowID]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	err := v.c.keys(ctx, v.x, ids, func(id types.RowID, d types.Datum) error {
		into[at[id]] = ivf.ValueOf(d)
		return nil
	})
	if err != nil {
		return sourceError{err}
	}
	return nil
}

// keys calls fn for the index's key of those of the rows that have one.
func (c *Collection) keys(ctx context.Context, x *catalog.Index, ids []types.RowID, fn func(types.RowID, types.Datum) error) error {
	return c.Rows(ctx, keyColumns(c.table, x), ids, func(id types.RowID, row types.Row) error {
		d, ok, err := c.s.keyOf(c.table, x, row)
		if err != nil || !ok {
			return err
		}
		return fn(id, d)
	})
}

// keyOf is the vector that an index holds for a row, false when it holds none.
func (s *Store) keyOf(table *catalog.Table, x *catalog.Index, row types.Row) (d types.Datum, ok bool, err error) {
	if x.Predicate == "" && x.Keys[0].Column > 0 {
		d = row[x.Keys[0].Column-1]
		ok = d != nil
	} else {
		d, ok, err = s.o.Key(table, x, row)
	}
	return d, ok && !x.Keys[0].LeavesOut(d), err
}

// keyColumns are the columns that an index's key follows from.
func keyColumns(table *catalog.Table, x *catalog.Index) []int16 {
	if x.Predicate == "" && x.Keys[0].Column > 0 {
		return []int16{x.Keys[0].Column}
	}
	return allColumns(table)
}

func allColumns(table *catalog.Table) []int16 {
	var all []int16
	for _, c := range table.Live() {
		all = append(all, c.Num)
	}
	return all
}

// Parts are the parts of an index; one for each seal.
func (c *Collection) Parts(index types.OID, kind string) []catalog.SegmentPart {
	var out []catalog.SegmentPart
	for i := range c.cold.Segments {
		for _, p := range c.cold.Segments[i].Parts {
			if p.Index == index && p.Kind == kind {
				out = append(out, p)
			}
		}
	}
	return out
}

// uploadPart puts a local file as a part and reads it back.
func (s *Store) uploadPart(ctx context.Context, p catalog.SegmentPart, path string) (catalog.SegmentPart, error) {
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer func() { _ = f.Close() }() // only read
	sum := crc32.New(castagnoli)
	if p.Bytes, err = io.Copy(sum, f); err != nil {
		return p, err
	}
	p.CRC = sum.Sum32()
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return p, err
	}
	if _, err = s.o.Store.Put(ctx, p.Key, f, objectstore.PutOptions{IfAbsent: true, Size: p.Bytes}); err != nil {
		return p, err
	}
	return p, s.copyPart(ctx, p, io.Discard)
}

// copyPart reads a part whole and compares length and checksum.
func (s *Store) copyPart(ctx context.Context, p catalog.SegmentPart, to io.Writer) error {
	o, err := s.o.Store.Get(ctx, p.Key, objectstore.Range{})
	if objectstore.Is(err, objectstore.NotFound) {
		return damaged(p.Key, "The object is missing.")
	}
	if err != nil {
		return err
	}
	defer func() { _ = o.Body.Close() }() // only read
	sum := crc32.New(castagnoli)
	n, err := io.CopyBuffer(io.MultiWriter(sum, to), o.Body, make([]byte, 1<<20))
	count(ctx, n)
	switch {
	case objectstore.Is(err, objectstore.Corrupted):
		return damaged(p.Key, "%v.", err)
	case err != nil:
		return err
	case n != p.Bytes:
		return damaged(p.Key, "The object has %d bytes instead of %d.", n, p.Bytes)
	case sum.Sum32() != p.CRC:
		return damaged(p.Key, "The checksum of the object does not match.")
	}
	return nil
}

// FetchPart downloads a part to a local file, which appears at path whole, checked and
// synced, or not at all.
func (s *Store) FetchPart(ctx context.Context, p catalog.SegmentPart, path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = f.Close(), os.Remove(f.Name()) // the first error counts
		}
	}()
	if err = s.copyPart(ctx, p, f); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
