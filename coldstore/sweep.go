package coldstore

import (
	"context"
	"errors"
	"time"

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
	_, err := s.forget(ctx, collection, 0)
	return err
}

// forget removes what is older than grace.
func (s *Store) forget(ctx context.Context, collection string, grace time.Duration) (int, error) {
	s.snapshotMu.Lock()
	defer s.snapshotMu.Unlock()
	snapshots, err := manifest.ListSnapshots(ctx, s.o.Store, collection)
	if err != nil {
		return 0, err
	}
	var kept []*manifest.Manifest
	for _, snap := range snapshots {
		kept = append(kept, snap.Manifest)
	}
	refs := manifest.References(kept)
	var gone []string
	pointer, young := manifest.PointerKey(collection), false
	head, err := manifest.NewestKey(ctx, s.o.Store, collection)
	if err != nil {
		return 0, err
	}
	if len(kept) == 0 {
		head = ""
	}
	err = objectstore.Each(ctx, s.o.Store, manifest.CollectionPrefix(collection), func(i objectstore.Info) error {
		switch {
		case refs[i.Key] > 0 || i.Key == pointer || i.Key == head: // the pointer must not point nowhere while it is there
		case s.o.Now().Sub(i.Modified) < grace:
			young = true
		default:
			gone = append(gone, i.Key)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if !young && len(kept) == 0 {
		gone = append(gone, pointer) // last: it says whose the others are
	}
	for n, key := range gone {
		if err := s.o.Store.Delete(ctx, key); err != nil {
			return n, err
		}
	}
	s.writersMu.Lock()
	defer s.writersMu.Unlock()
	delete(s.writers, collection)
	return len(gone), nil
}

// SweepAll sweeps every collection in inUse (with what the catalog has of it, nil for
// one that is not cold), and removes what is left of those that this server owned and
// that are not among them. One that another server owns is left alone. It says how
// many objects went.
func (s *Store) SweepAll(ctx context.Context, inUse map[string][]*catalog.Cold) (n int, err error) {
	if err := s.Ready(ctx); err != nil {
		return 0, err
	}
	var errs []error
	err = manifest.EachCollection(ctx, s.o.Store, func(collection string) error {
		owner, err := manifest.Owner(ctx, s.o.Store, collection)
		if err != nil || owner != s.o.Server || owner == "" {
			errs = append(errs, err)
			return ctx.Err()
		}
		var k int
		if colds, ok := inUse[collection]; ok {
			k, err = s.Sweep(ctx, collection, colds...)
		} else {
			k, err = s.forget(ctx, collection, s.o.Grace)
		}
		n += k
		errs = append(errs, err)
		return ctx.Err()
	})
	return n, errors.Join(append(errs, err)...)
}

// Attached is a collection as the bucket alone tells of it: the newest manifest, nil
// when none was published.
func (s *Store) Attached(ctx context.Context, collection string) (*manifest.Manifest, error) {
	return manifest.Newest(ctx, s.o.Store, collection)
}
