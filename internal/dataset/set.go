package dataset

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// Metric names how distance is measured in a set.
type Metric string

// The metrics that the sets use.
const (
	L2     Metric = "l2"
	Cosine Metric = "cosine"
)

// TruthDepth is the number of exact neighbours stored for each query.
const TruthDepth = 100

// Set is one data set in memory. It is read-only after Open.
type Set struct {
	Name   string
	Metric Metric
	Dim    int
	// Queries are vectors that are not in the base.
	Queries [][]float32
	// Truth[q] are the base rows nearest to query q, nearest first; ties go to the smaller row number.
	Truth [][]int32
	// Words[i] is the word (or the digit) of base row i.
	Words []string

	base []float32
}

// Rows is the number of base rows.
func (s *Set) Rows() int { return len(s.base) / s.Dim }

// Base is base row i, a view that must not be written to.
func (s *Set) Base(i int) []float32 { return s.base[i*s.Dim : (i+1)*s.Dim : (i+1)*s.Dim] }

// Open reads the set called name below dir whole into memory.
func Open(dir, name string) (*Set, error) {
	folder := filepath.Join(dir, name)
	meta, err := readMeta(folder)
	if err != nil {
		return nil, fmt.Errorf("data set %s: %w (run `akidb-bench datasets`)", name, err)
	}
	set := &Set{Name: meta.Name, Metric: meta.Metric, Dim: meta.Dim}
	if set.base, err = readFloats(filepath.Join(folder, baseFile), meta.Rows*meta.Dim); err != nil {
		return nil, err
	}
	queries, err := readFloats(filepath.Join(folder, queriesFile), meta.Queries*meta.Dim)
	if err != nil {
		return nil, err
	}
	set.Queries = split(queries, meta.Dim)
	truth, err := readInts(filepath.Join(folder, truthFile), meta.Queries*TruthDepth)
	if err != nil {
		return nil, err
	}
	set.Truth = split(truth, TruthDepth)
	if set.Words, err = readLines(filepath.Join(folder, wordsFile), meta.Rows); err != nil {
		return nil, err
	}
	return set, nil
}

// Meta is what meta.json says of a set.
type Meta struct {
	Name      string            `json:"name"`
	Dim       int               `json:"dim"`
	Rows      int               `json:"rows"`
	Queries   int               `json:"queries"`
	Metric    Metric            `json:"metric"`
	Recipe    int               `json:"recipe"`
	Source    string            `json:"source"`
	Checksums map[string]string `json:"checksums"`
}

const (
	baseFile    = "base.f32"
	queriesFile = "queries.f32"
	truthFile   = "truth.i32"
	wordsFile   = "words.txt"
	metaFile    = "meta.json"
)

func readMeta(folder string) (Meta, error) {
	var meta Meta
	text, err := os.ReadFile(filepath.Join(folder, metaFile))
	if err != nil {
		return meta, err
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return meta, fmt.Errorf("%s: %w", metaFile, err)
	}
	if meta.Dim <= 0 || meta.Rows <= 0 || meta.Queries <= 0 {
		return meta, fmt.Errorf("%s: dim %d, rows %d, queries %d", metaFile, meta.Dim, meta.Rows, meta.Queries)
	}
	return meta, nil
}

// split cuts flat into rows of width values, without copying.
func split[T any](flat []T, width int) [][]T {
	rows := make([][]T, 0, len(flat)/width)
	for ; len(flat) >= width; flat = flat[width:] {
		rows = append(rows, flat[:width:width])
	}
	return rows
}

func readFloats(path string, count int) ([]float32, error) {
	return readWords(path, count, func(w uint32) float32 { return math.Float32frombits(w) })
}

func readInts(path string, count int) ([]int32, error) {
	return readWords(path, count, func(w uint32) int32 { return int32(w) })
}

// readWords reads a file of exactly count little-endian 32-bit words.
func readWords[T any](path string, count int, convert func(uint32) T) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != int64(count)*4 {
		return nil, fmt.Errorf("%s has %d bytes, expected %d", path, info.Size(), int64(count)*4)
	}
	values := make([]T, 0, count)
	block := make([]byte, 1<<20)
	for len(values) < count {
		part := block[:min(len(block), (count-len(values))*4)]
		if _, err := io.ReadFull(f, part); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := 0; i < len(part); i += 4 {
			values = append(values, convert(binary.LittleEndian.Uint32(part[i:])))
		}
	}
	return values, nil
}

func readLines(path string, count int) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != count {
		return nil, fmt.Errorf("%s has %d lines, expected %d", path, len(lines), count)
	}
	return lines, nil
}
