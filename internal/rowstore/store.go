package rowstore

import (
	"container/list"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Observer is told of what happens to rows and schema, so that vector indexes
// can follow. Its methods are called from many goroutines.
type Observer interface {
	// Written comes before the commit of a row that was inserted, or whose
	// indexed vector changed (then under its new id).
	Written(table *catalog.Table, id types.RowID, row types.Row) error
	// Undone comes when writes are taken back.
	Undone(table types.OID, ids []types.RowID)
	// Gone comes when deleted rows can be seen by no transaction any more.
	Gone(table types.OID, ids []types.RowID)
	// CatalogChanged comes after a commit that changed the schema.
	CatalogChanged(old, now *catalog.Snapshot)
}

// Keyer computes the keys of expression and partial indexes; include is false
// when the index leaves the row out.
type Keyer interface {
	Keys(table *catalog.Table, index *catalog.Index, row types.Row) (keys []types.Datum, include bool, err error)
}

// Options are what a Store needs.
type Options struct {
	// Dir is the folder of the Pebble store.
	Dir string
	// FS is the file system; nil is the real one.
	FS vfs.FS
	// CacheBytes is the block cache, MemTableBytes one memtable; 0: 64 MB each.
	CacheBytes, MemTableBytes int64
	// Observer and Keyer may be nil where no table has vector, expression or partial indexes.
	Observer Observer
	Keyer    Keyer
	// Logger gets Pebble's errors; nil drops them.
	Logger *slog.Logger
	// MinFreeBytes is the free space below which writes are refused with 53100.
	MinFreeBytes int64
}

// Store is an open row store. It is safe for concurrent use.
type Store struct {
	opts  Options
	db    *pebble.DB
	locks *locker
	space *space

	catalogMu sync.Mutex // held from reading to replacing the catalog
	catalog   atomic.Pointer[catalog.Snapshot]

	snapMu    sync.Mutex // guards what follows
	seq       uint64     // commits so far
	snapshots *list.List // of *snapshot, oldest first
	pending   []goneRows // deleted rows that a snapshot may still see, oldest first
	forward   map[rowName]movedRow

	tablesMu  sync.Mutex // guards the maps below
	tables    map[types.OID]*tableState
	sequences map[types.OID]*sequenceState
	oids      oidRange
}

// goneRows are rows deleted by one commit.
type goneRows struct {
	seq   uint64
	table types.OID
	ids   []types.RowID
}

// movedRow says where a row went whose vector changed.
type movedRow struct {
	seq uint64
	to  types.RowID
}

// snapshot is a Pebble snapshot with its place in the order of commits.
type snapshot struct {
	*pebble.Snapshot
	seq  uint64
	elem *list.Element
}

const defaultBuffer = 64 << 20

// countMerger adds row counts.
var countMerger = &pebble.Merger{
	Name: "akidb.count",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		m := &countMerge{}
		return m, m.MergeNewer(value)
	},
}

type countMerge struct{ n int64 }

func (m *countMerge) MergeNewer(v []byte) error {
	if len(v) != 8 {
		return damaged("a row count")
	}
	m.n += int64(binary.BigEndian.Uint64(v))
	return nil
}
func (m *countMerge) MergeOlder(v []byte) error { return m.MergeNewer(v) }
func (m *countMerge) Finish(bool) ([]byte, io.Closer, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(m.n)), nil, nil
}

// Open opens a store, or makes an empty one with the schema public, the role
// postgres and the database postgres.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultBuffer
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = defaultBuffer
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	db, err := openPebble(o, false)
	if err != nil {
		return nil, err
	}
	s := &Store{
		opts: o, db: db, locks: newLocker(), space: newSpace(o), snapshots: list.New(), forward: map[rowName]movedRow{},
		tables: map[types.OID]*tableState{}, sequences: map[types.OID]*sequenceState{},
	}
	if err := s.recover(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// recover brings an opened store into its working state.
func (s *Store) recover(ctx context.Context) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	cat, err := loadCatalog(s.db)
	if err != nil {
		return err
	}
	s.catalog.Store(cat)
	if err := s.loadOIDs(); err != nil {
		return err
	}
	if len(cat.Objects(catalog.KindDatabase)) == 0 {
		if err := s.bootstrap(); err != nil {
			return err
		}
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	return s.loadTables()
}

func openPebble(o Options, readOnly bool) (*pebble.DB, error) {
	cache := pebble.NewCache(o.CacheBytes)
	defer cache.Unref()
	p := &pebble.Options{
		FS: o.FS, Cache: cache, MemTableSize: uint64(o.MemTableBytes), Merger: countMerger, ReadOnly: readOnly,
		FormatMajorVersion: pebble.FormatNewest, Logger: pebbleLogger{o.Logger},
		MemTableStopWritesThreshold: 4, L0CompactionThreshold: 4, L0StopWritesThreshold: 24,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		BytesPerSync:               1 << 20, WALBytesPerSync: 1 << 20,
	}
	p.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{Enabled: true, MinimumSize: 1024, MaxBlobReferenceDepth: 10,
			RewriteMinimumAge: 5 * time.Minute, TargetGarbageRatio: 0.3}
	}
	p.EnsureDefaults()
	return pebble.Open(o.Dir, p)
}

// pebbleLogger hands Pebble's messages on; only errors are of interest.
type pebbleLogger struct{ log *slog.Logger }

