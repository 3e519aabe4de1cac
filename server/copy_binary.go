package server

import (
	"bytes"
	"encoding/binary"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// copySignature begins binary COPY data; flags and the header's extension follow.
var copySignature = []byte("PGCOPY\n\xff\r\n\x00")

// binaryDecoder reads COPY's binary format.
type binaryDecoder struct {
	copyFields
	started bool
}

func (d *binaryDecoder) decode(data []byte, last bool, row func(types.Row) error) (int, error) {
	taken := 0
	if !d.started {
		n, err := d.readHeader(data, last)
		if err != nil || n == 0 {
			return 0, err
		}
		d.started = true
		taken = n
	}
	for !d.done {
		n, whole, err := d.tuple(data[taken:])
		if err != nil {
			return taken, err
		}
		if !whole {
			break
		}
		if !d.done {
			if err := d.readTuple(data[taken:taken+n], row); err != nil {
				return taken, err
			}
		}
		taken += n
	}
	switch {
	case d.done && taken < len(data):
		return taken, pgerr.New(pgerr.BadCopyFileFormat, "received copy data after EOF marker")
	case last && !d.done && taken < len(data):
		return taken, errCopyEOF()
	}
	return taken, nil
}

func errCopyEOF() error { return pgerr.New(pgerr.BadCopyFileFormat, "unexpected EOF in COPY data") }

// readHeader returns the header's length, 0 when it is not there yet.
func (d *binaryDecoder) readHeader(b []byte, last bool) (int, error) {
	n := min(len(b), len(copySignature))
	if !bytes.Equal(b[:n], copySignature[:n]) || last && n < len(copySignature) {
		return 0, pgerr.New(pgerr.BadCopyFileFormat, "COPY file signature not recognized")
	}
	fixed := len(copySignature) + 8
	if len(b) < fixed {
		if last {
			return 0, pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (missing flags)")
		}
		return 0, nil
	}
	if flags := binary.BigEndian.Uint32(b[len(copySignature):]); flags>>16 != 0 {
		return 0, pgerr.New(pgerr.BadCopyFileFormat, "unrecognized critical flags in COPY file header")
	}
	ext := binary.BigEndian.Uint32(b[len(copySignature)+4:])
	if ext > keptBuffer {
		return 0, pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (wrong length)")
	}
	if len(b) < fixed+int(ext) {
		if last {
			return 0, pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (wrong length)")
		}
		return 0, nil
	}
	return fixed + int(ext), nil
}

// tuple says how long the first tuple is, if it is there as a whole. At the
// trailer it sets done.
func (d *binaryDecoder) tuple(b []byte) (int, bool, error) {
	if len(b) < 2 {
		return 0, false, nil
	}
	fields := int(int16(binary.BigEndian.Uint16(b)))
	if fields == -1 {
		d.done = true
		return 2, true, nil
	}
	if fields != len(d.spec.Columns) {
		d.line++
		d.column = ""
		return 0, false, pgerr.Newf(pgerr.BadCopyFileFormat, "row field count is %d, expected %d", fields, len(d.spec.Columns))
	}
	at := 2
	for range fields {
		if len(b)-at < 4 {
			return 0, false, nil
		}
		size := int(int32(binary.BigEndian.Uint32(b[at:])))
		at += 4
		if size < -1 {
			d.line++
			return 0, false, pgerr.New(pgerr.BadCopyFileFormat, "invalid field size")
		}
		at += max(size, 0)
		if at > len(b) {
			return 0, false, nil
		}
	}
	return at, true, nil
}

func (d *binaryDecoder) readTuple(b []byte, row func(types.Row) error) error {
	d.line++
	out := make(types.Row, len(d.spec.Columns))
	at := 2
	for i := range out {
		size := int(int32(binary.BigEndian.Uint32(b[at:])))
		at += 4
		if size < 0 {
			continue
		}
		var err error
		if out[i], err = d.readValue(i, b[at:at+size]); err != nil {
			return err
		}
		at += size
	}
	return row(out)
}

func (d *binaryDecoder) readValue(i int, raw []byte) (types.Datum, error) {
	col := &d.spec.Columns[i]
	d.column, d.value = col.Name, ""
	v, err := types.Decode(col.Type, raw)
	if err == nil && col.Typmod != types.NoTypmod {
		v, err = types.ApplyTypmod(col.Type, col.Typmod, v, false)
	}
	if err != nil {
		return nil, err
	}
	d.column = ""
	return v, nil
}
