package pgcatalog

import (
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

var sequenceSource = &source{
	kinds: []catalog.Kind{catalog.KindSequence}, owner: "seqrelid",
	objects: func(b *builder, o catalog.Object) {
		q := o.(*catalog.Sequence)
		b.add(oid(q.ID), oid(q.Type), q.Start, q.Increment, q.Max, q.Min, q.Cache, q.Cycle)
	},
}

// sequenceColumns are the columns that every sequence has as a relation.
var sequenceColumns = []catalog.Column{
	{Num: 1, Name: "last_value", Type: types.Int8OID, Typmod: types.NoTypmod, NotNull: true},
	{Num: 2, Name: "log_cnt", Type: types.Int8OID, Typmod: types.NoTypmod, NotNull: true},
	{Num: 3, Name: "is_called", Type: types.BoolOID, Typmod: types.NoTypmod, NotNull: true},
}

// SequenceColumns gives the columns of a sequence that is read as a table.
func SequenceColumns(q *catalog.Sequence) []plan.Column {
	out := make([]plan.Column, len(sequenceColumns))
	for i, c := range sequenceColumns {
		out[i] = plan.Column{Name: c.Name, Type: expr.Type{OID: c.Type, Typmod: c.Typmod}, Table: q.ID, Attnum: c.Num}
	}
	return out
}

// openSequence reads a sequence as a table of one row.
func openSequence(env *Env, q *catalog.Sequence) (func() (types.Row, error), error) {
	value, called, err := env.Sequence(q)
	if err != nil {
		return nil, err
	}
	row := types.Row{value, int64(0), called}
	return func() (types.Row, error) {
		out := row
		row = nil
		return out, nil
	}, nil
}
