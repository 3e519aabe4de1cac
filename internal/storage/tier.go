package storage

import (
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// TierState is what views tell of a collection's place beyond its descriptor.
type TierState struct {
	LastAccess time.Time // zero: never
	// Accesses are those of the present window.
	Accesses    int64
	RAMBytes    int64
	ObjectBytes int64
	// Transition is the move under way ("hot to warm: write"), "" for none.
	Transition string
	// Progress is how much of its present step is done, 0 to 1.
	Progress  float64
	LastError string
}

// PlannedMove is what the policy would do now.
type PlannedMove struct {
	Table    types.OID
	From, To types.Tier
	Reason   string
}

// Snapshot is what is known of a snapshot in the object store.
type Snapshot struct {
	ID, Name string
	// Collection is the collection's name in the object store.
	Collection string
	Created    time.Time
	Rows       int64
	// Bytes is the length of all its objects, shared ones included.
	Bytes int64
	// Schema, Table, Owner, TableID and Tier are those of the table when it was made.
	Schema, Table, Owner string
	TableID              types.OID
	Tier                 types.Tier
}

// SnapshotContent is what a snapshot holds besides its rows: the descriptors as they
// were. Handle is for who made it.
type SnapshotContent struct {
	Snapshot
	Descriptor *catalog.Table
	Indexes    []*catalog.Index
	Sequences  []*catalog.Sequence
	Handle     any
}
