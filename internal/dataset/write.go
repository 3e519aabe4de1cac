package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// write stores a set in dir/name, meta.json last.
func (s *Set) write(dir, source string) error {
	folder := filepath.Join(dir, s.Name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(folder, metaFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	meta := Meta{
		Name: s.Name, Dim: s.Dim, Rows: s.Rows(), Queries: len(s.Queries), Metric: s.Metric,
		Recipe: recipe, Source: source, Checksums: map[string]string{},
	}
	contents := map[string]func(*bufio.Writer) error{
		baseFile:    func(w *bufio.Writer) error { return writeFloats(w, s.base) },
		queriesFile: func(w *bufio.Writer) error { return writeRows(w, s.Queries, writeFloats) },
		truthFile:   func(w *bufio.Writer) error { return writeRows(w, s.Truth, writeInts) },
		wordsFile: func(w *bufio.Writer) error {
			_, err := w.WriteString(strings.Join(s.Words, "\n") + "\n")
			return err
		},
	}
	for name, content := range contents {
		sum, err := writeSummed(filepath.Join(folder, name), content)
		if err != nil {
			return err
		}
		meta.Checksums[name] = sum
	}
	text, err := json.MarshalIndent(meta, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, metaFile), append(text, '\n'), 0o644)
}

// writeSummed writes a file and returns the SHA-256 of what it wrote.
func writeSummed(path string, content func(*bufio.Writer) error) (sum string, err error) {
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, hash), 1<<20)
	if err := content(w); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func writeRows[T any](w *bufio.Writer, rows [][]T, write func(*bufio.Writer, []T) error) error {
	for _, row := range rows {
		if err := write(w, row); err != nil {
			return err
		}
	}
	return nil
}

func writeFloats(w *bufio.Writer, values []float32) error {
	var word [4]byte
	for _, v := range values {
		binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
		if _, err := w.Write(word[:]); err != nil {
			return err
		}
	}
	return nil
}

func writeInts(w *bufio.Writer, values []int32) error {
	var word [4]byte
	for _, v := range values {
		binary.LittleEndian.PutUint32(word[:], uint32(v))
		if _, err := w.Write(word[:]); err != nil {
			return err
		}
	}
	return nil
}

// intact says whether the folder holds a set of the present recipe whose files have the recorded checksums.
func intact(dir, name string) bool {
	folder := filepath.Join(dir, name)
	meta, err := readMeta(folder)
	if err != nil || meta.Recipe != recipe || meta.Name != name {
		return false
	}
	for _, file := range []string{baseFile, queriesFile, truthFile, wordsFile} {
		sum, err := sumFile(filepath.Join(folder, file))
		if err != nil || sum != meta.Checksums[file] {
			return false
		}
	}
	return true
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
