package executor

import (
	"context"
	"math/rand/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// mostSamples and mostNearest bound the work of one call of akidb.recall.
const (
	mostSamples = 10_000
	mostNearest = 1000
)

// recallCheck measures a vector index against exact search. Its queries are vectors of
// the column itself, and a query's own row does not count: finding it says nothing.
// A row that comes counts when it is as near as the true k-th. It reads what is committed.
type recallCheck struct {
	s     *session
	txn   Txn // its own: a statement that names no table has none
	ctx   context.Context
	table *catalog.Table
	num   int16 // of the column
	index *catalog.Index
	k     int
	batch []storage.Candidate
}

// recall is akidb.recall(collection, column, samples, k).
func recall(s *session, ctx context.Context, args []types.Datum) (value types.Datum, err error) {
	for _, a := range args {
		if a == nil {
			return nil, nil
		}
	}
	samples, k := args[2].(int64), args[3].(int64)
	if samples < 1 || samples > mostSamples {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "samples must be between 1 and %d", mostSamples)
	}
	if k < 1 || k > mostNearest {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "k must be between 1 and %d", mostNearest)
	}
	c := &recallCheck{s: s, ctx: ctx, k: int(k)}
	if c.txn, err = s.engine.source.Begin(ctx, storage.TxnOptions{ReadOnly: true}); err != nil {
		return nil, err
	}
	defer c.txn.Rollback()
	if err := c.txn.StartStatement(ctx); err != nil {
		return nil, err
	}
	if err := c.find(args[0].(string), args[1].(string)); err != nil {
		return nil, err
	}
	queries, err := c.sample(int(samples))
	if err != nil {
		return nil, err
	}
	return c.measure(queries)
}

// find looks up the table, its column and the vector index on it.
func (c *recallCheck) find(collection, name string) error {
	d, err := types.Parse(types.RegclassOID, types.NoTypmod, collection, c.s.env)
	if err != nil {
		return err
	}
	id, _ := d.(int64)
	if c.table = c.txn.Catalog().Table(types.OID(id)); c.table == nil {
		return pgerr.Newf(pgerr.WrongObjectType, "\"%s\" is not a table", collection)
	}
	column := c.table.Column(name)
	if column == nil {
		return pgerr.Newf(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, c.table.Name)
	}
	for _, x := range c.txn.Catalog().Indexes(c.table.ID) {
		if x.Vector() && x.Predicate == "" && x.Keys[0].Column == column.Num {
			c.index, c.num = x, column.Num
			return nil
		}
	}
	return pgerr.Newf(pgerr.UndefinedObject, "column \"%s\" of relation \"%s\" has no vector index", name, c.table.Name)
}

// sample picks rows with a vector, each with the same chance.
func (c *recallCheck) sample(n int) ([]types.RowID, error) {
	iter, err := c.txn.Scan(c.ctx, storage.ScanSpec{Table: c.table, Columns: []int16{c.num}})
	if err != nil {
		return nil, err
	}
	out := make([]types.RowID, 0, n)
	row := make(types.Row, len(c.table.Columns))
	for seen := 0; ; {
		id, ok, err := iter.Next(row)
		if err != nil || !ok {
			if cerr := iter.Close(); err == nil {
				err = cerr
			}
			return out, err
		}
		if row[c.num-1] == nil {
			continue
		}
		if seen++; len(out) < n {
			out = append(out, id)
		} else if at := rand.IntN(seen); at < n {
			out[at] = id
		}
	}
}

// measure is the share of the true nearest that the index gives, NULL when there is
// nothing to find.
func (c *recallCheck) measure(queries []types.RowID) (types.Datum, error) {
	hits, total := 0, 0
	row := make(types.Row, len(c.table.Columns))
	for _, id := range queries {
		if _, err := c.txn.Get(c.ctx, c.table, id, []int16{c.num}, row); err != nil {
			return nil, err
		}
		truth, err := c.nearest(id, row[c.num-1], true)
		if err != nil {
			return nil, err
		}
		found, err := c.nearest(id, row[c.num-1], false)
		if err != nil {
			return nil, err
		}
		if len(truth) == 0 {
			continue
		}
		total += len(truth)
		for _, d := range found {
			if d <= truth[len(truth)-1] {
				hits++
			}
		}
	}
	if total == 0 {
		return nil, nil
	}
	return float64(hits) / float64(total), nil
}

// nearest gives the distances of the nearest k rows that the statement sees.
func (c *recallCheck) nearest(self types.RowID, query types.Datum, exact bool) ([]float64, error) {
	iter, err := c.txn.Nearest(c.ctx, storage.NearestSpec{
		Table: c.table, Index: c.index, Query: query, Want: c.k + 1,
		Ef: max(c.s.limits.efSearch, c.k+1), Probes: c.s.limits.probes, Exact: exact,
	})
	if err != nil {
		return nil, err
	}
	out, err := c.take(iter, self)
	if cerr := iter.Close(); err == nil {
		err = cerr
	}
	return out, err
}

func (c *recallCheck) take(iter storage.NearestIter, self types.RowID) ([]float64, error) {
	out := make([]float64, 0, c.k)
	for len(out) < c.k {
		var err error
		if c.batch, err = iter.NextBatch(c.batch[:0]); err != nil || len(c.batch) == 0 {
			return out, err
		}
		if err := c.ctx.Err(); err != nil {
			return nil, context.Cause(c.ctx)
		}
		for _, n := range c.batch {
			if n.ID == self || len(out) == c.k {
				continue
			}
			ok, err := c.txn.Get(c.ctx, c.table, n.ID, nil, nil)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, n.Distance)
			}
		}
	}
	return out, nil
}
