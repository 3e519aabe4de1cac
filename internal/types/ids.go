package types

// OID is PostgreSQL's object identifier. Types below FirstUserOID are built in.
type OID uint32

// FirstUserOID is the first object id that a user's object can get.
const FirstUserOID OID = 20000

// RowID names one row version of a collection: unique and rising within it,
// never reused, the same wherever the row lies. 0 is no row.
type RowID uint64

// Tier is the place of a collection.
type Tier uint8

// The tiers.
const (
	TierHot Tier = iota
	TierWarm
	TierCold
)

// String returns the name used in SQL, metrics and documents.
func (t Tier) String() string {
	switch t {
	case TierWarm:
		return "warm"
	case TierCold:
		return "cold"
	default:
		return "hot"
	}
}
