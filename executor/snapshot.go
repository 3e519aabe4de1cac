package executor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/akidb/akidb/executor/ddl"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// snapshots is the part of the source that keeps snapshots.
func (s *session) snapshots() (Snapshots, error) {
	if p, ok := s.engine.source.(Snapshots); ok {
		return p, nil
	}
	return nil, pgerr.Unsupported("snapshots")
}

// snapshotStatement is CREATE | DROP | RESTORE SNAPSHOT. What happens in the object
// store is not undone with a transaction, so that blocks are refused.
func (s *session) snapshotStatement(ctx context.Context, t *ast.Snapshot) (string, error) {
	tag := t.Action + " SNAPSHOT"
	if err := s.checkWritable(tag); err != nil {
		return "", err
	}
	if s.tx.block {
		return "", pgerr.Newf(pgerr.ActiveSQLTransaction, "%s cannot run inside a transaction block", tag)
	}
	p, err := s.snapshots()
	if err != nil {
		return "", err
	}
	switch t.Action {
	case "CREATE":
		err = s.createSnapshot(ctx, p, t)
	case "DROP":
		err = s.dropSnapshots(ctx, p, t)
	default:
		err = s.restoreSnapshot(ctx, p, t)
	}
	return tag, err
}

func (s *session) createSnapshot(ctx context.Context, p Snapshots, t *ast.Snapshot) error {
	table, err := plan.ResolveTable(s.planEnv(), t.Table)
	if err != nil {
		return err
	}
	switch {
	case table.Temp != 0:
		return pgerr.Newf(pgerr.FeatureNotSupported, `snapshots of temporary tables are not supported`)
	case table.Partitioned != nil:
		return pgerr.Newf(pgerr.FeatureNotSupported, `"%s" is a partitioned table`, table.Name).WithHint("Make a snapshot of each partition.")
	}
	if err := ddl.MustOwn(s.ddlEnv(s.tx.txn), table); err != nil {
		return err
	}
	_, err = p.CreateSnapshot(ctx, table, t.Name)
	if t.IfNotExists && pgerr.Code(err) == pgerr.DuplicateObject {
		s.skip(pgerr.DuplicateObject, `snapshot "%s" already exists, skipping`, t.Name)
		return nil
	}
	return err
}

func (s *session) skip(code, format, name string) {
	e := pgerr.Newf(code, format, name)
	e.Severity = "NOTICE"
	s.notice(e)
}

// find looks a snapshot up by its name.
func (s *session) findSnapshot(ctx context.Context, p Snapshots, name string) (storage.Snapshot, error) {
	list, err := p.Snapshots(ctx)
	if err != nil {
		return storage.Snapshot{}, err
	}
	for _, o := range list {
		if o.Name == name {
			return o, ddl.OwnsSnapshot(s.ddlEnv(s.tx.txn), o)
		}
	}
	return storage.Snapshot{}, pgerr.Newf(pgerr.UndefinedObject, "snapshot \"%s\" does not exist", name)
}

