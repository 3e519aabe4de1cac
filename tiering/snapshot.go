package tiering

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
)

// A snapshot is made of rows as one transaction sees them, and of index files of
// about the same moment: these are compared with the rows when they are opened.

// errNoSnapshots is the answer of a server without an object store.
func errNoSnapshots() error {
	return pgerr.Unsupported("snapshots").WithHint("Configure the cold store ([cold_store]).")
}

// snapshotTries is how often a snapshot begins again because the collection was moved
// or rewritten meanwhile.
const snapshotTries = 3

// CreateSnapshot makes a snapshot of a collection, in whatever tier it is.
func (m *Manager) CreateSnapshot(ctx context.Context, table *catalog.Table, name string) (storage.Snapshot, error) {
	if m.opts.Cold == nil {
		return storage.Snapshot{}, errNoSnapshots()
	}
	start := time.Now()
	if err := m.nameCollection(ctx, table.ID); err != nil {
		return storage.Snapshot{}, err
	}
	var made storage.Snapshot
	var err error
	for range snapshotTries {
		made, err = m.createSnapshot(ctx, table.ID, name)
		if pgerr.Code(err) != pgerr.SerializationFailure {
			break
		}
	}
	if err == nil && m.opts.SnapshotMade != nil {
		m.opts.SnapshotMade(time.Since(start), made.Bytes)
	}
	return made, err
}

// nameCollection gives a collection its name in the object store, if it has none.
func (m *Manager) nameCollection(ctx context.Context, id types.OID) error {
	if t := m.store.Catalog().Table(id); t == nil || t.Collection != "" {
		return nil
	}
	tx, err := m.store.Begin(ctx, storage.TxnOptions{})
	if err != nil {
		return err
	}
	defer tx.Rollback() // of what was not committed
	if err := tx.LockTable(ctx, id, storage.LockShareUpdateExclusive, storage.WaitPolicy{}); err != nil {
		return err
	}
	t := m.store.Catalog().Table(id)
	if t == nil || t.Collection != "" {
		return nil
	}
	named := t.Clone()
	named.Version++
	named.Collection = coldstore.NewCollection()
	if err := tx.Change(ctx, catalog.Put(named)); err != nil {
		return err
	}
	return tx.Commit(ctx, false)
}

func (m *Manager) createSnapshot(ctx context.Context, id types.OID, name string) (storage.Snapshot, error) {
	rows, err := m.freeze(ctx, id)
	if err != nil {
		return storage.Snapshot{}, err
	}
	defer rows.close()
	in := rows.sealing(nil)
	in.Bare = true
	remove, err := m.snapshotFiles(ctx, &in)
	defer remove()
	if err != nil {
		return storage.Snapshot{}, err
	}
	return m.opts.Cold.CreateSnapshot(ctx, name, in, nil)
}

// snapshotFiles adds the files of the vector indexes, so that nothing is built when
// the snapshot is restored. One that cannot be had is left out.
func (m *Manager) snapshotFiles(ctx context.Context, in *coldstore.Sealing) (remove func(), err error) {
	in.Files, in.Graphs = map[types.OID]string{}, map[types.OID]string{}
	var removers []func()
	remove = func() {
		for _, fn := range removers {
			fn()
		}
	}
	for _, x := range in.Indexes {
		v := m.index(x.ID)
		if v == nil || !x.Valid || in.Base != nil {
			continue
		}
		b, err := m.open(ctx, v)
		if err != nil {
			return remove, err
		}
		path, drop, err := m.snapshotFile(ctx, b)
		if err != nil {
			return remove, err
		}
		if path == "" {
			continue
		}
		removers = append(removers, drop)
		if _, ok := b.(*graphBody); ok {
			in.Graphs[x.ID] = path
		} else {
			in.Files[x.ID] = path
		}
	}
	return remove, nil
}

