package node

import (
	"context"
	"fmt"

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
// itself, and every vector index checkpoint against the rows.
func Check(ctx context.Context, dir string) (Report, error) {
	var out Report
	rows, err := rowstore.Check(ctx, rowsDir(dir), executor.NewKeyer())
	if err != nil {
		return out, err
	}
	out.Summary = append(out.Summary, fmt.Sprintf("tables: %d, rows: %d, index entries: %d", rows.Tables, rows.Rows, rows.IndexEntries))
	out.Problems = append(out.Problems, rows.Problems...)
	indexes, err := tiering.Check(ctx, rowsDir(dir), tiering.Options{Dir: indexDir(dir), Keyer: executor.NewKeyer()})
	if err != nil {
		return out, err
	}
	out.Summary = append(out.Summary, indexes.Summary...)
	out.Problems = append(out.Problems, indexes.Problems...)
	return out, nil
}
