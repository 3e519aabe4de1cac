package rowstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
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
	// CatalogChanged comes after a commit that changed the schema: the objects changed.
	CatalogChanged(old, now *catalog.Snapshot, changed []types.OID)
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
	// CacheBytes is the block cache, which holds what is read often; 0 is 64 MB.
	// It is the store's largest piece of memory and never grows beyond this.
	CacheBytes int64
	// MemTableBytes is one memtable, in which writes gather before they go to
	// files; 0 is 64 MB. There are up to four of them while writes come faster
	// than the disk takes them; then writers wait.
	MemTableBytes int64
	// Observer and Keyer may be nil where no table has vector, expression or partial indexes.
	Observer Observer
	Keyer    Keyer
	// Cold reads the segments of cold tables. Without it these tables can be
	// changed and dropped, but statements that need a segment's row fail.
	Cold Cold
	// Logger gets Pebble's errors; nil drops them.
	Logger *slog.Logger
	// MinFreeBytes is the free space below which writes are refused with 53100; 0 refuses none.
	MinFreeBytes int64
	// BallastBytes is a file that is given up when the disk is full all the same,
	// so that the commits under way can end; 0 keeps none.
	BallastBytes int64
	// SpillBytes is how much of its writes a transaction holds in memory; what goes
	// beyond goes to disk before the commit. 0 is 32 MB.
	SpillBytes int
	// SyncDelay is after how long a commit with synchronous_commit = off is on
	// disk at the latest; 0 is 200 ms, as PostgreSQL's wal_writer_delay.
	SyncDelay time.Duration
	// Synced is told of every sync of the log and how long it took; it may be nil.
	Synced func(time.Duration)
}

// Store is an open row store. It is safe for concurrent use.
type Store struct {
	opts  Options
	db    *pebble.DB
	locks *locker
	space *space

	catalogMu sync.Mutex // held from reading to replacing the catalog
	catalog   atomic.Pointer[catalog.Snapshot]

	history *history
	watches watches
	// restoreChunk is how many bytes of a restore are gathered in memory.
	restoreChunk int
	failure      *failure
	pebble       *pebble.Options
	loads        atomic.Uint64 // files of loads so far
	spills       atomic.Uint64 // numbers of spills so far
	syncer       *syncer
	damaged      []damagedObject // descriptors that could not be read; fixed at open

	tablesMu  sync.Mutex // guards the maps below
	tables    map[types.OID]*tableState
	sequences map[types.OID]*sequenceState
	oids      oidRange
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
	if o.SpillBytes == 0 {
		o.SpillBytes = defaultSpillBytes
	}
	if o.SyncDelay == 0 {
		o.SyncDelay = defaultSyncDelay
	}
	s := &Store{
		opts: o, locks: newLocker(), space: newSpace(o), history: newHistory(), failure: newFailure(o.Logger),
		restoreChunk: loadChunk, tables: map[types.OID]*tableState{}, sequences: map[types.OID]*sequenceState{},
	}
	s.space.fail = s.failure.set
	err := s.failure.guarded(func() (err error) {
		if err := removeLoads(o.FS, o.Dir); err != nil {
			return err
		}
		s.pebble = pebbleOptions(o, s.space, s.failure)
		defer s.pebble.Cache.Unref()
		s.db, err = pebble.Open(o.Dir, s.pebble)
		return err
	})
	if err != nil {
		return nil, openError(o.Dir, err)
	}
	s.space.waits.Store(true)
	s.syncer = newSyncer(s)
	if err := s.recover(ctx); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	return s, nil
}

// recover brings an opened store into its working state.
func (s *Store) recover(ctx context.Context) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	cat, bad, err := loadCatalog(s.db)
	if err != nil {
		return err
	}
	s.catalog.Store(cat)
	s.damaged = bad
	for _, d := range bad {
		s.opts.Logger.Error("catalog object not readable; it is left out", "kind", d.kind, "oid", d.id, "error", d.err)
	}
	if err := s.loadOIDs(); err != nil {
		return err
	}
	if len(cat.Objects(catalog.KindDatabase)) == 0 && len(bad) == 0 {
		if err := s.bootstrap(); err != nil {
			return err
		}
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	return s.loadTables()
}

