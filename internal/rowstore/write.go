package rowstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// indexEntry is a row's entry in a btree index.
type indexEntry struct {
	index  *catalog.Index
	key    []byte // without the row id that makes it unique
	unique bool   // the key alone is unique
	values []types.Datum
}

// stored is the key and value under which an entry of a row lies.
func (e *indexEntry) stored(id types.RowID) (key, value []byte) {
	if e.unique {
		return e.key, binary.BigEndian.AppendUint64(nil, uint64(id))
	}
	return binary.BigEndian.AppendUint64(append([]byte(nil), e.key...), uint64(id)), []byte{}
}

// entryOf computes a row's entry; ok is false when the index leaves the row out.
func (s *Store) entryOf(table *catalog.Table, x *catalog.Index, row types.Row) (e indexEntry, ok bool, err error) {
	values, ok, err := s.keysOf(table, x, row)
	if err != nil || !ok {
		return e, false, err
	}
	e = indexEntry{index: x, unique: x.Unique, values: values}
	e.key = oidKey(keyIndex, x.ID)
	for i := range x.Keys {
		k := &x.Keys[i]
		if values[i] == nil && !x.NullsNotDistinct {
			e.unique = false
		}
		e.key = types.AppendKey(e.key, k.Type, values[i], k.Desc, k.NullsFirst)
	}
	return e, true, nil
}

func (s *Store) keysOf(table *catalog.Table, x *catalog.Index, row types.Row) ([]types.Datum, bool, error) {
	plain := x.Predicate == ""
	for i := range x.Keys {
		plain = plain && x.Keys[i].Column > 0
	}
	if !plain {
		return s.opts.Keyer.Keys(table, x, row)
	}
	values := make([]types.Datum, len(x.Keys))
	for i := range x.Keys {
		values[i] = row[x.Keys[i].Column-1]
	}
	return values, true, nil
}

// errDuplicate is the error of a key that another row has.
func (t *Txn) errDuplicate(table *catalog.Table, e *indexEntry) error {
	return pgerr.Newf(pgerr.UniqueViolation, "duplicate key value violates unique constraint %q", e.index.Name).
		WithDetail("Key %s already exists.", t.keyText(table, e)).Of(table.Schema, table.Name, "", e.index.Name)
}

// errNotUnique is the error of building a unique index over rows that are not.
func (t *Txn) errNotUnique(table *catalog.Table, e *indexEntry) error {
	return pgerr.Newf(pgerr.UniqueViolation, "could not create unique index %q", e.index.Name).
		WithDetail("Key %s is duplicated.", t.keyText(table, e)).Of(table.Schema, table.Name, "", e.index.Name)
}

// keyText prints a key as (a, b)=(1, x).
func (t *Txn) keyText(table *catalog.Table, e *indexEntry) string {
	names, texts := make([]string, len(e.values)), make([]string, len(e.values))
	env := types.DefaultEnv()
	env.Users = catalog.Users{Now: t.Catalog}
	for i, d := range e.values {
		k := e.index.Keys[i]
		names[i] = k.Expr
		if k.Column > 0 {
			names[i] = table.Columns[k.Column-1].Name
		}
		texts[i] = "null"
		if d != nil {
			texts[i] = types.FormatString(k.Type, d, env)
		}
	}
	return "(" + strings.Join(names, ", ") + ")=(" + strings.Join(texts, ", ") + ")"
}

func keyLock(e *indexEntry) lockID {
	return lockID{kind: lockUnique, oid: e.index.ID, key: string(e.key)}
}

// claim locks a unique key and says which row has it already, 0 for none. The
// newest committed state counts, and this transaction's own writes.
func (t *Txn) claim(ctx context.Context, e *indexEntry, wait storage.WaitPolicy) (types.RowID, error) {
	id := keyLock(e)
	_, fresh, err := t.store.locks.acquire(ctx, t.owner, id, 1, storage.WaitPolicy{Timeout: wait.Timeout})
	if err != nil {
		return 0, err
	}
	row, err := t.holder(e)
	if row != 0 && fresh {
		t.store.locks.release(t.owner, id)
	}
	return row, err
}

