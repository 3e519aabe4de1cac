package ddl

import (
	"context"
	"fmt"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// bulkWriter is what a transaction offers for many rows at once.
type bulkWriter interface {
	InsertRows(ctx context.Context, table *catalog.Table, rows []types.Row) error
}

// fillBatch is how many rows CREATE TABLE AS writes at once.
const fillBatch = 1000

// createTableAs is CREATE TABLE … AS and SELECT INTO; it returns the command tag.
func (s *statement) createTableAs(ctx context.Context, t *ast.CreateTableAs) (string, error) {
	const tag = "CREATE TABLE AS"
	if t.MatView {
		return "", pgerr.Unsupported("CREATE MATERIALIZED VIEW").WithHint("Use CREATE TABLE AS, or CREATE VIEW.")
	}
	if _, ok := t.Query.(*ast.Select); !ok {
		return "", pgerr.Unsupported("CREATE TABLE AS EXECUTE")
	}
	if err := checkOnCommit(t.OnCommit, t.Table.Temp); err != nil {
		return "", err
	}
	schema, err := s.creationSchema(ctx, t.Table)
	if err != nil {
		return "", err
	}
	if free, err := s.newRelation(ctx, schema, t.Table.Name, t.IfNotExists); err != nil || !free {
		return tag, err
	}
	p, err := plan.Prepare(s.Plan(), t.Query, nil)
	if err != nil {
		return "", err
	}
	if len(p.Params) > 0 {
		return "", pgerr.New(pgerr.UndefinedParameter, "there is no parameter $1")
	}
	table, err := s.tableFor(schema, t, p)
	if err != nil {
		return "", err
	}
	if err := s.Txn.Change(ctx, catalog.Put(table)); err != nil {
		return "", err
	}
	if err := s.onCommit(t.OnCommit, table); err != nil || !t.WithData {
		return tag, err
	}
	n, err := s.fill(ctx, table, p)
	return fmt.Sprintf("SELECT %d", n), err
}

// tableFor makes the descriptor of a table that holds a query's result.
func (s *statement) tableFor(schema string, t *ast.CreateTableAs, p *plan.Plan) (*catalog.Table, error) {
	if len(t.Columns) > len(p.Columns) {
		return nil, pgerr.New(pgerr.SyntaxError, "too many column names were specified")
	}
	if len(p.Columns) > maxColumns {
		return nil, pgerr.Newf(pgerr.TooManyColumns, "tables can have at most %d columns", maxColumns)
	}
	table, err := s.newTable(schema, t.Table.Name, t.Options)
	if err != nil {
		return nil, err
	}
	table.Columns, err = resultColumns(p.Columns, t.Columns)
	return table, err
}

// fill writes the rows of a query into a table.
func (s *statement) fill(ctx context.Context, table *catalog.Table, p *plan.Plan) (n int64, err error) {
	for _, use := range p.Tables {
		if err := s.Txn.LockTable(ctx, use.Table.ID, use.Lock, s.Wait); err != nil {
			return 0, err
		}
	}
	x, err := run.Start(ctx, p, s.Run, nil)
	if err != nil {
		return 0, err
	}
	defer func() {
		if e := x.Close(); err == nil {
			err = e
		}
	}()
	batch := make([]types.Row, 0, fillBatch)
	for {
		row, err := x.Next(ctx)
		if err != nil {
			return n, err
		}
		if len(x.Foreign().Events) > 0 { // nobody looks after them here
			return n, pgerr.Unsupported("CREATE TABLE AS with a WITH that modifies tables with foreign keys")
		}
		if row != nil {
			n++
			batch = append(batch, append(types.Row(nil), row[:len(table.Columns)]...))
		}
		if len(batch) == fillBatch || row == nil {
			if err := s.insert(ctx, table, batch); err != nil {
				return n, err
			}
			batch = batch[:0]
		}
		if row == nil {
			return n, nil
		}
	}
}

func (s *statement) insert(ctx context.Context, table *catalog.Table, rows []types.Row) error {
	if w, ok := s.Txn.(bulkWriter); ok {
		return w.InsertRows(ctx, table, rows)
	}
	for _, row := range rows {
		if _, _, err := s.Txn.Insert(ctx, table, row, storage.InsertOptions{Wait: s.Wait}); err != nil {
			return err
		}
	}
	return nil
}
