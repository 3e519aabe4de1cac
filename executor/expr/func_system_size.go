package expr

import (
	"math/big"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// sizeFunctions tell and print sizes.
var sizeFunctions = []*Function{
	serverFunction("pg_relation_size(regclass) int8"),
	define("pg_relation_size(regclass, text) int8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		switch fork := args[1].(string); fork {
		case "main":
			return ctx.do("pg_relation_size", args[0])
		case "fsm", "vm", "init":
			return int64(0), nil
		}
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid fork name").WithHint(`Valid fork names are "main", "fsm", "vm", and "init".`)
	}).volatile(),
	serverFunction("pg_table_size(regclass) int8"),
	serverFunction("pg_indexes_size(regclass) int8"),
	serverFunction("pg_total_relation_size(regclass) int8"),
	serverFunction("pg_database_size(oid) int8"),
	serverFunction("pg_database_size(name) int8"),
	define("pg_tablespace_size(oid) int8", databaseSize).volatile(),
	define("pg_tablespace_size(name) int8", databaseSize).volatile(),
	define1("pg_size_pretty(int8) text", func(a types.Datum) (types.Datum, error) { return prettySize(big.NewInt(a.(int64))), nil }),
	define1("pg_size_pretty(numeric) text", prettyNumericSize),
	define1("pg_size_bytes(text) int8", sizeBytes),
	defineBound("pg_column_size(any) int4", columnSize).stable(),
}

// headerBytes is the length word of a value of variable length.
const headerBytes = 4

// columnSize counts a value's binary form, as PostgreSQL would store it uncompressed.
func columnSize(args []Type, _ bool) evalFunc {
	return func(_ *Context, v []types.Datum) (types.Datum, error) {
		t := types.Lookup(typeAt(args, 0))
		if t == nil || t.Codec == nil || t.Codec.Encode == nil {
			return int64(headerBytes), nil
		}
		if t.Len > 0 {
			return int64(t.Len), nil
		}
		b, err := t.Codec.Encode(nil, v[0])
		return int64(len(b) + headerBytes), err
	}
}

func databaseSize(ctx *Context, args []types.Datum) (types.Datum, error) {
	return ctx.do("pg_database_size", args[0])
}

// sizeUnits are pg_size_pretty's: a value under limit is printed in the unit,
// half is one bit that is kept for rounding.
var sizeUnits = []struct {
	name  string
	limit int64
	round bool
	bits  uint
}{
	{"bytes", 10 * 1024, false, 0}, {"kB", 20*1024 - 1, true, 10}, {"MB", 20*1024 - 1, true, 20}, {"GB", 20*1024 - 1, true, 30},
	{"TB", 20*1024 - 1, true, 40}, {"PB", 20*1024 - 1, true, 50},
}

func prettySize(size *big.Int) string {
	v := new(big.Int).Set(size)
	for i, u := range sizeUnits {
		if i == len(sizeUnits)-1 || v.CmpAbs(big.NewInt(u.limit)) < 0 {
			if u.round {
				v.Quo(v.Add(v, big.NewInt(int64(signOrOne(v)))), big.NewInt(2))
			}
			return v.String() + " " + u.name
		}
		next := sizeUnits[i+1]
		shift := next.bits - u.bits
		if next.round {
			shift--
		}
		if u.round {
			shift++
		}
		v.Quo(v, new(big.Int).Lsh(big.NewInt(1), shift))
	}
	return ""
}

func signOrOne(v *big.Int) int {
	if v.Sign() < 0 {
		return -1
	}
	return 1
}

func prettyNumericSize(a types.Datum) (types.Datum, error) {
	text := types.FormatString(types.NumericOID, a, nil)
	whole, _, fraction := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole, 10)
	if !ok {
		return text + " bytes", nil // NaN and the infinities
	}
	if fraction && n.CmpAbs(big.NewInt(sizeUnits[0].limit)) < 0 {
		return text + " bytes", nil
	}
	return prettySize(n), nil
}

func sizeBytes(a types.Datum) (types.Datum, error) {
	text := strings.TrimSpace(a.(string))
	end := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789.+-eE", r) })
	if end < 0 {
		end = len(text)
	}
	value, err := types.ParseNumeric(strings.TrimSpace(text[:end]))
	if err != nil || end == 0 {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid size: \"%s\"", a)
	}
	unit := strings.TrimSpace(text[end:])
	shift, ok := unitBits(unit)
	if !ok {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid size: \"%s\"", a).WithDetail("Invalid size unit: \"%s\".", unit).
			WithHint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".")
	}
	r, ok := new(big.Rat).SetString(types.FormatString(types.NumericOID, value, nil))
	if !ok {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid size: \"%s\"", a)
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), shift)))
	half := big.NewRat(int64(r.Sign()), 2)
	r.Add(r, half)
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return nil, pgerr.New(pgerr.NumericValueOutOfRange, "bigint out of range")
	}
	return n.Int64(), nil
}

func unitBits(unit string) (uint, bool) {
	if unit == "" || strings.EqualFold(unit, "B") {
		return 0, true
	}
	for _, u := range sizeUnits {
		if strings.EqualFold(u.name, unit) {
			return u.bits, true
		}
	}
	return 0, false
}
