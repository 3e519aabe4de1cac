package run

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// subPlan is a subquery of an expression. An uncorrelated one runs once and its
// result is kept; a correlated one runs anew each time.
type subPlan struct {
	query *plan.SubQuery
	op    operator
	// kept says that rows holds the whole result; answer is the kept value of
	// a scalar, EXISTS or ARRAY subquery.
	kept     bool
	rows     spool
	answered bool
	answer   types.Datum
	hash     *subHash
}

// subHash answers = ANY and <> ALL by one look-up.
type subHash struct {
	keys    map[string]struct{}
	test    keyer
	hasNull bool
}

// RunSubPlan runs a subquery for an expression over ctx.Row.
func (x *Execution) RunSubPlan(ctx *expr.Context, sub *expr.SubPlan) (types.Datum, error) {
	row := ctx.Row
	d, err := x.runSubPlan(ctx, sub, row)
	ctx.Row = row
	return d, err
}

func (x *Execution) runSubPlan(ctx *expr.Context, sub *expr.SubPlan, row types.Row) (types.Datum, error) {
	s, err := x.subPlan(sub.Plan)
	if err != nil {
		return nil, err
	}
	if len(sub.Slots) > 0 {
		if err := x.setSlots(sub.Slots, sub.Args, row); err != nil {
			return nil, err
		}
	}
	if sub.Kind == expr.SubPlanAny || sub.Kind == expr.SubPlanAll {
		return s.compare(x, sub, row)
	}
	if s.answered {
		return s.answer, nil
	}
	d, err := s.single(x, sub)
	if err == nil && s.uncorrelated() {
		s.answered, s.answer = true, d
	}
	return d, err
}

// setSlots computes all arguments before it sets any, for one may read a slot
// that another sets.
func (x *Execution) setSlots(slots []int, args []expr.Expr, row types.Row) error {
	var few [8]types.Datum
	values := few[:0]
	for _, a := range args {
		d, err := x.eval(a, row)
		if err != nil {
			return err
		}
		values = append(values, d)
	}
	for i, slot := range slots {
		x.ec.Exec[slot] = values[i]
	}
	return nil
}

func (x *Execution) subPlan(i int) (*subPlan, error) {
	if x.subs[i] == nil {
		q := x.plan.SubPlans[i]
		op, err := x.build(q.Root)
		if err != nil {
			return nil, err
		}
		x.subs[i] = &subPlan{query: q, op: op, rows: x.newSpool()}
	}
	return x.subs[i], nil
}

func (s *subPlan) uncorrelated() bool { return len(s.query.Params) == 0 }

func (s *subPlan) free() { s.rows.free() }

