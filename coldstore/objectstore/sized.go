package objectstore

import (
	"errors"
	"io"
)

// errLength says that a body was not as long as PutOptions.Size.
var errLength = errors.New("the body has not the length that was announced")

// Sized returns body, failing at its end when it is not exactly size bytes long;
// 0 means that the size is unknown. Stores read puts through it.
func Sized(body io.Reader, size int64) io.Reader {
	if size == 0 {
		return body
	}
	return &sized{r: body, left: size}
}

type sized struct {
	r    io.Reader
	left int64
}

func (s *sized) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.left -= int64(n)
	if s.left < 0 || err == io.EOF && s.left > 0 {
		return n, errLength
	}
	return n, err
}