func (s *session) dropSnapshots(ctx context.Context, p Snapshots, t *ast.Snapshot) error {
	var found []storage.Snapshot
	for _, name := range append([]string{t.Name}, t.More...) {
		o, err := s.findSnapshot(ctx, p, name)
		switch {
		case t.IfExists && pgerr.Code(err) == pgerr.UndefinedObject:
			s.skip("00000", `snapshot "%s" does not exist, skipping`, name)
			continue
		case err != nil:
			return err
		}
		found = append(found, o)
	}
	for _, o := range found {
		if err := p.DropSnapshot(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// restoreSnapshot makes a new table of a snapshot, or gives the table that it was made
// of the rows back that it had.
func (s *session) restoreSnapshot(ctx context.Context, p Snapshots, t *ast.Snapshot) error {
	found, err := s.findSnapshot(ctx, p, t.Name)
	if err != nil {
		return err
	}
	content, err := p.SnapshotContent(ctx, found)
	if err != nil {
		return err
	}
	if t.Table != nil {
		return s.restoreAs(ctx, content, t.Table)
	}
	name := &ast.RangeVar{Schema: found.Schema, Name: found.Table}
	switch o := s.Catalog().Relation(found.Schema, found.Table).(type) {
	case nil:
		return s.restoreAs(ctx, content, name)
	case *catalog.Table:
		return s.restoreInto(ctx, content, o)
	}
	return pgerr.Newf(pgerr.WrongObjectType, `"%s" is not a table`, found.Table)
}

func (s *session) restoreAs(ctx context.Context, from *storage.SnapshotContent, name *ast.RangeVar) error {
	var r *ddl.Restored
	err := s.inStatement(ctx, func(tx Txn) (err error) {
		r, err = ddl.PrepareRestore(ctx, s.ddlEnv(tx), from, name)
		return err
	})
	if err != nil {
		return err
	}
	restorer, ok := s.tx.txn.(Restorer)
	if !ok {
		return pgerr.Unsupported("RESTORE SNAPSHOT")
	}
	highest := map[int16]int64{}
	owned := r.Owned()
	err = restorer.RestoreTable(ctx, from, r.Table, r.From, func(row types.Row) {
		for _, c := range owned {
			if n, ok := row[c-1].(int64); ok {
				if was, seen := highest[c]; !seen || n > was {
					highest[c] = n
				}
			}
		}
	})
	if err != nil {
		return err
	}
	return s.inStatement(ctx, func(tx Txn) error { return r.Finish(ctx, s.ddlEnv(tx), highest) })
}

// inStatement runs fn as one statement of the transaction.
func (s *session) inStatement(ctx context.Context, fn func(tx Txn) error) error {
	tx, done, err := s.statementTxn(ctx)
	if err != nil {
		return err
	}
	err = fn(tx)
	if end := done(err == nil); err == nil {
		err = end
	}
	return err
}

// restoreInto replaces the rows of a table by those of a snapshot, in one commit.
func (s *session) restoreInto(ctx context.Context, from *storage.SnapshotContent, table *catalog.Table) error {
	if err := ddl.MustOwn(s.ddlEnv(s.tx.txn), table); err != nil {
		return err
	}
	return s.inStatement(ctx, func(tx Txn) error {
		tx.SeeNewest()
		if err := tx.LockTable(ctx, table.ID, storage.LockAccessExclusive, s.wait()); err != nil {
			return err
		}
		now := tx.Catalog().Table(table.ID)
		if now == nil {
			return pgerr.Newf(pgerr.UndefinedTable, `relation "%s" does not exist`, table.Name)
		}
		places, err := restoredColumns(from, now)
		if err != nil {
			return err
		}
		if err := tx.Truncate(ctx, now); err != nil {
			return err
		}
		if now = tx.Catalog().Table(table.ID); now == nil {
			return pgerr.Newf(pgerr.UndefinedTable, `relation "%s" does not exist`, table.Name)
		}
		return s.insertRestored(ctx, tx, from, now, places)
	})
}

func (s *session) insertRestored(ctx context.Context, tx Txn, from *storage.SnapshotContent, table *catalog.Table, places []int16) error {
	restorer, ok := tx.(Restorer)
	if !ok {
		return pgerr.Unsupported("RESTORE SNAPSHOT")
	}
	return restorer.EachSnapshotRow(ctx, from, func(_ []types.RowID, rows []types.Row) error {
		for i, old := range rows {
			row := make(types.Row, len(table.Columns))
			for at, num := range places {
				if num > 0 {
					row[at] = old[num-1]
				}
			}
			rows[i] = row
		}
		if bulk, ok := tx.(BulkWriter); ok {
			return bulk.InsertRows(ctx, table, rows)
		}
		for _, row := range rows {
			if _, _, err := tx.Insert(ctx, table, row, storage.InsertOptions{Wait: s.wait()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// restoredColumns says, for each column of a table, which column of the snapshot it
// is; 0 for one that was added since.
func restoredColumns(from *storage.SnapshotContent, table *catalog.Table) ([]int16, error) {
	places := make([]int16, len(table.Columns))
	for _, old := range from.Descriptor.Live() {
		c := table.Column(old.Name)
		differs := func(what string) error {
			return pgerr.Newf(pgerr.DatatypeMismatch, `table "%s" %s column "%s" of the snapshot`, table.Name, what, old.Name).
				WithHint("Restore it as a new table: RESTORE SNAPSHOT … AS name.")
		}
		switch {
		case c == nil:
			return nil, differs("lacks")
		case c.Type != old.Type || c.Typmod != old.Typmod && c.Typmod != types.NoTypmod:
			return nil, differs("has another type for")
		}
		places[c.Num-1] = old.Num
	}
	for _, c := range table.Live() {
		if places[c.Num-1] == 0 && c.NotNull {
			return nil, pgerr.Newf(pgerr.NotNullViolation, `column "%s" of table "%s" is not in the snapshot and contains null values`, c.Name, table.Name)
		}
	}
	return places, nil
}

// showSnapshots are the rows of SHOW SNAPSHOTS, the newest first.
func (s *session) showSnapshots(ctx context.Context) ([]types.Row, error) {
	list, err := s.listSnapshots(ctx)
	var rows []types.Row
	for _, o := range list {
		rows = append(rows, types.Row{o.Name, o.Schema + "." + o.Table,
			types.FormatString(types.TimestampTZOID, stamp(o.Created), s.env), fmt.Sprint(o.Rows), fmt.Sprint(o.Bytes), o.Tier.String()})
	}
	return rows, err
}

// viewPatience bounds how long a view waits for the object store: a relation of the
// catalog is read without the statement's context.
const viewPatience = 30 * time.Second

// snapshotRows gives name, id, schema, collection, created, rows, bytes, tier and
// owner, for akidb.snapshots.
func (s *session) snapshotRows() ([]types.Row, error) {
	ctx, cancel := context.WithTimeout(context.Background(), viewPatience)
	defer cancel()
	list, err := s.listSnapshots(ctx)
	var rows []types.Row
	for _, o := range list {
		rows = append(rows, types.Row{o.Name, o.ID, o.Schema, o.Table, stamp(o.Created), o.Rows, o.Bytes, o.Tier.String(), orNull(o.Owner)})
	}
	return rows, err
}

func (s *session) listSnapshots(ctx context.Context) ([]storage.Snapshot, error) {
	p, err := s.snapshots()
	if err != nil {
		return nil, nil // there are none
	}
	list, err := p.Snapshots(ctx)
	slices.Reverse(list)
	return list, err
}
