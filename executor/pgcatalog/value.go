package pgcatalog

import (
	"sort"

	"github.com/akidb/akidb/internal/types"
)

// oid makes a value of an object id.
func oid(id types.OID) types.Datum { return int64(id) }

// orNull is nil for "".
func orNull(s string) types.Datum {
	if s == "" {
		return nil
	}
	return s
}

// letter is a value of type "char"; 0 is the empty one.
func letter(c byte) types.Datum {
	if c == 0 {
		return ""
	}
	return string(rune(c))
}

// numbers makes an array or a vector (lower is 0 for int2vector and oidvector).
func numbers[T int16 | types.OID](elem types.OID, lower int, values []T) types.Datum {
	elems := make([]types.Datum, len(values))
	for i, v := range values {
		elems[i] = int64(v)
	}
	a := types.NewArray(elem, elems)
	if len(values) > 0 {
		a.Lower = []int{lower}
	}
	return a
}

func int2vector(v []int16) types.Datum    { return numbers(types.Int2OID, 0, v) }
func oidvector(v []types.OID) types.Datum { return numbers(types.OidOID, 0, v) }
func int2array(v []int16) types.Datum     { return numbers(types.Int2OID, 1, v) }
func oidarray(v []types.OID) types.Datum  { return numbers(types.OidOID, 1, v) }

func textarray(v []string) types.Datum {
	elems := make([]types.Datum, len(v))
	for i, s := range v {
		elems[i] = s
	}
	return types.NewArray(types.TextOID, elems)
}

// options prints storage options as pg_class.reloptions has them: NULL for none.
func options(m map[string]string) types.Datum {
	if len(m) == 0 {
		return nil
	}
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return textarray(out)
}

// yesNo is information_schema's yes_or_no.
func yesNo(b bool) types.Datum {
	if b {
		return "YES"
	}
	return "NO"
}
