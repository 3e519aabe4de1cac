package server

import (
	"encoding/binary"
	"io"

	"github.com/akidb/akidb/internal/pgerr"
)

// Sizes of buffers and the longest message that is taken, PostgreSQL's own limit.
const (
	readBufferSize  = 64 << 10
	writeBufferSize = 64 << 10
	maxMessageSize  = 1<<30 - 1
	// keptBuffer is the size above which a buffer is given back after a large message.
	keptBuffer = 1 << 20
)

// frameReader splits a byte stream into messages. A timeout of the connection
// loses nothing: the next call goes on where it stopped.
type frameReader struct {
	src  io.Reader
	buf  []byte // buf[r:w] is read but not consumed
	r, w int
}

func newFrameReader(src io.Reader) *frameReader {
	return &frameReader{src: src, buf: make([]byte, readBufferSize)}
}

// buffered says whether a whole message is there already.
func (f *frameReader) buffered() bool {
	if f.w-f.r < 5 {
		return false
	}
	n := int(binary.BigEndian.Uint32(f.buf[f.r+1:]))
	return n <= maxMessageSize && f.w-f.r >= 1+n
}

// next returns a message's type and body; the body is valid until the next call.
func (f *frameReader) next() (byte, []byte, error) {
	if err := f.need(5); err != nil {
		return 0, nil, err
	}
	n := int(int32(binary.BigEndian.Uint32(f.buf[f.r+1:])))
	if n < 4 || n > maxMessageSize {
		return 0, nil, pgerr.Newf(pgerr.ProtocolViolation, "invalid message length %d", n)
	}
	if err := f.need(1 + n); err != nil {
		return 0, nil, err
	}
	typ, body := f.buf[f.r], f.buf[f.r+5:f.r+1+n]
	f.r += 1 + n
	return typ, body, nil
}

// need reads until n bytes are there. The buffer doubles as bytes arrive, so
// that a length without bytes behind it costs nothing.
func (f *frameReader) need(n int) error {
	for f.w-f.r < n {
		if f.r == f.w {
			f.r, f.w = 0, 0
			if len(f.buf) > keptBuffer && n < readBufferSize {
				f.buf = make([]byte, readBufferSize)
			}
		}
		if f.w == len(f.buf) {
			f.makeRoom(n)
		}
		m, err := f.src.Read(f.buf[f.w:])
		f.w += m
		if f.w-f.r >= n {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *frameReader) makeRoom(n int) {
	if f.r > 0 && f.w-f.r < len(f.buf)/2 {
		copy(f.buf, f.buf[f.r:f.w])
	} else {
		grown := make([]byte, min(2*len(f.buf), max(n, readBufferSize)+readBufferSize))
		copy(grown, f.buf[f.r:f.w])
		f.buf = grown
	}
	f.w -= f.r
	f.r = 0
}

// body reads the fields of a message; after the first that is missing, bad is set.
type body struct {
	b   []byte
	bad bool
}

func (m *body) int16() int16 {
	if len(m.b) < 2 {
		m.bad = true
		return 0
	}
	v := int16(binary.BigEndian.Uint16(m.b))
	m.b = m.b[2:]
	return v
}

func (m *body) int32() int32 {
	if len(m.b) < 4 {
		m.bad = true
		return 0
	}
	v := int32(binary.BigEndian.Uint32(m.b))
	m.b = m.b[4:]
	return v
}

func (m *body) byte() byte {
	if len(m.b) < 1 {
		m.bad = true
		return 0
	}
	v := m.b[0]
	m.b = m.b[1:]
	return v
}

// string reads up to a NUL byte.
func (m *body) string() string {
	for i, c := range m.b {
		if c == 0 {
			s := string(m.b[:i])
			m.b = m.b[i+1:]
			return s
		}
	}
	m.bad = true
	return ""
}

func (m *body) bytes(n int) []byte {
	if n < 0 || n > len(m.b) {
		m.bad = true
		return nil
	}
	v := m.b[:n:n]
	m.b = m.b[n:]
	return v
}

// end says whether the message had exactly the fields that were read.
func (m *body) end(name string) error {
	if m.bad || len(m.b) > 0 {
		return pgerr.New(pgerr.ProtocolViolation, "invalid message format").WithDetail("Message %s.", name)
	}
	return nil
}

// frameWriter gathers messages and writes them when asked, or when there are many.
type frameWriter struct {
	dst   io.Writer
	buf   []byte
	start int // of the message being written
	err   error
}

func newFrameWriter(dst io.Writer) *frameWriter {
	return &frameWriter{dst: dst, buf: make([]byte, 0, writeBufferSize)}
}

func (w *frameWriter) begin(typ byte) {
	w.start = len(w.buf)
	w.buf = append(w.buf, typ, 0, 0, 0, 0)
}

// end completes the message and writes when the buffer is full.
func (w *frameWriter) end() {
	binary.BigEndian.PutUint32(w.buf[w.start+1:], uint32(len(w.buf)-w.start-1))
	if len(w.buf) >= writeBufferSize {
		w.flush()
	}
}

// drop forgets the message being written.
func (w *frameWriter) drop() { w.buf = w.buf[:w.start] }

// flush writes what has been gathered; after an error all is dropped.
func (w *frameWriter) flush() {
	if len(w.buf) > 0 && w.err == nil {
		_, w.err = w.dst.Write(w.buf)
	}
	if cap(w.buf) > keptBuffer {
		w.buf = make([]byte, 0, writeBufferSize)
	}
	w.buf = w.buf[:0]
}

func (w *frameWriter) byte(b byte)     { w.buf = append(w.buf, b) }
func (w *frameWriter) int16(v int16)   { w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(v)) }
func (w *frameWriter) int32(v int32)   { w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(v)) }
func (w *frameWriter) string(s string) { w.buf = append(append(w.buf, s...), 0) }
func (w *frameWriter) bytes(b []byte)  { w.buf = append(w.buf, b...) }

// empty writes a message without a body.
func (w *frameWriter) empty(typ byte) {
	w.begin(typ)
	w.end()
}
