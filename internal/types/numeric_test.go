package types

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/akidb/akidb/internal/pgerr"
)

// goldenLines reads a file of lines "a|b|…", written from a real server.
func goldenLines(t *testing.T, file string) [][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for _, line := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.Split(line, "|"))
		}
	}
	return out
}

// outcome is a value's text or an error as the golden files write it.
func outcome(text func() string, err error) string {
	if err == nil {
		return text()
	}
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return "!" + err.Error()
	}
	s := "!" + e.Code + " " + e.Message
	if e.Detail != "" {
		s += " DETAIL " + e.Detail
	}
	return s
}

func numericOp(op string, a, b *Numeric, bText string) (Datum, OID, error) {
	binary := map[string]func(a, b *Numeric) (*Numeric, error){
		"add": NumericAdd, "sub": NumericSub, "mul": NumericMul, "div": NumericDiv,
		"mod": NumericMod, "power": NumericPower, "log": NumericLog,
	}
	unary := map[string]func(a *Numeric) (*Numeric, error){"sqrt": NumericSqrt, "exp": NumericExp, "ln": NumericLn}
	if f := binary[op]; f != nil {
		d, err := f(a, b)
		return d, NumericOID, err
	}
	if f := unary[op]; f != nil {
		d, err := f(a)
		return d, NumericOID, err
	}
	switch op {
	case "ceil":
		return NumericCeil(a), NumericOID, nil
	case "floor":
		return NumericFloor(a), NumericOID, nil
	case "int8":
		v, err := NumericToInt64(a)
		return v, Int8OID, err
	case "float8":
		v, err := NumericToFloat64(a)
		return v, Float8OID, err
	case "round", "trunc":
		n, err := strconv.Atoi(bText)
		if err != nil {
			return nil, 0, err
		}
		if op == "round" {
			return NumericRound(a, int32(n)), NumericOID, nil
		}
		return NumericTrunc(a, int32(n)), NumericOID, nil
	case "typmod":
		typmod, err := TypmodIn(NumericOID, strings.Split(bText, ","))
		if err != nil {
			return nil, 0, err
		}
		d, err := ApplyTypmod(NumericOID, typmod, a, true)
		return d, NumericOID, err
	}
	return nil, 0, fmt.Errorf("unknown operation %s", op)
}

func TestNumericAgreesWithPostgreSQL(t *testing.T) {
	for _, f := range goldenLines(t, "numeric.txt") {
		op, x, y, want := f[0], f[1], f[2], f[3]
		if op == "parse" || op == "fromfloat8" || op == "fromfloat4" {
			continue
		}
		a, err := ParseNumeric(x)
		if err != nil {
			t.Fatal(err)
		}
		b := NumericFromInt64(0)
		if y != "" && op != "typmod" {
			if b, err = ParseNumeric(y); err != nil {
				t.Fatal(err)
			}
		}
		d, oid, err := numericOp(op, a, b, y)
		got := outcome(func() string { return FormatString(oid, d, nil) }, err)
		if got != want {
			t.Errorf("%s(%s, %s)\n got %s\nwant %s", op, x, y, got, want)
		}
	}
}

func TestNumericInputAgreesWithPostgreSQL(t *testing.T) {
	for _, f := range goldenLines(t, "numeric.txt") {
		var d *Numeric
		var err error
		switch f[0] {
		case "parse":
			d, err = ParseNumeric(f[1])
		case "fromfloat8", "fromfloat4":
			v, e := strconv.ParseFloat(f[1], 64)
			if e != nil {
				t.Fatal(e)
			}
			d = NumericFromFloat64(v)
			if f[0] == "fromfloat4" {
				d = NumericFromFloat32(float32(v))
			}
		default:
			continue
		}
		if got := outcome(func() string { return FormatString(NumericOID, d, nil) }, err); got != f[3] {
			t.Errorf("%s %q: got %s, want %s", f[0], f[1], got, f[3])
		}
	}
}

// PostgreSQL 16 reads these; 15, which wrote the golden file, does not.
func TestNumericReadsDigitGroupsAndRadixes(t *testing.T) {
	for in, want := range map[string]string{
		"1_000": "1000", "1_0.0_1": "10.01", "0x1F": "31", "-0b101": "-5", "0o17": "15", "0x_ff": "255", "1e1_0": "10000000000",
	} {
		d, err := ParseNumeric(in)
		if got := outcome(func() string { return FormatString(NumericOID, d, nil) }, err); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"1__0", "_1", "1_", "0x", "0xg", "1_.0"} {
		if _, err := ParseNumeric(in); pgerr.Code(err) != pgerr.InvalidTextRepresentation {
			t.Errorf("%s: got %v, want 22P02", in, err)
		}
	}
}
