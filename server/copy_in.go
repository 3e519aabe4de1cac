package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Rows of a COPY are handed on in batches of so many rows or bytes of input.
const (
	copyBatchRows  = 1000
	copyBatchBytes = 4 << 20
	// maxCopyLine bounds one row, as PostgreSQL's string buffer does.
	maxCopyLine = 1<<30 - 1
)

// copyDecoder makes rows of COPY data. Data may be cut anywhere.
type copyDecoder interface {
	// decode takes what it can of data and returns how much; with last set there
	// is no more. row is called for each row and may keep it.
	decode(data []byte, last bool, row func(types.Row) error) (int, error)
	// where says where in the data the decoder is, for error contexts.
	where() string
}

// copyIn takes the rows of COPY … FROM STDIN.
func (c *client) copyIn(p executor.Portal) error {
	spec := p.Copy()
	in, err := p.CopyIn(c.ctx)
	if err != nil {
		return err
	}
	c.beginCopy('G', spec)
	c.out.flush()
	c.clearDeadline()
	load := &copyLoad{client: c, in: in, decoder: newCopyDecoder(spec, c.session.Env())}
	if err := load.run(); err != nil {
		in.Abort(err)
		return err
	}
	if err := in.Finish(c.ctx); err != nil {
		in.Abort(err)
		return err
	}
	return nil
}

// beginCopy writes CopyInResponse (G) or CopyOutResponse (H).
func (c *client) beginCopy(typ byte, spec *executor.CopySpec) {
	format := byte(0)
	if spec.Format == "binary" {
		format = 1
	}
	c.out.begin(typ)
	c.out.byte(format)
	c.out.int16(int16(len(spec.Columns)))
	for range spec.Columns {
		c.out.int16(int16(format))
	}
	c.out.end()
}

// clearDeadline lets the client take its time inside a COPY.
func (c *client) clearDeadline() {
	if c.deadline {
		c.deadline = false
		_ = c.Conn.SetReadDeadline(time.Time{}) // fails only when closed
	}
	if c.ending.Load() {
		c.terminate()
	}
}

func newCopyDecoder(spec *executor.CopySpec, env *types.Env) copyDecoder {
	fields := copyFields{spec: spec, env: env}
	switch spec.Format {
	case "binary":
		return &binaryDecoder{copyFields: fields}
	case "csv":
		return &csvDecoder{copyFields: fields}
	default:
		return &textDecoder{copyFields: fields}
	}
}

// copyLoad is one COPY FROM STDIN under way.
type copyLoad struct {
	client  *client
	in      executor.CopyIn
	decoder copyDecoder
	pending []byte // data that was not decoded yet
	rows    []types.Row
	bytes   int
}

func (l *copyLoad) run() error {
	for {
		typ, b, err := l.client.in.next()
		if err != nil {
			if l.client.ending.Load() {
				return errShutdown
			}
			return errQuit
		}
		switch typ {
		case 'd':
			err = l.take(b)
		case 'c':
			return l.last()
		case 'f':
			m := &body{b: b}
			return pgerr.Newf(pgerr.QueryCanceled, "COPY from stdin failed: %s", m.string())
		case 'H', 'S':
			// A client may flush or sync in the midst of a COPY.
		case 'X':
			return errQuit
		default:
			return pgerr.Newf(pgerr.ProtocolViolation, "unexpected message type 0x%02X during COPY from stdin", typ)
		}
		if err != nil {
			return err
		}
	}
}

// take decodes a CopyData message; what is left of it waits for the next.
func (l *copyLoad) take(b []byte) error {
	l.bytes += len(b)
	data := b
	if len(l.pending) > 0 {
		l.pending = append(l.pending, b...)
		data = l.pending
	}
	n, err := l.decode(data, false)
	if err != nil {
		return err
	}
	rest := data[n:]
	if len(rest) > maxCopyLine {
		return pgerr.New(pgerr.ProgramLimitExceeded, "a row of COPY data is larger than 1 GB")
	}
	l.pending = append(l.pending[:0], rest...)
	if cap(l.pending) > copyBatchBytes && len(rest) < keptBuffer {
		l.pending = append([]byte(nil), rest...)
	}
	return nil
}

