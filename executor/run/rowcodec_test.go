package run

import (
	"math"
	"reflect"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/akidb/akidb/internal/types"
)

// everyKind is a row with a value of every Go type that a datum can have.
func everyKind() types.Row {
	array := &types.Array{Elem: types.Int8OID, Dims: []int{2, 1}, Lower: []int{1, -3}, Elems: []types.Datum{int64(5), nil}}
	return types.Row{nil, true, false, int64(math.MinInt64), float32(1.5), math.Inf(-1), apd.New(-12345, -3),
		&types.Numeric{Form: apd.Infinite, Negative: true}, "héllo", types.JSONB(`{"a": 1}`), []byte{0, 255}, types.UUID{1, 15: 9},
		types.Date(-5), types.Time(7), types.TimeTZ{Time: 1, Zone: -3600}, types.Timestamp(math.MaxInt64), types.TimestampTZ(-1),
		types.Interval{Micros: -1, Days: 2, Months: -3}, types.Bits{N: 3, B: []byte{0xa0}}, types.Vector{1, -2.5},
		types.HalfVector{1, 65535}, types.SparseVector{Dim: 9, Index: []int32{0, 8}, Value: []float32{1, 2}}, array,
		&types.Array{Elem: types.TextOID}, &types.Record{Names: []string{"x", ""}, Types: []types.OID{20, 25}, Values: []types.Datum{int64(1), array}}}
}

func TestRowsComeBackFromTemporaryFilesAsTheyWere(t *testing.T) {
	want := everyKind()
	b, err := appendRow(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeRow(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if n, ok := want[i].(*types.Numeric); ok {
			if g := got[i].(*types.Numeric); g.CmpTotal(n) != 0 {
				t.Errorf("numeric %v came back as %v", n, g)
			}
			continue
		}
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%T %v came back as %T %v", want[i], want[i], got[i], got[i])
		}
	}
	for n := range b {
		if _, err := decodeRow(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(b))
		}
	}
}

func FuzzDecodeRow(f *testing.F) {
	b, err := appendRow(nil, everyKind())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Add([]byte{1, tagArray, 20, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		row, err := decodeRow(b)
		if err != nil {
			return
		}
		if _, err := appendRow(nil, row); err != nil {
			t.Error(err)
		}
	})
}