// snapshotFile writes what is in an index: its graph without the vectors, which the
// rows have, or its cells. "" is none.
func (m *Manager) snapshotFile(ctx context.Context, b body) (path string, remove func(), err error) {
	switch b := b.(type) {
	case *graphBody:
		return m.opts.Cold.MakeFile(b.WriteGraph)
	case *cellsBody:
		if b.Pending() > 0 {
			if err := b.merge(ctx); err != nil {
				return "", nil, err
			}
		}
		return m.opts.Cold.MakeFile(func(w io.Writer) error {
			f, err := os.Open(m.cellsPath(b.v.desc().ID))
			if err != nil {
				return err
			}
			_, err = io.Copy(w, f)
			return errors.Join(err, f.Close())
		})
	}
	return "", nil, nil
}

// frozenRows are the rows of a table as one transaction sees them: all of them, or
// those that lie here of a cold one.
type frozenRows struct {
	tx      *rowstore.Txn
	table   *catalog.Table
	changes uint64 // 0: not known
	local   []types.RowID
	deleted []types.RowID

	mu sync.Mutex // the transaction belongs to one goroutine at a time
}

// freeze takes a snapshot of a table. For a cold one writers are kept out for the
// moment that it takes to learn which rows lie here.
func (m *Manager) freeze(ctx context.Context, id types.OID) (*frozenRows, error) {
	tx, err := m.store.Begin(ctx, storage.TxnOptions{Isolation: storage.RepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	f := &frozenRows{tx: tx}
	if err := f.take(ctx, m.store, id); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *frozenRows) close() { f.tx.Rollback() }

func (f *frozenRows) take(ctx context.Context, store *rowstore.Store, id types.OID) error {
	if t := store.Catalog().Table(id); t != nil && t.Cold != nil {
		guard, err := store.Begin(ctx, storage.TxnOptions{})
		if err != nil {
			return err
		}
		defer guard.Rollback() // it has only locked
		if err := guard.LockTable(ctx, id, storage.LockShare, storage.WaitPolicy{}); err != nil {
			return err
		}
	}
	before, err := store.Changes(id)
	if err != nil {
		return err
	}
	if err := f.tx.StartStatement(ctx); err != nil {
		return err
	}
	if f.table = store.Catalog().Table(id); f.table == nil {
		return pgerr.Newf(pgerr.UndefinedTable, "relation with OID %d does not exist", id)
	}
	if f.changes, err = store.Changes(id); err != nil {
		return err
	}
	if f.changes != before {
		f.changes = 0 // nobody knows which of them the snapshot has
	}
	if f.table.Cold == nil {
		return nil
	}
	return store.LocalIDs(ctx, f.table, func(id types.RowID, tombstone bool) error {
		if tombstone {
			f.deleted = append(f.deleted, id)
		} else {
			f.local = append(f.local, id)
		}
		return nil
	})
}

// rows is a coldstore.RowSource.
func (f *frozenRows) rows(ctx context.Context, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ids == nil {
		if f.table.Cold == nil {
			return f.all(ctx, columns, fn)
		}
		ids = f.local
	}
	row := make(types.Row, len(f.table.Columns))
	for i, id := range ids {
		if i%256 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		ok, err := f.tx.Get(ctx, f.table, id, columns, row)
		if err == nil && ok {
			err = fn(id, row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *frozenRows) all(ctx context.Context, columns []int16, fn func(types.RowID, types.Row) error) error {
	it, err := f.tx.Scan(ctx, storage.ScanSpec{Table: f.table, Columns: columns})
	if err != nil {
		return err
	}
	defer func() { _ = it.Close() }() // only read
	row := make(types.Row, len(f.table.Columns))
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		id, ok, err := it.Next(row)
		if err != nil || !ok {
			return err
		}
		if err := fn(id, row); err != nil {
			return err
		}
	}
}

// Snapshots are all snapshots in the object store, the oldest first.
func (m *Manager) Snapshots(ctx context.Context) ([]storage.Snapshot, error) {
	if m.opts.Cold == nil {
		return nil, nil
	}
	return m.opts.Cold.Snapshots(ctx)
}

// DropSnapshot removes a snapshot, and what only it needs.
func (m *Manager) DropSnapshot(ctx context.Context, s storage.Snapshot) error {
	if m.opts.Cold == nil {
		return errNoSnapshots()
	}
	var inUse []*catalog.Cold
	for _, o := range m.store.Catalog().Objects(catalog.KindTable) {
		if t := o.(*catalog.Table); t.Collection == s.Collection {
			inUse = append(inUse, t.Cold)
		}
	}
	return m.opts.Cold.DropSnapshot(ctx, s, inUse...)
}

// SnapshotContent reads the descriptors of a snapshot.
func (m *Manager) SnapshotContent(ctx context.Context, s storage.Snapshot) (*storage.SnapshotContent, error) {
	if m.opts.Cold == nil {
		return nil, errNoSnapshots()
	}
	doc, err := m.opts.Cold.Snapshot(ctx, s)
	if err != nil {
		return nil, err
	}
	return &storage.SnapshotContent{Snapshot: s, Descriptor: doc.Table, Indexes: doc.Indexes, Sequences: doc.Sequences, Handle: doc}, nil
}

// restoreBatch is how many rows of a snapshot are written at a time.
const restoreBatch = 1000

// EachSnapshotRow calls fn for batches of a snapshot's rows, which fn may keep.
func (t *Txn) EachSnapshotRow(ctx context.Context, from *storage.SnapshotContent, fn func(ids []types.RowID, rows []types.Row) error) error {
	start := time.Now()
	var ids []types.RowID
	var rows []types.Row
	err := t.m.opts.Cold.Load(from.Handle.(*manifest.Manifest)).Rows(ctx, func(id types.RowID, row types.Row) error {
		ids, rows = append(ids, id), append(rows, append(types.Row{}, row...))
		if len(ids) < restoreBatch {
			return nil
		}
		err := fn(ids, rows)
		ids, rows = ids[:0], nil
		return err
	})
	if err == nil && len(ids) > 0 {
		err = fn(ids, rows)
	}
	if err == nil && t.m.opts.SnapshotRestored != nil {
		t.m.opts.SnapshotRestored(time.Since(start), from.Bytes)
	}
	return err
}

// RestoreTable makes a table of a snapshot's rows, under their own ids; table is its
// new descriptor. It is called between statements. Indexes are built afterwards:
// indexes says which of the snapshot's each new one was, whose file is taken over.
// done gets every row that is written.
func (t *Txn) RestoreTable(ctx context.Context, from *storage.SnapshotContent, table *catalog.Table, indexes map[types.OID]types.OID, done func(types.Row)) error {
	doc := from.Handle.(*manifest.Manifest)
	loading := t.m.opts.Cold.Load(doc)
	t.files = map[types.OID]indexPart{}
	for made, old := range indexes {
		for _, kind := range []string{coldstore.KindHNSW, coldstore.KindIVF} {
			if p, ok := loading.Part(old, kind); ok {
				t.files[made] = append(t.files[made], p)
			}
		}
	}
	placed := table.Clone()
	placed.Cold = counted(doc)
	if err := t.LockTable(ctx, table.ID, storage.LockAccessExclusive, storage.WaitPolicy{}); err != nil {
		return err
	}
	if err := t.inStatement(ctx, func() error { return t.Attach(ctx, placed) }); err != nil {
		return err
	}
	err := t.EachSnapshotRow(ctx, from, func(ids []types.RowID, rows []types.Row) error {
		for _, row := range rows {
			done(row)
		}
		return t.LoadRows(ctx, placed, ids, rows)
	})
	if err != nil {
		return err
	}
	return t.inStatement(ctx, func() error { return t.FinishLoad(ctx, table) })
}

func (t *Txn) inStatement(ctx context.Context, fn func() error) error {
	if err := t.StartStatement(ctx); err != nil {
		return err
	}
	err := fn()
	if end := t.EndStatement(err == nil); err == nil {
		err = end
	}
	return err
}

// counted is where a snapshot's rows lie, with the numbers of those that are not
// deleted: the row store learns from it how many there are and which ids are taken.
func counted(doc *manifest.Manifest) *catalog.Cold {
	cold := doc.Cold()
	for i := range cold.Segments {
		s := &cold.Segments[i]
		s.Rows -= doc.Segments[i].Tombstones.Count()
		s.MaxRowID = max(s.MaxRowID, doc.NextRowID-min(1, doc.NextRowID))
	}
	return cold
}

// indexPart are the files of an index that a snapshot has.
type indexPart []catalog.SegmentPart

// takeOver opens an index from the file that came with a snapshot, and brings it up
// to the rows; nil when there is none that can be used.
func (t *Txn) takeOver(ctx context.Context, table *catalog.Table, v *vectorIndex) (body, error) {
	kind := kindOf(v.desc(), table.Tier)
	want := map[bodyKind]string{graphKind: coldstore.KindHNSW, cellsKind: coldstore.KindIVF}[kind]
	for _, p := range t.files[v.desc().ID] {
		if p.Kind != want {
			continue
		}
		b, err := t.fetched(ctx, table, v, kind, p)
		if err != nil && ctx.Err() == nil {
			t.m.opts.Logger.Warn("index file of a snapshot not usable, building the index anew", "index", v.desc().Name, "error", err)
			return nil, nil
		}
		return b, err
	}
	return nil, nil
}

func (t *Txn) fetched(ctx context.Context, table *catalog.Table, v *vectorIndex, kind bodyKind, p catalog.SegmentPart) (body, error) {
	if kind == graphKind {
		return t.fetchGraph(ctx, table, v, p)
	}
	if err := t.m.opts.Cold.FetchPart(ctx, p, t.m.cellsPath(v.desc().ID)); err != nil {
		return nil, err
	}
	b, err := t.m.openCells(ctx, v)
	if err != nil {
		return nil, err
	}
	if err := t.bringUp(ctx, table, v, b); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// fetchGraph opens a graph whose vectors are those of the rows; rows that it lacks are
// appended and moved into it.
func (t *Txn) fetchGraph(ctx context.Context, table *catalog.Table, v *vectorIndex, p catalog.SegmentPart) (body, error) {
	path := t.m.path(v.desc().ID) + temporary
	defer func() { _ = os.Remove(path) }() // a start removes it otherwise
	if err := t.m.opts.Cold.FetchPart(ctx, p, path); err != nil {
		return nil, err
	}
	type missing struct {
		id  types.RowID
		key types.Datum
	}
	var rest []missing
	x, err := hnsw.LoadGraph(path, t.m.graphOptions(v.desc()), func(put func(types.RowID, types.Datum) (bool, error)) error {
		return t.eachRow(ctx, table, v, func(id types.RowID, row types.Row) error {
			key, ok, err := t.m.key(table, v.desc(), row)
			if err != nil || !ok {
				return err
			}
			known, err := put(id, key)
			if !known && err == nil {
				rest = append(rest, missing{id, key})
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	g := &graphBody{Index: x, m: t.m, v: v}
	for _, r := range rest {
		if err := g.Append(r.id, r.key); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	if err := v.build(ctx, g); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// bringUp makes a body hold what the transaction sees.
func (t *Txn) bringUp(ctx context.Context, table *catalog.Table, v *vectorIndex, b body) error {
	there := map[types.RowID]struct{}{}
	err := t.eachRow(ctx, table, v, func(id types.RowID, row types.Row) error {
		there[id] = struct{}{}
		if b.Contains(id) {
			return nil
		}
		return t.m.put(table, v, b, id, row)
	})
	if err != nil {
		return err
	}
	var gone []types.RowID
	b.IDs(func(id types.RowID) bool {
		if _, ok := there[id]; !ok {
			gone = append(gone, id)
		}
		return true
	})
	for _, id := range gone {
		b.Remove(id)
	}
	return nil
}
