package hnsw

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// A graph without vectors, filled from rows, answers as the one that it was: with rows
// that came since for the caller to append, and without those that are gone.
func TestAGraphIsFilledFromRows(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		x := k.mixedIndex(t, 1000)
		defer closeIndex(t, x)
		path := filepath.Join(t.TempDir(), "graph")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(x.WriteGraph(file), file.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, x.options); x.kind != kindSparse && pgerr.Code(err) != pgerr.ObjectNotInPrerequisiteState {
			t.Errorf("Load takes a graph without vectors for a checkpoint: %v", err)
		} else if x.kind == kindSparse {
			return // it is a checkpoint
		}
		values := map[types.RowID]types.Datum{}
		x.IDs(func(id types.RowID) bool {
			values[id] = k.make(dataset.Sample().Base(int(id) - 1))
			return true
		})
		gone := types.RowID(17)
		delete(values, gone)
		y, err := LoadGraph(path, x.options, func(put func(types.RowID, types.Datum) (bool, error)) error {
			for id, v := range values {
				known, err := put(id, v)
				if err != nil {
					return err
				}
				if !known {
					t.Errorf("row %d is not known", id)
				}
			}
			if known, err := put(99999, values[5]); known || err != nil {
				t.Errorf("a new row: %v, %v", known, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer closeIndex(t, y)
		x.Remove(gone)
		q := values[5]
		if want, got := everything(t, x, q), everything(t, y, q); !slices.Equal(want, got) {
			t.Errorf("%d candidates, want %d", len(got), len(want))
		}
	})
}
