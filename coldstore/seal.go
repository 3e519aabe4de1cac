package coldstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/crashpoint"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/ivf"
)

// RowSource gives rows: those of ids, in any order, or all when ids is nil. The row
// may be used until fn returns, its values for ever. It is called again and again,
// and must give the same rows each time. With no columns only ids are wanted.
type RowSource func(ctx context.Context, columns []int16, ids []types.RowID, fn func(types.RowID, types.Row) error) error

// Progress hears how many of all rows are done. It is called from one goroutine at a
// time.
type Progress func(done, total int64)

// Sealing is what a seal writes.
type Sealing struct {
	// Collection names the collection in the store; see NewCollection.
	Collection string
	Table      *catalog.Table
	// Indexes are all indexes of the table, for the manifest. Of its vector indexes
	// the first one decides the order of the rows.
	Indexes   []*catalog.Index
	Sequences []*catalog.Sequence
	// Rows are the rows to write: without Base all of the collection, with Base those
	// written since.
	Rows RowSource
	// Base are segments that stay. Deleted are rows of them that are no more; rows
	// written anew need not be named.
	Base    *catalog.Cold
	Deleted []types.RowID
	// Files are ready ivf files by the index's id: they must hold the key of every row
	// but those that have been deleted since (Merge comes before); ids that are no rows
	// do no harm. Other indexes are built.
	Files map[types.OID]string
	// Bare is for what will not be searched where it lies: no index is built, the rows
	// lie in the order of their ids, and Files travel along.
	Bare bool
	// Graphs are files of hnsw graphs by the index's id, which travel along.
	Graphs map[types.OID]string
	// Changes tells states of the collection apart: when the newest manifest has the
	// same number and the same table, nothing is written. 0 is unknown.
	Changes uint64
	// NextRowID is above every row id given out.
	NextRowID types.RowID
}

// NewCollection makes a name for a collection in the store: a UUID, so that servers
// that share a bucket do not meet.
func NewCollection() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Seal writes rows to the store, verifies what was written by reading it back, and
// publishes it as the collection's newest manifest. Until then nothing has happened;
// afterwards the answer is what the catalog has to keep.
func (s *Store) Seal(ctx context.Context, in Sealing, progress Progress) (*catalog.Cold, error) {
	if err := s.Ready(ctx); err != nil {
		return nil, err
	}
	w, err := s.writer(ctx, in.Collection)
	if err != nil {
		return nil, err
	}
	if head := w.Head(); in.unchanged(head) {
		if err := w.Check(ctx); err != nil {
			return nil, err
		}
		return head.Cold(), nil
	}
	m, undo, err := s.write(ctx, &in, progress)
	if err != nil {
		return nil, err
	}
	if err := w.Publish(ctx, m); err != nil {
		if pgerr.Code(err) == pgerr.ObjectNotInPrerequisiteState {
			undo() // certainly not published
		}
		return nil, err
	}
	return m.Cold(), nil
}

// unchanged says whether a manifest holds exactly what is to be sealed.
func (in *Sealing) unchanged(m *manifest.Manifest) bool {
	if m == nil || in.Changes == 0 || m.Sequence != in.Changes || m.Table.ID != in.Table.ID || in.Base != nil || m.Bare != in.Bare {
		return false
	}
	return sameColumns(m.Table, in.Table) && sameIndexes(m.Indexes, in.Indexes)
}

// sameColumns compares what rows depend on.
func sameColumns(a, b *catalog.Table) bool {
	return slices.EqualFunc(a.Columns, b.Columns, func(x, y catalog.Column) bool {
		return x.Name == y.Name && x.Type == y.Type && x.Typmod == y.Typmod && x.Dropped == y.Dropped
	})
}

func sameIndexes(a, b []*catalog.Index) bool {
	return slices.EqualFunc(a, b, func(x, y *catalog.Index) bool { return x.ID == y.ID && x.Version == y.Version })
}

