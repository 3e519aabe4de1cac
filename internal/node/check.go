package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/tiering"
)

// Report is what a check has found.
type Report struct {
	Summary  []string
	Problems []string
}

// Check verifies the data directory of a stopped server: the row store against
// itself, every vector index checkpoint against the rows, and the objects that cold
// collections and snapshots name.
func Check(ctx context.Context, o CheckOptions) (out Report, err error) {
	dir := o.Config.DataDir
	if _, err := os.Stat(rowsDir(dir)); errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("%s is not a data directory: it has no folder rows", dir)
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	tables, err := coldTables(ctx, dir)
	if err != nil {
		return out, err
	}
	var segments rowstore.Cold
	if o.Deep || len(tables) > 0 {
		cold, closeCold, failed := coldForCheck(ctx, o.Config)
		if failed != nil {
			return out, failed
		}
		defer func() { err = errors.Join(err, closeCold()) }()
		checkBucket(ctx, cold, tables, o.Deep, &out)
		if o.Deep && len(out.Problems) == 0 {
			segments = tiering.Segments(cold)
		}
	}
	rows, err := rowstore.Check(ctx, rowsDir(dir), executor.NewKeyer(), segments)
	if err != nil {
		return out, err
	}
	out.Summary = append(out.Summary, fmt.Sprintf("tables: %d, rows: %d, index entries: %d, vectors: %d", rows.Tables, rows.Rows, rows.IndexEntries, rows.Vectors))
	if rows.Unseen > 0 || rows.Tombstones > 0 {
		out.Summary = append(out.Summary, fmt.Sprintf("cold tables: %d rows in segments not read, %d tombstones", rows.Unseen, rows.Tombstones))
	}
	out.Problems = append(out.Problems, rows.Problems...)
	if len(rows.Problems) > 0 {
		out.Summary = append(out.Summary, "vector indexes: not compared, since the rows have problems")
		return out, nil
	}
	indexes, err := tiering.Check(ctx, rowsDir(dir), tiering.Options{Dir: indexDir(dir), Keyer: executor.NewKeyer()})
	if err != nil {
		return out, err
	}
	out.Summary = append(out.Summary, indexes.Summary...)
	out.Problems = append(out.Problems, indexes.Problems...)
	return out, nil
}
