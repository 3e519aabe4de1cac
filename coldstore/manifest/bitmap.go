package manifest

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

var errTombstones = errors.New("the tombstones are not a bitmap")

// readBitmap reads roaring's portable 64-bit form. What claims more parts than it
// has bytes for is refused before the library allocates them.
func readBitmap(b []byte) (*roaring64.Bitmap, error) {
	const leastPart = 12 // a key of four bytes and an empty 32-bit bitmap
	if len(b) < 8 || binary.LittleEndian.Uint64(b) > uint64(len(b)-8)/leastPart {
		return nil, errTombstones
	}
	set := roaring64.New()
	n, err := set.ReadFrom(bytes.NewReader(b))
	if err != nil || n != int64(len(b)) {
		return nil, errTombstones
	}
	if err := set.Validate(); err != nil {
		return nil, errTombstones
	}
	return set, nil
}
