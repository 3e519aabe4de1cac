package executor

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"os"

	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/types"
)

// keptRows are rows read ahead: in memory up to work_mem, the rest in a
// temporary file. They can be read again from the start (scroll cursors).
type keptRows struct {
	columns []ResultColumn
	memory  []types.Row
	file    *os.File
	reader  *bufio.Reader
	inFile  int64 // rows in the file
	at      int64 // rows given
	row     types.Row
	buf     []byte
	name    string
	err     error // what ended the reading
}

// keepRows reads src to its end and closes it. What it returns is never nil.
func keepRows(ctx context.Context, src rowSource, env run.Env, columns []ResultColumn) (*keptRows, error) {
	k := &keptRows{columns: columns, row: make(types.Row, len(columns))}
	err := k.fill(ctx, src, env)
	k.name = src.tag()
	if end := src.close(); err == nil {
		err = end
	}
	return k, err
}

func (k *keptRows) fill(ctx context.Context, src rowSource, env run.Env) error {
	used := int64(0)
	var out *bufio.Writer
	for {
		row, err := src.next(ctx)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if out == nil && used < env.WorkMem {
			k.memory = append(k.memory, append(types.Row(nil), row[:len(k.columns)]...))
			used += rowBytes(row)
			continue
		}
		if out == nil {
			if out, err = k.openFile(env.TempDir); err != nil {
				return err
			}
		}
		if err := k.write(out, row); err != nil {
			return err
		}
	}
	if out == nil {
		return nil
	}
	return out.Flush()
}

// openFile makes the temporary file and takes its name away at once.
func (k *keptRows) openFile(dir string) (*bufio.Writer, error) {
	f, err := os.CreateTemp(dir, "rows-*")
	if err != nil {
		return nil, err
	}
	k.file = f
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	return bufio.NewWriterSize(f, 1<<16), nil
}

func (k *keptRows) write(out *bufio.Writer, row types.Row) error {
	buf := k.buf[:0]
	for i := range k.columns {
		if row[i] == nil {
			buf = binary.AppendUvarint(buf, 0)
			continue
		}
		value, err := types.Encode(nil, k.columns[i].Type, row[i])
		if err != nil {
			return err
		}
		buf = binary.AppendUvarint(buf, uint64(len(value))+1)
		buf = append(buf, value...)
	}
	k.buf = buf
	k.inFile++
	_, err := out.Write(buf)
	return err
}

// next returns the next row, then what ended the reading.
func (k *keptRows) next(context.Context) (types.Row, error) {
	if k.at < int64(len(k.memory)) {
		k.at++
		return k.memory[k.at-1], nil
	}
	if k.at < int64(len(k.memory))+k.inFile {
		k.at++
		return k.read()
	}
	return nil, k.err
}

func (k *keptRows) read() (types.Row, error) {
	if k.reader == nil {
		if _, err := k.file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		k.reader = bufio.NewReaderSize(k.file, 1<<16)
	}
	for i := range k.columns {
		n, err := binary.ReadUvarint(k.reader)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			k.row[i] = nil
			continue
		}
		value := make([]byte, n-1)
		if _, err := io.ReadFull(k.reader, value); err != nil {
			return nil, err
		}
		if k.row[i], err = types.Decode(k.columns[i].Type, value); err != nil {
			return nil, err
		}
	}
	return k.row, nil
}

// rewind goes back to the first row.
func (k *keptRows) rewind() { k.at, k.reader = 0, nil }

func (k *keptRows) tag() string { return k.name }

func (k *keptRows) close() error {
	k.memory = nil
	if k.file == nil {
		return nil
	}
	f := k.file
	k.file, k.inFile = nil, 0
	return f.Close()
}

// rowBytes estimates the memory of a row.
func rowBytes(row types.Row) int64 {
	n := int64(24)
	for _, d := range row {
		n += 16 + datumBytes(d)
	}
	return n
}

func datumBytes(d types.Datum) int64 {
	switch v := d.(type) {
	case string:
		return int64(len(v))
	case types.JSONB:
		return int64(len(v))
	case []byte:
		return int64(len(v))
	case types.Vector:
		return int64(4 * len(v))
	case types.HalfVector:
		return int64(2 * len(v))
	case types.SparseVector:
		return int64(8 * len(v.Index))
	case *types.Array:
		return rowBytes(v.Elems)
	default:
		return 16
	}
}
