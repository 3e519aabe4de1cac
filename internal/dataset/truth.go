package dataset

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
)

// truthSlack is how many candidates beyond k the float32 pass keeps; the float64 pass then orders them exactly. A
// float32 dot product of 784 terms is off by some 1e-6 of its size, which moves a neighbour by a few places at most.
const truthSlack = 28

// nearest finds, for each query, the k base rows that are exactly nearest, nearest first, ties by row number.
// It is a blocked brute force: 4 queries against 2 rows at a time in float32, over all processors, and then the
// best k+truthSlack again in float64. For 1,000 queries on 100,000 x 512 it takes about ten seconds on two cores.
func nearest(metric Metric, dim int, base []float32, queries [][]float32, k int) [][]int32 {
	weights := rowWeights(metric, dim, base)
	truth := make([][]int32, len(queries))
	groups := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for g := range groups {
				group := queries[g:min(g+groupSize, len(queries))]
				copy(truth[g:], nearestGroup(metric, dim, base, weights, group, k))
			}
		})
	}
	for g := 0; g < len(queries); g += groupSize {
		groups <- g
	}
	close(groups)
	workers.Wait()
	return truth
}

// groupSize queries share one pass over the base, blockRows rows at a time, so that the rows stay in the L2 cache.
const (
	groupSize = 32
	blockRows = 128
)

// rowWeights is what turns a dot product into an order of nearness: 1/|row| for cosine, |row|^2/2 for l2.
func rowWeights(metric Metric, dim int, base []float32) []float32 {
	weights := make([]float32, len(base)/dim)
	for i := range weights {
		norm := squaredNorm(base[i*dim : (i+1)*dim])
		switch {
		case metric == L2:
			weights[i] = float32(norm / 2)
		case norm > 0:
			weights[i] = float32(1 / math.Sqrt(norm))
		}
	}
	return weights
}

func squaredNorm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return sum
}

func nearestGroup(metric Metric, dim int, base, weights []float32, group [][]float32, k int) [][]int32 {
	rows := len(weights)
	tops := make([]top, len(group))
	for i := range tops {
		tops[i].limit = min(k+truthSlack, rows)
	}
	for start := 0; start < rows; start += blockRows {
		end := min(start+blockRows, rows)
		for q := 0; q < len(group); q += 4 {
			scanBlock(metric, dim, base, weights, group[q:min(q+4, len(group))], tops[q:], start, end)
		}
	}
	truth := make([][]int32, len(group))
	for i, query := range group {
		truth[i] = orderExactly(metric, dim, base, query, tops[i].rows(), k)
	}
	return truth
}

// scanBlock offers rows start..end to up to four queries.
func scanBlock(metric Metric, dim int, base, weights []float32, queries [][]float32, tops []top, start, end int) {
	real := len(queries)
	for len(queries) < 4 { // the last group: compute some products twice and drop them
		queries = append(queries[:len(queries):len(queries)], queries[0])
	}
	var dots [8]float32
	for row := start; row < end; row += 2 {
		second := min(row+1, end-1)
		dot4x2(queries[0], queries[1], queries[2], queries[3], base[row*dim:(row+1)*dim], base[second*dim:(second+1)*dim], &dots)
		for q := range real {
			tops[q].offer(key(metric, dots[q], weights[row]), int32(row))
			if second != row {
				tops[q].offer(key(metric, dots[4+q], weights[second]), int32(second))
			}
		}
	}
}

// key orders rows by nearness to one query: smaller is nearer.
func key(metric Metric, dot, weight float32) float32 {
	if metric == L2 {
		return weight - dot
	}
	return -dot * weight
}

// dot4x2 computes the eight dot products of four queries and two rows; eight sums fit the registers, and each loaded
// value is used two or four times.
func dot4x2(a, b, c, d, x, y []float32, dots *[8]float32) {
	n := len(x)
	a, b, c, d, y = a[:n], b[:n], c[:n], d[:n], y[:n]
	var ax, bx, cx, dx, ay, by, cy, dy float32
	for i, xi := range x {
		yi := y[i]
		v := a[i]
		ax += v * xi
		ay += v * yi
		v = b[i]
		bx += v * xi
		by += v * yi
		v = c[i]
		cx += v * xi
		cy += v * yi
		v = d[i]
		dx += v * xi
		dy += v * yi
	}
	*dots = [8]float32{ax, bx, cx, dx, ay, by, cy, dy}
}

// orderExactly sorts candidate rows by their float64 distance and keeps k.
func orderExactly(metric Metric, dim int, base, query []float32, candidates []int32, k int) []int32 {
	type scored struct {
		distance float64
		row      int32
	}
	all := make([]scored, len(candidates))
	for i, row := range candidates {
		all[i] = scored{Distance(metric, query, base[int(row)*dim:(int(row)+1)*dim]), row}
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.row, b.row))
	})
	rows := make([]int32, min(k, len(all)))
	for i := range rows {
		rows[i] = all[i].row
	}
	return rows
}

// Distance is the exact distance in float64: Euclidean for L2, 1 - cosine similarity for Cosine (1 when a vector is zero).
func Distance(metric Metric, a, b []float32) float64 {
	if metric == L2 {
		sum := 0.0
		for i, x := range a {
			d := float64(x) - float64(b[i])
			sum += d * d
		}
		return math.Sqrt(sum)
	}
	dot, norms := 0.0, squaredNorm(a)*squaredNorm(b)
	for i, x := range a {
		dot += float64(x) * float64(b[i])
	}
	if norms == 0 {
		return 1
	}
	return 1 - dot/math.Sqrt(norms)
}

// top keeps the limit smallest keys offered, as a max-heap.
type top struct {
	limit int
	keys  []float32
	ids   []int32
}

func (t *top) offer(key float32, id int32) {
	if len(t.keys) < t.limit {
		t.keys, t.ids = append(t.keys, key), append(t.ids, id)
		t.up(len(t.keys) - 1)
		return
	}
	if key >= t.keys[0] {
		return
	}
	t.keys[0], t.ids[0] = key, id
	t.down(0)
}

func (t *top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if t.keys[parent] >= t.keys[i] {
			return
		}
		t.swap(i, parent)
		i = parent
	}
}

func (t *top) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(t.keys) {
			return
		}
		if child+1 < len(t.keys) && t.keys[child+1] > t.keys[child] {
			child++
		}
		if t.keys[child] <= t.keys[i] {
			return
		}
		t.swap(i, child)
		i = child
	}
}

func (t *top) swap(i, j int) {
	t.keys[i], t.keys[j] = t.keys[j], t.keys[i]
	t.ids[i], t.ids[j] = t.ids[j], t.ids[i]
}

func (t *top) rows() []int32 { return t.ids }

// inParallel calls do(0) .. do(count-1), some at the same time.
func inParallel(count int, do func(i int)) {
	workers := runtime.GOMAXPROCS(0)
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for i := count * w / workers; i < count*(w+1)/workers; i++ {
				do(i)
			}
		})
	}
	running.Wait()
}
