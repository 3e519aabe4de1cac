package storage

import (
	"time"

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
	LastError  string
}

// PlannedMove is what the policy would do now.
type PlannedMove struct {
	Table    types.OID
	From, To types.Tier
	Reason   string
}
