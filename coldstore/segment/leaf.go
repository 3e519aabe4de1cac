package segment

import (
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// maxLevels bounds the values of one column chunk, so that a crafted object
// cannot ask for any amount of memory.
const maxLevels = 1 << 28

// A leafKind is how values of one SQL type lie in a Parquet leaf column.
type leafKind interface {
	node(name string, rep parquet.Repetition) (schema.Node, error)
	newBuffer() leafBuffer
	// read decodes a whole chunk of n levels; values come without the NULLs.
	read(r file.ColumnChunkReader, n int64) (leafValues, error)
}

// A leafBuffer collects the values of one leaf for one row group.
type leafBuffer interface {
	// add appends a value; false says that the plain type cannot hold it.
	add(d types.Datum) bool
	write(w file.ColumnChunkWriter, def, rep []int16) error
	bytes() int
	reset()
}

// leafValues are the decoded values of a chunk with their levels, which are nil
// where the column has none.
type leafValues struct {
	data     []types.Datum
	def, rep []int16
}

// leaf is the leafKind of a Parquet type whose Go type is T.
type leaf[T any] struct {
	logical  schema.LogicalType
	physical parquet.Type
	length   int // of fixed-length bytes
	put      func(types.Datum) (T, bool)
	take     func(T) (types.Datum, error)
	size     func(T) int
}

func (l *leaf[T]) node(name string, rep parquet.Repetition) (schema.Node, error) {
	if l.logical == nil {
		return schema.NewPrimitiveNode(name, rep, l.physical, -1, int32(l.length))
	}
	return schema.NewPrimitiveNodeLogical(name, rep, l.logical, l.physical, l.length, -1)
}

func (l *leaf[T]) newBuffer() leafBuffer { return &leafBuf[T]{kind: l} }

func (l *leaf[T]) read(r file.ColumnChunkReader, n int64) (leafValues, error) {
	values, def, rep, err := readChunk[T](r, n)
	if err != nil {
		return leafValues{}, err
	}
	out := leafValues{data: make([]types.Datum, len(values)), def: def, rep: rep}
	for i, v := range values {
		if out.data[i], err = l.take(v); err != nil {
			return leafValues{}, err
		}
	}
	return out, nil
}

type leafBuf[T any] struct {
	kind   *leaf[T]
	values []T
	size   int
}

func (b *leafBuf[T]) add(d types.Datum) bool {
	v, ok := b.kind.put(d)
	if ok {
		b.values = append(b.values, v)
		b.size += b.kind.size(v)
	}
	return ok
}

func (b *leafBuf[T]) write(w file.ColumnChunkWriter, def, rep []int16) error {
	return writeChunk(w, b.values, def, rep)
}

func (b *leafBuf[T]) bytes() int { return b.size }

func (b *leafBuf[T]) reset() {
	clear(b.values) // lets go of texts
	b.values, b.size = b.values[:0], 0
}

// batchWriter and batchReader are what the typed columns of the Parquet library
// have in common.
type batchWriter[T any] interface {
	WriteBatch(values []T, def, rep []int16) (int64, error)
}

type batchReader[T any] interface {
	ReadBatch(n int64, values []T, def, rep []int16) (int64, int, error)
}

func writeChunk[T any](w file.ColumnChunkWriter, values []T, def, rep []int16) error {
	typed, ok := w.(batchWriter[T])
	if !ok {
		return brokenf("column of type %s", w.Type())
	}
	if values == nil {
		values = []T{}
	}
	n, err := typed.WriteBatch(values, def, rep)
	if err == nil && n != int64(len(values)) {
		err = brokenf("%d of %d values were written", n, len(values))
	}
	return err
}

func readChunk[T any](r file.ColumnChunkReader, n int64) (values []T, def, rep []int16, err error) {
	typed, ok := r.(batchReader[T])
	if !ok {
		return nil, nil, nil, brokenf("a column has type %s", r.Type())
	}
	if n < 0 || n > maxLevels {
		return nil, nil, nil, brokenf("a column chunk claims %d values", n)
	}
	values = make([]T, n)
	if r.Descriptor().MaxDefinitionLevel() > 0 {
		def = make([]int16, n)
	}
	if r.Descriptor().MaxRepetitionLevel() > 0 {
		rep = make([]int16, n)
	}
	var levels int64
	var got int
	for levels < n {
		l, v, err := typed.ReadBatch(n-levels, values[got:], after(def, levels), after(rep, levels))
		if err != nil {
			return nil, nil, nil, err
		}
		if l == 0 {
			return nil, nil, nil, brokenf("a column chunk ends after %d of %d values", levels, n)
		}
		levels, got = levels+l, got+v
	}
	return values[:got], def, rep, nil
}

func after(s []int16, n int64) []int16 {
	if s == nil {
		return nil
	}
	return s[n:]
}
