package migrate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// decompressors by the names that compression has in meta.json.
var decompressors = map[string]func(io.Reader) (io.Reader, error){
	"": plain, "none": plain,
	"gzip":   func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	"snappy": func(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil },
	"zstd":   func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
}

func plain(r io.Reader) (io.Reader, error) { return r, nil }

// record is one vector of version 1.
type record struct {
	DocID      uuid.UUID       `json:"doc_id"`
	ExternalID *string         `json:"external_id"`
	Vector     vector          `json:"vector"`
	Metadata   json.RawMessage `json:"metadata"`
	InsertedAt *time.Time      `json:"inserted_at"`
}

// vector reads a JSON array of numbers as float32, each rounded once.
type vector []float32

// UnmarshalJSON is on the way of every number of a file: it makes no values in between.
func (v *vector) UnmarshalJSON(text []byte) error {
	*v = (*v)[:0]
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != '[' || text[len(text)-1] != ']' {
		return errors.New("vector is no array of numbers")
	}
	text = bytes.TrimSpace(text[1 : len(text)-1])
	for more := len(text) > 0; more; {
		var number []byte
		number, text, more = bytes.Cut(text, []byte(","))
		f, err := strconv.ParseFloat(string(bytes.TrimSpace(number)), 32)
		if err != nil {
			return fmt.Errorf("vector: %q is no number of 32 bits", number)
		}
		*v = append(*v, float32(f))
	}
	return nil
}

// hasMetadata says whether there is an object; JSON's null is SQL's NULL.
func (r *record) hasMetadata() bool { return len(r.Metadata) > 0 && string(r.Metadata) != "null" }

// check says what of a record does not fit the table.
func (r *record) check(dimension int) error {
	switch {
	case r.DocID == uuid.Nil:
		return errors.New("it has no doc_id")
	case len(r.Vector) != dimension:
		return fmt.Errorf("doc_id %s: the vector has %d dimensions, not %d", r.DocID, len(r.Vector), dimension)
	case r.ExternalID != nil && strings.ContainsRune(*r.ExternalID, 0):
		return fmt.Errorf("doc_id %s: external_id holds the character NUL, which text cannot", r.DocID)
	}
	for _, f := range r.Vector {
		if math.IsInf(float64(f), 0) {
			return fmt.Errorf("doc_id %s: the vector holds a number beyond 32 bits", r.DocID)
		}
	}
	return nil
}

const readBuffer = 1 << 20

// each calls fn with every record of a snapshot. The record is valid during the call.
func (s snapshot) each(ctx context.Context, f files, fn func(*record) error) (err error) {
	file, err := f.open(ctx, s.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r, err := decompressors[strings.ToLower(s.Compression)](bufio.NewReaderSize(file, readBuffer))
	if err != nil {
		return fmt.Errorf("%s: %w", s.data, err)
	}
	if z, ok := r.(*zstd.Decoder); ok {
		defer z.Close()
	}
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(fmt.Errorf("%s is no array of records", s.data), err)
	}
	var rec record
	for n := 1; d.More(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec = record{Vector: rec.Vector[:0], Metadata: rec.Metadata[:0]}
		if err := d.Decode(&rec); err != nil {
			return fmt.Errorf("%s, record %d: %w", s.data, n, err)
		}
		if err := rec.check(s.Dimension); err != nil {
			return fmt.Errorf("%s, record %d: %w", s.data, n, err)
		}
		if err := fn(&rec); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the bracket; a file cut short has none
		return fmt.Errorf("%s is cut short: %w", s.data, err)
	}
	return nil
}