func pebbleOptions(o Options, sp *space, f *failure) *pebble.Options {
	p := &pebble.Options{
		FS: &diskFS{FS: o.FS, space: sp, failure: f, synced: o.Synced}, Cache: pebble.NewCache(o.CacheBytes), MemTableSize: uint64(o.MemTableBytes), Merger: countMerger,
		FormatMajorVersion: pebble.FormatNewest, Logger: f,
		MemTableStopWritesThreshold: 4, L0CompactionThreshold: 4, L0StopWritesThreshold: 24,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		BytesPerSync:               1 << 20, WALBytesPerSync: 1 << 20,
		EventListener: &pebble.EventListener{
			BackgroundError: f.background,
			DataCorruption:  func(i pebble.DataCorruptionInfo) { f.Errorf("damaged file: %s", i) },
		},
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most look-ups of unique keys find nothing
	}
	p.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{Enabled: true, MinimumSize: 1024, MaxBlobReferenceDepth: 10,
			RewriteMinimumAge: 5 * time.Minute, TargetGarbageRatio: 0.3}
	}
	p.EnsureDefaults()
	return p
}

// openError words the errors of a start that an operator can do something about.
func openError(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && strings.Contains(err.Error(), "LOCK") {
		return fmt.Errorf("%s is in use by another process: %w", dir, err)
	}
	if outOfRoom(err) || strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		return pgerr.Newf(pgerr.DiskFull, "could not open %s: No space left on device", dir).
			WithHint("Free disk space and start again. Nothing that was committed is lost.")
	}
	return readError(err)
}

// checkFormat writes the format version into a new store, checks an old one's and
// raises it.
func (s *Store) checkFormat() error {
	key, now := []byte{keyFormat}, binary.BigEndian.AppendUint32(nil, FormatVersion)
	b, done, err := lookup(s.db, nil, key)
	if err != nil {
		return err
	}
	is := bytes.Clone(b)
	if err := closeValue(done); err != nil {
		return err
	}
	switch {
	case bytes.Equal(is, now):
		return nil
	case is == nil: // a new store
	case len(is) != 4:
		return damaged("the format version")
	default:
		if err := checkVersion(binary.BigEndian.Uint32(is)); err != nil {
			return err
		}
	}
	return s.set(key, now, pebble.Sync)
}

// checkVersion refuses a data directory that this server cannot read, with the way forward.
func checkVersion(v uint32) error {
	var hint string
	switch {
	case v > FormatVersion:
		hint = "It was written by a newer AkiDB: start that one."
	case v < OldestFormatVersion:
		hint = "Dump it with the AkiDB that wrote it (pg_dump) and load the dump into a new data directory, or restore its snapshots there."
	default:
		return nil
	}
	return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "the data directory has format version %d, and this server reads versions %d to %d",
		v, OldestFormatVersion, FormatVersion).WithHint("%s", hint)
}

// Close writes what is reserved but unused back and closes the store. All
// transactions have ended. A store whose writing has failed, or waits for room,
// is left as it is: everything committed is in its log.
func (s *Store) Close() error {
	b := s.db.NewBatch()
	s.tablesMu.Lock()
	cat := s.Catalog()
	for id, t := range s.tables {
		if t.reserved > 0 && cat.Table(id) != nil {
			_ = b.Set(oidKey(keyWatermark, id), binary.BigEndian.AppendUint64(nil, uint64(t.nextID)), nil) // a batch in memory
		}
	}
	for id, q := range s.sequences {
		if q.reserved && cat.Object(id) != nil {
			_ = b.Set(oidKey(keySequence, id), q.encode(q.value, q.called), nil)
		}
	}
	s.tablesMu.Unlock()
	s.syncer.close()
	var err error
	if s.space.refused() == nil { // else the gaps stay
		err = s.applyFreeing(b, pebble.Sync)
	}
	s.release(b)
	return errors.Join(err, s.shut())
}

// shut closes Pebble.
func (s *Store) shut() error {
	s.syncer.close()
	if waiting := s.space.close(); waiting || s.failure.err() != nil {
		s.failure.left.Store(true)
		return s.failure.err()
	}
	return s.failure.guarded(s.db.Close)
}

// Catalog is the committed schema.
func (s *Store) Catalog() *catalog.Snapshot { return s.catalog.Load() }

// Failed says why the store must be opened again, nil when it need not.
func (s *Store) Failed() error { return s.failure.err() }

// Usage is what the store takes of memory and disk, in bytes.
type Usage struct {
	Cache, MemTables, Files, Log int64
}

// Usage measures the store.
func (s *Store) Usage() Usage {
	m := s.db.Metrics()
	log := int64(m.WAL.Size)
	return Usage{Cache: m.BlockCache.Size, MemTables: int64(m.MemTable.Size), Files: int64(m.DiskSpaceUsage()) - log, Log: log}
}

// ReadOnly says why writes are refused, nil when they are not.
func (s *Store) ReadOnly() error {
	if err := s.failure.err(); err != nil {
		return err
	}
	return s.space.refused()
}

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
func (noObserver) CatalogChanged(_, _ *catalog.Snapshot, _ []types.OID) {}
