package migrate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"math/big"
	"strings"
	"time"
)

// sum is a checksum over rows that does not depend on their order: the SHA-256
// of each row's canonical form, added up as four numbers of 64 bits.
type sum struct {
	rows  int64
	words [4]uint64
	hash  hash.Hash
}

func newSum() *sum { return &sum{hash: sha256.New()} }

// String is the sum in hexadecimal.
func (s *sum) String() string {
	return fmt.Sprintf("%016x%016x%016x%016x", s.words[0], s.words[1], s.words[2], s.words[3])
}

// add adds a row. Equal rows have equal sums however their JSON and their numbers are written.
func (s *sum) add(r *record) error {
	s.hash.Reset()
	s.hash.Write(r.DocID[:])
	if r.ExternalID != nil {
		s.field([]byte(*r.ExternalID))
	} else {
		s.hash.Write([]byte{0})
	}
	text := make([]byte, 0, 4*len(r.Vector))
	for _, f := range r.Vector {
		text = binary.LittleEndian.AppendUint32(text, math.Float32bits(f))
	}
	s.field(text)
	if r.hasMetadata() {
		canonical, err := canonicalJSON(r.Metadata)
		if err != nil {
			return fmt.Errorf("doc_id %s: metadata: %w", r.DocID, err)
		}
		s.field(canonical)
	} else {
		s.hash.Write([]byte{0})
	}
	if r.InsertedAt != nil {
		s.field(binary.LittleEndian.AppendUint64(nil, uint64(micros(*r.InsertedAt).UnixMicro())))
	} else {
		s.hash.Write([]byte{0})
	}
	digest := s.hash.Sum(nil)
	for i := range s.words {
		s.words[i] += binary.LittleEndian.Uint64(digest[8*i:])
	}
	s.rows++
	return nil
}

func (s *sum) field(b []byte) {
	s.hash.Write(binary.LittleEndian.AppendUint32([]byte{1}, uint32(len(b))))
	s.hash.Write(b)
}

// micros rounds to the microseconds that timestamptz keeps.
func micros(t time.Time) time.Time { return t.Round(time.Microsecond) }

// canonicalJSON has the keys in order, each once, and numbers by their value, as
// jsonb has them in effect: 1e2 and 100 are the same there.
func canonicalJSON(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	canonical, err := canonicalValue(v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(canonical)
}

func canonicalValue(v any) (any, error) {
	var err error
	switch t := v.(type) {
	case string:
		return t, checkString(t)
	case json.Number:
		return canonicalNumber(t)
	case []any:
		for i := range t {
			if t[i], err = canonicalValue(t[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range t {
			if err := checkString(k); err != nil {
				return nil, err
			}
			if t[k], err = canonicalValue(t[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// checkString refuses what jsonb cannot hold.
func checkString(s string) error {
	if strings.ContainsRune(s, 0) {
		return errors.New("it holds the character NUL, which jsonb cannot")
	}
	return nil
}

// maxExponent bounds the work for a number like 1e999999999.
const maxExponent = 20000

func canonicalNumber(n json.Number) (any, error) {
	_, exponent, _ := bytes.Cut(bytes.ToLower([]byte(n)), []byte("e"))
	if len(exponent) > 6 {
		return nil, fmt.Errorf("the number %.20s is out of range", n)
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok || r.Num().BitLen() > 4*maxExponent || r.Denom().BitLen() > 4*maxExponent {
		return nil, fmt.Errorf("the number %.20s is out of range", n)
	}
	return map[string]string{"number": r.RatString()}, nil
}