func (t *Txn) holder(e *indexEntry) (types.RowID, error) {
	v, found, err := find(t.layers, e.key)
	if err != nil {
		return 0, err
	}
	if found {
		if v == nil {
			return 0, nil
		}
		return types.RowID(binary.BigEndian.Uint64(v)), nil
	}
	id, err := readUint64(t.store.db, e.key)
	return types.RowID(id), err
}

// Insert writes a row and its index entries.
func (t *Txn) Insert(ctx context.Context, table *catalog.Table, row types.Row, opts storage.InsertOptions) (types.RowID, *storage.Conflict, error) {
	indexes := t.Catalog().Indexes(table.ID)
	entries := make([]indexEntry, 0, len(indexes))
	for _, x := range indexes {
		if !x.Ordered() {
			continue
		}
		e, ok, err := t.store.entryOf(table, x, row)
		if err != nil {
			return 0, nil, err
		}
		if !ok {
			continue
		}
		if e.unique {
			has, err := t.claim(ctx, &e, opts.Wait)
			if err != nil {
				return 0, nil, err
			}
			if has != 0 {
				if opts.OnConflict && isArbiter(opts.Arbiters, x.ID) {
					return 0, &storage.Conflict{Index: x, ID: has}, t.conflictVisible(ctx, table, has)
				}
				return 0, nil, t.errDuplicate(table, &e)
			}
		}
		entries = append(entries, e)
	}
	id, err := t.store.takeIDs(table.ID, 1)
	if err != nil {
		return 0, nil, err
	}
	return id, nil, t.write(table, id, 1, row, entries)
}

// conflictVisible refuses to let ON CONFLICT rest on a row that a REPEATABLE READ
// transaction does not see.
func (t *Txn) conflictVisible(ctx context.Context, table *catalog.Table, id types.RowID) error {
	if t.opts.Isolation != storage.RepeatableRead {
		return nil
	}
	r := &rowReader{reader: t.view(), cold: t.store.opts.Cold, layers: t.layers, table: table}
	there, err := r.get(ctx, id, nil)
	if err == nil && !there {
		return pgerr.New(pgerr.SerializationFailure, "could not serialize access due to concurrent update")
	}
	return err
}

func isArbiter(arbiters []types.OID, id types.OID) bool {
	if arbiters == nil {
		return true
	}
	for _, a := range arbiters {
		if a == id {
			return true
		}
	}
	return false
}

// write puts a new row under an id that has none.
func (t *Txn) write(table *catalog.Table, id types.RowID, version uint64, row types.Row, entries []indexEntry) error {
	b, err := appendRow(nil, table, version, row)
	if err != nil {
		return err
	}
	l := t.top()
	l.put(rowKey(nil, table.ID, id), b)
	t.putVectors(table, id, row, nil)
	for i := range entries {
		l.put(entries[i].stored(id))
	}
	l.count(table.ID, 1)
	l.written.add(table.ID, id)
	t.store.table(table.ID).rowBytes.Store(int64(len(b)))
	if err := t.store.observer().Written(table, id, row); err != nil {
		return err
	}
	return t.bound()
}

// putVectors writes the vector columns of a row; those equal in old are there already.
func (t *Txn) putVectors(table *catalog.Table, id types.RowID, row, old types.Row) {
	l := t.top()
	for i := range table.Columns {
		c := &table.Columns[i]
		if c.Dropped || !isVector(c.Type) {
			continue
		}
		switch {
		case row[i] != nil:
			if old != nil && old[i] != nil && types.Compare(c.Type, old[i], row[i]) == 0 {
				continue
			}
			l.put(vectorKey(nil, table.ID, c.Num, id), appendVector([]byte{}, row[i]))
		case old != nil && old[i] != nil:
			l.remove(vectorKey(nil, table.ID, c.Num, id))
		}
	}
}

