package ivf

import (
	"cmp"
	"math"
	"slices"

	"github.com/akidb/akidb/vectorindex/distance"
)

// rank orders the cells by how far the query is from each one's border with the
// nearest cell: for centroids a (the nearest) and b and query q that is
// (|q-b|^2 - |q-a|^2) / 2|a-b|, less than the distance of whatever lies beyond it. How
// much less a search may count on is the file's width (see calibrate). The bounds
// by plane are those of Quake (Mohoney et al., OSDI 2025), with a measured width in
// place of their model of volumes.
func (s *Search) rank() {
	w, c := s.w, s.file.cells
	n := c.len()
	w.keys, w.gaps = resize(w.keys, n), resize(w.gaps, n)
	w.order = resize(w.order, n)
	best := 0
	for i := range n {
		w.keys[i] = distance.L2Squared(s.query, c.at(i))
		if w.keys[i] < w.keys[best] {
			best = i
		}
	}
	nearest := c.at(best)
	for i := range n {
		w.order[i], w.gaps[i] = uint32(i), 0
		if between := distance.L2Squared(nearest, c.at(i)); between > 0 {
			w.gaps[i] = (w.keys[i] - w.keys[best]) / (2 * float32(math.Sqrt(float64(between))))
		}
	}
	w.gaps[best] = 0
	slices.SortFunc(w.order, func(a, b uint32) int {
		if d := cmp.Compare(w.gaps[a], w.gaps[b]); d != 0 {
			return d
		}
		return cmp.Compare(w.keys[a], w.keys[b])
	})
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// smallestFirst moves the n smallest elements to the front, sorted.
func smallestFirst[T any](c []T, n int, compare func(a, b T) int) {
	for len(c) > 12 && n > 0 && n < len(c) {
		p := partition(c, compare)
		if n <= p {
			c = c[:p]
			continue
		}
		slices.SortFunc(c[:p], compare)
		c, n = c[p:], n-p
	}
	slices.SortFunc(c, compare)
}

// partition returns p, 0 < p < len(c), such that nothing before p is greater
// than anything from p on (Hoare).
func partition[T any](c []T, compare func(a, b T) int) int {
	low, mid, high := c[0], c[len(c)/2], c[len(c)-1]
	if compare(mid, low) < 0 {
		low, mid = mid, low
	}
	if compare(high, low) < 0 {
		high = low
	}
	if compare(high, mid) < 0 {
		mid = high
	}
	i, j := -1, len(c)
	for {
		for i++; compare(c[i], mid) < 0; i++ {
		}
		for j--; compare(mid, c[j]) < 0; j-- {
		}
		if i >= j {
			return max(1, min(i, len(c)-1))
		}
		c[i], c[j] = c[j], c[i]
	}
}
