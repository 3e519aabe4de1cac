package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// windowEval computes row i of a partition.
type windowEval = func(ctx *Context, w WindowPartition, i int) (types.Datum, error)

func windowFunction(declaration string, eval windowEval) *Function {
	f := declare(declaration)
	f.NotStrict = true
	f.Window = &WindowFunction{Eval: eval}
	return f
}

var windowFunctions = []*Function{
	windowFunction("row_number() int8", func(_ *Context, _ WindowPartition, i int) (types.Datum, error) { return int64(i) + 1, nil }),
	windowFunction("rank() int8", func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		first, _ := w.Peers(i)
		return int64(first) + 1, nil
	}),
	windowFunction("dense_rank() int8", func(ctx *Context, w WindowPartition, i int) (types.Datum, error) {
		return ctx.dense.rank(w, i), nil
	}),
	windowFunction("percent_rank() float8", func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		if w.Len() <= 1 {
			return 0.0, nil
		}
		first, _ := w.Peers(i)
		return float64(first) / float64(w.Len()-1), nil
	}),
	windowFunction("cume_dist() float8", func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		_, end := w.Peers(i)
		return float64(end) / float64(w.Len()), nil
	}),
	windowFunction("ntile(int4) int4", ntile),
	windowFunction("lag(anyelement) anyelement", func(_ *Context, w WindowPartition, i int) (types.Datum, error) { return neighbour(w, i, -1) }),
	windowFunction("lag(anyelement, int4) anyelement", shifted(-1)),
	windowFunction("lag(anycompatible, int4, anycompatible) anycompatible", shiftedOr(-1)),
	windowFunction("lead(anyelement) anyelement", func(_ *Context, w WindowPartition, i int) (types.Datum, error) { return neighbour(w, i, 1) }),
	windowFunction("lead(anyelement, int4) anyelement", shifted(1)),
	windowFunction("lead(anycompatible, int4, anycompatible) anycompatible", shiftedOr(1)),
	windowFunction("first_value(anyelement) anyelement", func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		start, end := w.Frame(i)
		if start >= end {
			return nil, nil
		}
		return w.Arg(start, 0)
	}),
	windowFunction("last_value(anyelement) anyelement", func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		start, end := w.Frame(i)
		if start >= end {
			return nil, nil
		}
		return w.Arg(end-1, 0)
	}),
	windowFunction("nth_value(anyelement, int4) anyelement", nthValue),
}

// denseRank remembers how far dense_rank has counted in a partition, so that
// going through it row by row is linear.
type denseRank struct {
	partition WindowPartition
	row       int
	value     int64
}

func (d *denseRank) rank(w WindowPartition, i int) int64 {
	first, _ := w.Peers(i)
	if d.partition != w || d.row > first {
		d.partition, d.row, d.value = w, 0, 1
	}
	for d.row < first {
		_, end := w.Peers(d.row)
		d.row = end
		d.value++
	}
	return d.value
}

// neighbour is the value n rows away, NULL outside of the partition.
func neighbour(w WindowPartition, i, n int) (types.Datum, error) {
	if at := i + n; at >= 0 && at < w.Len() {
		return w.Arg(at, 0)
	}
	return nil, nil
}

func shifted(sign int) windowEval {
	return func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		n, err := w.Arg(i, 1)
		if err != nil || n == nil {
			return nil, err
		}
		return neighbour(w, i, sign*int(n.(int64)))
	}
}

// shiftedOr is shifted with a value for what lies outside.
func shiftedOr(sign int) windowEval {
	return func(_ *Context, w WindowPartition, i int) (types.Datum, error) {
		n, err := w.Arg(i, 1)
		if err != nil || n == nil {
			return nil, err
		}
		at := i + sign*int(n.(int64))
		if at < 0 || at >= w.Len() {
			return w.Arg(i, 2)
		}
		return w.Arg(at, 0)
	}
}

// SQLSTATEs of the window functions' arguments.
const (
	invalidArgumentForNtile    = "22014"
	invalidArgumentForNthValue = "22016"
)

// ntile gives the first buckets one row more when the rows do not divide evenly.
func ntile(_ *Context, w WindowPartition, i int) (types.Datum, error) {
	v, err := w.Arg(0, 0)
	if err != nil || v == nil {
		return nil, err
	}
	buckets := v.(int64)
	if buckets <= 0 {
		return nil, pgerr.New(invalidArgumentForNtile, "argument of ntile must be greater than zero")
	}
	rows, row := int64(w.Len()), int64(i)
	size, larger := rows/buckets, rows%buckets
	if row < larger*(size+1) {
		return row/(size+1) + 1, nil
	}
	return larger + (row-larger*(size+1))/size + 1, nil
}

func nthValue(_ *Context, w WindowPartition, i int) (types.Datum, error) {
	v, err := w.Arg(i, 1)
	if err != nil || v == nil {
		return nil, err
	}
	n := v.(int64)
	if n <= 0 {
		return nil, pgerr.New(invalidArgumentForNthValue, "argument of nth_value must be greater than zero")
	}
	start, end := w.Frame(i)
	if n > int64(end-start) {
		return nil, nil
	}
	return w.Arg(start+int(n)-1, 0)
}
