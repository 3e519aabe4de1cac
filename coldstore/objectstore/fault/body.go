package fault

import (
	"io"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// bend makes the effect's changes to a body.
func (e Effect) bend(r io.Reader, key string) io.Reader {
	if e.Body == nil {
		return r
	}
	b := Body{End: -1, Flip: -1}
	e.Body(&b)
	return &bent{r: r, Body: b, key: key}
}

type bent struct {
	Body
	r   io.Reader
	at  int64
	key string
}

func (b *bent) Read(p []byte) (int, error) {
	if b.End >= 0 && b.at >= b.End {
		return 0, b.end()
	}
	if b.End >= 0 {
		p = p[:min(int64(len(p)), b.End-b.at)]
	}
	n, err := b.r.Read(p)
	if i := b.Flip - b.at; b.Flip >= 0 && i >= 0 && i < int64(n) {
		p[i] ^= 0x10
	}
	b.at += int64(n)
	return n, err
}

func (b *bent) end() error {
	if b.Err == nil {
		return io.EOF
	}
	return &objectstore.Error{Class: objectstore.Unavailable, Op: objectstore.OpGet, Place: place, Key: b.key, Err: b.Err}
}
