package coldstore

import (
	"context"
	"fmt"
	"io"

	"github.com/akidb/akidb/coldstore/manifest"
	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/segment"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
)

// Checked is what a check has found in the bucket.
type Checked struct {
	Objects  int
	Bytes    int64
	Problems []string
}

// Check looks whether all objects that the catalog names for a cold collection are
// there with their length; deep reads all of them and compares every checksum. An
// error says that the store did not answer.
func (s *Store) Check(ctx context.Context, cold *catalog.Cold, deep bool, out *Checked) error {
	return s.check(ctx, named(cold), deep, out)
}

// CheckSnapshots checks all snapshots below the prefix; what a snapshot shares with
// another one is read once.
func (s *Store) CheckSnapshots(ctx context.Context, deep bool, out *Checked) error {
	list, err := s.Snapshots(ctx)
	if err != nil {
		return out.note(err)
	}
	seen := map[string]bool{}
	for _, info := range list {
		m, err := s.Snapshot(ctx, info)
		if err != nil {
			if err := out.note(err); err != nil {
				return err
			}
			continue
		}
		left := m.Clone()
		left.Segments = left.Segments[:0]
		for _, seg := range m.Segments {
			if !seen[seg.Key] {
				seen[seg.Key] = true
				left.Segments = append(left.Segments, seg)
			}
		}
		if err := s.check(ctx, left, deep, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) check(ctx context.Context, m *manifest.Manifest, deep bool, out *Checked) error {
	for i := range m.Segments {
		seg := &m.Segments[i]
		if err := s.checkObject(ctx, seg.Key, seg.Bytes, out); err != nil {
			return err
		}
		if deep {
			want := segment.Summary{Key: seg.Key, Rows: seg.Rows, Bytes: seg.Bytes, CRC: seg.CRC, TailBytes: seg.TailBytes}
			if err := out.note(segment.Verify(ctx, s.o.Store, want)); err != nil {
				return err
			}
		}
		for _, p := range seg.Parts {
			if err := s.checkObject(ctx, p.Key, p.Bytes, out); err != nil {
				return err
			}
			if deep {
				if err := out.note(s.copyPart(ctx, p, io.Discard)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Store) checkObject(ctx context.Context, key string, size int64, out *Checked) error {
	info, err := s.o.Store.Stat(ctx, key)
	switch {
	case objectstore.Is(err, objectstore.NotFound):
		out.Problems = append(out.Problems, fmt.Sprintf("object %q is missing", key))
		return nil
	case err != nil:
		return err
	case info.Size != size:
		out.Problems = append(out.Problems, fmt.Sprintf("object %q has %d bytes instead of %d", key, info.Size, size))
	}
	out.Objects++
	out.Bytes += info.Size
	return nil
}

// note makes damage a problem and gives other errors back.
func (c *Checked) note(err error) error {
	if err == nil || pgerr.Code(err) != pgerr.DataCorrupted {
		return err
	}
	e := pgerr.As(err)
	c.Problems = append(c.Problems, e.Message+": "+e.Detail)
	return nil
}
