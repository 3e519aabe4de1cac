package server

import (
	"encoding/binary"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// copyDefault is what a row holds where the data says DEFAULT.
var copyDefault types.Datum = executor.CopyDefault{}

// copyOut writes the rows of COPY … TO STDOUT, a message a row.
func (c *client) copyOut(p executor.Portal) error {
	spec := p.Copy()
	row, err := p.Next(c.ctx) // an error before the first row leaves no COPY open
	if err != nil {
		return err
	}
	c.beginCopy('H', spec)
	enc := &copyEncoder{spec: spec, env: c.session.Env()}
	enc.begin(c.out)
	for ; row != nil; row, err = p.Next(c.ctx) {
		if err := enc.row(c.out, row); err != nil {
			return err
		}
		if c.out.err != nil {
			return errQuit
		}
	}
	if err != nil {
		return err
	}
	if spec.Format == "binary" {
		c.out.begin('d')
		c.out.int16(-1)
		c.out.end()
	}
	c.out.empty('c')
	return nil
}

// copyEncoder writes rows as CopyData messages.
type copyEncoder struct {
	spec  *executor.CopySpec
	env   *types.Env
	value []byte
}

// begin writes what stands before the rows.
func (e *copyEncoder) begin(w *frameWriter) {
	switch {
	case e.spec.Format == "binary":
		w.begin('d')
		w.bytes(copySignature)
		w.int32(0)
		w.int32(0)
		w.end()
	case e.spec.Header != "":
		w.begin('d')
		for i := range e.spec.Columns {
			e.separate(w, i)
			e.text(w, []byte(e.spec.Columns[i].Name), false)
		}
		w.byte('\n')
		w.end()
	}
}

func (e *copyEncoder) row(w *frameWriter, row types.Row) error {
	w.begin('d')
	var err error
	if e.spec.Format == "binary" {
		err = e.binaryRow(w, row)
	} else {
		e.textRow(w, row)
	}
	if err == nil && len(w.buf)-w.start > maxRow {
		err = pgerr.New(pgerr.ProgramLimitExceeded, "row is too large for the protocol")
	}
	if err != nil {
		w.drop()
		return err
	}
	w.end()
	return nil
}

func (e *copyEncoder) binaryRow(w *frameWriter, row types.Row) error {
	w.int16(int16(len(e.spec.Columns)))
	for i := range e.spec.Columns {
		if row[i] == nil {
			w.int32(-1)
			continue
		}
		at := len(w.buf)
		w.int32(0)
		b, err := types.EncodeWire(w.buf, wireType(e.spec.Columns[i].Type), row[i], e.env)
		if err != nil {
			return err
		}
		w.buf = b
		binary.BigEndian.PutUint32(w.buf[at:], uint32(len(w.buf)-at-4))
	}
	return nil
}

func (e *copyEncoder) textRow(w *frameWriter, row types.Row) {
	for i := range e.spec.Columns {
		e.separate(w, i)
		if row[i] == nil {
			w.bytes([]byte(e.spec.Null))
			continue
		}
		e.value = types.Format(e.value[:0], wireType(e.spec.Columns[i].Type), row[i], e.env)
		e.text(w, e.value, optionOf(e.spec.ForceQuote, i))
	}
	w.byte('\n')
}

func (e *copyEncoder) separate(w *frameWriter, i int) {
	if i > 0 {
		w.byte(e.spec.Delimiter)
	}
}

func (e *copyEncoder) text(w *frameWriter, value []byte, force bool) {
	if e.spec.Format == "csv" {
		w.buf = appendCSV(w.buf, value, e.spec, force)
		return
	}
	w.buf = appendText(w.buf, value, e.spec.Delimiter)
}
