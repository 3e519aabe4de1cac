package coldstore

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/crashpoint"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// snapshotTable remembers what snapshots say of themselves: their documents never
// change, and may be large.
type snapshotTable struct {
	mu    sync.Mutex
	byKey map[string]storage.Snapshot // guarded by mu
}

func (t *snapshotTable) find(key string) (storage.Snapshot, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.byKey[key]
	return s, ok
}

func (t *snapshotTable) put(key string, s storage.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey == nil {
		t.byKey = map[string]storage.Snapshot{}
	}
	t.byKey[key] = s
}

// infoOf is what is shown of a snapshot.
func infoOf(s *manifest.Snapshot) storage.Snapshot {
	m := s.Manifest
	return storage.Snapshot{
		ID: s.ID, Name: s.Name, Collection: s.Collection, Created: s.CreatedAt, Rows: int64(m.Rows()), Bytes: m.Bytes(),
		Schema: m.Table.Schema, Table: m.Table.Name, TableID: m.Table.ID, Owner: m.Table.Owner, Tier: m.Table.Tier,
	}
}

// CreateSnapshot makes a snapshot under a name that no other has. Rows are written as
// Seal writes them, unless the collection's newest manifest or its newest snapshot
// holds the same: then only one small object is. Snapshots that Retention does not
// keep go.
func (s *Store) CreateSnapshot(ctx context.Context, name string, in Sealing, progress Progress) (storage.Snapshot, error) {
	if err := s.Ready(ctx); err != nil {
		return storage.Snapshot{}, err
	}
	if _, err := s.writer(ctx, in.Collection); err != nil { // so that it is known whose it is
		return storage.Snapshot{}, err
	}
	s.snapshotMu.Lock()
	defer s.snapshotMu.Unlock()
	all, err := s.Snapshots(ctx)
	if err != nil {
		return storage.Snapshot{}, err
	}
	if slices.ContainsFunc(all, func(o storage.Snapshot) bool { return o.Name == name }) {
		return storage.Snapshot{}, pgerr.Newf(pgerr.DuplicateObject, "snapshot \"%s\" already exists", name)
	}
	m := s.sameAs(ctx, &in, all)
	if m == nil {
		if m, _, err = s.write(ctx, &in, progress); err != nil {
			return storage.Snapshot{}, err
		}
		m.Number, m.CreatedAt = 1, s.o.Now().UTC() // of a chain of its own
	}
	crashpoint.Here("coldstore.snapshot-sealed")
	snap, err := manifest.CreateSnapshot(ctx, s.o.Store, snapshotID(name, s.o.Now()), name, m, s.o.Now())
	if err != nil {
		return storage.Snapshot{}, err // it may be there all the same: what was written is left to the sweeper
	}
	crashpoint.Here("coldstore.snapshot-written")
	info := infoOf(snap)
	s.known.put(manifest.SnapshotKey(info.Collection, info.ID), info)
	return info, s.expire(ctx, append(all, info), info.Collection, in.Base)
}

// snapshotID is unique, and begins so that a person who lists the bucket knows it.
func snapshotID(name string, now time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
	return plain[:min(len(plain), 100)] + "-" + now.UTC().Format("20060102T150405Z") + hex.EncodeToString(b[:])
}

// sameAs finds a manifest that holds exactly what is to be written: the newest one, or
// that of the newest snapshot. Not to find one is no error.
func (s *Store) sameAs(ctx context.Context, in *Sealing, all []storage.Snapshot) *manifest.Manifest {
	if in.Changes == 0 {
		return nil
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Collection != in.Collection {
			continue
		}
		snap, err := manifest.ReadSnapshot(ctx, s.o.Store, all[i].Collection, all[i].ID)
		if err == nil && in.covered(snap.Manifest) {
			return renamed(snap.Manifest, in)
		}
		break
	}
	if m, err := manifest.Newest(ctx, s.o.Store, in.Collection); err == nil && in.covered(m) {
		return renamed(m, in)
	}
	return nil
}

// covered is unchanged for a snapshot: it may be of a cold collection, and have more
// than is asked for.
func (in *Sealing) covered(m *manifest.Manifest) bool {
	if m == nil {
		return false
	}
	same := *in
	same.Base, same.Bare = nil, m.Bare
	return same.unchanged(m) && (!m.Bare || in.Bare) && in.graphsIn(m)
}

// graphsIn says whether the manifest has every graph that is to travel along.
func (in *Sealing) graphsIn(m *manifest.Manifest) bool {
	for id := range in.Graphs {
		found := false
		for i := range m.Segments {
			for _, p := range m.Segments[i].Parts {
				found = found || p.Kind == KindHNSW && p.Index == id
			}
		}
		if !found && len(m.Segments) > 0 {
			return false
		}
	}
	return true
}

// renamed is a manifest with the descriptors of now.
func renamed(m *manifest.Manifest, in *Sealing) *manifest.Manifest {
	c := m.Clone()
	c.Table, c.Indexes, c.Sequences = in.Table, in.Indexes, in.Sequences
	return c
}

