package expr

import (
	"math"
	"math/bits"

	"github.com/akidb/akidb/internal/types"
)

func vectorDistance(metric types.Metric, a, b types.Vector) float64 {
	var l2, dot, na, nb, l1 float64
	for i, x := range a {
		p, q := float64(x), float64(b[i])
		l2 += (p - q) * (p - q)
		dot += p * q
		na += p * p
		nb += q * q
		l1 += math.Abs(p - q)
	}
	switch metric {
	case types.MetricL2:
		return math.Sqrt(l2)
	case types.MetricInnerProduct:
		return -dot
	case types.MetricCosine:
		return 1 - max(-1, min(1, dot/math.Sqrt(na*nb)))
	}
	return l1
}

func halfDistance(metric types.Metric, a, b types.HalfVector) float64 {
	return vectorDistance(metric, types.HalfToVector(a), types.HalfToVector(b))
}

func sparseDistance(metric types.Metric, a, b types.SparseVector) float64 {
	var x, y types.Vector
	i, j := 0, 0
	for i < len(a.Index) || j < len(b.Index) {
		switch {
		case j == len(b.Index) || i < len(a.Index) && a.Index[i] < b.Index[j]:
			x, y = append(x, a.Value[i]), append(y, 0)
			i++
		case i == len(a.Index) || b.Index[j] < a.Index[i]:
			x, y = append(x, 0), append(y, b.Value[j])
			j++
		default:
			x, y = append(x, a.Value[i]), append(y, b.Value[j])
			i, j = i+1, j+1
		}
	}
	return vectorDistance(metric, x, y)
}

func bitDistance(metric types.Metric, a, b types.Bits) float64 {
	differ, both, na, nb := 0, 0, 0, 0
	for i, x := range a.B {
		y := b.B[i]
		differ += bits.OnesCount8(x ^ y)
		both += bits.OnesCount8(x & y)
		na += bits.OnesCount8(x)
		nb += bits.OnesCount8(y)
	}
	if metric == types.MetricHamming {
		return float64(differ)
	}
	if both == 0 {
		return 1
	}
	return 1 - float64(both)/float64(na+nb-both)
}