// single runs a scalar, EXISTS or ARRAY subquery.
func (s *subPlan) single(x *Execution, sub *expr.SubPlan) (d types.Datum, err error) {
	defer func() {
		if cerr := s.op.close(); err == nil {
			err = cerr
		}
	}()
	if err := s.op.open(); err != nil {
		return nil, err
	}
	first, err := s.op.next()
	if err != nil {
		return nil, err
	}
	switch sub.Kind {
	case expr.SubPlanExists:
		return first != nil, nil
	case expr.SubPlanArray:
		return s.array(first)
	}
	if first == nil {
		return nil, nil
	}
	d = first[0]
	more, err := s.op.next()
	if err != nil {
		return nil, err
	}
	if more != nil {
		return nil, pgerr.New(pgerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
	}
	return d, nil
}

func (s *subPlan) array(row types.Row) (types.Datum, error) {
	var elems []types.Datum
	for row != nil {
		elems = append(elems, row[0])
		var err error
		if row, err = s.op.next(); err != nil {
			return nil, err
		}
	}
	return types.NewArray(s.query.Root.Common().Columns[0].Type.OID, elems), nil
}

// compare runs = ANY (subquery) and its like.
func (s *subPlan) compare(x *Execution, sub *expr.SubPlan, row types.Row) (types.Datum, error) {
	test := make([]types.Datum, len(sub.Test))
	for i, e := range sub.Test {
		d, err := x.eval(e, row)
		if err != nil {
			return nil, err
		}
		test[i] = d
	}
	if !s.uncorrelated() {
		return s.compareStream(x, sub, test)
	}
	if err := s.keep(x, sub); err != nil {
		return nil, err
	}
	if s.hash != nil {
		if d, ok := s.hash.answer(sub, test, s.rows.len()); ok {
			return d, nil
		}
	}
	q := newQuantifier(sub.Kind)
	for i := range s.rows.len() {
		r, err := s.rows.row(i)
		if err != nil {
			return nil, err
		}
		if done, err := q.add(x, sub, test, r); done || err != nil {
			return q.result(), err
		}
	}
	return q.result(), nil
}

func (s *subPlan) compareStream(x *Execution, sub *expr.SubPlan, test []types.Datum) (d types.Datum, err error) {
	defer func() {
		if cerr := s.op.close(); err == nil {
			err = cerr
		}
	}()
	if err := s.op.open(); err != nil {
		return nil, err
	}
	q := newQuantifier(sub.Kind)
	for {
		row, err := s.op.next()
		if err != nil || row == nil {
			return q.result(), err
		}
		if done, err := q.add(x, sub, test, row); done || err != nil {
			return q.result(), err
		}
	}
}

// keep runs the subquery once for all and hashes its rows where it can.
func (s *subPlan) keep(x *Execution, sub *expr.SubPlan) (err error) {
	if s.kept {
		return nil
	}
	defer func() {
		if cerr := s.op.close(); err == nil {
			err = cerr
		}
	}()
	if err := s.op.open(); err != nil {
		return err
	}
	hash := s.newHash(x, sub)
	cols := x.rowKeys(s.query.Root.Common().Columns)
	if hash != nil {
		for i := range cols.parts {
			cols.parts[i].oid = hash.test.parts[i].oid
		}
	}
	var key []byte
	for {
		row, err := s.op.next()
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if err := s.rows.append(row); err != nil {
			return err
		}
		if hash == nil {
			continue
		}
		var null bool
		if key, null, err = cols.append(key[:0], row); err != nil {
			return err
		}
		if null {
			hash.hasNull = true
			continue
		}
		hash.keys[string(key)] = struct{}{}
	}
	s.kept = true
	s.hash = hash
	return nil
}

// newHash is nil when the comparison is not an equality of like types.
func (s *subPlan) newHash(x *Execution, sub *expr.SubPlan) *subHash {
	equality := sub.Kind == expr.SubPlanAny && sub.Operator == "=" || sub.Kind == expr.SubPlanAll && sub.Operator == "<>"
	columns := s.query.Root.Common().Columns
	if !equality || len(columns) < len(sub.Test) || len(sub.Test) != len(columns) || len(sub.Test) == 0 {
		return nil
	}
	h := &subHash{keys: make(map[string]struct{}), test: x.keysOf(sub.Test)}
	for i := range columns {
		p := &h.test.parts[i]
		oid, ok := commonKeyType(keyPartOf(nil, columns[i].Type.OID).oid, p.oid)
		if !ok {
			return nil
		}
		p.oid = oid
	}
	return h
}

// answer looks the tested values up; ok is false when only a comparison with
// every row can tell, because NULLs are part of a multi-column comparison.
func (h *subHash) answer(sub *expr.SubPlan, test []types.Datum, rows int) (d types.Datum, ok bool) {
	found, missed := types.Datum(true), types.Datum(false)
	if sub.Kind == expr.SubPlanAll {
		found, missed = false, true
	}
	if rows == 0 {
		return missed, true
	}
	var key []byte
	for i, v := range test {
		if v == nil {
			if len(test) == 1 {
				return nil, true
			}
			return nil, false
		}
		key = h.test.parts[i].append(key, v)
	}
	if _, hit := h.keys[string(key)]; hit {
		return found, true
	}
	if h.hasNull {
		return nil, len(test) == 1
	}
	return missed, true
}

// quantifier combines the comparisons of ANY or ALL by three-valued logic.
type quantifier struct {
	stop    bool // the truth value that decides: true for ANY
	decided bool
	unknown bool
}

func newQuantifier(kind expr.SubPlanKind) quantifier {
	return quantifier{stop: kind == expr.SubPlanAny}
}

func (q *quantifier) add(x *Execution, sub *expr.SubPlan, test []types.Datum, row types.Row) (bool, error) {
	d, err := compareFields(x, sub, test, row)
	if err != nil {
		return false, err
	}
	if d == nil {
		q.unknown = true
	} else if d.(bool) == q.stop {
		q.decided = true
	}
	return q.decided, nil
}

func (q *quantifier) result() types.Datum {
	switch {
	case q.decided:
		return q.stop
	case q.unknown:
		return nil
	}
	return !q.stop
}

// compareFields is a row comparison: all fields must hold, but for <> one is enough.
func compareFields(x *Execution, sub *expr.SubPlan, test []types.Datum, row types.Row) (types.Datum, error) {
	decides := sub.Operator == "<>"
	unknown := false
	for i, f := range sub.Funcs {
		d, err := expr.Apply(&x.ec, f, test[i], row[i])
		if err != nil {
			return nil, err
		}
		if d == nil {
			unknown = true
		} else if d.(bool) == decides {
			return decides, nil
		}
	}
	if unknown {
		return nil, nil
	}
	return !decides, nil
}
