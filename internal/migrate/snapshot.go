package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// meta is <snapshot id>.meta.json.
type meta struct {
	SnapshotID   string    `json:"snapshot_id"`
	CollectionID string    `json:"collection_id"`
	VectorCount  int64     `json:"vector_count"`
	Dimension    int       `json:"dimension"`
	CreatedAt    time.Time `json:"created_at"`
	SizeBytes    int64     `json:"size_bytes"`
	Compression  string    `json:"compression"`
}

// snapshot is a snapshot of a collection: its two files.
type snapshot struct {
	meta
	data string // the name of the file with the records
	size int64
}

const (
	metaSuffix = ".meta.json"
	dataSuffix = ".json"
)

// maxDimension is that of the type vector.
const maxDimension = 16000

// newest finds the newest snapshot of each collection, in the order of the
// collections' names. Files that belong to no snapshot are problems.
func newest(ctx context.Context, f files) (found []snapshot, problems []string, err error) {
	sizes, err := f.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	best := map[string]snapshot{}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if !strings.HasSuffix(name, metaSuffix) {
			if data, ok := strings.CutSuffix(name, dataSuffix); ok {
				if _, has := sizes[data+metaSuffix]; !has {
					problems = append(problems, fmt.Sprintf("%s has no %s beside it", name, path.Base(data)+metaSuffix))
				}
			}
			continue
		}
		s, err := readMeta(ctx, f, name)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		size, ok := sizes[s.data]
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: its file %s is missing", name, path.Base(s.data)))
			continue
		}
		s.size = size
		if old, ok := best[s.CollectionID]; !ok || old.CreatedAt.Before(s.CreatedAt) {
			best[s.CollectionID] = s
		}
	}
	for _, id := range slices.Sorted(maps.Keys(best)) {
		found = append(found, best[id])
	}
	return found, problems, nil
}

func readMeta(ctx context.Context, f files, name string) (s snapshot, err error) {
	r, err := f.open(ctx, name)
	if err != nil {
		return s, err
	}
	err = json.NewDecoder(r).Decode(&s.meta)
	if err = errors.Join(err, r.Close()); err != nil {
		return s, err
	}
	s.data = strings.TrimSuffix(name, metaSuffix) + dataSuffix
	switch {
	case s.CollectionID == "":
		return s, errors.New("it names no collection_id")
	case s.VectorCount < 0:
		return s, fmt.Errorf("vector_count is %d", s.VectorCount)
	case s.Dimension < 1 || s.Dimension > maxDimension:
		return s, fmt.Errorf("dimension is %d, a vector has 1 to %d", s.Dimension, maxDimension)
	}
	if _, ok := decompressors[strings.ToLower(s.Compression)]; !ok {
		return s, fmt.Errorf("compression %q is none of none, gzip, snappy, zstd", s.Compression)
	}
	return s, nil
}
