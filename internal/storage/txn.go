package storage

import (
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Isolation is a transaction's isolation level.
type Isolation uint8

// The isolation levels. READ UNCOMMITTED is ReadCommitted; SERIALIZABLE is
// refused by the executor.
const (
	ReadCommitted Isolation = iota
	RepeatableRead
)

// TxnOptions are fixed when a transaction begins.
type TxnOptions struct {
	Isolation Isolation
	ReadOnly  bool
	// Session identifies the session, for locks of temporary tables and messages.
	Session uint64
}

// LockMode is PostgreSQL's table lock mode.
type LockMode uint8

// The table lock modes, weakest first.
const (
	LockAccessShare LockMode = iota + 1
	LockRowShare
	LockRowExclusive
	LockShareUpdateExclusive
	LockShare
	LockShareRowExclusive
	LockExclusive
	LockAccessExclusive
)

// RowLock is the strength of a row lock.
type RowLock uint8

// The row lock strengths, weakest first.
const (
	ForKeyShare RowLock = iota + 1
	ForShare
	ForNoKeyUpdate
	ForUpdate
)

// WaitPolicy says what happens when a lock is held by somebody else.
type WaitPolicy struct {
	NoWait     bool          // 55P03 at once
	SkipLocked bool          // LockSkipped at once
	Timeout    time.Duration // lock_timeout; 0 waits for ever; 55P03 after it
}

// LockOutcome says what was found once a row lock was held.
type LockOutcome uint8

// The outcomes. LockChanged: another transaction committed a newer version,
// which is returned, and the caller decides anew whether it still qualifies.
const (
	LockUnchanged LockOutcome = iota
	LockChanged
	LockDeleted
	LockSkipped
)

// LockedRow is the answer of LockRow.
type LockedRow struct {
	Outcome LockOutcome
	// ID is the row's current id: it differs from the one asked for when a vector changed.
	ID types.RowID
	// Row has all columns (attnum-1) when Outcome is LockChanged.
	Row types.Row
}

// InsertOptions tells an Insert about ON CONFLICT.
type InsertOptions struct {
	// OnConflict makes a conflict on one of Arbiters (all unique indexes when
	// nil) an answer instead of an error.
	OnConflict bool
	Arbiters   []types.OID
	Wait       WaitPolicy
}

// Conflict is a unique index that has the key already.
type Conflict struct {
	Index *catalog.Index
	ID    types.RowID
}

// TableStats are estimates for the planner, cheap to read.
type TableStats struct {
	Rows      int64
	RowBytes  int64 // average bytes of a row without vectors
	DiskBytes int64
}
