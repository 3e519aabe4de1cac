package segment

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// FuzzIndex gives the decoder index parts whose checksums hold, so that it is
// its own checks that are tested.
func FuzzIndex(f *testing.F) {
	table, rows := vectorRows(24, 4, 8, rand.New(rand.NewPCG(1, 8)))
	s := newStore(f)
	sum := write(f, s, "a.parquet", table, rows, Options{GroupBytes: 256})
	r := open(f, s, sum)
	data := objectBytes(f, s, sum.Key)
	f.Add(data[r.x.offset : r.x.offset+r.x.length])
	f.Fuzz(func(_ *testing.T, part []byte) {
		if len(part) >= headerBytes+trailerBytes {
			part = append([]byte(nil), part...)
			binary.LittleEndian.PutUint64(part[40:], uint64(len(part)))
			binary.LittleEndian.PutUint32(part[60:], crc32.Checksum(part[headerBytes:], castagnoli))
			binary.LittleEndian.PutUint32(part[92:], crc32.Checksum(part[:92], castagnoli))
		}
		x, err := decodeIndex(part)
		if err != nil {
			return
		}
		x.ids.find(17)
		x.ids.all()
	})
}

// FuzzOpen gives whole objects, as they come from a store.
func FuzzOpen(f *testing.F) {
	table, rows := vectorRows(24, 4, 8, rand.New(rand.NewPCG(1, 9)))
	s := newStore(f)
	sum := write(f, s, "a.parquet", table, rows, Options{GroupBytes: 256})
	f.Add(objectBytes(f, s, sum.Key))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if r, err := Open(context.Background(), bytesStore(data), "k", OpenOptions{}); err == nil {
			_ = Verify(context.Background(), bytesStore(data), Summary{Key: "k", Rows: r.Rows(), Bytes: r.Bytes()})
		}
	})
}
