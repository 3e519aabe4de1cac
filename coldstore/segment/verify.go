package segment

import (
	"context"
	"hash"
	"hash/crc32"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/types"
)

// Verify reads a whole segment back, once, and compares it with what its writer said:
// length, checksum of all bytes, number of rows, ids, and that every value of every
// column decodes. A move calls it before the switch. want may come from a manifest; its
// counts of groups and cells, and the ids, are compared only if set.
func Verify(ctx context.Context, store Getter, want Summary) error {
	r, err := Open(ctx, store, want.Key, OpenOptions{TailBytes: want.TailBytes, Bytes: want.Bytes})
	if err != nil {
		return err
	}
	if r.Rows() != want.Rows {
		return damaged(want.Key, "The segment has %d rows instead of %d.", r.Rows(), want.Rows)
	}
	o, err := store.Get(ctx, want.Key, objectstore.Range{})
	if err != nil {
		return readError(want.Key, err)
	}
	defer func() { _ = o.Body.Close() }() // only read
	v := &verifier{r: r, sum: crc32.New(castagnoli), body: o.Body, ids: r.RowIDs()}
	for i := range r.x.columns {
		v.columns = append(v.columns, r.x.columns[i].Num)
	}
	if err := v.run(ctx); err != nil {
		return err
	}
	switch {
	case v.at != want.Bytes:
		return damaged(want.Key, "The object has %d bytes instead of %d.", v.at, want.Bytes)
	case v.sum.Sum32() != want.CRC:
		return damaged(want.Key, "The checksum of the object does not match.")
	}
	return nil
}

// verifyAhead is how many row groups are decoded while the next one is read.
const verifyAhead = 2

// verifier reads an object from its start to its end.
type verifier struct {
	r       *Reader
	sum     hash.Hash32
	body    io.Reader
	at      int64
	ids     []types.RowID
	columns []int16
}

func (v *verifier) run(parent context.Context) error {
	group, ctx := errgroup.WithContext(parent)
	group.SetLimit(verifyAhead)
	readErr := func() error {
		for i := range v.r.x.groups {
			offset, length := v.r.GroupSpan(i)
			if offset < v.at {
				return damaged(v.r.key, "Row group %d begins before the end of another.", i)
			}
			if err := v.skip(offset - v.at); err != nil {
				return err
			}
			span := make([]byte, length)
			if err := v.read(span); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil // the error of the group that ended it counts, or the caller's end
			}
			group.Go(func() error { return v.decode(i, span) })
		}
		return v.skip(-1)
	}()
	if err := group.Wait(); err != nil {
		return err
	}
	if parent.Err() != nil {
		return canceled()
	}
	return readErr
}

// skip reads n bytes for their checksum alone, the rest when n is negative.
func (v *verifier) skip(n int64) error {
	from := v.body
	if n >= 0 {
		from = io.LimitReader(v.body, n)
	}
	got, err := io.Copy(v.sum, from)
	v.at += got
	if err != nil {
		return readError(v.r.key, err)
	}
	if n > 0 && got < n {
		return damaged(v.r.key, "The object has %d bytes instead of %d.", v.at, v.r.Bytes())
	}
	return nil
}

func (v *verifier) read(span []byte) error {
	n, err := io.ReadFull(v.body, span)
	v.at += int64(n)
	_, _ = v.sum.Write(span[:n])                     // never fails
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // ReadFull's own: an error of the store may wrap one
		return damaged(v.r.key, "The object has %d bytes instead of %d.", v.at, v.r.Bytes())
	}
	if err != nil {
		return readError(v.r.key, err)
	}
	return nil
}

// decode decodes a row group and compares its row ids with the index part.
func (v *verifier) decode(index int, span []byte) error {
	g, err := v.r.DecodeGroup(index, v.columns, span)
	if err != nil {
		return err
	}
	for i, id := range g.IDs {
		if v.ids[int(g.First)+i] != id {
			return damaged(v.r.key, "Row %d is not where the index part says.", id)
		}
	}
	return nil
}