// removeVectors deletes the vectors of a row, those of dropped columns too. The
// caller need not have read them.
func (t *Txn) removeVectors(table *catalog.Table, id types.RowID) {
	for i := range table.Columns {
		if c := &table.Columns[i]; isVector(c.Type) {
			t.top().remove(vectorKey(nil, table.ID, c.Num, id))
		}
	}
}

// Update replaces a locked row. The id changes when an indexed vector does, and
// when any vector of a row does that a segment may have: so the vectors under an id
// are the same in both places, for whoever reads segments alone.
func (t *Txn) Update(ctx context.Context, table *catalog.Table, id types.RowID, old, new types.Row, wait storage.WaitPolicy) (types.RowID, error) {
	indexes := t.Catalog().Indexes(table.ID)
	moves, err := t.store.moves(table, indexes, old, new)
	if err != nil {
		return 0, err
	}
	to := id
	moves = moves || mayHold(table, id) && vectorsDiffer(table, old, new)
	if moves {
		if to, err = t.store.takeIDs(table.ID, 1); err != nil {
			return 0, err
		}
	}
	if err := t.updateEntries(ctx, table, indexes, id, to, old, new, wait); err != nil {
		return 0, err
	}
	version, local, err := t.version(table, id)
	if err != nil {
		return 0, err
	}
	b, err := appendRow(nil, table, version+1, new)
	if err != nil {
		return 0, err
	}
	l := t.top()
	l.put(rowKey(nil, table.ID, to), b)
	l.count(table.ID, 0)
	if !moves {
		if !local {
			l.overlay(table.ID)
			old = nil // its vectors are in a segment
		}
		t.putVectors(table, id, new, old)
		return id, t.bound()
	}
	t.removeRow(table, id)
	t.removeVectors(table, id)
	t.putVectors(table, to, new, nil)
	l.deleted.add(table.ID, id)
	l.written.add(table.ID, to)
	l.move(rowName{table.ID, id}, to)
	if _, _, err := t.store.locks.acquire(ctx, t.owner, lockID{kind: lockRow, oid: table.ID, row: to}, uint8(storage.ForUpdate), wait); err != nil {
		return 0, err
	}
	if err := t.store.observer().Written(table, to, new); err != nil {
		return 0, err
	}
	return to, t.bound()
}

// moves says whether a vector index's key differs between two versions of a row.
func (s *Store) moves(table *catalog.Table, indexes []*catalog.Index, old, new types.Row) (bool, error) {
	for _, x := range indexes {
		if !x.Vector() {
			continue
		}
		a, inA, err := s.keysOf(table, x, old)
		if err != nil {
			return false, err
		}
		b, inB, err := s.keysOf(table, x, new)
		if err != nil {
			return false, err
		}
		if inA != inB {
			return true, nil
		}
		if !inA || a[0] == nil && b[0] == nil {
			continue
		}
		if a[0] == nil || b[0] == nil || types.Compare(x.Keys[0].Type, a[0], b[0]) != 0 {
			return true, nil
		}
	}
	return false, nil
}

// vectorsDiffer says whether a vector of a row changes.
func vectorsDiffer(table *catalog.Table, old, new types.Row) bool {
	for i := range table.Columns {
		c := &table.Columns[i]
		if c.Dropped || !isVector(c.Type) || old[i] == nil && new[i] == nil {
			continue
		}
		if old[i] == nil || new[i] == nil || types.Compare(c.Type, old[i], new[i]) != 0 {
			return true
		}
	}
	return false
}

// version reads a local row's version: the newest there is. A copy may go, so it
// does not count as local.
func (t *Txn) version(table *catalog.Table, id types.RowID) (v uint64, local bool, err error) {
	b, done, err := lookup(t.store.db, t.layers, rowKey(nil, table.ID, id))
	if err != nil {
		return 0, false, err
	}
	v, local = rowVersion(b), b != nil && !isTombstone(b) && !(isCopy(b) && mayHold(table, id))
	return v, local, closeValue(done)
}

