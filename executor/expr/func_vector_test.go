package expr

import (
	"testing"

	"github.com/akidb/akidb/internal/types"
)

func TestVectorFunctionsAnswerAsPgvector(t *testing.T) {
	checkCalls(t, `
vector_dims(vector'[1,2,3]') => 3
vector_norm(vector'[3,4]') => 5
l2_norm(halfvec'[3,4]') => 5
l2_norm(sparsevec'{1:3,2:4}/2') => 5
l2_normalize(vector'[3,4]') => [0.6,0.8]
l2_normalize(vector'[0,0]') => [0,0]
l2_normalize(sparsevec'{1:3,2:4}/2') => {1:0.6,2:0.8}/2
l2_normalize(halfvec'[3,0]') => [1,0]
binary_quantize(vector'[1,0,-1]') => 100
binary_quantize(halfvec'[0,0.1,-0.2,-0.3,0.4,0.5,0.6,-0.7,0.8]') => 010011101
subvector(vector'[1,2,3,4,5]', 1, 3) => [1,2,3]
subvector(vector'[1,2,3,4,5]', 3, 2) => [3,4]
subvector(vector'[1,2,3,4,5]', -1, 3) => [1]
subvector(vector'[1,2,3,4,5]', 3, 9) => [3,4,5]
subvector(vector'[1,2,3,4,5]', 1, 0) => ERROR 22000 vector must have at least 1 dimension
subvector(vector'[1,2,3,4,5]', 6, 1) => ERROR 22000 vector must have at least 1 dimension
l2_distance(vector'[0,0]', vector'[3,4]') => 5
l2_distance(vector'[1,2]', vector'[3]') => ERROR 22000 different vector dimensions 2 and 1
inner_product(vector'[1,2]', vector'[3,4]') => 11
vector_negative_inner_product(vector'[1,2]', vector'[3,4]') => -11
vector_l2_squared_distance(vector'[0,0]', vector'[3,4]') => 25
cosine_distance(vector'[1,1]', vector'[1,1]') => 0
cosine_distance(vector'[1,0]', vector'[0,2]') => 1
cosine_distance(vector'[0,0]', vector'[0,2]') => NaN
vector_spherical_distance(vector'[1,0]', vector'[0,1]') => 0.5
l1_distance(vector'[0,0]', vector'[3,4]') => 7
l2_distance(vector'[3e38]', vector'[-3e38]') => Infinity
l1_distance(sparsevec'{1:3}/2', sparsevec'{2:4}/2') => 7
hamming_distance(bit'111', bit'100') => 2
hamming_distance(bit'111', bit'00') => ERROR 22000 different bit lengths 3 and 2
jaccard_distance(bit'1111', bit'1110') => 0.25
jaccard_distance(bit'0000', bit'0000') => 1
vector'[1,2]' + vector'[3,4]' => [4,6]
vector'[3e38]' + vector'[3e38]' => ERROR 22003 value out of range: overflow
vector'[1,2]' - vector'[3]' => ERROR 22000 different vector dimensions 2 and 1
vector'[1e37]' * vector'[1e37]' => ERROR 22003 value out of range: overflow
vector'[1e-37]' * vector'[1e-37]' => ERROR 22003 value out of range: underflow
vector'[1,2]' || vector'[3]' => [1,2,3]
halfvec'[1,2]' * halfvec'[3,4]' => [3,8]
halfvec'[65504]' + halfvec'[65504]' => ERROR 22003 value out of range: overflow
halfvec'[1]' || halfvec'[3]' => [1,3]
vector'[1,2]' <-> vector'[1,2]' => 0
sparsevec'{1:1}/2' <#> sparsevec'{1:2}/2' => -2
bit'11' <~> bit'00' => 2
bit'11' <%> bit'11' => 0
vector'[1,2]' < vector'[1,2,0]' => t
vector'[2]' > vector'[1,9]' => t
halfvec'[1]' = halfvec'[1]' => t
sparsevec'{1:1}/2' <> sparsevec'{1:1}/3' => t
vector_cmp(vector'[1,2]', vector'[1,3]') => -1
vector_to_halfvec(vector'[70000]', null, null) => NULL
vector_accum(float8[]'{0}', vector'[1,2]') => {1,1,2}
vector_combine(float8[]'{1,1,2}', float8[]'{1,3,4}') => {2,4,6}
vector_avg(float8[]'{2,4,6}') => [2,3]
`)
}

