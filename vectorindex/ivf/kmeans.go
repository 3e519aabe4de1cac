package ivf

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/akidb/akidb/vectorindex/distance"
)

// centroids are the middles of cells, mapped, one after the other.
type centroids struct {
	dims int
	flat []float32
	// Above groupedFrom centroids, groups of near ones are looked at first.
	groups  *centroids
	members [][]uint32
}

const (
	iterations    = 8
	groupedFrom   = 1024
	groupsTried   = 8
	samplePerCell = 48 // more changed recall by less than 0.002
)

func (c *centroids) len() int { return len(c.flat) / c.dims }

func (c *centroids) at(i int) []float32 { return c.flat[i*c.dims : (i+1)*c.dims] }

// nearest is the cell of a vector.
func (c *centroids) nearest(v []float32) int {
	best, cell := float32(math.Inf(1)), 0
	try := func(i int) {
		if d := distance.L2Squared(v, c.at(i)); d < best {
			best, cell = d, i
		}
	}
	if c.groups == nil {
		for i := range c.len() {
			try(i)
		}
		return cell
	}
	for _, g := range c.groups.nearestFew(v) {
		for _, i := range c.members[g] {
			try(int(i))
		}
	}
	return cell
}

func (c *centroids) nearestFew(v []float32) [groupsTried]int {
	var cells [groupsTried]int
	var keys [groupsTried]float32
	for i := range keys {
		keys[i] = float32(math.Inf(1))
	}
	for i := range c.len() {
		d := distance.L2Squared(v, c.at(i))
		if d >= keys[groupsTried-1] {
			continue
		}
		at := groupsTried - 1
		for ; at > 0 && keys[at-1] > d; at-- {
			keys[at], cells[at] = keys[at-1], cells[at-1]
		}
		keys[at], cells[at] = d, i
	}
	return cells
}

// group makes groups of the centroids as they are now.
func (c *centroids) group(random *rand.Rand, workers int) {
	c.groups, c.members = nil, nil
	if c.len() < groupedFrom {
		return
	}
	c.groups = train(c.flat, c.dims, int(math.Sqrt(float64(c.len()))), random, workers)
	c.members = make([][]uint32, c.groups.len())
	for i := range c.len() {
		g := c.groups.nearest(c.at(i))
		c.members[g] = append(c.members[g], uint32(i))
	}
}

// train finds k middles of a sample by Lloyd's iterations. After each, middles that
// have less than a quarter of their share move into cells that have more than
// twice theirs, which keeps cells alike in size.
func train(sample []float32, dims, k int, random *rand.Rand, workers int) *centroids {
	n := len(sample) / dims
	c := &centroids{dims: dims, flat: make([]float32, k*dims)}
	for i, row := range random.Perm(n)[:k] {
		copy(c.at(i), sample[row*dims:(row+1)*dims])
	}
	cell := make([]int, n)
	for step := range iterations {
		c.group(random, workers)
		parallel(n, workers, func(from, to int) {
			for i := from; i < to; i++ {
				cell[i] = c.nearest(sample[i*dims : (i+1)*dims])
			}
		})
		counts := c.average(sample, cell)
		if step < iterations-2 {
			c.balance(sample, cell, counts, random)
		}
	}
	c.group(random, workers)
	return c
}

// average moves each centroid to the middle of its vectors.
func (c *centroids) average(sample []float32, cell []int) []int {
	counts := make([]int, c.len())
	for _, x := range cell {
		counts[x]++
	}
	for i, n := range counts {
		if n > 0 {
			clear(c.at(i))
		}
	}
	for i, x := range cell {
		share := 1 / float32(counts[x])
		to := c.at(x)
		for j, e := range sample[i*c.dims : (i+1)*c.dims] {
			to[j] += e * share
		}
	}
	return counts
}

func (c *centroids) balance(sample []float32, cell []int, counts []int, random *rand.Rand) {
	mean := len(cell) / c.len()
	var large []int // rows of cells that are too large
	for i, x := range cell {
		if counts[x] > 2*mean+1 {
			large = append(large, i)
		}
	}
	random.Shuffle(len(large), func(i, j int) { large[i], large[j] = large[j], large[i] })
	for i, n := range counts {
		if n*4 < mean+1 && len(large) > 0 {
			row := large[0]
			large = large[1:]
			copy(c.at(i), sample[row*c.dims:(row+1)*c.dims])
		}
	}
}

// ranked is all cells, nearest first.
func (c *centroids) ranked(v []float32) []int {
	keys, order := make([]float32, c.len()), make([]int, c.len())
	for i := range keys {
		keys[i], order[i] = distance.L2Squared(v, c.at(i)), i
	}
	slices.SortFunc(order, func(a, b int) int {
		if keys[a] < keys[b] {
			return -1
		} else if keys[a] > keys[b] {
			return 1
		}
		return a - b
	})
	return order
}

// parallel runs work over parts of 0 to n and waits.
func parallel(n, workers int, work func(from, to int)) {
	var wait sync.WaitGroup
	part := (n + workers - 1) / max(1, workers)
	for from := 0; from < n; from += part {
		wait.Go(func() { work(from, min(n, from+part)) })
	}
	wait.Wait()
}