// removeRow takes a row out, with a tombstone where a segment may have it.
func (t *Txn) removeRow(table *catalog.Table, id types.RowID) {
	key := rowKey(nil, table.ID, id)
	if mayHold(table, id) {
		t.top().put(key, tombstone)
		t.top().overlay(table.ID)
		return
	}
	t.top().remove(key)
}

// updateEntries moves index entries from one version of a row to the next.
func (t *Txn) updateEntries(ctx context.Context, table *catalog.Table, indexes []*catalog.Index, id, to types.RowID, old, new types.Row, wait storage.WaitPolicy) error {
	l := t.top()
	for _, x := range indexes {
		if !x.Ordered() {
			continue
		}
		a, hadA, err := t.store.entryOf(table, x, old)
		if err != nil {
			return err
		}
		b, hasB, err := t.store.entryOf(table, x, new)
		if err != nil {
			return err
		}
		same := hadA && hasB && bytes.Equal(a.key, b.key)
		if same && id == to {
			continue
		}
		if hadA && a.unique && !same {
			if err := t.lockKey(ctx, &a, wait); err != nil {
				return err
			}
		}
		if hasB && b.unique && !same {
			has, err := t.claim(ctx, &b, wait)
			if err != nil {
				return err
			}
			if has != 0 {
				return t.errDuplicate(table, &b)
			}
		}
		if hadA {
			key, _ := a.stored(id)
			l.remove(key)
		}
		if hasB {
			l.put(b.stored(to))
		}
	}
	return nil
}

// lockKey keeps others from taking a unique key that this transaction gives up.
func (t *Txn) lockKey(ctx context.Context, e *indexEntry, wait storage.WaitPolicy) error {
	_, _, err := t.store.locks.acquire(ctx, t.owner, keyLock(e), 1, storage.WaitPolicy{Timeout: wait.Timeout})
	return err
}

// Delete removes a locked row.
func (t *Txn) Delete(ctx context.Context, table *catalog.Table, id types.RowID, old types.Row) error {
	l := t.top()
	for _, x := range t.Catalog().Indexes(table.ID) {
		if !x.Ordered() {
			continue
		}
		e, ok, err := t.store.entryOf(table, x, old)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if e.unique {
			if err := t.lockKey(ctx, &e, storage.WaitPolicy{}); err != nil {
				return err
			}
		}
		key, _ := e.stored(id)
		l.remove(key)
	}
	t.removeRow(table, id)
	t.removeVectors(table, id)
	l.count(table.ID, -1)
	l.deleted.add(table.ID, id)
	return t.bound()
}

// LockRow locks a row and compares its newest version with the one that the
// statement sees.
func (t *Txn) LockRow(ctx context.Context, table *catalog.Table, id types.RowID, strength storage.RowLock, wait storage.WaitPolicy) (storage.LockedRow, error) {
	for asked := id; ; {
		skipped, _, err := t.store.locks.acquire(ctx, t.owner, lockID{kind: lockRow, oid: table.ID, row: id}, uint8(strength), wait)
		if err != nil {
			return storage.LockedRow{}, nameRelation(err, table)
		}
		if skipped {
			return storage.LockedRow{Outcome: storage.LockSkipped, ID: id}, nil
		}
		key := rowKey(nil, table.ID, id)
		own, found, err := find(t.layers, key)
		if err != nil {
			return storage.LockedRow{}, err
		}
		if found {
			if t.statement && !t.advanced {
				if _, now, err := find(t.layers[len(t.layers)-1:], key); now || err != nil {
					return storage.LockedRow{Outcome: storage.LockDeleted, ID: id}, err // changed by this statement itself
				}
			}
			if own == nil || isTombstone(own) {
				return storage.LockedRow{Outcome: storage.LockDeleted, ID: id}, nil
			}
			return storage.LockedRow{Outcome: storage.LockUnchanged, ID: id}, nil
		}
		same, there, err := t.compare(ctx, table, id, key)
		if err != nil {
			return storage.LockedRow{}, err
		}
		if same && id == asked {
			return storage.LockedRow{Outcome: storage.LockUnchanged, ID: id}, nil
		}
		if t.opts.Isolation == storage.RepeatableRead {
			what := "update"
			if !there {
				what = "delete"
			}
			return storage.LockedRow{}, pgerr.New(pgerr.SerializationFailure, "could not serialize access due to concurrent "+what)
		}
		if there {
			return t.newest(ctx, table, id)
		}
		to := t.store.movedTo(table.ID, id)
		if to == 0 {
			return storage.LockedRow{Outcome: storage.LockDeleted, ID: id}, nil
		}
		id = to
	}
}

