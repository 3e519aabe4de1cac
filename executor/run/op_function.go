package run

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// functionOp gives the rows of functions in FROM, in step when there are several.
type functionOp struct {
	base
	node   *plan.FunctionScan
	series []series
	out    types.Row
	count  int64
}

func (o *functionOp) open() error {
	if o.series == nil {
		o.series = make([]series, len(o.node.Calls))
		n := 0
		for _, w := range o.node.Widths {
			n += w
		}
		if o.node.Ordinality {
			n++
		}
		o.out = make(types.Row, n)
	}
	o.count = 0
	for i, c := range o.node.Calls {
		if err := o.series[i].start(o.x, c, nil); err != nil {
			return err
		}
	}
	return nil
}

func (o *functionOp) next() (types.Row, error) {
	if err := o.x.tick(); err != nil {
		return nil, err
	}
	any, at := false, 0
	for i := range o.series {
		width := o.node.Widths[i]
		row, err := o.series[i].next()
		if err != nil {
			return nil, err
		}
		any = any || row != nil
		fill(o.out[at:at+width], row)
		at += width
	}
	if !any {
		return nil, nil
	}
	o.count++
	if o.node.Ordinality {
		o.out[at] = o.count
	}
	return o.out, nil
}

// fill copies a row into its places; one record is spread over several.
func fill(dst, row types.Row) {
	if len(row) == 1 && len(dst) > 1 {
		if r, ok := row[0].(*types.Record); ok {
			row = r.Values
		}
	}
	n := copy(dst, row)
	clear(dst[n:])
}

func (o *functionOp) close() error {
	for i := range o.series {
		o.series[i].pull = nil
	}
	return nil
}

// series is a set-returning call under way. A scalar function gives one row.
type series struct {
	call *expr.Call
	pull func() (types.Row, error)
}

func (s *series) start(x *Execution, call *expr.Call, row types.Row) error {
	s.call, s.pull = call, nil
	if call.Func.Rows == nil {
		d, err := x.eval(call, row)
		if err != nil {
			return err
		}
		s.pull = once(types.Row{d})
		return nil
	}
	args := make([]types.Datum, len(call.Args))
	for i, a := range call.Args {
		d, err := x.eval(a, row)
		if err != nil {
			return err
		}
		if d == nil && !call.Func.NotStrict {
			return nil
		}
		args[i] = d
	}
	x.ec.Row = row
	pull, err := call.Func.Rows(&x.ec, args)
	s.pull = pull
	return err
}

func once(row types.Row) func() (types.Row, error) {
	return func() (types.Row, error) {
		out := row
		row = nil
		return out, nil
	}
}

func (s *series) next() (types.Row, error) {
	if s.pull == nil {
		return nil, nil
	}
	row, err := s.pull()
	if row == nil {
		s.pull = nil
	}
	return row, err
}

// value is a row as one datum: a record when it has several columns.
func (s *series) value(row types.Row) types.Datum {
	columns := s.call.Func.Columns
	if len(row) == 1 && len(columns) < 2 {
		return row[0]
	}
	r := &types.Record{Names: make([]string, len(row)), Types: make([]types.OID, len(row)), Values: copyRow(row)}
	for i := range row {
		if i < len(columns) {
			r.Names[i], r.Types[i] = columns[i].Name, columns[i].Type
		}
	}
	return r
}
