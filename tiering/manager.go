package tiering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/coldstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// Options are what a Manager needs.
type Options struct {
	// Dir is where checkpoints of graphs lie.
	Dir string
	// WarmDir is where indexes of the warm tier and of USING ivfflat lie; "" is
	// the folder warm beside Dir.
	WarmDir string
	// Workers is the number of threads that build an index; 0 takes all cores.
	Workers int
	// CheckpointEvery is the time between checkpoints of graphs that changed; 0 is a minute.
	CheckpointEvery time.Duration
	// Cold is the object store with the cold collections; nil has none.
	Cold *coldstore.Store
	// SweepEvery is the time between two sweeps of the object store; 0 is an hour.
	SweepEvery time.Duration
	// Keyer computes the keys of expression and partial indexes.
	Keyer rowstore.Keyer
	// Tiering is the policy and its worker.
	Tiering TieringOptions
	// Searched is told of every search of a vector index and its time; it may be nil.
	Searched func(tier types.Tier, index string, took time.Duration)
	// SnapshotMade and SnapshotRestored are told of snapshots, their time and size; they
	// may be nil.
	SnapshotMade, SnapshotRestored func(took time.Duration, bytes int64)
	// Logger gets the events of loading and writing checkpoints; nil drops them.
	Logger *slog.Logger
}

// Manager is the source of rows for the executor. Make it with New, give it to
// the row store as Observer, then Start it with the store.
type Manager struct {
	opts  Options
	store *rowstore.Store

	tiers   *tiers
	mu      sync.Mutex // guards replacing indexes
	indexes atomic.Pointer[indexSet]

	sweeper sweeper

	waiting waiting
	wake    chan struct{} // waiting has grown
	stop    context.CancelFunc
	done    chan struct{} // closed when the worker has ended
	// freeing counts dropped indexes whose memory is not free yet.
	freeing sync.WaitGroup
	moving  sync.WaitGroup // the tiering worker and the moves

	working   context.Context // of moves; ends with the manager
	turns     chan struct{}   // held by the steps that work
	switching sync.Map        // table id to *job: switches being committed
	plans     plans
}

// New returns a Manager that has no store yet.
func New(opts Options) *Manager {
	if opts.Workers == 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.WarmDir == "" {
		opts.WarmDir = filepath.Join(filepath.Dir(opts.Dir), "warm")
	}
	if opts.SweepEvery == 0 {
		opts.SweepEvery = time.Hour
	}
	if opts.CheckpointEvery == 0 {
		opts.CheckpointEvery = time.Minute
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Manager{opts: opts, wake: make(chan struct{}, 1), done: make(chan struct{}), turns: make(chan struct{}, moversDefault)}
	m.indexes.Store(newIndexSet(slices.Values([]*vectorIndex(nil))))
	m.tiers = newTiers(opts.Tiering)
	return m
}

// Start opens the graphs of hot collections; what lies in files alone is opened when
// somebody asks for it. It must return before the first transaction begins.
func (m *Manager) Start(ctx context.Context, store *rowstore.Store) error {
	m.store = store
	for _, dir := range []string{m.opts.Dir, m.opts.WarmDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("index directory: %w", err)
		}
	}
	cat := store.Catalog()
	byID := map[types.OID]*vectorIndex{}
	for _, o := range cat.Objects(catalog.KindIndex) {
		if x := o.(*catalog.Index); x.Vector() && cat.Table(x.Table).Partitioned == nil { // the parts of those have the vectors
			byID[x.ID] = known(x)
		}
	}
	m.indexes.Store(newIndexSet(maps.Values(byID)))
	for _, v := range byID {
		if kindOf(v.desc(), cat.Table(v.desc().Table).Tier) != graphKind {
			continue
		}
		if _, err := m.open(ctx, v); err != nil {
			return err
		}
	}
	m.removeStrays()
	if err := m.tiers.load(store, m.opts.Logger); err != nil {
		return err
	}
	worker, stop := context.WithCancel(context.Background())
	m.stop, m.working = stop, worker
	go m.work(worker)
	m.resume()
	m.moving.Go(func() { m.tierWork(worker) })
	return nil
}

// Close writes the last checkpoints and frees the indexes. The store is closed after it.
func (m *Manager) Close() error {
	if m.stop == nil {
		return nil
	}
	m.stop()
	<-m.done
	m.moving.Wait()
	m.freeing.Wait()
	errs := []error{m.tiers.flush(m.store)}
	for v := range m.indexes.Load().all() {
		errs = append(errs, m.checkpoint(v))
		if b := v.present(); b != nil {
			errs = append(errs, b.Close())
		}
	}
	m.indexes.Store(newIndexSet(slices.Values([]*vectorIndex(nil))))
	return errors.Join(errs...)
}

// Begin starts a transaction.
func (m *Manager) Begin(ctx context.Context, opts storage.TxnOptions) (*Txn, error) {
	tx, err := m.store.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &Txn{Txn: tx, m: m, repeatable: opts.Isolation != storage.ReadCommitted}, nil
}

// BuildProgress lists the index builds under way.
func (m *Manager) BuildProgress() map[types.OID]storage.BuildProgress {
	out := map[types.OID]storage.BuildProgress{}
	for v := range m.indexes.Load().all() {
		if p := v.progress.Load(); p != nil {
			out[v.desc().ID] = *p
		}
	}
	return out
}

// IndexStats tells of every vector index for metrics and views.
func (m *Manager) IndexStats() []IndexStats {
	var out []IndexStats
	for v := range m.indexes.Load().all() {
		out = append(out, v.stats())
	}
	return out
}

func (m *Manager) index(id types.OID) *vectorIndex { return m.indexes.Load().find(id) }

func (m *Manager) register(v *vectorIndex) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.indexes.Store(m.indexes.Load().with(v))
}

// unregister takes an index out. Its memory is freed when searches that run on
// it have ended, for which nobody waits but Close.
func (m *Manager) unregister(id types.OID) {
	m.mu.Lock()
	set := m.indexes.Load()
	v := set.find(id)
	if v != nil {
		m.indexes.Store(set.without(id))
	}
	m.mu.Unlock()
	if v == nil {
		return
	}
	m.freeing.Go(func() { m.free(v) })
}

func (m *Manager) free(v *vectorIndex) {
	v.opening.Lock()
	v.gone = true
	b := v.present()
	v.opening.Unlock()
	if b != nil {
		m.report(v, "index not freed", b.Close()) // ends a checkpoint that is being written
	}
	v.moved.all()
	m.report(v, "index file not removed", m.removeFiles(v))
}

// cellsPath is the file of an index of cells.
func (m *Manager) cellsPath(id types.OID) string {
	return filepath.Join(m.opts.WarmDir, fmt.Sprintf("%d.ivf", id))
}

func (m *Manager) path(id types.OID) string {
	return filepath.Join(m.opts.Dir, fmt.Sprintf("%d.hnsw", id))
}