// sealer is one seal under way.
type sealer struct {
	s        *Store
	in       *Sealing
	progress Progress
	vectors  []*catalog.Index
	files    map[types.OID]string
	dir      string
	prefix   string // of segment ids: the generation

	order rowOrder
	total int64

	mu       sync.Mutex // guards all below it
	written  []string   // keys to remove when the seal fails
	segments []manifest.Segment
}

// write writes and verifies everything but the manifest. undo removes it again.
func (s *Store) write(ctx context.Context, in *Sealing, progress Progress) (m *manifest.Manifest, undo func(), err error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	w := &sealer{s: s, in: in, progress: progress, files: map[types.OID]string{}, prefix: generation(s.o.Now())}
	defer func() {
		if err != nil {
			w.undo()
		}
	}()
	for _, x := range in.Indexes {
		if _, ok := IVFOptions(x); ok && x.Vector() && x.Valid {
			w.vectors = append(w.vectors, x)
		}
	}
	if w.dir, err = os.MkdirTemp(s.o.buildDir(), "seal-"); err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.RemoveAll(w.dir) }() // of no use any more
	if err := w.run(ctx); err != nil {
		return nil, nil, err
	}
	m, err = w.manifest()
	return m, w.undo, err
}

// generation is the start of the ids of the segments of one seal. It has no "-".
func generation(now time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return now.UTC().Format("20060102T150405Z") + hex.EncodeToString(b[:])
}