func (l *copyLoad) last() error {
	if _, err := l.decode(l.pending, true); err != nil {
		return err
	}
	return l.write()
}

func (l *copyLoad) decode(data []byte, last bool) (int, error) {
	n, err := l.decoder.decode(data, last, l.add)
	if err != nil && !errors.Is(err, errQuit) {
		err = inContext(err, l.decoder.where())
	}
	return n, err
}

func (l *copyLoad) add(row types.Row) error {
	l.rows = append(l.rows, row)
	if len(l.rows) < copyBatchRows && l.bytes < copyBatchBytes {
		return nil
	}
	return l.write()
}

func (l *copyLoad) write() error {
	if len(l.rows) == 0 {
		return nil
	}
	err := l.in.Write(l.client.ctx, l.rows)
	l.rows, l.bytes = make([]types.Row, 0, len(l.rows)), 0
	return err
}

// inContext adds where in the data an error was found, unless it says so.
func inContext(err error, where string) error {
	e := pgerr.As(err)
	if e == nil || e.Where != "" {
		return err
	}
	placed := *e
	placed.Where = where
	return &placed
}

// copyFields is what the decoders share: the columns and where they are.
type copyFields struct {
	spec *executor.CopySpec
	env  *types.Env
	line int
	// column is the name of the column being read, "" between; value its text.
	column string
	value  string
	done   bool // the end marker has come
}

// maxContextValue is how much of a bad value an error context shows.
const maxContextValue = 100

func (f *copyFields) where() string {
	s := fmt.Sprintf("COPY %s, line %d", f.spec.Table, f.line)
	if f.column == "" {
		return s
	}
	s += ", column " + f.column
	v := f.value
	if v == "" {
		return s
	}
	if len(v) > maxContextValue {
		v = v[:maxContextValue] + "..."
	}
	return s + `: "` + v + `"`
}

// parse reads one value in text form.
func (f *copyFields) parse(i int, text string) (types.Datum, error) {
	col := &f.spec.Columns[i]
	f.column, f.value = col.Name, text
	if err := checkText(text); err != nil {
		return nil, err
	}
	d, err := types.Parse(col.Type, types.NoTypmod, text, f.env)
	if err == nil && col.Typmod != types.NoTypmod {
		d, err = types.ApplyTypmod(col.Type, col.Typmod, d, false)
	}
	if err != nil {
		return nil, err
	}
	f.column, f.value = "", ""
	return d, nil
}

// checkWidth complains when a line has not as many values as there are columns.
func (f *copyFields) checkWidth(n int) error {
	cols := f.spec.Columns
	if n < len(cols) {
		return pgerr.Newf(pgerr.BadCopyFileFormat, "missing data for column %q", cols[n].Name)
	}
	if n > len(cols) {
		return pgerr.New(pgerr.BadCopyFileFormat, "extra data after last expected column")
	}
	return nil
}

// header says whether the present line is the header line; with HEADER MATCH its
// names must be the columns'.
func (f *copyFields) header(names func() []string) (bool, error) {
	if f.line != 1 || f.spec.Header == "" {
		return false, nil
	}
	if f.spec.Header != "match" {
		return true, nil
	}
	got := names()
	if len(got) != len(f.spec.Columns) {
		return true, pgerr.Newf(pgerr.BadCopyFileFormat, "wrong number of fields in header line: got %d, expected %d", len(got), len(f.spec.Columns))
	}
	for i, name := range got {
		if want := f.spec.Columns[i].Name; name != want {
			return true, pgerr.Newf(pgerr.BadCopyFileFormat, "column name mismatch in header line field %d: got %q, expected %q", i+1, name, want)
		}
	}
	return true, nil
}