func TestEveryVectorCastEnforcesTheTypmodItGets(t *testing.T) {
	ctx := testContext()
	for _, c := range []struct {
		target, source, text, want string
		typmod                     int64
	}{
		{"vector", "vector", "[1,2]", "[1,2]", 2},
		{"vector", "vector", "[1,2]", "ERROR 22000 expected 3 dimensions, not 2", 3},
		{"vector", "int4[]", "{1,2}", "[1,2]", -1},
		{"vector", "float8[]", "{}", "ERROR 22000 vector must have at least 1 dimension", -1},
		{"vector", "numeric[]", "{1.5,NULL}", "ERROR 22004 array must not contain nulls", -1},
		{"vector", "float4[]", "{{1},{2}}", "ERROR 22000 array must be 1-D", -1},
		{"float4[]", "vector", "[1,2.5]", "{1,2.5}", -1},
		{"halfvec", "vector", "[70000]", `ERROR 22003 "70000" is out of range for type halfvec`, -1},
		{"sparsevec", "vector", "[0,1.5]", "{2:1.5}/2", -1},
		{"vector", "sparsevec", "{2:1.5}/3", "[0,1.5,0]", -1},
		{"sparsevec", "halfvec", "[0,1.5]", "{2:1.5}/2", -1},
		{"sparsevec", "float8[]", "{0,1.5}", "{2:1.5}/2", -1},
	} {
		row := (*CastRow)(nil)
		for i := range vectorCasts {
			if vectorCasts[i].Source == typeNamed(c.source) && vectorCasts[i].Target == typeNamed(c.target) {
				row = &vectorCasts[i]
			}
		}
		if row == nil {
			t.Fatalf("no cast from %s to %s", c.source, c.target)
		}
		v, err := types.Parse(row.Source, -1, c.text, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := applyTo(ctx, row.Func, []types.Datum{v, c.typmod, false}, nil)
		if err != nil {
			got = runError(err)
		}
		if got != c.want {
			t.Errorf("%s %q to %s: got %s, want %s", c.source, c.text, c.target, got, c.want)
		}
	}
}

func TestVectorAggregatesSkipNullsAndCheckDimensions(t *testing.T) {
	for _, c := range []struct{ name, oid, values, want string }{
		{"avg", "vector", "[1,2] [3,6] null", "[2,4]"},
		{"sum", "vector", "[1,2] null [3,6]", "[4,8]"},
		{"avg", "halfvec", "[1,2] [3,6]", "[2,4]"},
		{"sum", "halfvec", "[65504] [65504]", "ERROR 22003 value out of range: overflow"},
		{"avg", "vector", "[1,2] [3]", "ERROR 22000 expected 2 dimensions, not 1"},
		{"sum", "vector", "[1,2] [3]", "ERROR 22000 different vector dimensions 2 and 1"},
		{"avg", "vector", "null", "NULL"},
	} {
		if got := aggregateText(t, vectorAggregates, c.name, c.oid, c.values); got != c.want {
			t.Errorf("%s(%s) of %s: got %s, want %s", c.name, c.oid, c.values, got, c.want)
		}
	}
}

func BenchmarkL2DistanceOfVectors(b *testing.B) {
	x, y := make(types.Vector, 768), make(types.Vector, 768)
	for i := range x {
		x[i], y[i] = float32(i), float32(i)*0.5
	}
	f := distanceFunctions[0]
	var p, q types.Datum = x, y
	b.ReportAllocs()
	for range b.N {
		if _, err := f.eval2(p, q); err != nil {
			b.Fatal(err)
		}
	}
}