func nameRelation(err error, table *catalog.Table) error {
	e := pgerr.As(err)
	if e == nil || !strings.HasSuffix(e.Message, "relation") {
		return err
	}
	named := *e
	named.Message += fmt.Sprintf(" %q", table.Name)
	return &named
}

// compare says whether the newest committed version of a row is the one in the
// statement's snapshot, and whether there is one.
func (t *Txn) compare(ctx context.Context, table *catalog.Table, id types.RowID, key []byte) (same, there bool, err error) {
	now, closeNow, err := lookup(t.store.db, nil, key)
	if err != nil {
		return false, false, err
	}
	seen, closeSeen, err := lookup(t.view(), nil, key)
	if err == nil && mayHold(table, id) && inSegment(now) && inSegment(seen) {
		if there = now != nil || seen != nil; !there {
			there, err = t.store.newestReader(table).get(ctx, id, nil)
		}
		return there, there, errors.Join(err, closeValue(closeNow), closeValue(closeSeen))
	}
	there = now != nil && !isTombstone(now)
	same = there && seen != nil && bytes.Equal(now, seen)
	return same, there, errors.Join(err, closeValue(closeNow), closeValue(closeSeen))
}

// inSegment says whether a row's version is that of the segment, if that has it:
// nothing is here, or a copy.
func inSegment(b []byte) bool { return b == nil || isCopy(b) }

// newest reads the newest committed version of a row.
func (t *Txn) newest(ctx context.Context, table *catalog.Table, id types.RowID) (storage.LockedRow, error) {
	row := make(types.Row, len(table.Columns))
	ok, err := t.store.newestReader(table).get(ctx, id, row)
	if err != nil {
		return storage.LockedRow{}, err
	}
	if !ok {
		return storage.LockedRow{Outcome: storage.LockDeleted, ID: id}, nil
	}
	return storage.LockedRow{Outcome: storage.LockChanged, ID: id, Row: row}, nil
}

// LockTable locks a table until the transaction ends.
func (t *Txn) LockTable(ctx context.Context, table types.OID, mode storage.LockMode, wait storage.WaitPolicy) error {
	if t.tableModes[table]&(1<<mode) != 0 {
		return nil
	}
	_, _, err := t.store.locks.acquire(ctx, t.owner, lockID{kind: lockTable, oid: table}, uint8(mode), wait)
	if err != nil {
		if x := t.Catalog().Table(table); x != nil {
			return nameRelation(err, x)
		}
		return err
	}
	if t.tableModes == nil {
		t.tableModes = map[types.OID]uint16{}
	}
	t.tableModes[table] |= 1 << mode
	return nil
}

// LockName locks the name of an object that is made or dropped.
func (t *Txn) LockName(ctx context.Context, kind catalog.Kind, name catalog.Name, wait storage.WaitPolicy) error {
	if kind == catalog.KindIndex || kind == catalog.KindSequence || kind == catalog.KindView {
		kind = catalog.KindTable // they share one name space
	}
	id := lockID{kind: lockName, oid: types.OID(kind), key: name.Schema + "." + name.Name}
	_, _, err := t.store.locks.acquire(ctx, t.owner, id, 1, wait)
	return err
}
