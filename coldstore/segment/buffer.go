package segment

import (
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// scalarBuffer: definition level 0 is NULL, 1 a value.
type scalarBuffer struct {
	values leafBuffer
	def    []int16
}

func (b *scalarBuffer) add(d types.Datum) bool {
	if d == nil {
		b.def = append(b.def, 0)
		return true
	}
	ok := b.values.add(d)
	level := int16(0)
	if ok {
		level = 1
	}
	b.def = append(b.def, level)
	return ok
}

func (b *scalarBuffer) write(w file.ColumnChunkWriter) error { return b.values.write(w, b.def, nil) }
func (b *scalarBuffer) bytes() int                           { return b.values.bytes() }
func (b *scalarBuffer) reset()                               { b.values.reset(); b.def = b.def[:0] }

// listBuffer: definition level 0 is NULL, 1 an empty array, 2 a NULL element, 3
// an element; repetition level 0 begins a row.
type listBuffer struct {
	values   leafBuffer
	def, rep []int16
}

func (b *listBuffer) level(def, rep int16) { b.def, b.rep = append(b.def, def), append(b.rep, rep) }

func (b *listBuffer) add(d types.Datum) bool {
	a, ok := d.(*types.Array)
	if d == nil || !ok {
		b.level(0, 0)
		return d == nil
	}
	if len(a.Elems) == 0 {
		b.level(1, 0)
		return len(a.Dims) == 0
	}
	exact := len(a.Dims) == 1 && a.Lower[0] == 1
	for i, e := range a.Elems {
		rep := int16(min(i, 1))
		switch {
		case e == nil:
			b.level(2, rep)
		case b.values.add(e):
			b.level(3, rep)
		default:
			b.level(2, rep)
			exact = false
		}
	}
	return exact
}

func (b *listBuffer) write(w file.ColumnChunkWriter) error { return b.values.write(w, b.def, b.rep) }
func (b *listBuffer) bytes() int                           { return b.values.bytes() + len(b.def)/4 }
func (b *listBuffer) reset()                               { b.values.reset(); b.def, b.rep = b.def[:0], b.rep[:0] }

// vectorBuffer: definition level 0 is NULL, 2 an element; a vector has at least
// one. halfvec is widened, which is exact.
type vectorBuffer struct {
	values   []float32
	def, rep []int16
}

func (b *vectorBuffer) add(d types.Datum) bool {
	start := len(b.values)
	switch v := d.(type) {
	case types.Vector:
		b.values = append(b.values, v...)
	case types.HalfVector:
		b.values = append(b.values, make([]float32, len(v))...)
		types.HalfToFloat32s(b.values[start:], v)
	default:
		b.def, b.rep = append(b.def, 0), append(b.rep, 0)
		return d == nil
	}
	n := len(b.values) - start
	if n == 0 {
		b.def, b.rep = append(b.def, 1), append(b.rep, 0)
		return true
	}
	for i := range n {
		b.def, b.rep = append(b.def, 2), append(b.rep, int16(min(i, 1)))
	}
	return true
}

func (b *vectorBuffer) write(w file.ColumnChunkWriter) error {
	return writeChunk(w, b.values, b.def, b.rep)
}
func (b *vectorBuffer) bytes() int { return 4 * len(b.values) }
func (b *vectorBuffer) reset()     { b.values, b.def, b.rep = b.values[:0], b.def[:0], b.rep[:0] }
