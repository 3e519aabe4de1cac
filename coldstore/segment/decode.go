package segment

import (
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// datumCells are values that were decoded one by one.
type datumCells []types.Datum

func (c datumCells) at(i int) types.Datum { return c[i] }

// vectorCells are vectors as they lie in the file.
type vectorCells struct {
	values  []float32
	offsets []int32
	half    bool
}

func (c *vectorCells) at(i int) types.Datum {
	v := c.values[c.offsets[i]:c.offsets[i+1]:c.offsets[i+1]]
	switch {
	case len(v) == 0:
		return nil
	case c.half:
		h := make(types.HalfVector, len(v))
		types.Float32ToHalfs(h, v)
		return h
	}
	return types.Vector(v)
}

// decode reads the plain column of a row group.
func (c *Column) decode(r file.ColumnChunkReader, levels int64, rows int) (cells, error) {
	if c.shape == vectorShape {
		values, def, rep, err := readChunk[float32](r, levels)
		if err != nil {
			return nil, err
		}
		return newVectorCells(values, def, rep, rows, c.Stored == types.HalfVecOID)
	}
	v, err := c.leaf.read(r, levels)
	if err != nil {
		return nil, err
	}
	if c.shape == listShape {
		return arrayCells(v, rows, types.Lookup(c.Stored).Elem)
	}
	return scalarCells(v, rows)
}

// decodeOwn reads the companion of a user's type.
func (c *Column) decodeOwn(r file.ColumnChunkReader, levels int64, rows int) (cells, error) {
	v, err := c.exactLeaf().read(r, levels)
	if err != nil {
		return nil, err
	}
	return scalarCells(v, rows)
}

func scalarCells(v leafValues, rows int) (datumCells, error) {
	if len(v.def) != rows {
		return nil, brokenf("a column has %d values for %d rows", len(v.def), rows)
	}
	out := make(datumCells, rows)
	next := 0
	for i, d := range v.def {
		if d == 0 {
			continue
		}
		if next == len(v.data) {
			return nil, brokenf("a column has fewer values than its levels say")
		}
		out[i] = v.data[next]
		next++
	}
	return out, nil
}

// newVectorCells finds where the vectors begin: at each repetition level 0.
func newVectorCells(values []float32, def, rep []int16, rows int, half bool) (*vectorCells, error) {
	c := &vectorCells{values: values, offsets: make([]int32, 0, rows+1), half: half}
	at := int32(0)
	for i, r := range rep {
		if r == 0 {
			c.offsets = append(c.offsets, at)
		}
		if def[i] == 2 {
			at++
		}
	}
	c.offsets = append(c.offsets, at)
	if len(c.offsets) != rows+1 || int(at) != len(values) {
		return nil, brokenf("a column has %d vectors for %d rows", len(c.offsets)-1, rows)
	}
	return c, nil
}

func arrayCells(v leafValues, rows int, elem types.OID) (datumCells, error) {
	out := make(datumCells, 0, rows)
	next := 0
	for i := 0; i < len(v.def); {
		end := i + 1
		for end < len(v.rep) && v.rep[end] != 0 {
			end++
		}
		a, used, err := arrayOf(v.def[i:end], v.data[next:], elem)
		if err != nil {
			return nil, err
		}
		next += used
		out = append(out, a)
		i = end
	}
	if len(out) != rows {
		return nil, brokenf("a column has %d arrays for %d rows", len(out), rows)
	}
	return out, nil
}

// arrayOf makes one array from its levels, and says how many values it has used.
func arrayOf(def []int16, data []types.Datum, elem types.OID) (types.Datum, int, error) {
	switch def[0] {
	case 0:
		return nil, 0, nil
	case 1:
		return &types.Array{Elem: elem}, 0, nil
	}
	elems, used := make([]types.Datum, len(def)), 0
	for i, d := range def {
		if d != 3 {
			continue
		}
		if used == len(data) {
			return nil, 0, brokenf("an array has fewer elements than its levels say")
		}
		elems[i] = data[used]
		used++
	}
	return types.NewArray(elem, elems), used, nil
}
