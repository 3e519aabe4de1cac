package server

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func specOf(format string) *executor.CopySpec {
	s := &executor.CopySpec{Format: format, Delimiter: '\t', Null: `\N`, Quote: '"', Escape: '"', Table: "items", Columns: copyTestColumns}
	if format == "csv" {
		s.Delimiter, s.Null = ',', ""
	}
	return s
}

// decodeIn decodes data cut into pieces of at most most bytes (0: one piece).
func decodeIn(spec *executor.CopySpec, data []byte, pieces func() int) ([]types.Row, *copyFields, error) {
	d := newCopyDecoder(spec, types.DefaultEnv())
	var rows []types.Row
	row := func(r types.Row) error { rows = append(rows, r); return nil }
	var pending []byte
	for len(data) > 0 {
		n := min(pieces(), len(data))
		pending = append(pending, data[:n]...)
		data = data[n:]
		taken, err := d.decode(pending, false, row)
		if err != nil {
			return rows, fieldsOf(d), inContext(err, d.where())
		}
		pending = pending[taken:]
	}
	_, err := d.decode(pending, true, row)
	if err != nil {
		err = inContext(err, d.where())
	}
	return rows, fieldsOf(d), err
}

func fieldsOf(d copyDecoder) *copyFields {
	switch d := d.(type) {
	case *textDecoder:
		return &d.copyFields
	case *csvDecoder:
		return &d.copyFields
	case *binaryDecoder:
		return &d.copyFields
	}
	return nil
}

func whole() int { return 1 << 30 }

func TestCopyDecodesTextAndCSV(t *testing.T) {
	row := func(d ...types.Datum) types.Row { return d }
	for _, tc := range []struct {
		name, format, data string
		change             func(*executor.CopySpec)
		want               []types.Row
	}{
		{"plain", "text", "1\tx\t[1]\n2\ty\t[2]\n", nil, []types.Row{row(int64(1), "x", types.Vector{1}), row(int64(2), "y", types.Vector{2})}},
		{"no last newline", "text", "1\tx\t[1]", nil, []types.Row{row(int64(1), "x", types.Vector{1})}},
		{"carriage returns before newlines", "text", "1\tx\t\\N\r\n2\ty\t\\N\r\n", nil, []types.Row{row(int64(1), "x", nil), row(int64(2), "y", nil)}},
		{"escapes", "text", `1` + "\t" + `a\tb\nc\\d\x41\101\.` + "\t\\N\n", nil, []types.Row{row(int64(1), "a\tb\nc\\dAA.", nil)}},
		{"escaped newline", "text", "1\ta\\\nb\t\\N\n", nil, []types.Row{row(int64(1), "a\nb", nil)}},
		{"end marker", "text", "1\tx\t\\N\n\\.\nrubbish", nil, []types.Row{row(int64(1), "x", nil)}},
		{"header", "text", "a\tb\tc\n1\tx\t\\N\n", func(s *executor.CopySpec) { s.Header = "true" }, []types.Row{row(int64(1), "x", nil)}},
		{"header match", "csv", "id,name,v\n1,x,\n", func(s *executor.CopySpec) { s.Header = "match" }, []types.Row{row(int64(1), "x", nil)}},
		{"csv", "csv", "1,\"a,\"\"b\"\"\",\"[1,2]\"\n2,,\n", nil, []types.Row{row(int64(1), `a,"b"`, types.Vector{1, 2}), row(int64(2), nil, nil)}},
		{"csv quoted empty is no NULL", "csv", "1,\"\",\n", nil, []types.Row{row(int64(1), "", nil)}},
		{"csv newline in quotes", "csv", "1,\"a\nb\",\n2,c,\n", nil, []types.Row{row(int64(1), "a\nb", nil), row(int64(2), "c", nil)}},
		{"csv own escape", "csv", `1,"a\"b\\c",` + "\n", func(s *executor.CopySpec) { s.Escape = '\\' }, []types.Row{row(int64(1), `a"b\c`, nil)}},
		{"csv force null", "csv", "1,\"\",\n", func(s *executor.CopySpec) { s.ForceNull = []bool{false, true, false} }, []types.Row{row(int64(1), nil, nil)}},
		{"csv force not null", "csv", "1,,\n", func(s *executor.CopySpec) { s.ForceValue = []bool{false, true, false} }, []types.Row{row(int64(1), "", nil)}},
		{"default", "text", "1\t\\D\t\\N\n", func(s *executor.CopySpec) { d := `\D`; s.Default = &d }, []types.Row{row(int64(1), copyDefault, nil)}},
	} {
		spec := specOf(tc.format)
		if tc.change != nil {
			tc.change(spec)
		}
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, pieces := range []func() int{whole, func() int { return 1 }, func() int { return 1 + rng.IntN(7) }} {
			got, _, err := decodeIn(spec, []byte(tc.data), pieces)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s (seed %d): got %v, %v, want %v", tc.name, seed, got, err, tc.want)
			}
		}
	}
}

