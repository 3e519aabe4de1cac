package bench

import (
	"encoding/binary"
	"io"
)

// copyStream is COPY's binary format as an io.Reader that encodes rows as they are read: one copy between the floats
// in memory and the socket, so that the client takes as little as possible of the cores it shares with the server.
type copyStream struct {
	columns int
	// encode appends row i's fields through appendField and its kind; it is called for 0 .. rows-1.
	encode func(buf []byte, i int) []byte
	rows   int

	next    int
	pending []byte
	buf     []byte
	state   int
}

const (
	copyStart = iota
	copyRows
	copyEnd
)

// copySignature is followed by flags and the length of the header extension, both 0.
const copySignature = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copyBatch is about how many bytes are encoded at a time.
const copyBatch = 64 << 10

func newCopyStream(columns, rows int, encode func(buf []byte, i int) []byte) *copyStream {
	return &copyStream{columns: columns, rows: rows, encode: encode}
}

// Read implements io.Reader.
func (c *copyStream) Read(p []byte) (int, error) {
	if len(c.pending) == 0 && !c.fill() {
		return 0, io.EOF
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

func (c *copyStream) fill() bool {
	c.buf = c.buf[:0]
	switch c.state {
	case copyStart:
		c.buf = append(c.buf, copySignature...)
		c.state = copyRows
	case copyRows:
		for c.next < c.rows && len(c.buf) < copyBatch {
			c.buf = binary.BigEndian.AppendUint16(c.buf, uint16(c.columns))
			c.buf = c.encode(c.buf, c.next)
			c.next++
		}
		if c.next == c.rows {
			c.buf = append(c.buf, 0xff, 0xff) // no more tuples
			c.state = copyEnd
		}
	case copyEnd:
		return false
	}
	c.pending = c.buf
	return true
}

func appendInt8Field(buf []byte, v int64) []byte {
	buf = binary.BigEndian.AppendUint32(buf, 8)
	return binary.BigEndian.AppendUint64(buf, uint64(v))
}

func appendInt4Field(buf []byte, v int32) []byte {
	buf = binary.BigEndian.AppendUint32(buf, 4)
	return binary.BigEndian.AppendUint32(buf, uint32(v))
}

func appendTextField(buf []byte, s string) []byte {
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(s)))
	return append(buf, s...)
}

func appendVectorField(buf []byte, v []float32) []byte {
	buf = binary.BigEndian.AppendUint32(buf, uint32(vectorHeader+4*len(v)))
	return appendVector(buf, v)
}
