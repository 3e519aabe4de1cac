package dataset

import (
	"os"
	"slices"
	"testing"
)

// TestTheStoredAnswersAreExact compares some of the stored answers of the sets of
// full size with a plain scan in float64. It runs when AKIDB_DATASETS names their folder.
func TestTheStoredAnswersAreExact(t *testing.T) {
	dir := os.Getenv("AKIDB_DATASETS")
	if dir == "" {
		t.Skip("AKIDB_DATASETS is not set")
	}
	for _, name := range Names {
		t.Run(name, func(t *testing.T) {
			if !intact(dir, name) {
				t.Skip("not there")
			}
			set, err := Open(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			for q := 0; q < len(set.Queries); q += len(set.Queries) / 4 {
				if !slices.Equal(set.Truth[q], plainTop(set, set.Queries[q], TruthDepth)) {
					t.Errorf("query %d has other neighbours", q)
				}
			}
		})
	}
}

// plainTop is plainScan that computes each distance once.
func plainTop(set *Set, query []float32, k int) []int32 {
	distances := make([]float64, set.Rows())
	rows := make([]int32, set.Rows())
	for i := range rows {
		rows[i], distances[i] = int32(i), Distance(set.Metric, query, set.Base(i))
	}
	slices.SortStableFunc(rows, func(a, b int32) int {
		switch {
		case distances[a] < distances[b]:
			return -1
		case distances[a] > distances[b]:
			return 1
		}
		return 0
	})
	return rows[:k]
}
