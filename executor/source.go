package executor

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Source is where rows come from and go to, whatever tier they lie in.
type Source interface {
	// Catalog is the committed schema.
	Catalog() *catalog.Snapshot
	// Begin starts a transaction. It takes no snapshot yet: the first statement does.
	Begin(ctx context.Context, opts storage.TxnOptions) (Txn, error)
	// Stats estimates a table's size.
	Stats(table types.OID) storage.TableStats
	// NewID gives an object id that was never used.
	NewID() (types.OID, error)
	// NextValue advances a sequence; not undone by a rollback. It returns n values as first, increment applied by the caller.
	NextValue(ctx context.Context, seq *catalog.Sequence) (int64, error)
	// SetValue sets a sequence; called says whether the next value is after it.
	SetValue(ctx context.Context, seq types.OID, value int64, called bool) error
	// SequenceState reads last_value and is_called.
	SequenceState(seq *catalog.Sequence) (value int64, called bool, err error)
	// BuildProgress lists the index builds under way, by index.
	BuildProgress() map[types.OID]storage.BuildProgress
}

// Tiers is what a Source that moves collections between tiers offers.
type Tiers interface {
	TierState(table types.OID) storage.TierState
	// CheckTier says whether a table, as the caller's transaction sees it, could be
	// moved; SetTier begins the move of a committed one, and waits for its end with wait.
	CheckTier(table *catalog.Table, to types.Tier, wait bool) error
	SetTier(ctx context.Context, table types.OID, to types.Tier, wait bool) error
	// CancelMove ends a move before its switch; false when there is none.
	CancelMove(table types.OID) (bool, error)
	// PlanTiering is what the policy would do now; RunTieringCycle does it.
	PlanTiering() []storage.PlannedMove
	RunTieringCycle(ctx context.Context) error
}

// Snapshots is what a Source with an object store offers. Transactions of such a
// source are Restorers.
type Snapshots interface {
	CreateSnapshot(ctx context.Context, table *catalog.Table, name string) (storage.Snapshot, error)
	// Snapshots are all there are, the oldest first.
	Snapshots(ctx context.Context) ([]storage.Snapshot, error)
	DropSnapshot(ctx context.Context, s storage.Snapshot) error
	SnapshotContent(ctx context.Context, s storage.Snapshot) (*storage.SnapshotContent, error)
}

// Restorer reads snapshots back.
type Restorer interface {
	// RestoreTable makes a table of a snapshot's rows, between statements; its indexes
	// are built afterwards, from files that came along where there are any (indexes:
	// the new one's id to the old one's). done gets every row.
	RestoreTable(ctx context.Context, from *storage.SnapshotContent, table *catalog.Table, indexes map[types.OID]types.OID, done func(types.Row)) error
	// EachSnapshotRow gives a snapshot's rows in batches, which fn may keep.
	EachSnapshotRow(ctx context.Context, from *storage.SnapshotContent, fn func(ids []types.RowID, rows []types.Row) error) error
}

// Txn is a transaction. It belongs to one goroutine. After an error other than
// from Lock calls the statement must be ended with EndStatement(false).
type Txn interface {
	// Catalog is the schema as this transaction sees it, own changes included.
	Catalog() *catalog.Snapshot
	// StartStatement takes the statement's snapshot (READ COMMITTED: a new one)
	// and opens its write layer, which the statement itself does not read.
	StartStatement(ctx context.Context) error
	// EndStatement keeps (ok) or undoes the statement's writes.
	EndStatement(ok bool) error
	// Advance makes the statement's writes so far visible to itself (between
	// data-modifying CTE parts this is not called).
	Advance()
	// SeeNewest has the rest of the statement read the newest committed state
	// instead of its snapshot (schema changes, which hold locks against writers).
	SeeNewest()

	Savepoint(name string) error
	Release(name string) error
	RollbackTo(name string) error

	// Get fills dst (attnum-1) with a row's columns; false when the row is not
	// in the statement's snapshot. columns empty asks only whether it is.
	Get(ctx context.Context, table *catalog.Table, id types.RowID, columns []int16, dst types.Row) (bool, error)
	Scan(ctx context.Context, spec storage.ScanSpec) (storage.RowIter, error)
	ScanIndex(ctx context.Context, spec storage.IndexScanSpec) (storage.RowIter, error)
	// Nearest searches a vector index.
	Nearest(ctx context.Context, spec storage.NearestSpec) (storage.NearestIter, error)

	// Insert writes a row (one datum a column, attnum-1, types and NOT NULL
	// checked by the caller) and all its index entries. 23505 on a duplicate key.
	Insert(ctx context.Context, table *catalog.Table, row types.Row, opts storage.InsertOptions) (types.RowID, *storage.Conflict, error)
	// Update replaces a row that is locked; it returns the id of the new version.
	Update(ctx context.Context, table *catalog.Table, id types.RowID, old, new types.Row, wait storage.WaitPolicy) (types.RowID, error)
	// Delete removes a row that is locked.
	Delete(ctx context.Context, table *catalog.Table, id types.RowID, old types.Row) error
	// LockRow locks a row and says whether it is still what the snapshot shows.
	LockRow(ctx context.Context, table *catalog.Table, id types.RowID, strength storage.RowLock, wait storage.WaitPolicy) (storage.LockedRow, error)
	LockTable(ctx context.Context, table types.OID, mode storage.LockMode, wait storage.WaitPolicy) error
	// LockName locks a name of a schema object against others who make or drop it.
	LockName(ctx context.Context, kind catalog.Kind, name catalog.Name, wait storage.WaitPolicy) error

	// Change applies schema changes. Dropping a table or an index frees its
	// rows or entries when the transaction commits.
	Change(ctx context.Context, changes ...catalog.Change) error
	// BuildIndex fills an index that Change has made, and makes it valid.
	BuildIndex(ctx context.Context, table *catalog.Table, index *catalog.Index) error
	// Rewrite replaces every row of a table by what fn makes of it, under the
	// new descriptor, under the same row id, and refills its btree indexes. Vector
	// indexes stay as they are: the caller replaces those whose keys change.
	Rewrite(ctx context.Context, from, to *catalog.Table, fn func(types.Row) (types.Row, error)) error
	// Truncate empties a table and its indexes.
	Truncate(ctx context.Context, table *catalog.Table) error

	// Commit makes everything durable (async: soon). After an error the
	// transaction is rolled back.
	Commit(ctx context.Context, async bool) error
	Rollback()
	// Wrote says whether the transaction has changed anything.
	Wrote() bool
}

// BulkWriter is what a Txn offers for COPY: rows are taken in batches, and
// vectors are written ahead of the commit, invisible until it.
type BulkWriter interface {
	InsertRows(ctx context.Context, table *catalog.Table, rows []types.Row) error
}
