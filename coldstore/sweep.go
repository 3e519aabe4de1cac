package coldstore

import (
	"context"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/catalog"
)

// Sweep removes what nothing names below a collection: objects that a crash or a drop
// has left, manifests that are not the newest. inUse are what the catalog has of the
// collection, nil when the table is gone or is not cold. It says how many objects
// went. Only the owner of a collection sweeps it: the others are refused (55000).
func (s *Store) Sweep(ctx context.Context, collection string, inUse ...*catalog.Cold) (int, error) {
	if err := s.Ready(ctx); err != nil {
		return 0, err
	}
	w, err := s.writer(ctx, collection)
	if err != nil {
		return 0, err
	}
	if err := w.Check(ctx); err != nil {
		return 0, err
	}
	var objects []objectstore.Info
	err = objectstore.Each(ctx, s.o.Store, manifest.CollectionPrefix(collection), func(i objectstore.Info) error {
		objects = append(objects, i)
		return nil
	})
	if err != nil {
		return 0, err
	}
	kept, err := s.kept(ctx, w, collection, inUse) // after the listing: what is listed and older than grace is named by then
	if err != nil {
		return 0, err
	}
	n := 0
	for _, key := range manifest.Garbage(collection, objects, kept, s.o.Now(), s.o.Grace) {
		if err := s.o.Store.Delete(ctx, key); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Store) kept(ctx context.Context, w *manifest.Writer, collection string, inUse []*catalog.Cold) ([]*manifest.Manifest, error) {
	var kept []*manifest.Manifest
	if head := w.Head(); head != nil {
		kept = append(kept, head)
	}
	for _, cold := range inUse {
		if cold != nil {
			kept = append(kept, named(cold))
		}
	}
	snapshots, err := manifest.ListSnapshots(ctx, s.o.Store, collection)
	for _, snap := range snapshots {
		kept = append(kept, snap.Manifest)
	}
	return kept, err
}

// named is what the catalog keeps as a manifest, to know its keys.
func named(cold *catalog.Cold) *manifest.Manifest {
	m := &manifest.Manifest{Number: cold.Manifest}
	for i := range cold.Segments {
		m.Segments = append(m.Segments, manifest.Segment{Segment: cold.Segments[i]})
	}
	return m
}

// Forget removes all of a collection whose table is gone but what its snapshots name.
func (s *Store) Forget(ctx context.Context, collection string) error {
	snapshots, err := manifest.ListSnapshots(ctx, s.o.Store, collection)
	if err != nil {
		return err
	}
	var kept []*manifest.Manifest
	for _, snap := range snapshots {
		kept = append(kept, snap.Manifest)
	}
	refs := manifest.References(kept)
	var gone []string
	err = objectstore.Each(ctx, s.o.Store, manifest.CollectionPrefix(collection), func(i objectstore.Info) error {
		if refs[i.Key] == 0 {
			gone = append(gone, i.Key)
		}
		return nil
	})
	for _, key := range gone {
		if err == nil {
			err = s.o.Store.Delete(ctx, key)
		}
	}
	s.writersMu.Lock()
	defer s.writersMu.Unlock()
	delete(s.writers, collection)
	return err
}

// Attached is a collection as the bucket alone tells of it: the newest manifest, nil
// when none was published.
func (s *Store) Attached(ctx context.Context, collection string) (*manifest.Manifest, error) {
	return manifest.Newest(ctx, s.o.Store, collection)
}