func TestCopyErrorsSayWhere(t *testing.T) {
	for _, tc := range []struct{ name, format, data, code, where string }{
		{"bad value", "text", "1\tx\t[1]\nz\tx\t[1]\n", "22P02", `COPY items, line 2, column id: "z"`},
		{"bad vector", "csv", "1,x,\"[1,\"\n", "22P02", `COPY items, line 1, column v: "[1,"`},
		{"missing", "text", "1\tx\n", "22P04", "COPY items, line 1"},
		{"extra", "text", "1\tx\t\\N\ty\n", "22P04", "COPY items, line 1"},
		{"carriage return", "text", "1\ta\rb\t\\N\n", "22P04", "COPY items, line 1"},
		{"open quote", "csv", "1,\"x\n", "22P04", "COPY items, line 1"},
		{"bad UTF-8", "text", "1\t\xff\t\\N\n", "22021", "COPY items, line 1, column name: \"\xff\""},
		{"signature", "binary", "nothing of the kind", "22P04", "COPY items, line 0"},
		{"field count", "binary", string(copySignature) + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", "22P04", "COPY items, line 1"},
		{"field size", "binary", string(copySignature) + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xfe", "22P04", "COPY items, line 1"},
		{"cut off", "binary", string(copySignature) + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00", "22P04", "COPY items, line 0"},
	} {
		_, _, err := decodeIn(specOf(tc.format), []byte(tc.data), whole)
		e := pgerr.As(err)
		if e == nil || e.Code != tc.code || e.Where != tc.where {
			t.Errorf("%s: %v at %q, want %s at %q", tc.name, err, where(e), tc.code, tc.where)
		}
	}
}

func where(e *pgerr.Error) string {
	if e == nil {
		return ""
	}
	return e.Where
}

func TestWhatCopyWritesItReadsBack(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 2))
	alphabet := []string{"a", "\t", "\n", "\r", "\\", ",", `"`, `\N`, `\.`, "ü", " ", "N", "."}
	for range 300 {
		var rows []types.Row
		for range rng.IntN(5) {
			name := ""
			for range rng.IntN(6) {
				name += alphabet[rng.IntN(len(alphabet))]
			}
			row := types.Row{rng.Int64(), name, types.Vector{rng.Float32(), 1e-30}}
			if rng.IntN(4) == 0 {
				row[rng.IntN(3)] = nil
			}
			rows = append(rows, row)
		}
		for _, format := range []string{"text", "csv", "binary"} {
			data := encodeCopy(t, specOf(format), rows)
			got, _, err := decodeIn(specOf(format), data, func() int { return 1 + rng.IntN(20) })
			if err != nil || len(got) != len(rows) || len(rows) > 0 && !reflect.DeepEqual(got, rows) {
				t.Fatalf("seed %d, %s: got %q, %v, want %q", seed, format, got, err, rows)
			}
		}
	}
}

// encodeCopy returns the bytes that COPY TO sends, without the messages around them.
func encodeCopy(t *testing.T, spec *executor.CopySpec, rows []types.Row) []byte {
	t.Helper()
	w := newFrameWriter(nil)
	e := &copyEncoder{spec: spec, env: types.DefaultEnv()}
	e.begin(w)
	for _, row := range rows {
		if err := e.row(w, row); err != nil {
			t.Fatal(err)
		}
	}
	var out []byte
	for b := w.buf; len(b) > 0; {
		n := int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4])
		out = append(out, b[5:1+n]...)
		b = b[1+n:]
	}
	return out
}

func fuzzCopy(f *testing.F, format string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		one, _, err1 := decodeIn(specOf(format), data, whole)
		cut, _, err2 := decodeIn(specOf(format), data, func() int { return int(piece) + 1 })
		if (err1 == nil) != (err2 == nil) || err1 == nil && len(one) != len(cut) {
			t.Errorf("whole: %d rows, %v; in pieces: %d rows, %v", len(one), err1, len(cut), err2)
		}
	})
}

func FuzzCopyText(f *testing.F) {
	fuzzCopy(f, "text", "1\tx\t[1]\n", "1\ta\\\nb\t\\N\r\n", "\\.\n", "\\", "1\t\\x4\t\\N")
}

func FuzzCopyCSV(f *testing.F) {
	fuzzCopy(f, "csv", "1,\"a\nb\",\n", "1,,\r\n", "\"", "1,\"\"\"\",\n", "\\.\n")
}

func FuzzCopyBinary(f *testing.F) {
	head := string(copySignature) + "\x00\x00\x00\x00\x00\x00\x00\x00"
	fuzzCopy(f, "binary", head+"\xff\xff", head+"\x00\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", head[:5])
}
