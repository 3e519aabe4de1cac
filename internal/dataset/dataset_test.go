package dataset

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestExactAnswersAreThoseOfAPlainScan(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, metric := range []Metric{L2, Cosine} {
		// odd sizes reach the last half-filled block and query group
		set := &Set{Metric: metric, Dim: 7, base: gaussian(random, 301*7)}
		queries := split(gaussian(random, 37*7), 7)
		got := Exact(set, queries, nil, 10)
		for q, query := range queries {
			if want := plainScan(set, query, 10); !slices.Equal(got[q], want) {
				t.Fatalf("%s, query %d: got %v, want %v", metric, q, got[q], want)
			}
		}
	}
}

func TestExactAnswersAmongFilteredRowsAreBaseRowNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	set := &Set{Metric: Cosine, Dim: 5, base: gaussian(random, 200*5)}
	query := gaussian(random, 5)
	got := Exact(set, [][]float32{query}, func(row int) bool { return row%10 == 3 }, 6)[0]
	want := slices.DeleteFunc(plainScan(set, query, 200), func(row int32) bool { return row%10 != 3 })[:6]
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestEqualDistancesAreOrderedByRow(t *testing.T) {
	set := &Set{Metric: L2, Dim: 2, base: []float32{1, 0, 0, 1, 1, 0, 0, 0}}
	got := Exact(set, [][]float32{{0, 0}}, nil, 4)[0]
	if want := []int32{3, 0, 1, 2}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestAWrittenSetOpensAgain(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(5, 6))
	set := Make("tiny", L2, split(gaussian(random, 120*3), 3), split(gaussian(random, 4*3), 3), strings.Fields(strings.Repeat("w ", 120)))
	if err := set.write(dir, "here"); err != nil {
		t.Fatal(err)
	}
	if !intact(dir, "tiny") {
		t.Fatal("a set just written is not intact")
	}
	read, err := Open(dir, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	if read.Rows() != 120 || read.Metric != L2 || !slices.Equal(read.Base(119), set.Base(119)) ||
		!slices.Equal(read.Queries[3], set.Queries[3]) || !slices.Equal(read.Truth[3], set.Truth[3]) || len(read.Words) != 120 {
		t.Fatalf("read back %+v", read)
	}
}

func TestADamagedOrCutSetIsNoticed(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(7, 8))
	set := Make("tiny", L2, split(gaussian(random, 120*3), 3), split(gaussian(random, 3), 3), strings.Fields(strings.Repeat("w ", 120)))
	if err := set.write(dir, "here"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tiny", baseFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[17] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if intact(dir, "tiny") {
		t.Error("a flipped bit goes unnoticed")
	}
	if err := os.WriteFile(path, content[:len(content)-4], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "tiny"); err == nil {
		t.Error("a set cut short opens")
	}
	if _, err := Open(dir, "absent"); err == nil || !strings.Contains(err.Error(), "akidb-bench datasets") {
		t.Errorf("a missing set says %v", err)
	}
}

func TestWordVectorsComeInOrderOfFrequency(t *testing.T) {
	text := `{"precision":8,"dimensions":2,"words":["the","of","zero","lost","and","of"],
		"vectors":{"and":[5,6,1,4],"of":[3,4,1,1],"zero":[0,0,0,2],"the":[1,2,1,0]},"unkVector":[0,0,0,-1]}`
	got, err := parseWordVectors(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"the", "of", "and"}; !slices.Equal(got.words, want) {
		t.Errorf("words %v, want %v", got.words, want)
	}
	if want := []float32{1, 2, 3, 4, 5, 6}; !slices.Equal(got.values, want) {
		t.Errorf("values %v, want %v", got.values, want)
	}
}

func TestMalformedWordVectorsAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{"dimensions":2}`, `{"vectors":{"a":[1]}}`, `{"dimensions":2,"words":["a"],"vectors":{"a":[1]}}`,
		`{"dimensions":2,"words":["a"],"vectors":{"a":[1,"x"]}}`, `{"dimensions":2,"words":["a"],"vectors":{"a":[1,2]`,
	} {
		if got, err := parseWordVectors(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted as %v", text, got)
		}
	}
}

func TestImagesAndLabelsAreReadFromIDX(t *testing.T) {
	file := idx(0x0803, 2, 2, 1)
	got, err := parseImages(bytes.NewReader(append(file, 0, 255, 7, 8)))
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{0, 255, 7, 8}; got.dim != 2 || got.rows() != 2 || !slices.Equal(got.values, want) {
		t.Errorf("got %+v", got)
	}
	labels, err := parseLabels(bytes.NewReader(append(idx(0x0801, 2), 9, 3)), 2)
	if err != nil || !slices.Equal(labels, []string{"9", "3"}) {
		t.Errorf("labels %v, %v", labels, err)
	}
	for _, bad := range [][]byte{nil, idx(0x0801, 1, 1, 1), idx(0x0803, 0, 1, 1), idx(0x0803, 1<<31, 1, 1), append(file, 1, 2, 3)} {
		if _, err := parseImages(bytes.NewReader(bad)); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
}

func TestQueriesAreTakenOutOfTheBase(t *testing.T) {
	words := &wordVectors{dim: 1}
	for i := range 50 {
		words.words, words.values = append(words.words, string(rune('a'+i))), append(words.values, float32(i+1))
	}
	set := takeQueries("tiny", words, 40, 10)
	seen := map[float32]int{}
	for i := range set.Rows() {
		seen[set.Base(i)[0]]++
		if want := string(rune('a' + int(set.Base(i)[0]) - 1)); set.Words[i] != want {
			t.Fatalf("row %d has the word %q, want %q", i, set.Words[i], want)
		}
	}
	for _, query := range set.Queries {
		seen[query[0]]++
	}
	if set.Rows() != 30 || len(set.Queries) != 10 || len(seen) != 40 || seen[41] != 0 {
		t.Fatalf("%d rows, %d queries, %d different", set.Rows(), len(set.Queries), len(seen))
	}
}

func TestProjectionIsFixedNormalisedAndKeepsNeighbours(t *testing.T) {
	set := &Set{Metric: Cosine, Dim: 3, base: []float32{1, 0, 0, 0.9, 0.1, 0, 0, 0, 1}, Queries: [][]float32{{10, 0, 0}}}
	first, second := project(set, 64, 9), project(set, 64, 9)
	if !slices.Equal(first.base, second.base) {
		t.Fatal("two projections with one seed differ")
	}
	for i := range 3 {
		if norm := squaredNorm(first.Base(i)); math.Abs(norm-1) > 1e-5 {
			t.Errorf("row %d has squared norm %v", i, norm)
		}
	}
	if got := Exact(first, first.Queries, nil, 3)[0]; !slices.Equal(got, []int32{0, 1, 2}) {
		t.Errorf("neighbours %v", got)
	}
}

func gaussian(random *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return values
}

func plainScan(set *Set, query []float32, k int) []int32 {
	rows := make([]int32, set.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	distance := func(row int32) float64 { return Distance(set.Metric, query, set.Base(int(row))) }
	slices.SortStableFunc(rows, func(a, b int32) int {
		if distance(a) < distance(b) {
			return -1
		}
		if distance(a) > distance(b) {
			return 1
		}
		return 0
	})
	return rows[:min(k, len(rows))]
}

func idx(numbers ...uint32) []byte {
	var file []byte
	for _, n := range numbers {
		file = binary.BigEndian.AppendUint32(file, n)
	}
	return file
}