func (pebbleLogger) Infof(string, ...any) {}
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("storage", "message", fmt.Sprintf(format, args...))
}
func (l pebbleLogger) Fatalf(format string, args ...any) {
	panic("storage: " + fmt.Sprintf(format, args...))
}

// checkFormat writes the format version into a new store and checks an old one's.
func (s *Store) checkFormat() error {
	key := []byte{keyFormat}
	b, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return s.db.Set(key, binary.BigEndian.AppendUint32(nil, formatVersion), pebble.Sync)
	}
	if err != nil {
		return err
	}
	v := binary.BigEndian.Uint32(b)
	if err := closer.Close(); err != nil {
		return err
	}
	if v != formatVersion {
		return fmt.Errorf("the data has format version %d, this server reads %d", v, formatVersion)
	}
	return nil
}

// Close writes what is reserved but unused back and closes the store. All
// transactions have ended.
func (s *Store) Close() error {
	b := s.db.NewBatch()
	s.tablesMu.Lock()
	for id, t := range s.tables {
		_ = b.Set(oidKey(keyWatermark, id), binary.BigEndian.AppendUint64(nil, uint64(t.nextID)), nil) // a batch in memory
	}
	for id, q := range s.sequences {
		if q.reserved {
			_ = b.Set(oidKey(keySequence, id), q.encode(q.value, q.called), nil)
		}
	}
	s.tablesMu.Unlock()
	err := b.Commit(pebble.Sync)
	return errors.Join(err, s.db.Close())
}

// Catalog is the committed schema.
func (s *Store) Catalog() *catalog.Snapshot { return s.catalog.Load() }

// ReadOnly says why writes are refused, nil when they are not.
func (s *Store) ReadOnly() error { return s.space.refused() }

func (s *Store) observer() Observer {
	if s.opts.Observer == nil {
		return noObserver{}
	}
	return s.opts.Observer
}

type noObserver struct{}

func (noObserver) Written(*catalog.Table, types.RowID, types.Row) error { return nil }
func (noObserver) Undone(types.OID, []types.RowID)                      {}
func (noObserver) Gone(types.OID, []types.RowID)                        {}
func (noObserver) CatalogChanged(_, _ *catalog.Snapshot)                {}

// takeSnapshot opens a snapshot and enters it into the list.
func (s *Store) takeSnapshot() *snapshot {
	s.snapMu.Lock()
	defer s.snapMu.Unlock()
	sn := &snapshot{seq: s.seq, Snapshot: s.db.NewSnapshot()}
	sn.elem = s.snapshots.PushBack(sn)
	return sn
}

// dropSnapshot closes a snapshot and tells the observer of rows that nobody sees any more.
func (s *Store) dropSnapshot(sn *snapshot) error {
	s.snapMu.Lock()
	s.snapshots.Remove(sn.elem)
	gone := s.takeGone()
	s.snapMu.Unlock()
	err := sn.Close()
	s.tellGone(gone)
	return err
}

// takeGone removes what no snapshot sees from pending. snapMu is held.
func (s *Store) takeGone() []goneRows {
	oldest := s.seq
	if e := s.snapshots.Front(); e != nil {
		oldest = e.Value.(*snapshot).seq
	}
	n := 0
	for n < len(s.pending) && s.pending[n].seq <= oldest {
		n++
	}
	gone := s.pending[:n:n]
	s.pending = s.pending[n:]
	if len(s.forward) > 0 && s.snapshots.Len() == 0 {
		clear(s.forward)
	}
	return gone
}

func (s *Store) tellGone(gone []goneRows) {
	for _, g := range gone {
		s.observer().Gone(g.table, g.ids)
	}
}

// committed records a commit: what it deleted waits until nobody sees it.
func (s *Store) committed(l *layer) {
	s.snapMu.Lock()
	s.seq++
	for table, ids := range l.deleted {
		s.pending = append(s.pending, goneRows{s.seq, table, ids})
	}
	for from, to := range l.moved {
		s.forward[from] = movedRow{s.seq, to}
	}
	gone := s.takeGone()
	s.snapMu.Unlock()
	s.tellGone(gone)
}

// movedTo says where a row went, 0 when it did not.
func (s *Store) movedTo(table types.OID, id types.RowID) types.RowID {
	s.snapMu.Lock()
	defer s.snapMu.Unlock()
	return s.forward[rowName{table, id}].to
}

// loadCatalog reads all descriptors.
func loadCatalog(r pebble.Reader) (*catalog.Snapshot, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{keyObject}, UpperBound: []byte{keyObject + 1}})
	if err != nil {
		return nil, err
	}
	var changes []catalog.Change
	for ok := it.First(); ok; ok = it.Next() {
		o, err := decodeObject(catalog.Kind(it.Key()[1]), it.Value())
		if err != nil {
			return nil, errors.Join(err, it.Close())
		}
		changes = append(changes, catalog.Put(o))
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	return catalog.Empty().Apply(changes...), nil
}

func decodeObject(kind catalog.Kind, b []byte) (catalog.Object, error) {
	o := newObject(kind)
	if o == nil {
		return nil, damaged("the catalog")
	}
	if err := json.Unmarshal(b, o); err != nil {
		return nil, fmt.Errorf("%w: %w", damaged("the catalog"), err)
	}
	return o, nil
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
	if err := putChanges(b, changes); err != nil {
		return err
	}
	if err := b.Commit(pebble.Sync); err != nil {
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
