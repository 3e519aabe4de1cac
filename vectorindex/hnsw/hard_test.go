package hnsw

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// hardSet is data on which a graph that follows the textbook loses answers.
type hardSet struct {
	name    string
	dims    int
	rows    func(r *rand.Rand, n, dims int) [][]float32
	queries func(r *rand.Rand, rows [][]float32, n int) [][]float32
}

const hardRows = 3000

// near are queries like the rows; far ones lie away from all of them.
func near(r *rand.Rand, rows [][]float32, n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = slices.Clone(rows[r.IntN(len(rows))])
		for j := range out[i] {
			out[i][j] += float32(r.NormFloat64()) * 0.01
		}
	}
	return out
}

func far(r *rand.Rand, rows [][]float32, n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = gaussian(r, len(rows[0]), 3)
	}
	return out
}

func gaussian(r *rand.Rand, dims int, scale float64) []float32 {
	v := make([]float32, dims)
	for j := range v {
		v[j] = float32(r.NormFloat64() * scale)
	}
	return v
}

// clusters are rows in so many clusters of that width, in the order of clusters.
func clusters(count int, width float64) func(*rand.Rand, int, int) [][]float32 {
	return func(r *rand.Rand, n, dims int) [][]float32 {
		out := make([][]float32, 0, n)
		for c := range count {
			centre := gaussian(r, dims, 1)
			for len(out) < n*(c+1)/count {
				v := gaussian(r, dims, width)
				for j := range v {
					v[j] += centre[j]
				}
				out = append(out, v)
			}
		}
		return out
	}
}

// grid are vectors of few distinct elements: many are equal.
func grid(values int) func(*rand.Rand, int, int) [][]float32 {
	return func(r *rand.Rand, n, dims int) [][]float32 {
		out := make([][]float32, n)
		for i := range out {
			out[i] = make([]float32, dims)
			for j := range dims {
				out[i][j] = float32(r.IntN(values)) - float32(values)/2 + 0.25
			}
		}
		return out
	}
}

// copies are few distinct vectors, each many times.
func copies(distinct int) func(*rand.Rand, int, int) [][]float32 {
	return func(r *rand.Rand, n, dims int) [][]float32 {
		base := clusters(distinct, 0)(r, distinct, dims)
		out := make([][]float32, n)
		for i := range out {
			out[i] = base[i*distinct/n]
		}
		return out
	}
}

// disjoint are vectors of three elements of many: most pairs share none.
func disjoint(r *rand.Rand, n, dims int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dims)
		for range 3 {
			out[i][r.IntN(dims)] = float32(r.IntN(4) + 1)
		}
	}
	return out
}

func sparseFar(r *rand.Rand, rows [][]float32, n int) [][]float32 {
	return disjoint(r, n, len(rows[0]))
}

var hardSets = []hardSet{
	{"uniform of 1 dimension", 1, clusters(1, 1), near},
	{"uniform of 2 dimensions, far queries", 2, clusters(1, 1), far},
	{"20 clusters, 4 dimensions", 4, clusters(20, 0.05), near},
	{"20 clusters, 4 dimensions, far queries", 4, clusters(20, 0.05), far},
	{"200 tight clusters, 8 dimensions, far queries", 8, clusters(200, 0.001), far},
	{"20 tight clusters, 32 dimensions", 32, clusters(20, 0.01), near},
	{"20 tight clusters, 32 dimensions, far queries", 32, clusters(20, 0.01), far},
	{"100 very tight clusters, 100 dimensions, far queries", 100, clusters(100, 0.001), far},
	{"grid of 3 in 4 dimensions", 4, grid(3), near},
	{"grid of 10 in 3 dimensions, far queries", 3, grid(10), far},
	{"50 vectors, each 160 times", 16, copies(50), near},
	{"50 vectors, each 160 times, far queries", 16, copies(50), far},
	{"disjoint supports", 300, disjoint, sparseFar},
}

// TestRecallOnHardData counts a row that comes as right when it is as near as the
// true k-th: at ef 40, the default, ten nearest.
func TestRecallOnHardData(t *testing.T) {
	if testing.Short() {
		t.Skip("recall needs no race detector")
	}
	for si := range hardSets {
		set := &hardSets[si]
		for ki := range testKinds {
			k := &testKinds[ki]
			for _, way := range []string{"bulk", "steps"} {
				if (si+ki)%4 != map[string]int{"bulk": 0, "steps": 1}[way] && os.Getenv("AKIDB_LONG_TESTS") == "" {
					continue
				}
				t.Run(fmt.Sprint(set.name, "/", k.name, "/", way), func(t *testing.T) {
					r := rand.New(rand.NewPCG(7, uint64(si)))
					rows := set.rows(r, hardRows, set.dims)
					x := k.newIndex(t, set.dims)
					defer closeIndex(t, x)
					values := make([]types.Datum, len(rows))
					for i := range rows {
						values[i] = k.make(rows[i])
						if err := x.Append(types.RowID(i+1), values[i]); err != nil {
							t.Fatal(err)
						}
						if way == "steps" && i%100 == 99 {
							if _, err := x.Drain(t.Context(), 100); err != nil {
								t.Fatal(err)
							}
						}
					}
					build(t, x)
					if n := x.Unreachable(); n > 0 {
						t.Errorf("%d nodes cannot be reached", n)
					}
					queries := set.queries(r, rows, 30)
					if got := k.tieAware(t, x, values, queries); got < 0.95 {
						t.Errorf("recall@10 %.3f", got)
					}
				})
			}
		}
	}
}

// tieAware is the recall@10 of the first batch at ef 40.
func (k *testKind) tieAware(t testing.TB, x *Index, values []types.Datum, queries [][]float32) float64 {
	t.Helper()
	hits, total := 0, 0
	var found []storage.Candidate
	all := make([]float64, 0, len(values))
	for _, q := range queries {
		query := k.make(q)
		all = all[:0]
		for _, v := range values {
			if d := k.distance(query, v); d == d {
				all = append(all, d)
			}
		}
		slices.Sort(all)
		n := min(10, len(all))
		total += n
		s, err := x.Search(query, 40)
		if err != nil {
			t.Fatal(err)
		}
		if found, err = s.NextBatch(found[:0]); err != nil {
			t.Fatal(err)
		}
		s.Close()
		for _, c := range found[:min(n, len(found))] {
			if c.Distance <= all[n-1] {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(1, total))
}
