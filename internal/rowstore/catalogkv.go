package rowstore

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// damagedObject is a descriptor that cannot be read. What belongs to it stays
// on disk untouched; all other objects work.
type damagedObject struct {
	kind catalog.Kind
	id   types.OID
	err  error
}

// loadCatalog reads all descriptors. Indexes without a table that can be read
// are left out with it.
func loadCatalog(r pebble.Reader) (*catalog.Snapshot, []damagedObject, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{keyObject}, UpperBound: []byte{keyObject + 1}})
	if err != nil {
		return nil, nil, readError(err)
	}
	var changes []catalog.Change
	var bad []damagedObject
	for ok := it.First(); ok; ok = it.Next() {
		kind, id, err := parseObjectKey(it.Key())
		if err != nil {
			bad = append(bad, damagedObject{err: err})
			continue
		}
		o, err := decodeObject(kind, id, it.Value())
		if err != nil {
			bad = append(bad, damagedObject{kind, id, err})
			continue
		}
		changes = append(changes, catalog.Put(o))
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return nil, nil, readError(err)
	}
	cat := catalog.Empty().Apply(changes...)
	changes = changes[:0]
	for _, o := range cat.Objects(catalog.KindIndex) {
		if x := o.(*catalog.Index); cat.Table(x.Table) == nil {
			bad = append(bad, damagedObject{catalog.KindIndex, x.ID, fmt.Errorf("index %s has no table", x.Name)})
			changes = append(changes, catalog.Delete(x))
		}
	}
	return cat.Apply(changes...), bad, nil
}

// decodeObject reads a descriptor and checks what other code relies on.
func decodeObject(kind catalog.Kind, id types.OID, b []byte) (catalog.Object, error) {
	o := newObject(kind)
	if o == nil {
		return nil, damaged(fmt.Sprintf("catalog object %d (kind %d)", id, kind))
	}
	if err := json.Unmarshal(b, o); err != nil {
		return nil, fmt.Errorf("%w: %w", damaged(fmt.Sprintf("the descriptor of object %d", id)), err)
	}
	if o.ObjectID() != id || !sound(o) {
		return nil, damaged(fmt.Sprintf("the descriptor of object %d", id))
	}
	if t, ok := o.(*catalog.Table); ok {
		t.RowType = types.RowOID(t.ID) // tables of older servers have one that does not say so
	}
	return o, nil
}

// sound says whether a descriptor keeps the promises that code indexes by.
func sound(o catalog.Object) bool {
	switch o := o.(type) {
	case *catalog.Table:
		for i := range o.Columns {
			if int(o.Columns[i].Num) != i+1 {
				return false
			}
		}
	case *catalog.Index:
		for i := range o.Keys {
			if o.Keys[i].Column < 0 {
				return false
			}
		}
		return len(o.Keys) > 0
	}
	return true
}

func newObject(kind catalog.Kind) catalog.Object {
	switch kind {
	case catalog.KindSchema:
		return &catalog.Schema{}
	case catalog.KindTable:
		return &catalog.Table{}
	case catalog.KindIndex:
		return &catalog.Index{}
	case catalog.KindSequence:
		return &catalog.Sequence{}
	case catalog.KindView:
		return &catalog.View{}
	case catalog.KindRole:
		return &catalog.Role{}
	case catalog.KindType:
		return &catalog.UserType{}
	case catalog.KindDatabase:
		return &catalog.Database{}
	default:
		return nil
	}
}

// bootstrap makes the objects that every server has.
func (s *Store) bootstrap() error {
	changes := []catalog.Change{
		catalog.Put(&catalog.Schema{ID: 2200, Name: "public", Owner: "postgres", Comment: "standard public schema"}),
		catalog.Put(&catalog.Role{ID: 10, Name: "postgres", Super: true, Login: true, CreateDB: true, CreateRole: true, ConnLimit: -1}),
		catalog.Put(&catalog.Database{ID: 5, Name: "postgres"}),
	}
	b := s.db.NewBatch()
	defer s.release(b)
	if err := putChanges(b, changes); err != nil {
		return err
	}
	if err := s.apply(b, pebble.Sync); err != nil {
		return err
	}
	s.catalog.Store(s.catalog.Load().Apply(changes...))
	return nil
}

func putChanges(b *pebble.Batch, changes []catalog.Change) error {
	for _, c := range changes {
		key := objectKey(c.Kind, c.ID)
		if c.Object == nil {
			if err := b.Delete(key, nil); err != nil {
				return err
			}
			continue
		}
		text, err := json.Marshal(c.Object)
		if err != nil {
			return err
		}
		if err := b.Set(key, text, nil); err != nil {
			return err
		}
	}
	return nil
}
