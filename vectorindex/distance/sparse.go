package distance

import "github.com/akidb/akidb/internal/types"

// Sparse kernels walk both index lists once, side by side.

// SparseDot is the inner product of two sparse vectors.
func SparseDot(a, b types.SparseVector) float32 {
	var sum float32
	ai, bi := a.Index, b.Index
	av, bv := a.Value[:len(ai)], b.Value[:len(bi)]
	i, j := 0, 0
	for i < len(ai) && j < len(bi) {
		switch x, y := ai[i], bi[j]; {
		case x == y:
			sum += av[i] * bv[j]
			i++
			j++
		case x < y:
			i++
		default:
			j++
		}
	}
	return sum
}

// SparseL2Squared is the squared Euclidean distance of two sparse vectors.
func SparseL2Squared(a, b types.SparseVector) float32 {
	var sum float32
	ai, bi := a.Index, b.Index
	av, bv := a.Value[:len(ai)], b.Value[:len(bi)]
	i, j := 0, 0
	for i < len(ai) && j < len(bi) {
		switch x, y := ai[i], bi[j]; {
		case x == y:
			d := av[i] - bv[j]
			sum += d * d
			i++
			j++
		case x < y:
			sum += av[i] * av[i]
			i++
		default:
			sum += bv[j] * bv[j]
			j++
		}
	}
	for ; i < len(av); i++ {
		sum += av[i] * av[i]
	}
	for ; j < len(bv); j++ {
		sum += bv[j] * bv[j]
	}
	return sum
}

// SparseL1 is the taxicab distance of two sparse vectors.
func SparseL1(a, b types.SparseVector) float32 {
	var sum float32
	ai, bi := a.Index, b.Index
	av, bv := a.Value[:len(ai)], b.Value[:len(bi)]
	i, j := 0, 0
	for i < len(ai) && j < len(bi) {
		switch x, y := ai[i], bi[j]; {
		case x == y:
			sum += abs(av[i] - bv[j])
			i++
			j++
		case x < y:
			sum += abs(av[i])
			i++
		default:
			sum += abs(bv[j])
			j++
		}
	}
	for ; i < len(av); i++ {
		sum += abs(av[i])
	}
	for ; j < len(bv); j++ {
		sum += abs(bv[j])
	}
	return sum
}

// SparseCosineParts returns the inner product and the squared norms.
func SparseCosineParts(a, b types.SparseVector) (dot, aa, bb float32) {
	return SparseDot(a, b), Dot(a.Value, a.Value), Dot(b.Value, b.Value)
}
