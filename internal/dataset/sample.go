package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // the sample
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"unicode"
)

// Size of the embedded sample.
const (
	SampleRows    = 5_000
	sampleQueries = 100
)

//go:generate go run ../../cmd/akidb-bench sample --dir ../../datasets --out sample.bin.gz
//go:embed sample.bin.gz
var sampleFile []byte

// Sample is the small real set in the binary: the 5,000 most frequent English words (letters only) x 100, cosine, and
// 100 of the words after them as queries with their exact answers. Values are rounded to 8 bits a component (a cosine changes by
// about 0.0001), so its neighbours are those of its own vectors. It is decoded once and must not be written to.
func Sample() *Set { return loadSample() }

var loadSample = sync.OnceValue(func() *Set {
	set, err := decodeSample(sampleFile)
	if err != nil {
		panic("dataset: the embedded sample: " + err.Error()) // our own file
	}
	set.Truth = Exact(set, set.Queries, nil, TruthDepth)
	return set
})

// MakeSample packs the sample from the word vectors as fetched; dir is that of Builder.
func MakeSample(ctx context.Context, dir string) ([]byte, error) {
	b := Builder{Dir: dir, Log: func(string) {}}
	words, err := b.wordVectors(ctx)
	if err != nil {
		return nil, err
	}
	plain := onlyLetters(words, SampleRows+sampleQueries)
	if len(plain.words) < SampleRows+sampleQueries {
		return nil, fmt.Errorf("%d words of letters only, expected %d", len(plain.words), SampleRows+sampleQueries)
	}
	return encodeSample(plain, sampleQueries)
}

func onlyLetters(words *wordVectors, limit int) *wordVectors {
	plain := &wordVectors{dim: words.dim}
	for i, word := range words.words {
		if len(plain.words) == limit {
			break
		}
		if strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) < 0 {
			plain.words = append(plain.words, word)
			plain.values = append(plain.values, words.row(i)...)
		}
	}
	return plain
}

// The sample's layout, gzipped, numbers little-endian: "AKSMPL01", uint32 rows (base and queries together), dim, queries,
// bytes of words; the words, one a line; for each row a float32 scale; for each row dim int8 values, to be multiplied by it.
// The last `queries` rows are the queries.
const sampleMagic = "AKSMPL01"

const sampleHeader = len(sampleMagic) + 4*4

func encodeSample(words *wordVectors, queries int) ([]byte, error) {
	text := strings.Join(words.words, "\n")
	raw := []byte(sampleMagic)
	for _, n := range []int{len(words.words), words.dim, queries, len(text)} {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(n))
	}
	raw = append(raw, text...)
	var codes []byte
	for i := range words.words {
		row := words.row(i)
		scale := largest(row) / 127
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(scale))
		for _, x := range row {
			codes = append(codes, byte(int8(math.Round(float64(x/scale)))))
		}
	}
	raw = append(raw, codes...)
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// largest is the largest absolute value, never 0.
func largest(row []float32) float32 {
	most := float32(math.SmallestNonzeroFloat32) * 127
	for _, x := range row {
		most = max(most, float32(math.Abs(float64(x))))
	}
	return most
}

// maxSampleBytes bounds what a damaged file can make the decoder hold.
const maxSampleBytes = 16 << 20

func decodeSample(packed []byte) (*Set, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(unzipped, maxSampleBytes))
	if err != nil {
		return nil, err
	}
	if len(raw) < sampleHeader || string(raw[:len(sampleMagic)]) != sampleMagic {
		return nil, errors.New("not a sample file")
	}
	var size [4]int
	for i := range size {
		size[i] = int(binary.LittleEndian.Uint32(raw[len(sampleMagic)+4*i:]))
	}
	rows, dim, queries, textBytes := size[0], size[1], size[2], size[3]
	if rows < 1 || dim < 1 || queries >= rows || rows > maxSampleBytes || dim > maxSampleBytes ||
		len(raw) != sampleHeader+textBytes+4*rows+rows*dim {
		return nil, fmt.Errorf("sample of %d rows, dim %d, %d queries in %d bytes", rows, dim, queries, len(raw))
	}
	raw = raw[sampleHeader:]
	words := strings.Split(string(raw[:textBytes]), "\n")
	if len(words) != rows {
		return nil, fmt.Errorf("sample of %d rows with %d words", rows, len(words))
	}
	values := dequantize(raw[textBytes:textBytes+4*rows], raw[textBytes+4*rows:], dim)
	base := rows - queries
	return &Set{
		Name: "words", Metric: Cosine, Dim: dim, Words: words[:base:base],
		base: values[: base*dim : base*dim], Queries: split(values[base*dim:], dim),
	}, nil
}

func dequantize(scales, codes []byte, dim int) []float32 {
	values := make([]float32, len(codes))
	for i, code := range codes {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[i/dim*4:]))
		values[i] = float32(int8(code)) * scale
	}
	return values
}

// Exact finds, for each query, the k rows of the set that are exactly nearest among those keep accepts (nil: all),
// nearest first, ties by row number.
func Exact(set *Set, queries [][]float32, keep func(row int) bool, k int) [][]int32 {
	if keep == nil {
		return nearest(set.Metric, set.Dim, set.base, queries, k)
	}
	var base []float32
	var rows []int32
	for i := range set.Rows() {
		if keep(i) {
			base, rows = append(base, set.Base(i)...), append(rows, int32(i))
		}
	}
	answers := nearest(set.Metric, set.Dim, base, queries, k)
	for _, answer := range answers {
		for i, row := range answer {
			answer[i] = rows[row]
		}
	}
	return answers
}

// Make lays out a set of the caller's own vectors, all of one dimension, with the exact answers to its queries.
func Make(name string, metric Metric, base, queries [][]float32, words []string) *Set {
	set := &Set{Name: name, Metric: metric, Dim: len(base[0]), Queries: queries, Words: words}
	for _, row := range base {
		set.base = append(set.base, row...)
	}
	set.Truth = Exact(set, queries, nil, TruthDepth)
	return set
}
