package executor

import (
	"context"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// onCommit takes note of a temporary table made with ON COMMIT DROP or DELETE ROWS.
func (s *session) onCommit(action string, t *catalog.Table) {
	if s.temporary == nil {
		s.temporary = map[types.OID]string{}
	}
	s.temporary[t.ID] = action
}

// emptyTemporary does what ON COMMIT says, as the last statement of the
// transaction. A table that is not there was dropped, or its making was undone.
func (s *session) emptyTemporary(ctx context.Context, tx Txn) error {
	if len(s.temporary) == 0 || !tx.Wrote() {
		return nil
	}
	if err := tx.StartStatement(ctx); err != nil {
		return err
	}
	for id, action := range s.temporary {
		t := tx.Catalog().Table(id)
		var err error
		switch {
		case t == nil:
			delete(s.temporary, id)
		case action == "DROP":
			err = tx.Change(ctx, dropTable(tx.Catalog(), t)...)
		default:
			err = tx.Truncate(ctx, t)
		}
		if err != nil {
			_ = tx.EndStatement(false) // the transaction ends with the first error
			return err
		}
	}
	return tx.EndStatement(true)
}

// dropTable are the changes that drop a table, its indexes and sequences, and
// the views that read it.
func dropTable(cat *catalog.Snapshot, t *catalog.Table) []catalog.Change {
	changes := []catalog.Change{catalog.Delete(t)}
	for _, x := range cat.Indexes(t.ID) {
		changes = append(changes, catalog.Delete(x))
	}
	for _, q := range cat.Sequences(t.ID) {
		changes = append(changes, catalog.Delete(q))
	}
	gone := map[types.OID]bool{t.ID: true}
	for _, o := range cat.Objects(catalog.KindView) { // older views cannot read newer ones
		v := o.(*catalog.View)
		for _, id := range v.Uses {
			if gone[id] && !gone[v.ID] {
				gone[v.ID] = true
				changes = append(changes, catalog.Delete(v))
			}
		}
	}
	return changes
}

// storedSetting checks a SET of ALTER ROLE or DATABASE and gives the name and
// the canonical value that are kept.
func (s *session) storedSetting(t *ast.Set) (name, value string, err error) {
	if t.Reset && strings.EqualFold(t.Name, "all") {
		return "all", "", nil
	}
	name, d, err := canonicalName(t.Name)
	if err != nil || t.Reset {
		return name, "", err
	}
	if value, err = s.setValue(t); err != nil || d == nil {
		return name, value, err
	}
	if err := d.allowed(sourceSession); err != nil {
		return "", "", err
	}
	value, err = d.canonical(value)
	return name, value, err
}
