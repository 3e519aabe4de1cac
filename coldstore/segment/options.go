package segment

import (
	"strings"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/apache/arrow/go/v17/parquet/compress"
)

// Compression is how pages are compressed; those of vectors never are, because
// it gains nothing on their bytes (0.97 to 1.0 with zstd).
type Compression string

// The choices.
const (
	None   Compression = "none"
	Snappy Compression = "snappy"
	Zstd   Compression = "zstd"
)

var codecs = map[Compression]compress.Compression{
	None:   compress.Codecs.Uncompressed,
	Snappy: compress.Codecs.Snappy,
	Zstd:   compress.Codecs.Zstd,
}

// ParseCompression reads a setting.
func ParseCompression(s string) (Compression, error) {
	c := Compression(strings.ToLower(s))
	if _, ok := codecs[c]; !ok {
		return "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid compression \"%s\"", s).
			WithHint("Available values: none, snappy, zstd.")
	}
	return c, nil
}

// Options of a segment that is written.
type Options struct {
	// Compression of everything but vectors; zstd by default.
	Compression Compression
	// GroupBytes is the size, uncompressed, at which a row group is cut; at the
	// end of a cell it is cut from half of that on. It is what a reader fetches at
	// least. 1 MiB by default: at 512 dimensions a range read of 1 MiB takes about
	// as long as the round trip before it, and a row's group costs 512 rows.
	GroupBytes int
	// Dimension and Metric go into the metadata; Dimension 0 takes that of the
	// first vector column.
	Dimension int
	Metric    types.Metric
	// CreatedAt goes into the metadata; the zero time means now.
	CreatedAt time.Time
	// Base resolves a domain to the type that its values have; nil has no domains.
	Base func(types.OID) types.OID
	// Users knows the labels of enums, which other tools read; without it they see
	// numbers. AkiDB itself reads the same either way.
	Users types.UserTypes
}

const defaultGroupBytes = 1 << 20

func (o Options) withDefaults() (Options, error) {
	if o.Compression == "" {
		o.Compression = Zstd
	}
	if o.GroupBytes <= 0 {
		o.GroupBytes = defaultGroupBytes
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = time.Now()
	}
	_, err := ParseCompression(string(o.Compression))
	return o, err
}
