package run

import (
	"math"
	"sort"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// frame is a window's frame clause with its offsets computed.
type frame struct {
	mode       string
	start, end frameBound
	exclude    string
	// RANGE with offsets compares the one ordering value of the rows.
	byValue bool
	order   plan.SortKey
	values  []types.Datum
	// nonNull is the range of rows whose ordering value is not NULL.
	nonNullFrom, nonNullTo int
	x                      *Execution
}

// frameBound is one end: kind as in ast.FrameBound, n for ROWS and GROUPS, offset for RANGE.
type frameBound struct {
	kind   string
	n      int
	offset types.Datum
	oid    types.OID
}

// SQLSTATE of a frame offset that is out of range.
const invalidPrecedingOrFollowing = "22013"

const (
	framePreceding  = "PRECEDING"
	frameFollowing  = "FOLLOWING"
	frameCurrent    = "CURRENT ROW"
	frameAllBefore  = "UNBOUNDED PRECEDING"
	frameAllAfter   = "UNBOUNDED FOLLOWING"
	frameModeRows   = "ROWS"
	frameModeRange  = "RANGE"
	frameModeGroups = "GROUPS"
)

// prepare computes the offsets.
func (f *frame) prepare(x *Execution, n *plan.WindowAgg) error {
	*f = frame{mode: frameModeRange, start: frameBound{kind: frameAllBefore}, end: frameBound{kind: frameCurrent}, x: x}
	if n.Frame == nil {
		return nil
	}
	f.mode, f.exclude = n.Frame.Mode, n.Frame.Exclude
	if err := f.bound(&f.start, n.Frame.Start, n.Start, "starting"); err != nil {
		return err
	}
	if err := f.bound(&f.end, n.Frame.End, n.End, "ending"); err != nil {
		return err
	}
	f.byValue = f.mode == frameModeRange && (f.start.offset != nil || f.end.offset != nil)
	if f.byValue {
		if len(n.OrderBy) != 1 {
			return pgerr.New(pgerr.WindowingError, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
		}
		f.order = n.OrderBy[0]
	}
	return nil
}

func (f *frame) bound(b *frameBound, from ast.FrameBound, e expr.Expr, which string) error {
	b.kind = from.Kind
	if b.kind == "" {
		b.kind = frameCurrent
	}
	if b.kind != framePreceding && b.kind != frameFollowing {
		return nil
	}
	d, err := f.x.eval(e, nil)
	if err != nil {
		return err
	}
	if d == nil {
		return pgerr.Newf(pgerr.NullValueNotAllowed, "frame %s offset must not be null", which)
	}
	if f.mode == frameModeRange {
		if negative(d) {
			return pgerr.New(invalidPrecedingOrFollowing, "invalid preceding or following size in window function")
		}
		b.offset, b.oid = d, e.Type().OID
		return nil
	}
	n, _ := d.(int64)
	if n < 0 {
		return pgerr.Newf(invalidPrecedingOrFollowing, "frame %s offset must not be negative", which)
	}
	b.n = int(min(n, math.MaxInt32))
	return nil
}

func negative(d types.Datum) bool {
	switch v := d.(type) {
	case int64:
		return v < 0
	case float32:
		return v < 0 || v != v
	case float64:
		return v < 0 || v != v
	case *types.Numeric:
		return types.NumericSign(v) < 0 || types.NumericIsNaN(v)
	case types.Interval:
		return types.Compare(types.IntervalOID, v, types.Interval{}) < 0
	}
	return false
}

func (f *frame) reset() { f.values = f.values[:0] }

// note remembers a row's ordering value.
func (f *frame) note(o *windowOp, row types.Row) error {
	if !f.byValue {
		return nil
	}
	d, err := o.x.eval(f.order.Expr, row)
	if err != nil {
		return err
	}
	if v, ok := d.(float32); ok {
		d = float64(v)
	}
	f.values = append(f.values, d)
	return nil
}

// begin is called once a partition is complete.
func (f *frame) begin(*windowOp) error {
	f.nonNullFrom, f.nonNullTo = 0, len(f.values)
	for f.nonNullFrom < f.nonNullTo && f.values[f.nonNullFrom] == nil {
		f.nonNullFrom++
	}
	for f.nonNullTo > f.nonNullFrom && f.values[f.nonNullTo-1] == nil {
		f.nonNullTo--
	}
	if f.byValue && f.nonNullFrom < f.nonNullTo {
		// An impossible offset type must fail even when no comparison is needed.
		for _, b := range []*frameBound{&f.start, &f.end} {
			if b.offset != nil {
				if _, err := f.shift(f.values[f.nonNullFrom], b); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Frame is the half-open range of row i's frame, exclusion not considered.
func (o *windowOp) Frame(i int) (low, high int) {
	f := &o.frame
	n := o.rows.len()
	switch {
	case f.mode == frameModeRows:
		low, high = f.start.row(i, n, 0), f.end.row(i, n, 1)
	case f.mode == frameModeGroups:
		low, high = o.groupEdge(&f.start, i, n, false), o.groupEdge(&f.end, i, n, true)
	default:
		low, high = o.rangeEdge(&f.start, i, n, false), o.rangeEdge(&f.end, i, n, true)
	}
	low, high = max(low, 0), min(high, n)
	if high < low {
		return low, low
	}
	return low, high
}

// row is a bound of ROWS; after is 1 for the end of a frame.
func (b *frameBound) row(i, n, after int) int {
	switch b.kind {
	case frameAllBefore:
		return 0
	case frameAllAfter:
		return n
	case framePreceding:
		return max(i-b.n+after, 0)
	case frameFollowing:
		return min(i+b.n+after, n)
	}
	return i + after
}

func (o *windowOp) groupEdge(b *frameBound, i, n int, end bool) int {
	g := int(o.peerOf[i])
	switch b.kind {
	case frameAllBefore:
		return 0
	case frameAllAfter:
		return n
	case framePreceding:
		g -= b.n
	case frameFollowing:
		g += b.n
	}
	if g < 0 {
		return 0
	}
	if g >= len(o.peerStart) {
		return n
	}
	from, to := o.peerRange(g)
	if end {
		return to
	}
	return from
}

func (o *windowOp) rangeEdge(b *frameBound, i, n int, end bool) int {
	switch b.kind {
	case frameAllBefore:
		return 0
	case frameAllAfter:
		return n
	}
	f := &o.frame
	if b.offset == nil || f.values[i] == nil {
		from, to := o.Peers(i)
		if end {
			return to
		}
		return from
	}
	limit, err := f.shift(f.values[i], b)
	if err != nil {
		// Beyond all values of the type: the frame reaches to that side's end.
		if b.kind == framePreceding {
			return f.nonNullFrom
		}
		return f.nonNullTo
	}
	span := f.nonNullTo - f.nonNullFrom
	at := sort.Search(span, func(j int) bool {
		c := f.compare(f.values[f.nonNullFrom+j], limit)
		if f.order.Desc {
			c = -c
		}
		if end {
			return c > 0
		}
		return c >= 0
	})
	return f.nonNullFrom + at
}

// shift moves an ordering value by a bound's offset, away from or towards the
// start of the order.
func (f *frame) shift(v types.Datum, b *frameBound) (types.Datum, error) {
	minus := (b.kind == framePreceding) != f.order.Desc
	switch v := v.(type) {
	case int64:
		if off, ok := b.offset.(int64); ok {
			return shiftInt(v, off, minus), nil
		}
	case float64:
		if off, ok := floatOf(b.offset); ok {
			if minus {
				return v - off, nil
			}
			return v + off, nil
		}
	}
	name := "+"
	if minus {
		name = "-"
	}
	oid := f.order.Expr.Type().OID
	op, ok := expr.FindOperator(name, oid, b.oid)
	if !ok {
		return nil, pgerr.Newf(pgerr.FeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s",
			types.FormatType(oid, types.NoTypmod), types.FormatType(b.oid, types.NoTypmod))
	}
	return expr.Apply(&f.x.ec, op.Func, v, b.offset)
}

// shiftInt stops at the ends of the type.
func shiftInt(v, off int64, minus bool) int64 {
	if minus {
		if v < math.MinInt64+off {
			return math.MinInt64
		}
		return v - off
	}
	if v > math.MaxInt64-off {
		return math.MaxInt64
	}
	return v + off
}

// compare orders a value and a limit; date ± interval is a timestamp.
func (f *frame) compare(v, limit types.Datum) int {
	switch l := limit.(type) {
	case int64:
		if a, ok := v.(int64); ok {
			switch {
			case a < l:
				return -1
			case a > l:
				return 1
			}
			return 0
		}
	case float64:
		if a, ok := v.(float64); ok {
			return types.CompareFloat(a, l)
		}
	case types.Timestamp:
		if d, ok := v.(types.Date); ok {
			t, err := d.Timestamp()
			if err != nil {
				if d.IsInfinite() && d < 0 {
					return -1
				}
				return 1
			}
			return types.Compare(types.TimestampOID, t, l)
		}
	}
	return types.Compare(f.order.Expr.Type().OID, v, limit)
}

// excluded is the rows that EXCLUDE takes out of a frame: [from, to) but keep.
type excluded struct{ from, to, keep int }

// exclusion is what row i's frame leaves out; false for nothing.
func (f *frame) exclusion(o *windowOp, i int) (excluded, bool) {
	switch f.exclude {
	case "CURRENT ROW":
		return excluded{from: i, to: i + 1, keep: -1}, true
	case "GROUP":
		from, to := o.Peers(i)
		return excluded{from: from, to: to, keep: -1}, true
	case "TIES":
		from, to := o.Peers(i)
		return excluded{from: from, to: to, keep: i}, true
	}
	return excluded{}, false
}