func (w *sealer) run(ctx context.Context) error {
	if err := w.build(ctx); err != nil {
		return err
	}
	var err error
	if w.order, err = w.arrange(ctx); err != nil {
		return err
	}
	w.total = int64(len(w.order.ids))
	if w.total == 0 {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.writeSegments(ctx) })
	parts, err := w.parts()
	if err != nil {
		return err
	}
	for i := range parts {
		group.Go(func() (err error) {
			w.note(parts[i].Key)
			parts[i].SegmentPart, err = w.s.uploadPart(ctx, parts[i].SegmentPart, parts[i].path)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range parts {
		w.segments[0].Parts = append(w.segments[0].Parts, parts[i].SegmentPart)
	}
	return nil
}

// build makes the ivf files that are not there.
func (w *sealer) build(ctx context.Context) error {
	for _, x := range w.vectors {
		if path, ok := w.in.Files[x.ID]; ok {
			w.files[x.ID] = path
			continue
		}
		if w.in.Bare {
			continue
		}
		o, _ := IVFOptions(x)
		path := filepath.Join(w.dir, fmt.Sprintf("%d.ivf", x.ID))
		columns := keyColumns(w.in.Table, x)
		rows := func(ctx context.Context, yield func(types.RowID, ivf.Value) error) error {
			return w.in.Rows(ctx, columns, nil, func(id types.RowID, row types.Row) error {
				d, ok, err := w.s.keyOf(w.in.Table, x, row)
				if err != nil || !ok {
					return err
				}
				return yield(id, ivf.ValueOf(d))
			})
		}
		if err := ivf.Build(ctx, path, o, rows, nil); err != nil {
			return err
		}
		w.files[x.ID] = path
	}
	return nil
}

type localPart struct {
	catalog.SegmentPart
	path string
}

// parts are the parts to upload, which hang on the first segment.
func (w *sealer) parts() ([]localPart, error) {
	var out []localPart
	first := w.segmentKey(0)
	for _, x := range w.vectors {
		if path := w.files[x.ID]; path != "" {
			key := manifest.PartKey(first, fmt.Sprintf(".%d.ivf", x.ID))
			out = append(out, localPart{catalog.SegmentPart{Kind: KindIVF, Index: x.ID, Key: key}, path})
		}
	}
	for _, x := range w.in.Indexes {
		if path := w.in.Graphs[x.ID]; path != "" {
			key := manifest.PartKey(first, fmt.Sprintf(".%d.hnsw", x.ID))
			out = append(out, localPart{catalog.SegmentPart{Kind: KindHNSW, Index: x.ID, Key: key}, path})
		}
	}
	return out, nil
}

func (w *sealer) segmentKey(n int) string {
	return manifest.SegmentKey(w.in.Collection, fmt.Sprintf("%s-%05d", w.prefix, n))
}

func (w *sealer) note(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = append(w.written, key)
}

// undo removes what was written, as far as that goes: the sweeper finds the rest.
func (w *sealer) undo() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range w.written {
		if w.s.o.Store.Delete(ctx, key) != nil {
			return
		}
	}
}

// writeSegments writes all segments; each is verified while the next one is written.
func (w *sealer) writeSegments(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	rows := newRowStream(ctx, w)
	defer rows.close()
	o := segment.Options{Compression: w.s.o.Compression, GroupBytes: w.s.o.GroupBytes, CreatedAt: w.s.o.Now(), Users: w.s.o.Users}
	if len(w.vectors) > 0 {
		o.Dimension, o.Metric = int(w.vectors[0].Keys[0].Typmod), w.vectors[0].Keys[0].Metric
	}
	var err error
	for n := 0; err == nil && rows.more(); n++ {
		key := w.segmentKey(n)
		w.note(key)
		var sum segment.Summary
		rows.begin(w.s.o.SegmentBytes)
		if sum, err = segment.Write(ctx, w.s.o.Store, key, w.in.Table, rows, o); err != nil {
			break
		}
		crashpoint.Here("coldstore.segment-written")
		w.segments = append(w.segments, manifestSegment(sum))
		group.Go(func() error { return segment.Verify(passing(ctx), w.s.o.Store, sum) })
	}
	if verr := group.Wait(); verr != nil {
		return verr // it has ended the writing, too
	}
	return err
}

// manifestSegment is what a manifest keeps of a segment that was written.
func manifestSegment(sum segment.Summary) manifest.Segment {
	return manifest.Segment{CreatedAt: sum.CreatedAt, Segment: catalog.Segment{
		Key: sum.Key, Rows: sum.Rows, Bytes: sum.Bytes, CRC: sum.CRC, TailBytes: sum.TailBytes, MinRowID: sum.MinRowID, MaxRowID: sum.MaxRowID,
	}}
}

// manifest names the segments of Base and the new ones.
func (w *sealer) manifest() (*manifest.Manifest, error) {
	in := w.in
	m := &manifest.Manifest{
		Collection: in.Collection, Sequence: in.Changes, NextRowID: in.NextRowID, Bare: in.Bare, Table: in.Table, Indexes: in.Indexes,
		Sequences: in.Sequences, Compression: string(w.s.o.Compression),
	}
	if m.Compression == "" {
		m.Compression = string(segment.Zstd)
	}
	if len(w.vectors) > 0 {
		k := w.vectors[0].Keys[0]
		m.Dimension, m.Metric = int(k.Typmod), k.Metric.String()
	}
	if in.Base != nil {
		base, err := w.base()
		if err != nil {
			return nil, err
		}
		m.Segments = base
	}
	m.Segments = append(m.Segments, w.segments...)
	return m, nil
}

// base are the segments that stay, with their tombstones: rows deleted, and rows
// that have been written anew.
func (w *sealer) base() ([]manifest.Segment, error) {
	c := w.s.Collection(&catalog.Table{Columns: w.in.Table.Columns, Cold: w.in.Base})
	readers, err := c.openAll(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	out := make([]manifest.Segment, len(readers))
	gone := make([][]types.RowID, len(readers))
	for _, ids := range [...][]types.RowID{w.in.Deleted, w.order.ids} {
		for _, id := range ids {
			for i, r := range readers {
				if _, ok := r.Position(id); ok {
					gone[i] = append(gone[i], id)
				}
			}
		}
	}
	for i := range out {
		out[i] = manifest.Segment{Segment: w.in.Base.Segments[i], CreatedAt: readers[i].CreatedAt()}
		if len(gone[i]) > 0 {
			out[i].Tombstones = manifest.NewTombstones(gone[i]...)
		}
	}
	return out, nil
}
