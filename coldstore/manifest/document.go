package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/akidb/akidb/internal/pgerr"
)

// formatVersion is that of all documents; maxDocument bounds what is read.
const (
	formatVersion = 1
	maxDocument   = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// envelope is how every document lies in the store: the checksum is of the bytes
// of body as they stand.
type envelope struct {
	Kind   string          `json:"kind"`
	Format int             `json:"format"`
	CRC    string          `json:"crc32c"`
	Body   json.RawMessage `json:"body"`
}

func encode(kind string, body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encoding a %s: %w", kind, err)
	}
	e := envelope{kind, formatVersion, fmt.Sprintf("%08x", crc32.Checksum(raw, castagnoli)), raw}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // the body's bytes must stay what they are
	err = enc.Encode(e)
	return out.Bytes(), err
}

// decode reads a document of a kind into body.
func decode(kind, key string, data []byte, body any) error {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return damaged(kind, key, "It is not the JSON that was written: %v.", err)
	}
	if e.Kind != kind {
		return damaged(kind, key, "It is a \"%s\".", e.Kind)
	}
	if e.Format != formatVersion {
		return damaged(kind, key, "It has format %d, and this server reads format %d.", e.Format, formatVersion)
	}
	sum, err := strconv.ParseUint(e.CRC, 16, 32)
	if err != nil || len(e.CRC) != 8 || uint32(sum) != crc32.Checksum(e.Body, castagnoli) {
		return damaged(kind, key, "Its checksum does not match.")
	}
	if err := json.Unmarshal(e.Body, body); err != nil {
		return damaged(kind, key, "%v.", err)
	}
	return nil
}

func damaged(kind, key, format string, args ...any) error {
	return pgerr.Newf(pgerr.DataCorrupted, "%s \"%s\" is damaged", kind, key).
		WithDetail(format, args...).
		WithHint("Restore the object from a copy, or the collection from a snapshot.")
}
