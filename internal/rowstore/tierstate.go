package rowstore

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/types"
)

// TierStates calls fn for what is kept of each table's tier. The value is good
// until fn returns; what it means is known to the one who put it.
func (s *Store) TierStates(fn func(table types.OID, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyTier}, UpperBound: []byte{keyTier + 1}})
	if err != nil {
		return readError(err)
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		if key := it.Key(); len(key) == prefixLen {
			err = fn(types.OID(binary.BigEndian.Uint32(key[1:])), it.Value())
		}
	}
	return readError(errors.Join(err, it.Error(), it.Close()))
}

// PutTierStates keeps what is to be known of tables' tiers, in one commit. A table
// that the catalog does not have any more is left out; its state went with it.
func (s *Store) PutTierStates(states map[types.OID][]byte) error {
	s.catalogMu.Lock() // no drop comes in between
	defer s.catalogMu.Unlock()
	cat := s.Catalog()
	b := s.db.NewBatch()
	defer s.release(b)
	for id, value := range states {
		if cat.Table(id) == nil {
			continue
		}
		if err := b.Set(oidKey(keyTier, id), value, nil); err != nil {
			return err
		}
	}
	if b.Empty() {
		return nil
	}
	return s.apply(b, pebble.Sync)
}

// PutTierState keeps what is to be known of a table's tier, in the transaction's
// commit.
func (t *Txn) PutTierState(table types.OID, value []byte) {
	t.top().put(oidKey(keyTier, table), append([]byte{}, value...))
}
