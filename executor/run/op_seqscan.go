package run

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// seqScanOp reads a whole table.
type seqScanOp struct {
	base
	node   *plan.SeqScan
	width  int // columns of the table
	withID bool
	iter   storage.RowIter
	out    types.Row
	sample *sampler
}

func newSeqScan(b base, n *plan.SeqScan) *seqScanOp {
	o := &seqScanOp{base: b, node: n, width: len(n.Table.Columns)}
	o.withID = rowWidth(n) > o.width
	o.out = make(types.Row, o.width, o.width+1)
	if o.withID {
		o.out = o.out[:o.width+1]
	}
	return o
}

func (o *seqScanOp) open() error {
	if err := o.close(); err != nil {
		return err
	}
	if o.node.Sample != nil {
		s, err := newSampler(o.x, o.node.Sample)
		if err != nil {
			return err
		}
		o.sample = s
	}
	iter, err := o.x.env.Rows.Scan(o.x.live, storage.ScanSpec{Table: o.node.Table, Columns: o.node.Cols})
	o.iter = iter
	return err
}

func (o *seqScanOp) next() (types.Row, error) {
	id, ok, err := o.advance()
	if err != nil || !ok {
		return nil, err
	}
	if o.withID {
		o.out[o.width] = int64(id)
	}
	return o.out, nil
}

// advance finds the next row that passes.
func (o *seqScanOp) advance() (types.RowID, bool, error) {
	if o.iter == nil {
		return 0, false, nil
	}
	for {
		id, ok, err := o.iter.Next(o.out[:o.width])
		if err != nil || !ok {
			return 0, false, err
		}
		if err := o.x.tick(); err != nil {
			return 0, false, err
		}
		if o.sample != nil && !o.sample.keep(id) {
			continue
		}
		if o.node.Filter == nil {
			return id, true, nil
		}
		if ok, err = o.x.test(o.node.Filter, o.out); err != nil {
			return 0, false, err
		}
		if ok {
			return id, true, nil
		}
		o.stats.Removed++
	}
}

func (o *seqScanOp) openIDs() error { return o.open() }

func (o *seqScanOp) nextID() (types.RowID, bool, error) { return o.advance() }

func (o *seqScanOp) close() error {
	if o.iter == nil {
		return nil
	}
	iter := o.iter
	o.iter = nil
	return iter.Close()
}

// sampler decides by a hash of the row id, so that REPEATABLE repeats. SYSTEM
// takes or leaves sampleBlock neighbours together.
type sampler struct {
	limit uint64 // hashes below it are kept
	all   bool
	seed  uint64
	shift uint
}

// sampleShift makes blocks of 64 rows, about what a page of PostgreSQL holds.
const sampleShift = 6

func newSampler(x *Execution, spec *plan.Sample) (*sampler, error) {
	d, err := x.eval(spec.Percent, nil)
	if err != nil {
		return nil, err
	}
	percent, ok := floatOf(d)
	if !ok {
		return nil, pgerr.New(invalidTablesampleArgument, "TABLESAMPLE parameter cannot be null")
	}
	if !(percent >= 0 && percent <= 100) {
		return nil, pgerr.New(invalidTablesampleArgument, "sample percentage must be between 0 and 100")
	}
	s := &sampler{seed: rand.Uint64(), all: percent == 100, limit: uint64(percent / 100 * math.MaxUint64)}
	if spec.Method == "system" {
		s.shift = sampleShift
	}
	if spec.Seed == nil {
		return s, nil
	}
	if d, err = x.eval(spec.Seed, nil); err != nil {
		return nil, err
	}
	seed, ok := floatOf(d)
	if !ok {
		return nil, pgerr.New(invalidTablesampleRepeat, "TABLESAMPLE REPEATABLE parameter cannot be null")
	}
	s.seed = math.Float64bits(seed)
	return s, nil
}

// SQLSTATE of TABLESAMPLE's arguments.
const (
	invalidTablesampleArgument = "2202H"
	invalidTablesampleRepeat   = "2202G"
)

func (s *sampler) keep(id types.RowID) bool {
	if s.all {
		return true
	}
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(id)>>s.shift)
	binary.LittleEndian.PutUint64(b[8:], s.seed)
	h := fnv.New64a()
	_, _ = h.Write(b[:]) // a hash never fails
	return mix(h.Sum64()) < s.limit
}

// mix is the finaliser of splitmix64; FNV alone leaves the high bits uneven.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// floatOf reads a number of any type; false for NULL.
func floatOf(d types.Datum) (float64, bool) {
	switch v := d.(type) {
	case int64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	case *types.Numeric:
		f, err := types.NumericToFloat64(v)
		return f, err == nil
	}
	return 0, false
}