// Snapshots are all snapshots below the prefix, the oldest first.
func (s *Store) Snapshots(ctx context.Context) ([]storage.Snapshot, error) {
	var out []storage.Snapshot
	err := objectstore.Each(ctx, s.o.Store, manifest.SnapshotsPrefix, func(i objectstore.Info) error {
		collection, id, ok := manifest.SnapshotOf(i.Key)
		if !ok {
			return nil
		}
		info, known := s.known.find(i.Key)
		if !known {
			snap, err := manifest.ReadSnapshot(ctx, s.o.Store, collection, id)
			if pgerr.Code(err) == pgerr.UndefinedObject {
				return nil // dropped since it was listed
			}
			if err != nil {
				return err
			}
			info = infoOf(snap)
			s.known.put(i.Key, info)
		}
		out = append(out, info)
		return nil
	})
	sort.SliceStable(out, func(i, j int) bool { return out[i].Created.Before(out[j].Created) })
	return out, err
}

// FindSnapshot finds a snapshot by its name; 42704 when there is none.
func (s *Store) FindSnapshot(ctx context.Context, name string) (storage.Snapshot, error) {
	all, err := s.Snapshots(ctx)
	if err != nil {
		return storage.Snapshot{}, err
	}
	for _, o := range all {
		if o.Name == name {
			return o, nil
		}
	}
	return storage.Snapshot{}, pgerr.Newf(pgerr.UndefinedObject, "snapshot \"%s\" does not exist", name)
}

// Snapshot reads what a snapshot holds.
func (s *Store) Snapshot(ctx context.Context, info storage.Snapshot) (*manifest.Manifest, error) {
	snap, err := manifest.ReadSnapshot(ctx, s.o.Store, info.Collection, info.ID)
	if err != nil {
		return nil, err
	}
	return snap.Manifest, nil
}

// DropSnapshot removes a snapshot, and the objects that only it named. inUse are what
// the catalog has of its collection.
func (s *Store) DropSnapshot(ctx context.Context, info storage.Snapshot, inUse ...*catalog.Cold) error {
	s.snapshotMu.Lock()
	defer s.snapshotMu.Unlock()
	return s.dropSnapshot(ctx, info, inUse)
}

func (s *Store) dropSnapshot(ctx context.Context, info storage.Snapshot, inUse []*catalog.Cold) error {
	snap, err := manifest.ReadSnapshot(ctx, s.o.Store, info.Collection, info.ID)
	if err != nil {
		return err
	}
	var kept []*manifest.Manifest
	head, err := manifest.Newest(ctx, s.o.Store, info.Collection)
	if err != nil {
		return err
	}
	if head != nil {
		kept = append(kept, head)
	}
	for _, cold := range inUse {
		if cold != nil {
			kept = append(kept, named(cold))
		}
	}
	return manifest.DropSnapshot(ctx, s.o.Store, snap, kept)
}

// expire drops the snapshots of a collection that are not to be kept.
func (s *Store) expire(ctx context.Context, all []storage.Snapshot, collection string, inUse *catalog.Cold) error {
	var mine []*manifest.Snapshot
	for _, o := range all {
		if o.Collection == collection {
			mine = append(mine, &manifest.Snapshot{ID: o.ID, Collection: collection, CreatedAt: o.Created})
		}
	}
	for _, old := range s.o.Retention.Expired(mine, s.o.Now()) {
		if err := s.dropSnapshot(ctx, storage.Snapshot{ID: old.ID, Collection: collection}, []*catalog.Cold{inUse}); err != nil {
			return err
		}
	}
	return nil
}

// Loading reads a snapshot back.
type Loading struct {
	Manifest *manifest.Manifest
	view     *Collection
}

// Load opens a snapshot for reading: all of it can be read by the bucket alone.
func (s *Store) Load(m *manifest.Manifest) *Loading {
	table := *m.Table
	table.Cold = m.Cold()
	return &Loading{Manifest: m, view: s.Collection(&table)}
}

// Rows calls fn for every row, deleted ones left out, in no order; the row is reused.
func (l *Loading) Rows(ctx context.Context, fn func(types.RowID, types.Row) error) error {
	readers, err := l.view.openAll(ctx, nil)
	if err != nil {
		return err
	}
	it := &rowScan{c: l.view, ctx: passing(ctx), readers: readers, columns: allColumns(l.view.table)}
	defer func() { _ = it.Close() }() // only read
	row := make(types.Row, len(l.view.table.Columns))
	for {
		id, ok, err := it.Next(row)
		if err != nil || !ok {
			return err
		}
		if l.Manifest.Segments[it.next-1].Tombstones.Contains(id) {
			continue
		}
		if err := fn(id, row); err != nil {
			return err
		}
	}
}

// Part is the only part of an index of a kind; false when there is none or more.
func (l *Loading) Part(index types.OID, kind string) (catalog.SegmentPart, bool) {
	parts := l.view.Parts(index, kind)
	if len(parts) != 1 {
		return catalog.SegmentPart{}, false
	}
	return parts[0], true
}

// MakeFile writes a file for Sealing.Graphs or Files; it lies in the store's own folder
// until remove is called.
func (s *Store) MakeFile(content func(io.Writer) error) (path string, remove func(), err error) {
	f, err := os.CreateTemp(s.o.buildDir(), "part-")
	if err != nil {
		return "", nil, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = content(w)
	if err == nil {
		err = w.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	remove = func() { _ = os.Remove(f.Name()) } // the next start does it otherwise
	if err != nil {
		remove()
		return "", nil, err
	}
	return f.Name(), remove, nil
}
